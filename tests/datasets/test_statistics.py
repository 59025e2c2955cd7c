"""Statistics of rows: counts, rejection rate, azimuths."""

from __future__ import annotations

import json

import numpy as np
import pytest

from chorus_bench.datasets.schema import CAMERA_COLUMNS
from chorus_bench.datasets.statistics import row_statistics
from chorus_bench.geometry.camera import PerspectiveCamera


def _row(angle: float | None, verdict: str | None = None, **columns):
    camera = dict.fromkeys(CAMERA_COLUMNS)
    if angle is not None:
        center = np.array([np.cos(angle), 0, np.sin(angle)]) * 3
        camera = PerspectiveCamera(np.eye(3), -center, np.eye(3)).columns()
    return {"category": "bench", "verdict": verdict, **camera, **columns}


def test_counts_and_rejection_rate():
    rows = [
        _row(None, "rejected", reason="no person", view="side view"),
        _row(None, "rejected", reason="no person", view="side view"),
        _row(None, "rejected", reason="more than one person", view=""),
        _row(0.1, "kept", view="side view"),
    ]
    found = row_statistics(rows)
    assert found.rows == 4
    assert found.counts["reason"] == {"no person": 2, "more than one person": 1}
    assert found.counts["view"] == {"side view": 3, "": 1}
    assert found.rejection_rate == 0.75
    assert found.entropy.cameras == 1
    json.dumps(found.as_dict())


def test_azimuths_of_test_rows():
    angles = np.radians([15, 45, 45.5, 100, 359])
    found = row_statistics(_row(angle) for angle in angles)
    assert found.azimuth_histogram.tolist() == [1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found.rejection_rate is None
    np.testing.assert_allclose(np.linalg.norm(found.camera_centers, axis=1), 3, atol=1e-6)


def test_cameras_of_rejected_rows_do_not_count():
    found = row_statistics([_row(1.0, "rejected", reason="no person"), _row(2.0, "kept")])
    assert found.entropy.cameras == 1


def test_nothing_at_all():
    found = row_statistics([])
    assert (found.rows, found.rejection_rate, found.entropy) == (0, None, None)
    assert found.as_dict()["camera_entropy"] is None


@pytest.mark.parametrize("column", ["prompt", "source"])
def test_only_columns_that_are_there(column):
    assert column not in row_statistics([_row(0.2)]).counts
    assert row_statistics([_row(0.2, **{column: "x"})]).counts[column] == {"x": 1}
