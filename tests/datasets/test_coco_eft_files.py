"""The COCO-EFT builder on whole files: clean, packed, truncated, swapped, of another year."""

import copy
import gzip

import pytest

from chorus_bench.datasets.masks import decode_mask
from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from tests.datasets.coco_eft_world import (
    HEIGHT,
    WIDTH,
    images_of,
    rows_of,
)


def test_a_clean_build(world, tmp_path):
    built = world.build(tmp_path)
    rows = rows_of(built)
    assert [row["image_id"] for row in rows] == [1, 2, 3]  # by image name, not as in the file
    assert built.notes == ()
    assert built.info.name == "coco-eft+lm+smpl24"
    row = rows[0]
    assert row["sample_id"] == "000000000001_10_skateboard"
    assert (row["annotation_id"], row["object_annotation_id"]) == (10, 11)
    assert (row["height"], row["width"]) == (HEIGHT, WIDTH)
    assert row["human_box"] == [60, 20, 100, 100]
    assert row["box_overlap"] == 1.0
    assert decode_mask(row["human_mask"]).sum() == 40 * 80
    assert (row["license"], row["license_url"]) == ("Attribution License", "http://by")
    assert row["coco_url"] == "http://images.cocodataset.org/1"
    assert row["flickr_url"] is None
    assert row["image"] is None
    assert row["reprojection_error"] < 1
    assert built.info.details["body"] == load_body("default").label
    assert built.info.details["complete_annotations"] is False
    assert [source.name for source in built.info.sources] == [
        "instances_val2014.json",
        "COCO2014-Val-ver10.json",
    ]


@pytest.mark.parametrize("name", ["instances_val2014.json", "COCO2014-Val-ver10.json"])
def test_gzip_is_read_whatever_the_name(world, tmp_path, name):
    plain = world.build(tmp_path).info.fingerprint
    (tmp_path / name).write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert world.build(tmp_path, write=False).info.fingerprint == plain


@pytest.mark.parametrize("name", ["instances_val2014.json", "COCO2014-Val-ver10.json"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
@pytest.mark.parametrize("packed", [False, True])
def test_truncated_files(world, tmp_path, name, share, packed):
    world.write(tmp_path)
    data = (tmp_path / name).read_bytes()
    data = gzip.compress(data) if packed else data
    (tmp_path / name).write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match="truncated") as caught:
        world.build(tmp_path, write=False)
    assert name in str(caught.value)
    assert "download it again" in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04....", "is a zip archive"),
        (b"<html>no</html>", "truncated|is not JSON"),
        (b'{"a": oops}', "is not JSON"),
        (b'{"a": "\xff"}', "is not UTF-8 text: byte 7"),
        (b"[1, 2]", "it holds a list"),
        (b'{"a": 1}', "it has the keys a"),
    ],
)
@pytest.mark.parametrize("name", ["instances_val2014.json", "COCO2014-Val-ver10.json"])
def test_files_that_are_something_else(world, tmp_path, name, content, message):
    world.write(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        world.build(tmp_path, write=False)
    assert name in str(caught.value)


def test_swapped_files(world, tmp_path):
    world.write(tmp_path)
    swapped = {
        "annotations": tmp_path / "COCO2014-Val-ver10.json",
        "fits": tmp_path / "instances_val2014.json",
    }
    with pytest.raises(InputError, match="are the two files swapped"):
        world.build(tmp_path, write=False, **swapped)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{:012d}.jpg", "is of COCO 2017"),
        ("COCO_train2014_{:012d}.jpg", "is of COCO train2014"),
        ("{}.png", "is of another year"),
    ],
)
def test_another_year(world, tmp_path, pattern, message):
    for entry in world.coco["images"]:
        entry["file_name"] = pattern.format(entry["id"])
    with pytest.raises(InputError, match=message) as caught:
        world.build(tmp_path)
    assert "2014 Train/Val annotations" in str(caught.value)


def test_a_single_image_of_another_year_is_taken_by_its_id(world, tmp_path):
    world.coco["images"][1]["file_name"] = "000000000002.jpg"
    built = world.build(tmp_path)
    assert images_of(built) == [1, 2, 3]
    assert built.info.noted == {"images under other names": 1}


def test_keypoints_and_captions_are_refused(world, tmp_path):
    keypoints = copy.deepcopy(world)
    keypoints.coco["categories"] = keypoints.coco["categories"][:1]
    with pytest.raises(InputError, match="only the categories person"):
        keypoints.build(tmp_path)
    for entry in world.coco["annotations"]:
        del entry["segmentation"]
    with pytest.raises(InputError, match="captions"):
        world.build(tmp_path)
