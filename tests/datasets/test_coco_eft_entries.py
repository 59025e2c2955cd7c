"""The COCO-EFT builder on single entries that are wrong: each is named and counted."""

import numpy as np
import pytest

from chorus_bench.datasets.masks import decode_mask, encode_mask
from chorus_bench.errors import InputError
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from tests.datasets.coco_eft_world import (
    HEIGHT,
    WIDTH,
    check_left_out,
    images_of,
    messages,
    rows_of,
)


def test_an_image_that_is_missing(world, tmp_path):
    world.coco["images"] = world.coco["images"][1:]
    reason = "images missing from the annotation file"
    check_left_out(world, tmp_path, [2, 3], reason, "annotId 10 (COCO_val2014_000000000001.jpg)")


def test_an_annotation_that_is_missing_is_noted_and_the_person_taken(world, tmp_path):
    world.fits["data"][1]["annotId"] = 777
    built = world.build(tmp_path)
    assert images_of(built) == [1, 2, 3]
    assert messages(built) == [
        "annotId 777 (COCO_val2014_000000000001.jpg): the person of its image has the "
        "annotation 10, which is taken"
    ]


def test_no_person(world, tmp_path):
    world.coco["annotations"] = [a for a in world.coco["annotations"] if a["id"] != 20]
    check_left_out(world, tmp_path, [1, 3], "entries without a person", "annotId 20")


@pytest.mark.parametrize(("number", "entry"), [(20, "annotId 20"), (21, "annotation 21 has a box")])
@pytest.mark.parametrize("box", [(60, 20, 0, 80), (60, 20, 40, 0), (60, 20, -1, 5)])
def test_zero_area_boxes(world, tmp_path, number, entry, box):
    world.of(number)["bbox"] = list(box)
    check_left_out(world, tmp_path, [1, 3], "zero-area boxes", entry)


def test_boxes_that_are_no_boxes(world, tmp_path):
    world.of(21)["bbox"] = [1, 2, 3]
    check_left_out(world, tmp_path, [1, 3], "annotations without a box", "has the box [1, 2, 3]")


@pytest.mark.parametrize("segmentation", [[[1, 2, 3, 4]], [[1, 2, 3, 4], [5, 6]]])
def test_polygons_with_fewer_than_three_points(world, tmp_path, segmentation):
    world.of(21)["segmentation"] = segmentation
    reason = "polygons with fewer than three points"
    check_left_out(world, tmp_path, [1, 3], reason, "annotation 21 has only polygons")


def test_one_short_polygon_of_several(world, tmp_path):
    world.of(21)["segmentation"].append([1, 2, 3, 4])
    built = world.build(tmp_path)
    assert images_of(built) == [1, 2, 3]
    assert built.info.noted == {"polygons with fewer than three points": 1}
    [row] = [row for row in rows_of(built) if row["image_id"] == 2]
    assert decode_mask(row["object_mask"]).sum() == 40 * 10


RLE_OF_BOX = encode_mask(np.ones((HEIGHT, WIDTH)))


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ({"size": [5, 5], "counts": [25]}, "masks whose size differs from the image"),
        ({"size": [WIDTH, HEIGHT], "counts": "a"}, "masks whose size differs from the image"),
        ({"size": [HEIGHT, WIDTH], "counts": [5, 5]}, "masks whose size differs from the image"),
        ({"size": [HEIGHT, WIDTH], "counts": [5, -5]}, "masks that are damaged"),
        ({"size": [HEIGHT, WIDTH], "counts": "a"}, "masks that are damaged"),
        ({"size": [HEIGHT, WIDTH], "counts": "é"}, "masks that are damaged"),
        ({"size": [HEIGHT, WIDTH], "counts": None}, "masks that are damaged"),
        ({"counts": "a"}, "masks whose size differs from the image"),
        ([[1, 2, 3, 4, 5, "x"]], "masks that are damaged"),
        ([[1, 2, 3, 4, 5, float("nan")]], "masks that are damaged"),
        ([[1, 2, 3, 4, 5, 6, 7]], "masks that are damaged"),
        ([], "annotations without a mask"),
        (None, "annotations without a mask"),
    ],
)
@pytest.mark.parametrize("number", [20, 21])
def test_masks_that_are_wrong(world, tmp_path, segmentation, reason, number):
    world.of(number)["segmentation"] = segmentation
    check_left_out(world, tmp_path, [1, 3], reason, f"annotation {number}")


