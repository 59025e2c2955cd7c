"""Two known people, their detections, and where a fit places their joints."""

import os

import numpy as np

from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.synthesis.interfaces import (
    Context,
    Detection,
    Picture,
)
from tests.synthesis.tiny_nlf import BODY, SIZE, Person

CONTEXT = Context(seed=1, body=BODY)


LEFT = Person(1, (-0.8, 0.1, 3.2))
RIGHT = Person(2, (0.9, -0.1, 3.9))


def picture(name, size=SIZE):
    return Picture(name, None, np.zeros((*size, 3), np.uint8))


def detection(box, size=SIZE):
    return Detection("person", np.asarray(box, np.float32), 0.9, np.ones(size, bool))


def reprojected(fit, person):
    camera = fit.camera
    assert isinstance(camera, PerspectiveCamera)
    return camera.project(person.seen)


class Hostile:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))
