"""The oracle and the other reference points, scored: the order that they exist to show."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_baselines.mean_mask_extrusion import fit_mean_mask_extrusion
from chorus_baselines.oracle import PosedTruth, extruded_mask, graded_truth
from chorus_baselines.specs import SPECS
from chorus_bench.baseline import fit_baseline, run_baseline
from chorus_bench.datasets.masks import encode_mask
from chorus_bench.datasets.occupancy import decode_occupancy
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate, split_from_rows
from chorus_bench.evaluation.ceiling import HIGHEST, LOWEST
from chorus_bench.evaluation.truth import truth_scores
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from tests.baselines.small_world import CATEGORIES, SAMPLES

SPEC = {spec.name: spec for spec in SPECS}


@pytest.fixture(scope="module")
def submissions(tmp_path_factory, train, samples):
    folder = tmp_path_factory.mktemp("submissions")
    for name in ("chorus", "uniform"):
        run_baseline(SPEC[name], train, folder / name)
    run_baseline(SPEC["oracle-3d"], samples, folder / "oracle")
    run_baseline(SPEC["oracle"], samples, folder / "mask")
    return {name: folder / name for name in ("chorus", "uniform", "oracle", "mask")}


def test_oracles_are_above_methods_and_methods_above_chance(submissions, samples):
    split = split_from_rows(samples, "made", min_samples=1)
    results = {name: evaluate(folder, split=split) for name, folder in submissions.items()}
    pap = {name: result.scores["mPAP"] for name, result in results.items()}
    assert pap["mask"] > pap["oracle"] > pap["chorus"] > 2 * pap["uniform"]
    strict = results["mask"].scores
    assert pap["mask"] > 0.9, "the ceiling of the metric"
    assert strict["mPAP_strict"] > 0.85
    assert strict["mPAP_hoa"] > 0.9
    area = results["uniform"].samples["target_area"].to_numpy()
    chance = np.mean(area / (32 * 40))
    assert pap["uniform"] == pytest.approx(chance, abs=0.05)


def test_precision_of_the_extruded_mask_is_one_throughout(submissions, samples):
    split = split_from_rows(samples, "made", min_samples=1)
    table = evaluate(submissions["mask"], split=split).samples.to_pydict()
    for predicted, hit in zip(table["predicted"], table["hit"], strict=True):
        assert predicted == hit
        assert predicted[0] > 0
        assert predicted[-1] == 0, "nothing is left at 0.99"


def test_3d_scores_know_the_truth_where_pap_does_not(submissions, samples):
    told = []
    scores = truth_scores(submissions, samples, progress=lambda *p: told.append(p))
    assert scores["oracle"].soft_iou > 3 * scores["chorus"].soft_iou
    assert scores["oracle"].brier < scores["chorus"].brier < scores["uniform"].brier
    assert scores["mask"].soft_iou < 0.2, "the extruded mask is the ceiling of PAP, not the truth"
    assert told[-1] == (2 * SAMPLES, 2 * SAMPLES)
    content = scores["oracle"].as_dict()
    assert content["categories"]["backpack"]["samples"] == SAMPLES
    assert all(entry["observed"] in (0, 1) for entry in content["calibration"][1:])


def test_3d_scores_need_the_truth(submissions, samples):
    blind = [{k: v for k, v in row.items() if k != "object_occupancy"} for row in samples]
    with pytest.raises(InputError, match="the column 'object_occupancy'"):
        truth_scores(submissions, blind)
    with pytest.raises(InputError, match="lacks the columns object_occupancy"):
        fit_baseline(SPEC["oracle"], blind, options={"source": "truth"})
    with pytest.raises(InputError, match="unknown source 'trth'"):
        fit_baseline(SPEC["oracle"], samples, options={"source": "trth"})


def test_a_category_that_is_missing_counts_as_empty(tmp_path, submissions, samples):
    run_baseline(SPEC["uniform"], samples, tmp_path / "s", categories=["backpack"])
    scores = truth_scores({"half": tmp_path / "s"}, samples)["half"]
    assert scores.categories["surfboard"]["soft_iou"] == 0
    assert scores.categories["backpack"]["soft_iou"] > 0


def test_the_graded_truth_is_the_truth_in_steps(samples):
    truth = decode_occupancy(samples[0]["object_occupancy"])
    field = graded_truth(truth, GridSpec())
    assert np.array_equal(field > 0, truth)
    values = np.sort(field[truth])
    assert values[0] == np.float32(LOWEST)
    assert values[-1] == np.float32(HIGHEST)
    assert len(np.unique(values)) == truth.sum()
    coarse = graded_truth(truth, GridSpec(24))
    assert coarse.shape == (24, 24, 24)


def test_posed_fields_come_when_they_are_asked_for(samples):
    blind = [{k: v for k, v in row.items() if k != "object_occupancy"} for row in samples]
    fields = fit_baseline(SPEC["oracle"], blind)
    assert tuple(fields) == CATEGORIES
    backpacks = fields["backpack"]
    assert isinstance(backpacks, PosedTruth)
    assert len(backpacks) == len(list(backpacks)) == SAMPLES
    sample = next(iter(backpacks))
    row = next(row for row in blind if row["sample_id"] == sample)
    assert np.array_equal(backpacks[sample], extruded_mask(row, GridSpec()))


def mask_row(number: int, *, left: int, top: int) -> dict:
    """Return a kept row: a person 100 pixels a metre, an object of 20 x 20 pixels beside."""
    size, pelvis = 300, load_body("default").rest_joints()[0]
    mask = np.zeros((size, size), bool)
    mask[top : top + 20, left : left + 20] = True
    keypoints = [[150.0, 150.0, 1.0]] * 17
    # A crop of 224 pixels about the middle, one crop pixel per image pixel: 112 s pixels a metre.
    scale = 100 / 112
    person = {
        "box": [0.0, 0.0, 300.0, 300.0], "keypoints": keypoints, "pose": [0.0] * 72,
        "weak_camera": [scale, -scale * pelvis[0], -scale * pelvis[1]],
        "crop_center": [150.0, 150.0], "crop_scale": 224 / 200, "mask": encode_mask(mask),
    }  # fmt: skip
    box = [left, top, left + 20, top + 20]
    thing = {"category": "bench", "box": box, "mask": encode_mask(mask)}
    return {
        "sample_id": f"row-{number}", "category": "bench", "prompt": "p", "height": size,
        "width": size, "people": [person], "objects": [thing],
    }  # fmt: skip


def test_the_mean_mask_is_in_metres_about_the_pelvis():
    """The object lies 0.5 to 0.7 m to the right of the pelvis in the picture, 0.4 to 0.6 above."""
    pelvis = load_body("default").rest_joints()[0]
    rows = [mask_row(number, left=200, top=90) for number in range(3)]
    rows.append(mask_row(3, left=60, top=90))
    grid = GridSpec()
    data = DatasetRows.open(rows)
    field = fit_mean_mask_extrusion(
        data, load_body("default"), grid, seed=0, progress=lambda done, total: None
    )["bench"]
    assert np.ptp(field, axis=2).max() == 0, "extruded along depth"
    plane = field[:, :, 0]
    x, y = (grid.centers().reshape(48, 48, 48, 3)[:, :, 0, k] - pelvis[k] for k in (0, 1))
    np.testing.assert_allclose(x[plane > 0.5].mean(), 0.6, atol=0.07)
    np.testing.assert_allclose(y[plane > 0.5].mean(), 0.5, atol=0.07)
    assert set(np.round(np.unique(plane), 2)) == {0, 0.25, 0.75}
    np.testing.assert_allclose(x[np.isclose(plane, 0.25)].mean(), -0.8, atol=0.07)
