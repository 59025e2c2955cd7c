"""One shifted box in many forms. Its faces lie between voxel centres, and beyond the body's reach.

It is 1 m in front of the body, so that it stays in place whatever the (moderate) pose.
"""

from __future__ import annotations

import itertools

import numpy as np

from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.rotations import axis_angle_to_matrix

GRID = GridSpec(24)
CENTER, SIZE = np.array([0.25, 0.125, 1.125]), np.array([0.5, 0.75, 0.25])

#: The corners, and outward faces.
CORNERS = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * SIZE + CENTER
FACES = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
    ]
)  # fmt: skip

INSIDE = (np.abs(GRID.centers() - CENTER) < SIZE / 2).all(axis=1).reshape(GRID.shape)
FIELD = INSIDE.astype(np.float32)


def points(step: float = 0.04) -> np.ndarray:
    """Points that fill the box, its faces included."""
    ranges = [
        np.linspace(-s / 2, s / 2, round(s / step) + 1) + c
        for s, c in zip(SIZE, CENTER, strict=True)
    ]
    return np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3)


def distances(grid: GridSpec = GRID) -> np.ndarray:
    """Distances to the box's surface along the worst axis, negative inside."""
    return (np.abs(grid.centers() - CENTER) - SIZE / 2).max(axis=1).reshape(grid.shape)


def pose(seed: int, size: int = 72) -> np.ndarray:
    """A pose with bent knees and elbows and any global orientation."""
    rng = np.random.default_rng(seed)
    values = np.zeros(size)
    values[3:66] = rng.normal(0, 0.1, 63)
    values[:3] = rng.normal(0, 1, 3)
    return values


def in_world(place: np.ndarray, of_pose: np.ndarray, pelvis: np.ndarray, rest: np.ndarray):
    """Points of the body frame in the space in which the person is turned and has a pelvis."""
    return (place - rest) @ axis_angle_to_matrix(of_pose[:3]).T + pelvis
