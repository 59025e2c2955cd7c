"""The COCO-EFT builder: its rules on small made-up files, and a message for everything wrong."""

import copy
import gzip
import json

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorus_bench.body import BodyModel
from chorus_bench.datasets.builders import BUILDERS, build_dataset, get_builder
from chorus_bench.datasets.coco_eft.annotations import image_name_2014
from chorus_bench.datasets.coco_eft.pairs import box_overlap
from chorus_bench.datasets.masks import decode_mask, encode_mask
from chorus_bench.errors import InputError
from chorus_bench.rotations import axis_angle_to_matrix

HEIGHT, WIDTH = 120, 160
PERSON, SKATEBOARD, RACKET = 1, 41, 43


def polygon(x, y, w, h):
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def annotation(number, image_id, category_id, box, **changes):
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": list(box),
        "segmentation": [polygon(*box)],
        "iscrowd": 0,
        "area": box[2] * box[3],
        **changes,
    }


def image(number, **changes):
    return {
        "id": number,
        "file_name": image_name_2014(number),
        "height": HEIGHT,
        "width": WIDTH,
        "license": 4,
        "coco_url": f"http://images.cocodataset.org/{number}",
        **changes,
    }


def fit(annotation_id, image_id, **changes):
    rng = np.random.default_rng(annotation_id)
    pose = rng.normal(0, 0.15, (24, 3))
    pose[0] = [3.0, 0.1, 0.1]
    return {
        "annotId": annotation_id,
        "imageName": image_name_2014(image_id),
        "parm_pose": axis_angle_to_matrix(pose).tolist(),
        "parm_shape": [0.0] * 10,
        "parm_cam": [0.8, 0.0, 0.2],
        "bbox_center": [80.0, 60.0],
        "bbox_scale": 0.6,
        "smpltype": "smpl",
        "joint_validity_openpose18": [1] * 18,
        **changes,
    }


class World:
    """Three images with one person and a skateboard each; tests damage it."""

    def __init__(self):
        self.coco = {
            "info": {"year": 2014},
            "licenses": [{"id": 4, "name": "Attribution License", "url": "http://by"}],
            "categories": [
                {"id": PERSON, "name": "person"},
                {"id": SKATEBOARD, "name": "skateboard"},
                {"id": RACKET, "name": "tennis racket"},
            ],
            "images": [image(n) for n in (1, 2, 3)],
            "annotations": [],
        }
        for n in (1, 2, 3):
            self.coco["annotations"] += [
                annotation(10 * n, n, PERSON, (60, 20, 40, 80)),
                annotation(10 * n + 1, n, SKATEBOARD, (60, 90, 40, 10)),
            ]
        self.fits = {"ver": 1.0, "data": [fit(10 * n, n) for n in (3, 1, 2)]}

    def of(self, number):
        return next(a for a in self.coco["annotations"] if a["id"] == number)

    def write(self, folder):
        (folder / "instances_val2014.json").write_text(json.dumps(self.coco))
        (folder / "COCO2014-Val-ver10.json").write_text(json.dumps(self.fits))

    def build(self, folder, write=True, **options):
        if write:
            self.write(folder)
        known = {
            "annotations": folder / "instances_val2014.json",
            "fits": folder / "COCO2014-Val-ver10.json",
            "solver": "lm",
        }
        return build_dataset("coco-eft", folder / "out", overwrite=True, **{**known, **options})


@pytest.fixture
def world():
    return World()


def rows_of(built):
    return pq.read_table(built.path / "data").to_pylist()


def images_of(built):
    return sorted(row["image_id"] for row in rows_of(built))


def messages(built):
    return [str(note) for note in built.notes]


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
    assert built.info.details["body"] == BodyModel.load("default").label
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
        (b'{"a": "\xff"}', "is not text"),
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
    assert built.info.noted == {"images of other names": 1}


def test_keypoints_and_captions_are_refused(world, tmp_path):
    keypoints = copy.deepcopy(world)
    keypoints.coco["categories"] = keypoints.coco["categories"][:1]
    with pytest.raises(InputError, match="only the categories person"):
        keypoints.build(tmp_path)
    for entry in world.coco["annotations"]:
        del entry["segmentation"]
    with pytest.raises(InputError, match="captions"):
        world.build(tmp_path)


