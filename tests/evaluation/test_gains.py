"""Intervals of gains: those of the same bootstrap as the scores', with the repair held fixed."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.evaluation.diagnosis import Diagnosis
from chorus_bench.evaluation.gains import SMALLEST, Tried, diagnosed, gain_intervals
from chorus_bench.evaluation.repairs import SearchSettings
from chorus_bench.metrics.resampling import bootstrap_intervals
from chorus_bench.report.diagnosis import render_diagnosis
from chorus_bench.report.page import diagnosis_table


def _tried(seed, samples, *, gain=None):
    """Return scores of some samples, and of a repair that adds ``gain`` to each."""
    rng = np.random.default_rng(seed)
    now = rng.uniform(0.1, 0.4, (samples, 4))
    areas = np.ones((samples, 2), np.int64)
    added = rng.normal(0.1, 0.05, (samples, 1)) if gain is None else gain
    mapped = ((now, areas), {"changed": False, "limit": 0.5})
    repairs = {"scale": ((now + added, areas), {"factor": 1.2}), "recalibration": mapped}
    return Tried((now, areas), repairs, missing=False)


def test_a_constant_gain_is_certain_and_zero_is_zero():
    tried = {"kite": _tried(0, 9, gain=0.1), "tie": _tried(1, 12, gain=0.0)}
    overall, categories = gain_intervals(tried)
    assert categories["kite"]["scale"].as_list() == pytest.approx([0.1, 0.1])
    assert categories["tie"]["scale"].as_list() == [0.0, 0.0]
    assert overall["scale"].as_list() == pytest.approx([0.05, 0.05])


def test_intervals_are_the_bootstraps_of_the_differences():
    """The mean of differences in a resample is the difference of the means."""
    tried = {"kite": _tried(0, 20), "tie": _tried(1, 9)}
    tables = {
        name: (one.repairs["scale"][0][0] - one.now[0], one.now[1]) for name, one in tried.items()
    }
    expected, by_category = bootstrap_intervals(tables)
    overall, categories = gain_intervals(tried)
    assert overall["scale"].as_list() == pytest.approx(expected["mPAP"].as_list())
    for name in tried:
        bounds = categories[name]["scale"].as_list()
        assert bounds == pytest.approx(by_category[name]["PAP"].as_list())


def test_few_samples_have_no_interval_on_screen_in_the_file_and_on_the_page():
    tried = {"kite": _tried(0, SMALLEST), "tie": _tried(1, SMALLEST - 1)}
    mean, categories = diagnosed(tried)
    assert categories["kite"].repairs["scale"].interval is not None
    assert categories["tie"].repairs["scale"].interval is None
    assert mean.repairs["scale"].interval is None
    who = {"method": "m", "track": "canonical", "sha256": "0"}
    found = Diagnosis("PAP", who, mean, categories, {}, SearchSettings(), (), 0.0)
    text = render_diagnosis(found)
    low, high = (
        f"{100 * end:+.2f}" for end in categories["kite"].repairs["scale"].interval.as_list()
    )
    assert f"{low} to {high}" in text
    content = found.as_dict()
    assert content["categories"]["tie"]["repairs"]["scale"]["gain_interval"] is None
    cells = {row["name"]: row["cells"] for row in diagnosis_table(content)["rows"]}
    assert [bounds for _, bounds in cells["kite"] if bounds] == [
        f"{low} to {high}",
        "+0.00 to +0.00",
    ]
    assert not any(bounds for name in ("tie", "mean over categories") for _, bounds in cells[name])


def test_without_any_interval_there_is_no_table_of_them():
    mean, categories = diagnosed({"tie": _tried(1, SMALLEST - 1)})
    who = {"method": "m", "track": "canonical", "sha256": "0"}
    found = Diagnosis("PAP", who, mean, categories, {}, SearchSettings(), (), 0.0)
    assert "95 % intervals" not in render_diagnosis(found)


def test_a_diagnosis_of_an_earlier_version_is_shown_without_intervals():
    repair = {"PAP": 0.5, "PAP_hoa": 0.5, "gain": 0.1, "gain_hoa": 0.1}
    entry = {"PAP": 0.4, "PAP_hoa": 0.4, "occlusion": 0.0, "samples": 9, "missing": False}
    entry |= {"repairs": {"spread": repair, "ceiling": repair}}
    rows = diagnosis_table({"mean": entry, "categories": {"kite": entry}})["rows"]
    assert rows[1]["cells"] == [("+10.00", ""), ("+0.00", ""), ("+10.00", "")]
