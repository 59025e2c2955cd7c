"""View weights: against sums over the views."""

import numpy as np
import pytest

from chorus_baselines.chorus.view_weights import VIEW_WEIGHTS
from chorus_bench.errors import InputError
from chorus_bench.geometry.camera import azimuth_bins
from tests.baselines.aggregations import slow_field


@pytest.mark.parametrize("weights", VIEW_WEIGHTS)
def test_view_weights(rows, whole, weights):
    """Against sums over the views: bins of 30 degrees, of 120 degrees, and equal weights."""
    width = {"azimuth-12": 30, "azimuth-3": 120, "equal": 360}[weights]
    expected = slow_field(rows, lambda degrees: (degrees / width).astype(int))
    assert whole.field(weights=weights) == pytest.approx(expected, abs=1e-6)
    others = {whole.field(weights=other).tobytes() for other in VIEW_WEIGHTS}
    assert len(others) == 3


def test_bins_of_120_degrees_are_four_of_the_narrow_ones():
    degrees = np.linspace(0, 360, 100001)[:-1]
    assert np.array_equal((degrees / 120).astype(int), azimuth_bins(degrees) // 4)


def test_unknown_view_weights(whole):
    with pytest.raises(InputError, match="unknown view weights 'azimuth'"):
        whole.field(weights="azimuth")