def check_left_out(world, folder, images, reason, message, count=1, **options):
    """The build goes on without some images and says why, entry by entry and counted."""
    built = world.build(folder, **options)
    assert images_of(built) == images
    assert built.info.left_out == {reason: count}
    found = [text for text in messages(built) if message in text]
    assert len(found) == count, messages(built)
    lines = (built.path / "notes.jsonl").read_text().splitlines()
    assert sum(json.loads(line)["reason"] == reason for line in lines) == count
    assert reason in (built.path / "README.md").read_text()


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
        ({"size": [5, 5], "counts": [25]}, "masks of another size than the image"),
        ({"size": [WIDTH, HEIGHT], "counts": "a"}, "masks of another size than the image"),
        ({"size": [HEIGHT, WIDTH], "counts": [5, 5]}, "masks of another size than the image"),
        ({"size": [HEIGHT, WIDTH], "counts": [5, -5]}, "masks that are damaged"),
        ({"size": [HEIGHT, WIDTH], "counts": "a"}, "masks that are damaged"),
        ({"size": [HEIGHT, WIDTH], "counts": "é"}, "masks that are damaged"),
        ({"size": [HEIGHT, WIDTH], "counts": None}, "masks that are damaged"),
        ({"counts": "a"}, "masks of another size than the image"),
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
    world.of(21)["segmentation"] = segmentation
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
        ({"bbox_scale": 0.05}, "fits whose crop is of no use"),
        ({"bbox_center": [9000, 60]}, "fits whose crop is of no use"),
        ({"smpltype": "smplx"}, "fits of another body than SMPL"),
        ({"imageName": 5}, "entries without imageName"),
    ],
)
def test_fits_that_are_wrong(world, tmp_path, changes, reason):
    world.fits["data"][2].update(changes)
    check_left_out(world, tmp_path, [1, 3], reason, "annotId 20")


@pytest.mark.parametrize("change", [{"annotId": None}, {"annotId": "x"}])
def test_fits_without_an_id(world, tmp_path, change):
    world.fits["data"][2].update(change)
    check_left_out(world, tmp_path, [1, 3], "entries without annotId", "it has no annotId")


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


def test_duplicated_ids(world, tmp_path):
    world.fits["data"].append(fit(10, 1))
    world.coco["annotations"].append(annotation(11, 1, SKATEBOARD, (60, 90, 40, 10)))
    world.coco["images"].append(image(1, height=7))
    built = world.build(tmp_path)
    assert images_of(built) == [1, 2, 3]
    assert built.info.left_out == {
        "duplicated ids": 1,
        "duplicated ids of fits": 1,
        "duplicated image ids": 1,
    }


def test_two_fits_of_one_image_both_stay(world, tmp_path):
    world.fits["data"].append(fit(99, 1))
    built = world.build(tmp_path)
    assert images_of(built) == [1, 1, 2, 3]


def test_rule_1_counts_crowds(world, tmp_path):
    world.coco["annotations"] += [
        annotation(14, 1, PERSON, (0, 0, 5, 5), iscrowd=1),
        annotation(25, 2, SKATEBOARD, (0, 0, 5, 5)),
        annotation(35, 3, RACKET, (70, 30, 10, 10)),
    ]
    built = world.build(tmp_path)
    assert [(row["image_id"], row["category"]) for row in rows_of(built)] == [
        (3, "skateboard"),
        (3, "tennis racket"),
    ]
    assert built.info.details["ruled_out"] == {
        "images with more than one person (crowds count)": 1,
        "no object that is alone of its category and overlaps": 1,
    }
    assert built.notes == ()


@pytest.mark.parametrize(("width", "kept"), [(10.0, True), (10.01, False)])
def test_rule_2_half_is_enough(world, tmp_path, width, kept):
    world.of(11)["bbox"] = [95.0, 90, width, 5]
    assert images_of(world.build(tmp_path)) == ([1, 2, 3] if kept else [2, 3])


@given(
    boxes=st.lists(
        st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(0.01, 100)] * 2), min_size=2, max_size=2
    )
)
def test_overlap_is_a_share_and_symmetric(boxes):
    one, other = ((x, y, x + w, y + h) for x, y, w, h in boxes)
    overlap = box_overlap(one, other)
    assert 0 <= overlap <= 1 + 1e-9
    assert overlap == box_overlap(other, one)
    assert box_overlap(one, one) == pytest.approx(1)


def test_rule_3_drops_cameras_that_do_not_fit(world, tmp_path):
    world.fits["data"][2]["parm_shape"] = [5.0] * 10
    world.fits["data"][2]["bbox_scale"] = 2.5
    reason = "people whose camera does not fit"
    check_left_out(world, tmp_path, [1, 3], reason, "the reprojection loss", solver="adam")


def test_categories(world, tmp_path):
    world.coco["annotations"].append(annotation(35, 3, RACKET, (70, 30, 10, 10)))
    built = world.build(tmp_path, categories=["tennis racket"])
    assert built.info.categories == {"tennis racket": 1}
    with pytest.raises(InputError, match="Did you mean 'skateboard'") as caught:
        world.build(tmp_path, categories=["skatebord"])
    assert "unknown category 'skatebord'" in str(caught.value)
    with pytest.raises(InputError, match="unknown category 'person'"):
        world.build(tmp_path, categories=["person"])


def test_files_that_do_not_belong_together(world, tmp_path):
    for entry in world.fits["data"]:
        entry["imageName"] = image_name_2014(999)
    with pytest.raises(InputError, match="none of the fits has a person-object pair"):
        world.build(tmp_path)


def write_pictures(folder, sizes):
    folder.mkdir()
    for number, size in sizes.items():
        picture = np.full((*size, 3), 40 * number, np.uint8)
        cv2.imwrite(str(folder / image_name_2014(number)), picture)


