"""Pictures of the simulated world instead of a model's, for trying and testing the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from chorus_bench.errors import unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.simulation import CATEGORIES, simulate_train_row
from chorus_bench.simulation.rows import WORLD
from chorus_bench.synthesis.interfaces import Context, ImageRequest, UInt8


@dataclass(frozen=True, eq=False)
class SimulatedGenerator:
    """Draws the simulated world; see `make_simulated`."""

    body: BodyModel
    seed: int
    size: int

    @property
    def description(self) -> str:
        """The world and everything that determines its pixels."""
        return f"{WORLD}; seed {self.seed}; {self.size} x {self.size}; body {self.body.label}"

    def generate(self, requests: Sequence[ImageRequest]) -> list[UInt8]:
        """Draw pictures (size, size, 3) RGB."""
        return [self._draw(request) for request in requests]

    def _draw(self, request: ImageRequest) -> UInt8:
        address = request.address
        row = simulate_train_row(
            address.category,
            address.prompt,
            address.view,
            address.index,
            seed=self.seed,
            body=self.body,
            size=self.size,
        )
        encoded = np.frombuffer(row["image"]["bytes"], dtype=np.uint8)
        pixels = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)
        return np.ascontiguousarray(pixels[..., ::-1])


def make_simulated(context: Context, *, size: int = 256) -> SimulatedGenerator:
    """Return a generator of simulated pictures.

    Args:
        context: the run's context, with the seed and body of the world.
        size: height and width in pixels, at least 32.

    Raises:
        InputError: the simulated world lacks one of the run's categories.
    """
    for category in context.categories:
        if category not in CATEGORIES:
            raise unknown_name("category", category, CATEGORIES, where="the simulated world")
    return SimulatedGenerator(context.body, context.seed, size)
