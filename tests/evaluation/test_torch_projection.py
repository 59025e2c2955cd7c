"""Occupancy images in torch: the evaluation's values, with gradients; the documented loop runs."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate, split_from_rows
from chorus_bench.evaluation.cache import GeometryCache
from chorus_bench.evaluation.torch_projection import projections
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics.torch_metric import ProjectiveAveragePrecision
from chorus_bench.submission import write_submission
from tests.evaluation.small_split import COARSE, blob_field

ROOT = Path(__file__).parents[2]
GRID = GridSpec(20, 2.6, (0.0, -0.1, 0.1))


@pytest.fixture(scope="module")
def few(rows):
    """Give a split of four samples."""
    return split_from_rows(rows[:4], "few")


@pytest.fixture(scope="module")
def prepared(few, tmp_path_factory):
    """Give the projections and the prepared samples."""
    options = {"protocol": COARSE, "cache": tmp_path_factory.mktemp("geometry")}
    canonical = list(projections(few, grid=GRID, **options))
    posed = list(projections(few, grid=GRID, posed=True, **options))
    cache = GeometryCache(few.samples, load_body("default"), COARSE, options["cache"])
    return canonical, posed, [one for batch in cache.batches for one in cache.prepared(batch)]


@pytest.mark.parametrize("posed", [False, True])
def test_the_images_are_the_evaluations_to_the_last_bit(prepared, posed):
    field = OccupancyGrid(blob_field(20), GRID)
    for one, geometry in zip(prepared[posed], prepared[2], strict=True):
        points = COARSE.grid.centers()[geometry.voxels] if posed else geometry.points
        expected = geometry.occupancy_image(field.at(points))
        found = one.image(torch.from_numpy(field.values))
        np.testing.assert_array_equal(found.numpy(), expected)
        assert np.isneginf(expected).any()
        np.testing.assert_array_equal(one.target.numpy(), geometry.target)
        np.testing.assert_array_equal(one.human.numpy(), geometry.human)


def test_the_metric_gives_the_scores_of_the_evaluation(few, tmp_path):
    values = blob_field(20)
    folder = write_submission(tmp_path / "s", method="m", fields={"bench": values}, grid=GRID)
    expected = evaluate(folder, split=few, protocol=COARSE, min_samples=1, cache=tmp_path)
    metric = ProjectiveAveragePrecision(["bench"])
    for one in projections(few, grid=GRID, protocol=COARSE, cache=tmp_path):
        image = one.image(torch.from_numpy(values))
        metric.update(image[None], one.target[None], one.human[None], [one.category])
    for name, value in metric.compute().items():
        assert value.item() == pytest.approx(expected.scores[name], abs=1e-12)


def test_the_gradient_of_a_pixel_goes_to_its_largest_voxel(prepared):
    one = prepared[0][0]
    torch.manual_seed(0)
    field = torch.rand(GRID.shape, dtype=torch.float64, requires_grad=True)
    image = one.image(field)
    row, column = np.argwhere(np.isfinite(image.detach().numpy()))[7]
    image[row, column].backward()
    inside = one.voxels[one.pixels == row * image.shape[1] + column]
    inside = inside[inside < GRID.voxels]
    flat = field.detach().reshape(-1)
    expected = torch.zeros_like(flat)
    if flat[inside].numel():
        expected[inside[flat[inside].argmax()]] = 1
    torch.testing.assert_close(field.grad.reshape(-1), expected)
    assert expected.sum() == 1


def test_a_step_along_the_gradient_lowers_the_loss(prepared):
    logits = torch.zeros(GRID.shape, requires_grad=True)

    def loss():
        images = [(one.image(logits.sigmoid()), one.target) for one in prepared[0]]
        seen = [(image.clamp(min=0), target.float()) for image, target in images]
        return sum(torch.nn.functional.mse_loss(a, b) for a, b in seen)

    before = loss()
    before.backward()
    with torch.no_grad():
        logits -= 50 * logits.grad
    assert torch.isfinite(logits.grad).all()
    assert loss() < before


def test_a_field_of_another_grid_is_refused(prepared):
    with pytest.raises(InputError, match=r"a field of shape \(8, 8, 8\)"):
        prepared[0][0].image(torch.zeros(8, 8, 8))


def test_the_documented_training_loop_runs():
    """The block in docs/evaluation.md, on two samples of a category and for two steps."""
    text = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(import torch\n.*?)```", text, flags=re.DOTALL)
    assert len(block.splitlines()) <= 25
    assert "range(200)" in block
    names: dict = {}
    exec(block.replace("range(200)", "range(3)"), names)
    assert 0 < names["scores"]["mPAP"].item() < 1
    assert names["losses"][-1] < names["losses"][0]
