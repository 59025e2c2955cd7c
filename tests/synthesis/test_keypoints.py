"""Keypoints on transformers: the real class with tiny random weights, saved and loaded."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d

from chorus_bench.errors import InputError
from chorus_bench.synthesis.annotators.keypoints import make_keypoints
from chorus_bench.synthesis.interfaces import (
    Picture,
)
from tests.synthesis import tiny_annotators
from tests.synthesis.annotator_checks import (
    changed,
    context,
    not_numbers,
    person,
)


class BrightHeatmaps(torch.nn.Module):
    """Heatmaps that are the picture's brightness."""

    def __init__(self, inner):
        super().__init__()
        self.config = inner.config

    def forward(self, pixel_values, **_):
        bright = avg_pool2d((pixel_values.mean(1, keepdim=True) - pixel_values.min()) / 5, 4)
        return SimpleNamespace(heatmaps=bright.expand(-1, 17, -1, -1))


@pytest.mark.parametrize("kind", ["plus", "plain"])
def test_keypoints_are_well_formed(folders, pictures, kind):
    loaded = make_keypoints(context(), model=str(getattr(folders, kind)))
    people = [[person([10, 20, 70, 110]), person([0, 0, 160, 120])], [], [person([5, 5, 6, 7])], []]
    found = loaded.detect(pictures, people)
    assert [points.shape for points in found] == [(2, 17, 3), (0, 17, 3), (1, 17, 3), (0, 17, 3)]
    assert all(points.dtype == np.float32 for points in found)
    assert all(np.isfinite(points).all() for points in found)
    scores = np.concatenate([points[..., 2].ravel() for points in found])
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert scores.max() > 0
    again = make_keypoints(context(), model=str(getattr(folders, kind)))
    assert again.description == loaded.description
    results = zip(found, again.detect(pictures, people), strict=True)
    assert all(np.array_equal(a, b) for a, b in results)


@pytest.mark.parametrize("box", [[200, 100, 320, 300], [150, 180, 380, 260], [230, 10, 290, 399]])
def test_a_bright_dot_is_found_where_it_is(folders, box):
    yy, xx = np.mgrid[:400, :500]
    x, y = 263.0, 217.0
    spot = np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * 15.0**2)) * 255
    picture = Picture("dot", None, np.repeat(spot[..., None].astype(np.uint8), 3, axis=2))
    loaded = make_keypoints(context(), model=str(folders.plus))
    loaded.loaded.network = BrightHeatmaps(loaded.loaded.network)
    (points,) = loaded.detect([picture], [[person(box)]])
    # A pixel of the heatmap is 4 of the model's input, of which 48 x 64 are 1.25 times the box.
    step = 1.25 * max((box[2] - box[0]) / 12, (box[3] - box[1]) / 16)
    assert np.abs(points[0, :, 0] - x).max() < step
    assert np.abs(points[0, :, 1] - y).max() < step
    assert (points[0, :, 2] > 0.3).all()


def test_people_of_several_pictures_keep_their_places(folders, pictures):
    loaded = make_keypoints(context(), model=str(folders.plus))
    boxes = [[[10, 20, 70, 110], [0, 0, 160, 120]], [[30, 30, 90, 150]], [], [[0, 0, 90, 150]]]
    people = [[person(box) for box in group] for group in boxes]
    together = loaded.detect(pictures, people)
    for picture, group, points in zip(pictures, people, together, strict=True):
        for i, one in enumerate(group):
            (alone,) = loaded.detect([picture], [[one]])
            np.testing.assert_allclose(alone[0, :, 2], points[i, :, 2], atol=1e-4)


def test_people_without_area_have_zeros(folders, pictures):
    loaded = make_keypoints(context(), model=str(folders.plus))
    pictures[0].pixels.flags.writeable = False
    flat = [person([10, 10, 10, 50]), person([20, 40, 60, 40]), person([np.nan] * 4)]
    found = loaded.detect(pictures[:2], [flat, [person([10, 20, 70, 110])]])
    assert not found[0].any()
    assert found[1].any()
    assert loaded.detect(pictures[:1], [flat])[0].shape == (3, 17, 3)


def test_nobody(folders, pictures):
    loaded = make_keypoints(context(), model=str(folders.plus))
    assert loaded.detect([], []) == []
    assert [p.shape for p in loaded.detect(pictures[:2], [[], []])] == [(0, 17, 3)] * 2


def test_keypoints_that_are_not_numbers_are_seen(folders, pictures, tmp_path):
    broken = changed(folders.plus, tmp_path / "broken", not_numbers)
    loaded = make_keypoints(context(), model=str(broken))
    (found,) = loaded.detect(pictures[:1], [[person([10, 20, 70, 110])]])
    assert np.isnan(found[..., 2]).all()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_keypoints_in_other_number_types(folders, pictures, dtype):
    people = [[person([10, 20, 70, 110])]]
    exact, rough = (
        make_keypoints(context(), model=str(folders.plus), dtype=d).detect(pictures[:1], people)
        for d in ("float32", dtype)
    )
    np.testing.assert_allclose(exact[0][..., 2], rough[0][..., 2], atol=0.05)


def test_another_number_of_keypoints_is_an_error(tmp_path):
    folder = tiny_annotators.tiny_keypoints(tmp_path / "synth", keypoints=52)
    with pytest.raises(InputError, match="has 52 keypoints") as caught:
        make_keypoints(context(), model=str(folder))
    assert "COCO's 17 keypoints" in str(caught.value)


# --- loading and running --------------------------------------------------------------------
