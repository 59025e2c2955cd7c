"""Camera entropy against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.metrics.camera_entropy import camera_entropy, fibonacci_sphere

ONE_GAUSSIAN = np.log2(2 * np.pi * np.e * 0.01**2)


def test_one_camera_is_one_gaussian():
    found = camera_entropy([[0, 0, 2.5]])
    assert found.differential_bits == pytest.approx(ONE_GAUSSIAN, abs=0.01)
    assert found.bits == pytest.approx(ONE_GAUSSIAN + np.log2(2**19 / (4 * np.pi)), abs=0.01)


def test_separate_cameras_add_the_logarithm_of_their_number():
    axes = np.vstack([np.eye(3), -np.eye(3)])[:4]
    found = camera_entropy(axes * [[1], [2], [3], [4]])
    assert found.differential_bits == pytest.approx(ONE_GAUSSIAN + 2, abs=0.01)


def test_repeating_the_cameras_changes_nothing():
    cameras = np.random.default_rng(0).normal(size=(50, 3))
    once, twice = camera_entropy(cameras), camera_entropy(np.vstack([cameras, cameras]))
    assert once.bits == pytest.approx(twice.bits, abs=1e-9)


def test_all_around_is_uniform():
    found = camera_entropy(fibonacci_sphere(40_000))  # a degree apart, 1.8 times sigma
    assert found.differential_bits == pytest.approx(np.log2(4 * np.pi), abs=0.01)


def test_frontal_cameras_have_less():
    rng = np.random.default_rng(1)
    around = rng.normal(size=(400, 3))
    frontal = rng.normal((0, 0, 1), 0.15, size=(400, 3))
    assert camera_entropy(frontal).bits + 0.5 < camera_entropy(around).bits


def test_more_cameras_of_the_same_kind_have_more():
    """The ordering of the paper's table: 10k images have more than 1k, by less than log2(10)."""
    cameras = np.random.default_rng(2).normal((0, 0, 1), 0.4, size=(3600, 3))
    few, many = camera_entropy(cameras[:450]).bits, camera_entropy(cameras).bits
    assert few < many < few + np.log2(8)


def test_finer_cells_agree():
    cameras = np.random.default_rng(3).normal(size=(30, 3))
    coarse, fine = camera_entropy(cameras), camera_entropy(cameras, cells=2**21)
    assert coarse.differential_bits == pytest.approx(fine.differential_bits, abs=0.005)
    assert fine.bits == pytest.approx(coarse.bits + 2, abs=0.005)


@pytest.mark.parametrize(
    ("centers", "options", "message"),
    [
        (np.zeros((0, 3)), {}, "no cameras"),
        ([[0, 0, 0]], {}, "has no direction"),
        ([[0, 0, 1], [np.nan, 0, 1]], {}, r"\(number 1\) has no direction"),
        ([[0, 0, 1]], {"cells": 1000}, "too coarse"),
    ],
)
def test_bad_input(centers, options, message):
    with pytest.raises(InputError, match=message):
        camera_entropy(centers, **options)
