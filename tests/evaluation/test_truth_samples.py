"""Measures against the truth in 3D: samples, best levels, means and intervals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.errors import InputError
from chorus_bench.evaluation.contact import contact_labels_scores
from chorus_bench.evaluation.truth import summary
from chorus_bench.evaluation.truth_samples import (
    LEVELS,
    MEASURES,
    CategoryTable,
    TrueSample,
    mean_of_categories,
    resampled,
    score_sample,
)
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics.contact import Geodesics, contact_probabilities
from chorus_bench.metrics.surface import diagonal
from chorus_bench.report.volumetric import MEASURES as SHOWN
from chorus_bench.report.volumetric import render_contact, truth_table
from chorus_bench.submission import write_submission

BODY = load_body("default")
GRID = GridSpec(24)
GEODESICS = Geodesics(BODY)


def truth_of(shift: int = 0) -> np.ndarray:
    """A block that touches the left hand."""
    voxels = np.zeros(GRID.shape, bool)
    voxels[17 + shift : 20 + shift, 14:17, 11:13] = True
    return voxels


def sample(voxels, category="kite") -> TrueSample:
    return TrueSample.of(category, voxels, GRID, BODY.canonical_vertices, GEODESICS)


def test_the_truth_is_perfect_in_every_measure():
    voxels = truth_of()
    scored = score_sample(voxels.astype(np.float32), sample(voxels))
    names = dict(zip(MEASURES, CategoryTable.of([scored]).values[0], strict=True))
    assert sample(voxels).contact.any()
    errors = {"brier", "centre_error", "contact_mae", "chamfer", "contact_geodesic"}
    for name, value in names.items():
        assert value == pytest.approx(0 if name.removesuffix("_at_0.5") in errors else 1), name


def test_a_shifted_block_is_off_by_the_shift():
    scored = score_sample(truth_of(1).astype(np.float32), sample(truth_of()))
    assert scored.plain["centre_error"] == pytest.approx(GRID.voxel_size)
    assert 0 < scored.at_level["f_10cm"][0] < 1
    assert 0 < scored.at_level["chamfer"][0] < GRID.voxel_size


def test_the_best_level_is_that_of_the_category_and_the_stated_one_stands_beside():
    """Faint: at 0.5 nothing is left, at 0.1 to 0.3 it is the truth."""
    voxels = truth_of()
    samples = [score_sample(np.float32(0.3) * voxels, sample(voxels)) for _ in range(2)]
    table = CategoryTable.of(samples)
    mean = dict(zip(MEASURES, table.means(), strict=True))
    assert table.levels == {"f_10cm": LEVELS[0], "contact_f1": LEVELS[0]}
    assert (mean["f_10cm"], mean["contact_f1"]) == (1, 1)
    assert (mean["f_10cm_at_0.5"], mean["contact_f1_at_0.5"]) == (0, 0)
    assert mean["chamfer_at_0.5"] == pytest.approx(diagonal(GRID))
    assert np.isnan(mean["contact_geodesic_at_0.5"])


def test_an_empty_truth():
    empty = np.zeros(GRID.shape, bool)
    none = score_sample(empty.astype(np.float32), sample(empty))
    assert none.at_level["f_5cm"].tolist() == none.at_level["contact_f1"].tolist() == [1] * 9
    assert np.isnan(none.plain["centre_error"])
    some = score_sample(truth_of().astype(np.float32), sample(empty))
    assert some.at_level["f_5cm"].max() == some.at_level["contact_recall"].max() == 0


@pytest.fixture(scope="module")
def scored():
    """Give samples of two categories, more or less well predicted; one without an object."""
    rng, made = np.random.default_rng(0), []
    for category in ("kite", "tie"):
        for shift in (0, 0, 1, 2):
            voxels = truth_of(shift)
            field = (truth_of() * rng.uniform(0.3, 1)).astype(np.float32)
            made.append(score_sample(field, sample(voxels, category)))
    empty = np.zeros(GRID.shape, bool)
    return [*made, score_sample(truth_of().astype(np.float32), sample(empty, "tie"))]


def test_means_are_over_what_is_defined(scored):
    ties = CategoryTable.of([one for one in scored if one.category == "tie"])
    column = MEASURES.index("centre_error")
    assert np.isnan(ties.values[-1, column])
    assert ties.means()[column] == pytest.approx(ties.values[:-1, column].mean())
    counts = np.array([[0, 0, 0, 0, 5.0], [2, 0, 0, 1, 2]])
    drawn = ties.means(counts)[:, column]
    assert np.isnan(drawn[0])
    expected = (2 * ties.values[0, column] + ties.values[3, column]) / 3
    assert drawn[1] == pytest.approx(expected)
    assert mean_of_categories([np.array([1.0, np.nan]), np.array([3.0, np.nan])])[0] == 2


def test_intervals_hold_the_means_and_are_reproducible(scored):
    scores = summary(scored)
    assert set(scores.intervals) == {*MEASURES, "calibration_error"}
    means = {**scores.measures, "calibration_error": scores.calibration.error}
    for name, (low, high) in scores.intervals.items():
        assert low - 1e-12 <= means[name] <= high + 1e-12, name
    low, high = scores.intervals["f_10cm"]
    assert low < high
    tables = {
        name: CategoryTable.of([one for one in scored if one.category == name])
        for name in ("tie", "kite")
    }
    assert resampled(tables)[0]["f_10cm"].as_list() == [low, high]


def test_everything_is_in_json_and_on_the_page(scored):
    scores = summary(scored)
    content = json.loads(json.dumps(scores.as_dict(), allow_nan=False))
    assert set(content["measures"]) == set(content["categories"]["kite"]) & set(MEASURES)
    assert content["categories"]["kite"]["surface_level"] in LEVELS
    assert {one.key for one in SHOWN} == {*MEASURES, "calibration_error"}
    table = truth_table(content)
    assert table is not None
    labels = dict(table["rows"])
    assert labels["F at 10 cm, %"].endswith("]")
    assert [len(values) for _, values, _ in table["categories"]] == [len(SHOWN)] * 2
    assert truth_table({"brier": 0.1}) is None, "of an earlier version"


def test_contact_labels():
    hand = contact_probabilities(
        OccupancyGrid(truth_of().astype(np.float32), GRID), BODY.canonical_vertices
    )
    field = OccupancyGrid(0.8 * truth_of(), GRID)
    nobody = np.zeros(BODY.vertices)
    labels = {"kite": np.stack([hand, nobody]), "tie": hand}
    scores = contact_labels_scores({"kite": field, "bench": field}, labels)
    kite = scores.categories["kite"]
    assert (kite["samples"], kite["contact_f1"]) == (2, 0.5)
    assert kite["contact_geodesic"] == 0
    assert scores.categories["tie"]["contact_recall"] == 0, "the submission lacks it"
    assert "bench" not in scores.categories
    assert scores.measures["soft_iou"] is None
    content = json.loads(json.dumps(scores.as_dict(), allow_nan=False))
    assert [content[name] for name in ("brier", "soft_iou", "calibration_error")] == [None] * 3
    assert set(content["intervals"]) == {m for m in MEASURES if m.startswith("contact")}
    assert kite["surface_level"] is None
    assert kite["contact_level"] in LEVELS
    assert "contact F1" in render_contact(scores)


def test_contact_labels_in_files(tmp_path):
    field, hand = OccupancyGrid(0.8 * truth_of(), GRID), np.zeros(BODY.vertices)
    hand[BODY.dominant_joints() == 22] = 1
    np.savez(tmp_path / "kite.npz", contact_label=hand[None])
    found = contact_labels_scores({"kite": field}, tmp_path)
    assert found.categories == contact_labels_scores({"kite": field}, {"kite": hand}).categories
    np.savez(tmp_path / "tie.npz", vertices=hand)
    with pytest.raises(InputError, match=r"tie\.npz: holds vertices"):
        contact_labels_scores({"kite": field}, tmp_path)


def test_the_command(tmp_path):
    hand = np.zeros(BODY.vertices)
    hand[BODY.dominant_joints() == 22] = 1
    (tmp_path / "labels").mkdir()
    np.savez(tmp_path / "labels" / "kite.npz", contact=hand)
    fields = {"kite": OccupancyGrid(0.8 * truth_of(), GRID)}
    folder = write_submission(tmp_path / "s", method="m", fields=fields)
    arguments = ["contact", str(folder), "--labels", str(tmp_path / "labels")]
    table = CliRunner().invoke(app, arguments)
    assert table.exit_code == 0, table.output
    assert "contact geodesic, cm" in table.stdout
    as_json = CliRunner().invoke(app, [*arguments, "--format", "json"])
    expected = contact_labels_scores(fields, {"kite": hand}).categories["kite"]
    found = json.loads(as_json.stdout)
    assert found["categories"]["kite"]["contact_f1"] == expected["contact_f1"]
    assert found["categories"]["kite"]["people"] == 1
    assert "brier" not in found["measures"]


@pytest.mark.parametrize(
    ("fields", "labels", "message"),
    [
        ({"kite": {"1": np.zeros(GRID.shape)}}, {"kite": np.zeros(BODY.vertices)}, "a posed"),
        ({"kite": np.zeros(GRID.shape)}, {"kite": np.zeros(6890)}, "6,890 vertices are SMPL's"),
        ({"kite": np.zeros(GRID.shape)}, {}, "no contact labels"),
    ],
)
def test_labels_that_do_not_fit(fields, labels, message):
    solid = {
        name: OccupancyGrid(v, GRID) if not isinstance(v, dict) else {
            key: OccupancyGrid(w, GRID) for key, w in v.items()
        }
        for name, v in fields.items()
    }  # fmt: skip
    with pytest.raises(InputError, match=message):
        contact_labels_scores(solid, labels)
