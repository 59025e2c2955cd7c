"""Splits whose targets are masks of a known field, and fields with one planted fault each."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from chorus_bench.datasets.masks import encode_mask
from chorus_bench.evaluation import split_from_rows
from chorus_bench.evaluation.prepare import PreparedSample, prepare_sample
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics import Protocol
from tests.evaluation.small_split import make_row

#: The official protocol on a coarser probe grid.
PROTOCOL = Protocol(grid=GridSpec(resolution=32), min_samples=1)
VOXEL = 3.0 / 48
SAMPLES = 6


def good_field() -> np.ndarray:
    """Return a lopsided pair of blobs, to the person's left, mostly in front of the body."""
    points = GridSpec().centers()

    def blob(center, width):
        return np.exp(-((points - np.array(center)) ** 2).sum(axis=1) / (2 * width**2))

    values = np.maximum(blob((0.45, 0.2, 0.3), 0.2), 0.9 * blob((0.2, -0.3, 0.35), 0.12))
    return values.astype(np.float32).reshape((48,) * 3)


def turned_over(values: np.ndarray) -> np.ndarray:
    """Return the mirror image of a field."""
    return values[::-1].copy()


def shifted(values: np.ndarray, voxels: tuple[int, int, int]) -> np.ndarray:
    """Return a field moved by whole voxels; nothing wraps around that matters."""
    return np.roll(values, voxels, axis=(0, 1, 2))


def enlarged(values: np.ndarray, factor: float) -> np.ndarray:
    """Return a field enlarged about its centre of mass, interpolated between voxels."""
    from scipy.ndimage import map_coordinates

    index = np.indices(values.shape).reshape(3, -1).astype(float)
    center = (index * values.ravel()).sum(axis=1) / values.sum()
    places = center[:, None] + (index - center[:, None]) / factor
    read = map_coordinates(values, places, order=1, mode="constant")
    return np.clip(read, 0, 1).astype(np.float32).reshape(values.shape)


def planted_split(truth: np.ndarray, category: str = "kite", *, hide: bool = False):
    """Return a split whose targets are masks of a posed field, each at another threshold.

    Args:
        truth: the canonical field (48, 48, 48).
        category: of all samples.
        hide: take the person's pixels out of the targets, as an annotator of visible parts.
    """
    field = OccupancyGrid(truth)
    rows = []
    for number in range(SAMPLES):
        row = _row(number) | {"category": category, "sample_id": f"{category}-{number}"}
        prepared = _prepared(number)
        mask = prepared.occupancy_image(field.at(prepared.points)) >= 0.2 + 0.1 * number
        if hide:
            mask &= prepared.human == 0
        full = cv2.resize(mask.astype(np.uint8), (96, 96), interpolation=cv2.INTER_NEAREST)
        rows.append(row | {"object_mask": encode_mask(full)})
    return split_from_rows(rows, f"planted-{category}")


def _row(number: int) -> dict:
    """Return a row of 96 x 96 pixels."""
    return make_row("kite", 3 * number + 2)


@lru_cache
def _prepared(number: int) -> PreparedSample:
    """Return the geometry of a row, whatever its target."""
    [sample] = split_from_rows([_row(number)], "one").samples
    return prepare_sample(sample, load_body("default"), PROTOCOL)


def hidden_target(split):
    """Return a split of one sample whose target is too small to be seen in the small image."""
    dot = np.zeros((96, 96), np.uint8)
    dot[40, 40] = 1
    sample = replace(split.samples[0], object_mask=encode_mask(dot))
    return replace(split, name="dot", samples=(sample,))
