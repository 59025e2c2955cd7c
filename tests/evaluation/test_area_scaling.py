"""Masks scaled by area: OpenCV's own result, to the pixel."""

from __future__ import annotations

import platform

import cv2
import numpy as np
import pytest

from chorus_bench.evaluation.area_scaling import scaled_mask
from chorus_bench.evaluation.prepare import small_image_size

SIZES = [
    (480, 640), (640, 427), (375, 500), (256, 341), (512, 512), (64, 64), (96, 128), (64, 2000),
    (33, 1100), (500, 333), (32, 32), (32, 45), (20, 21), (7, 30), (1, 9),
]  # fmt: skip


def masks(height, width, rng):
    """Noise, a box and blobs."""
    yield (rng.random((height, width)) > 0.5).astype(np.uint8)
    box = np.zeros((height, width), np.uint8)
    box[rng.integers(height) :, : rng.integers(1, width + 1)] = 1
    yield box
    coarse = rng.random((height // 9 + 1, width // 9 + 1)) > 0.5
    yield np.kron(coarse, np.ones((9, 9)))[:height, :width].astype(np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_the_pixels_are_those_of_opencv(size):
    rng = np.random.default_rng(size[0])
    height, width, _ = small_image_size(*size)
    for _ in range(10):
        for mask in masks(*size, rng):
            theirs = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
            differ = scaled_mask(mask, height, width) != theirs
            if platform.machine() not in ("x86_64", "AMD64"):
                # A compiler may fuse OpenCV's sums: what is half covered may fall the other way.
                share = cv2.resize(np.float32(mask), (width, height), interpolation=cv2.INTER_AREA)
                differ &= np.abs(share - 0.5) > 1e-4
            assert not differ.any(), (size, np.argwhere(differ)[:3])


def test_one_half_is_rounded_to_nothing_but_where_both_sides_are_halved():
    mask = np.zeros((96, 96), np.uint8)
    mask[:, ::2] = 1
    assert not scaled_mask(mask[:, :64], 24, 16).any()
    assert scaled_mask(mask, 48, 48).all()
    assert (scaled_mask(mask, 96, 96) == mask).all()
