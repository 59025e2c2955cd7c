"""Annotations in COCO's format as annotators: whose picture, which box, mask and keypoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.synthesis.annotators.coco_files import CocoAnnotations
from chorus_bench.synthesis.interfaces import Context, Detection, Picture
from chorus_bench.synthesis.registry import make_component

REAL = Path(__file__).parents[1] / "data" / "real_coco" / "instances.json"
SIZE = (20, 30)
SQUARE = [2, 3, 8, 3, 8, 13, 2, 13]  # x, y of the corners


def coco(**changes):
    """Return a file of one picture with a person and a tie."""
    return {
        "images": [{"id": 7, "file_name": "some/folder/COCO_val2014_photo.jpg"}],
        "categories": [{"id": 1, "name": "person"}, {"id": 32, "name": "tie"}],
        "annotations": [
            entry(1, 1, keypoints=[5, 6, 2, 4, 4, 1] + [0] * 45),
            entry(2, 32),
            {**entry(3, 1), "iscrowd": 1},
        ],
    } | changes


def entry(number, category, **more):
    box = [2, 3, 6, 10]
    return {
        "id": number, "image_id": 7, "category_id": category, "bbox": box, "iscrowd": 0,
        "segmentation": [SQUARE], **more,
    }  # fmt: skip


def made(tmp_path, kind, content=None):
    file = tmp_path / "coco.json"
    file.write_text(json.dumps(coco() if content is None else content))
    context = Context(0, load_body("default"))
    return make_component(kind, "coco", context, {"annotations": str(file)})


def picture(name="photo"):
    return Picture("an-id", None, np.zeros((*SIZE, 3), np.uint8), name)


def test_people_and_objects_are_those_of_the_file(tmp_path):
    segmenter = made(tmp_path, "segmenter")
    (found,) = segmenter.segment([picture()], ["person", "tie"])
    assert [one.category for one in found] == ["person", "tie"]  # no crowd
    assert found[0].box.tolist() == [2, 3, 8, 13]
    assert found[0].mask.sum() == 60
    assert found[0].mask[3:13, 2:8].all()
    assert [d.category for d in segmenter.segment([picture()], ["tie"])[0]] == ["tie"]
    assert segmenter.description == "annotations of coco.json"


def test_keypoints_go_to_the_person_in_the_same_place(tmp_path):
    detector = made(tmp_path, "keypoint detector")
    elsewhere, here = (
        Detection("person", np.array(box, np.float32), 1.0, np.ones(SIZE, bool))
        for box in ([15, 0, 30, 20], [2, 3, 9, 13])
    )
    (points,) = detector.detect([picture()], [[elsewhere, here]])
    assert points.shape == (2, 17, 3)
    assert not points[0].any()
    assert points[1, :3].tolist() == [[5, 6, 1], [4, 4, 0.5], [0, 0, 0]]


def test_pictures_that_the_file_does_not_know(tmp_path):
    """Once it has known one, others have no annotation, whatever the size of the batches."""
    segmenter = made(tmp_path, "segmenter")
    with pytest.raises(InputError, match="has none of other"):
        segmenter.segment([picture("other")], ["tie"])
    both = segmenter.segment([picture("other"), picture("COCO_val2014_photo")], ["tie"])
    assert [len(found) for found in both] == [0, 1]
    assert segmenter.segment([picture("other")], ["tie"]) == [[]]


def test_keypoints_of_pictures_that_the_file_does_not_know(tmp_path):
    detector = made(tmp_path, "keypoint detector")
    with pytest.raises(InputError, match="has none of other"):
        detector.detect([picture("other")], [[]])
    found = detector.detect([picture(), picture("other")], [[], []])
    assert [points.shape for points in found] == [(0, 17, 3)] * 2
    assert [points.shape for points in detector.detect([picture("other")], [[]])] == [(0, 17, 3)]


def test_categories_that_the_file_lacks(tmp_path):
    segmenter = made(tmp_path, "segmenter")
    segmenter.check_categories(["person", "tie"])
    with pytest.raises(InputError, match="unknown category 'ties'"):
        segmenter.check_categories(["ties"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, "is not in COCO's format"),
        ({"images": [{"id": 7}]}, "has an entry that is damaged: KeyError"),
        ({"annotations": [entry(1, 1, bbox=[0, 0, 0, 5])]}, "of 'photo' is damaged"),
        ({"annotations": [entry(1, 1, segmentation=[[1, 2]])]}, "of 'photo' is damaged"),
        ({"annotations": [entry(1, 1, bbox=[50, 3, 6, 10])]}, "of 'photo' is damaged"),
    ],
)
def test_damaged_files(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        made(tmp_path, "segmenter", coco(**changes)).segment([picture()], ["person"])


@pytest.mark.parametrize(
    "numbers", [[1, 2, 2], [5, 6, -1] + [0] * 48, [5, 6, 3] + [0] * 48, [5, 6, 0.9] + [0] * 48]
)
def test_damaged_keypoints(tmp_path, numbers):
    content = coco(annotations=[entry(1, 1, keypoints=numbers)])
    with pytest.raises(InputError, match="keypoints of 'photo' are damaged"):
        made(tmp_path, "keypoint detector", content).detect([picture()], [[]])


def test_a_missing_file(tmp_path):
    context = Context(0, load_body("default"))
    with pytest.raises(InputError, match=r"option 'annotations': .*x\.json does not exist"):
        make_component("segmenter", "coco", context, {"annotations": str(tmp_path / "x.json")})
    with pytest.raises(InputError, match="no such file of annotations"):
        CocoAnnotations(tmp_path / "x.json")


def test_real_annotations():
    """Every annotated person and thing of a few pictures of COCO is a detection."""
    content = json.loads(REAL.read_text())
    context = Context(0, load_body("default"))
    segmenter = make_component("segmenter", "coco", context, {"annotations": str(REAL)})
    names = [one["name"] for one in content["categories"]]
    for image in content["images"]:
        pixels = np.zeros((image["height"], image["width"], 3), np.uint8)
        shown = Picture("x", None, pixels, Path(image["file_name"]).stem)
        (found,) = segmenter.segment([shown], names)
        expected = [
            one
            for one in content["annotations"]
            if one["image_id"] == image["id"] and not one.get("iscrowd")
        ]
        assert len(found) == len(expected)
        assert all(one.mask.any() for one in found)