@pytest.mark.parametrize(
    "segmentation",
    [{"size": [HEIGHT, WIDTH], "counts": [0, HEIGHT * WIDTH]}, RLE_OF_BOX],
)
def test_run_lengths_plain_and_compressed(world, tmp_path, segmentation):
    world.of(21).update(segmentation=segmentation, bbox=[0, 0, WIDTH, HEIGHT])
    rows = {row["image_id"]: row for row in rows_of(world.build(tmp_path))}
    assert rows[2]["object_mask"] == RLE_OF_BOX


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"parm_pose": [[[2, 0, 0], [0, 1, 0], [0, 0, 1]]] * 24},
            "matrices that are not rotations",
        ),
        (
            {"parm_pose": [[[1, 0, 0], [0, 1, 0], [0, 0, -1]]] * 24},
            "matrices that are not rotations",
        ),
        ({"parm_pose": [[1, 0, 0]] * 24}, "fits without a usable parm_pose"),
        ({"parm_shape": [float("nan")] * 10}, "fits without a usable parm_shape"),
        ({"parm_shape": ["a"] * 10}, "fits without a usable parm_shape"),
        ({"parm_cam": None}, "fits without a usable parm_cam"),
        ({"parm_cam": [0, 0, 0]}, "cameras without scale"),
        ({"bbox_scale": 0}, "zero-area boxes"),
        ({"bbox_scale": 0.05}, "fits whose crop is unusable"),
        ({"bbox_center": [9000, 60]}, "fits whose crop is unusable"),
        ({"smpltype": "smplx"}, "fits of a body other than SMPL"),
        ({"imageName": 5}, "entries without imageName"),
    ],
)
def test_fits_that_are_wrong(world, tmp_path, changes, reason):
    world.fits["data"][2].update(changes)
    check_left_out(world, tmp_path, [1, 3], reason, "annotId 20")


@pytest.mark.parametrize("change", [{"annotId": None}, {"annotId": "x"}])
def test_fits_without_an_id(world, tmp_path, change):
    world.fits["data"][2].update(change)
    check_left_out(world, tmp_path, [1, 3], "entries without annotId", "not a whole number")


def test_rotations_name_the_joint(world, tmp_path):
    world.fits["data"][0]["parm_pose"][18][0][0] += 0.5
    [message] = messages(world.build(tmp_path))
    assert "1 of its matrices are not rotations, the first at joint 18 (left_elbow)" in message


def test_the_identity_is_no_rotation_at_all(world, tmp_path):
    world.fits["data"][2]["parm_pose"] = [np.eye(3).tolist()] * 24
    world.fits["data"][2]["parm_pose"][0] = axis_angle_to_matrix(np.array([3.0, 0, 0])).tolist()
    rows = {row["image_id"]: row for row in rows_of(world.build(tmp_path))}
    assert rows[2]["pose"][3:] == [0.0] * 69


def test_none_of_the_fits(world, tmp_path):
    for entry in world.fits["data"]:
        del entry["parm_cam"]
    with pytest.raises(InputError, match="none of its 3 entries is usable"):
        world.build(tmp_path)


def test_a_license_and_addresses_that_are_none_are_left_empty(world, tmp_path):
    for number, odd in enumerate((["x"], {"a": 1}, 10**30)):
        world.coco["images"][number] |= {"license": odd, "coco_url": odd, "flickr_url": odd}
    for row in rows_of(world.build(tmp_path)):
        assert [row[name] for name in ("license", "license_url", "coco_url", "flickr_url")] == (
            [None] * 4
        )
