"""Mirrored views: what they see is the mirror image of what the views saw."""

import numpy as np
import pytest

from chorus_baselines.chorus.mirror import mirror_camera, mirror_pose, mirror_view
from chorus_baselines.chorus.views import read_view
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import PerspectiveCamera
from tests.baselines.views import make_row

FLIP = np.array([-1, 1, 1])


@pytest.mark.parametrize("shift", [0.0, 7.5])
def test_a_mirrored_point_falls_on_the_mirrored_pixel(shift):
    view = read_view(make_row(3))
    K = view.camera.intrinsics.copy()
    K[0, 2] += shift
    camera = PerspectiveCamera(view.camera.rotation, view.camera.translation, K)
    points = np.random.default_rng(0).normal(0, 0.5, (20, 3))
    seen, mirrored = camera.project(points), mirror_camera(camera, 40).project(points * FLIP)
    assert mirrored[:, 0] == pytest.approx(40 - seen[:, 0], abs=1e-4)
    assert mirrored[:, 1] == pytest.approx(seen[:, 1], abs=1e-4)
    back = mirror_camera(mirror_camera(camera, 40), 40)
    assert np.array_equal(back.rotation, camera.rotation)
    assert np.array_equal(back.intrinsics, camera.intrinsics)


def test_the_mirrored_pose_is_the_mirrored_body():
    body = load_body("default")
    pose = read_view(make_row(4)).pose
    joints, mirrored = (body.bone_transforms(p)[1] for p in (pose, mirror_pose(pose)))
    left, right = [4, 7, 16, 18, 20, 22], [5, 8, 17, 19, 21, 23]
    assert mirrored[left] == pytest.approx(joints[right] * FLIP, abs=0.02)
    assert mirrored[15] == pytest.approx(joints[15] * FLIP, abs=0.02)
    assert np.array_equal(mirror_pose(mirror_pose(pose)), pose)


def test_views():
    view = read_view(make_row(5, prompt="p"))
    mirrored = mirror_view(view)
    assert np.array_equal(mirrored.mask, view.mask[:, ::-1])
    assert mirrored.prompt == "p"
    assert mirrored.camera.center == pytest.approx(view.camera.center * FLIP, abs=1e-5)
    # Azimuths are mirrored about 90 degrees.
    assert {view.azimuth_bin, mirrored.azimuth_bin} == {
        view.azimuth_bin,
        (5 - view.azimuth_bin) % 12,
    }
