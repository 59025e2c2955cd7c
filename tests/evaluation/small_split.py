"""Rows of a small test split and fields for it, cheap enough to evaluate in every test."""

from __future__ import annotations

import numpy as np

from chorus_bench.datasets.masks import encode_mask
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.metrics import Protocol

CATEGORIES = ("bench", "surfboard", "tennis racket")
#: The official protocol on a coarser probe grid: the same code in a fraction of the time.
COARSE = Protocol(grid=GridSpec(resolution=16), min_samples=3)


def make_row(category: str, number: int) -> dict:
    """Return a test row: a standing person with bent limbs, a box-shaped object mask."""
    rng = np.random.default_rng([number, *category.encode()])
    height, width = [(120, 90), (90, 120), (96, 96)][number % 3]
    pose = np.zeros(72, np.float32)
    pose[3:] = rng.normal(0, 0.2, 69)
    angle = rng.uniform(0, 2 * np.pi)
    turn = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    focal = 1.1666 * width
    K = [[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]
    camera = PerspectiveCamera(np.diag([1, -1, -1]) @ np.array(turn), [0, 0, 3], K, 0.1)
    mask = np.zeros((height, width), np.uint8)
    top, left = rng.integers(height // 4, height // 2), rng.integers(width // 4, width // 2)
    mask[top : top + height // 4, left : left + width // 4] = 1
    human = np.zeros_like(mask)
    human[height // 5 : -height // 5, width // 3 : -width // 3] = 1
    return {
        "sample_id": f"made-{category}-{number:03d}",
        "category": category,
        "image_id": number,
        "annotation_id": 2 * number,
        "object_annotation_id": 2 * number + 1,
        "height": height,
        "width": width,
        "human_mask": encode_mask(human),
        "object_mask": encode_mask(mask),
        "human_box": [0.0, 0.0, 1.0, 1.0],
        "object_box": [0.0, 0.0, 1.0, 1.0],
        "box_overlap": 1.0,
        "pose": pose.tolist(),
        "betas": [0.0] * 10,
        **camera.columns(),
        "joints_2d": np.zeros((24, 2)).tolist(),
    }


def blob_field(resolution: int = 48, center=(0.0, 0.2, 0.3), width: float = 0.35) -> np.ndarray:
    """Return a field that falls off smoothly from a point in front of the body."""
    points = GridSpec(resolution=resolution).centers() - np.asarray(center)
    values = np.exp(-(points**2).sum(axis=1) / (2 * width**2))
    return values.reshape((resolution,) * 3).astype(np.float32)


def small_rows() -> list[dict]:
    """Return eleven rows: five benches, four surfboards, two tennis rackets."""
    counts = dict(zip(CATEGORIES, (5, 4, 2), strict=True))
    return [make_row(name, number) for name, n in counts.items() for number in range(n)]
