"""Categories on grids of their own are scored like all others, and the result says so."""

import numpy as np

from chorus_bench.evaluation import evaluate
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from tests.evaluation.small_split import COARSE, blob_field


def test_the_grid_does_not_change_what_is_scored(split, tmp_path):
    """A field of twice the resolution, with the same values, has the same scores to the bit."""
    coarse = blob_field(24)
    fine = coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    plain = {name: OccupancyGrid(coarse, GridSpec(24)) for name in ("bench", "surfboard")}
    mixed = {**plain, "surfboard": OccupancyGrid(fine, GridSpec(48))}
    one, other = (
        evaluate(fields, split=split, protocol=COARSE, categories=list(plain), cache=tmp_path)
        for fields in (plain, mixed)
    )
    assert one.scores == other.scores
    assert one.scores["mPAP"] > 0
    np.testing.assert_array_equal(one.samples["PAP"], other.samples["PAP"])
    assert one.signature == other.signature
    assert "grids" not in one.submission
    assert other.submission["grids"] == {"bench": "24x3.0", "surfboard": "48x3.0"}
