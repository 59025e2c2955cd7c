"""The self-test: the original code's golden figures, recomputed on this machine."""

from __future__ import annotations

from chorus_bench.selftest.cameras import compare_cameras
from chorus_bench.selftest.comparison import Comparison
from chorus_bench.selftest.geometry import (
    compare_azimuth,
    compare_backward_warp,
    compare_body,
    compare_forward_warp,
    compare_weights,
)
from chorus_bench.selftest.images import compare_images, compare_targets
from chorus_bench.selftest.metric import compare_means, compare_metric

__all__ = ["Comparison", "run_selftest"]

_CHECKS = (
    compare_metric,
    compare_means,
    compare_body,
    compare_weights,
    compare_forward_warp,
    compare_backward_warp,
    compare_azimuth,
    compare_targets,
    compare_images,
    compare_cameras,
)


def run_selftest() -> list[Comparison]:
    """Compare this installation with the original's figures, in about ten seconds.

    Returns:
        One `Comparison` per quantity. `Comparison.passed` says whether it is within its
        tolerance.

    Raises:
        InputError: the golden figures are not part of this installation.
    """
    return [comparison for check in _CHECKS for comparison in check()]
