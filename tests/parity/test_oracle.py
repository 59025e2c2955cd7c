"""The slow oracle against the original's figures: it is no check unless it is right itself."""

import numpy as np
import pytest

from chorus_bench.geometry.body import without_global_orientation
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.skinning import warp_backward
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.selftest.data import golden, golden_body, split_images, unpack_masks
from tests.parity import oracle

AREA_NAMES = ("target_area", "target_area_hoa")


def assert_scores(found, scores, areas, tolerance):
    assert [found[name] for name in SCORE_NAMES] == pytest.approx(
        scores.tolist(), rel=0, abs=tolerance
    )
    assert [found[name] for name in AREA_NAMES] == areas.tolist()


def test_stacks_of_masks():
    file = golden("metric")
    shapes = file["shapes"]
    levels = split_images(file["levels"], shapes)
    targets, humans = (unpack_masks(file[key], shapes) for key in ("target", "human"))
    for i, count in enumerate(file["threshold_counts"]):
        masks = [levels[i] > step for step in range(count)]
        found = oracle.score(masks, targets[i], humans[i])
        assert_scores(found, file["scores"][i], file["areas"][i], 1e-12)


def test_means():
    file = golden("metric")
    ends = np.cumsum(file["group_sizes"])[:-1]
    groups = zip(
        np.split(file["group_scores"], ends),
        np.split(file["group_areas"], ends),
        file["group_means"],
        strict=True,
    )
    names = SCORE_NAMES + AREA_NAMES
    for scores, areas, mean in groups:
        rows = np.concatenate([scores, areas], axis=1)
        found = oracle.category_mean([dict(zip(names, row, strict=True)) for row in rows])
        assert list(found.values()) == pytest.approx(mean.tolist(), rel=0, abs=1e-12)


@pytest.mark.parametrize("name", ["i02", "i13"])  # a square one; a camera very close
def test_images_end_to_end(name):
    file, body, grid = golden("render"), golden_body(), GridSpec()
    i = file["names"].tolist().index(name)
    mask = unpack_masks(file["masks"], file["sizes"])[i]
    field = golden("fields")[file["categories"][i].replace(" ", "_")]
    posed = OccupancyGrid(field).at(warp_backward(body, file["pose"][i], grid))
    camera = (
        file["rotation"][i],
        file["translation"][i],
        oracle.small_intrinsics(file["intrinsics"][i], *mask.shape),
    )
    uv = oracle.project(grid.centers(), *camera)
    human_uv = oracle.project(body.pose(without_global_orientation(file["pose"][i])), *camera)

    small = tuple(file["small_sizes"][i].tolist())
    assert oracle.small_size(*mask.shape) == small
    masks = oracle.predicted_masks(posed, uv, *small)
    expected = split_images(file["levels"], file["small_sizes"])[i]
    np.testing.assert_array_equal(sum(m.astype(int) for m in masks), expected)
    found = oracle.score_image(posed, uv, human_uv, mask)
    assert_scores(found, file["scores"][i], file["areas"][i], 1e-9)