def test_pictures_are_embedded_and_do_not_change_the_fingerprint(world, tmp_path):
    plain = world.build(tmp_path).info.fingerprint
    write_pictures(tmp_path / "val2014", dict.fromkeys((1, 2, 3), (HEIGHT, WIDTH)))
    for folder in (tmp_path, tmp_path / "val2014"):
        built = world.build(tmp_path, images=folder)
        assert built.info.fingerprint == plain
        assert built.notes == ()
        for row in rows_of(built):
            file = tmp_path / "val2014" / row["image"]["path"]
            assert row["image"]["bytes"] == file.read_bytes()


def test_pictures_that_are_missing_or_broken(world, tmp_path):
    pictures = tmp_path / "val2014"
    write_pictures(pictures, {1: (HEIGHT, WIDTH), 2: (HEIGHT, WIDTH - 1), 3: (HEIGHT, WIDTH)})
    world.coco["images"].append(image(4))
    world.coco["annotations"] += [
        annotation(40, 4, PERSON, (60, 20, 40, 80)),
        annotation(41, 4, SKATEBOARD, (60, 90, 40, 10)),
    ]
    world.fits["data"].append(fit(40, 4))
    third = pictures / image_name_2014(3)
    third.write_bytes(third.read_bytes()[:-40])
    built = world.build(tmp_path, images=pictures)
    assert built.info.noted == {
        "missing pictures": 1,
        "pictures of another size than annotated": 1,
        "unreadable pictures": 1,
    }
    assert {row["image_id"]: row["image"] is None for row in rows_of(built)} == {
        1: False,
        2: True,
        3: True,
        4: True,
    }
    pictures.joinpath(image_name_2014(4)).mkdir()
    third.write_bytes(b"")
    assert world.build(tmp_path, images=pictures).info.noted["unreadable pictures"] == 1


def test_folders_without_the_pictures(world, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        world.build(tmp_path, images=tmp_path / "nowhere")
    with pytest.raises(InputError, match="has none of the 3 images"):
        world.build(tmp_path, images=tmp_path)


def test_missing_sources_are_explained():
    with pytest.raises(InputError) as caught:
        build_dataset("coco-eft", "nowhere")
    text = str(caught.value)
    for part in (
        "--annotations is missing",
        "--fits is missing",
        "cocodataset.org",
        "2014 Train/Val annotations",
        "CC BY 4.0",
        "161 MB",
        "github.com/facebookresearch/eft",
        "CC BY-NC 4.0",
        "10,510 people",
        "--fits path/to/COCO2014-Val-ver10.json",
    ):
        assert part in text, part


def test_other_missing_files_are_explained(world, tmp_path):
    with pytest.raises(InputError, match=r"smpl\.is\.tue\.mpg\.de"):
        world.build(tmp_path, body=tmp_path / "SMPL_NEUTRAL.pkl")
    with pytest.raises(InputError, match="nkolot/SPIN"):
        world.build(tmp_path, joint_regressor=tmp_path / "J_regressor_extra.npy")
    with pytest.raises(InputError, match="no such file"):
        world.build(tmp_path, fits=tmp_path / "nothing.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        world.build(tmp_path, fits=tmp_path / "empty")


def test_a_folder_with_the_file_in_it_will_do(world, tmp_path):
    assert world.build(tmp_path, annotations=tmp_path, fits=tmp_path).info.rows == 3


def test_joint_regressors(world, tmp_path):
    file = tmp_path / "J_regressor_extra.npy"
    np.save(file, np.zeros((9, 6890), np.float32))
    built = world.build(tmp_path, joint_regressor=file)
    assert built.info.details["joints"] == "smpl24"  # the default body is not SMPL
    assert built.info.noted == {"a regressor of another topology": 1}
    for content in (np.zeros((9, 5)), np.full((9, 6890), np.nan), np.array([None])):
        np.save(file, content, allow_pickle=True)
        with pytest.raises(InputError, match=r"J_regressor_extra\.npy"):
            world.build(tmp_path, joint_regressor=file)


def test_unknown_names(world, tmp_path):
    with pytest.raises(InputError, match="Did you mean 'adam'"):
        world.build(tmp_path, solver="adm")
    with pytest.raises(InputError, match="Did you mean 'coco-eft'"):
        get_builder("coco_eft")
    assert all(spec.load() for spec in BUILDERS.values())


def test_resuming_fits_no_camera_twice(world, tmp_path, monkeypatch):
    from chorus_bench.datasets.coco_eft import build, rows

    monkeypatch.setattr(build, "PEOPLE_A_PIECE", 1)
    calibrate, people = rows.calibrate, []

    def count(points, *args, **options):
        if len(people) == 2:
            people.append(0)
            raise KeyboardInterrupt
        people.append(len(points))
        return calibrate(points, *args, **options)

    monkeypatch.setattr(rows, "calibrate", count)
    with pytest.raises(KeyboardInterrupt):
        world.build(tmp_path)
    assert not (tmp_path / "out").exists()
    built = world.build(tmp_path)
    assert built.resumed == 2
    assert people == [1, 1, 0, 1]
    assert images_of(built) == [1, 2, 3]
