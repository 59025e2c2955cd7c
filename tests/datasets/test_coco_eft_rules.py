"""The COCO-EFT builder on the rules of the split, pictures, sources, and resuming."""

import cv2
import numpy as np
import PIL.Image
import pytest

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.coco_eft.annotations import image_name_2014
from chorus_bench.datasets.registry import find_builders, get_builder
from chorus_bench.errors import InputError
from tests.datasets.coco_eft_world import (
    HEIGHT,
    PERSON,
    RACKET,
    SKATEBOARD,
    WIDTH,
    annotation,
    check_left_out,
    fit,
    image,
    images_of,
    polygon,
    rows_of,
)


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
        "no object that is the only one of its category and overlaps": 1,
    }
    assert built.notes == ()


@pytest.mark.parametrize(("width", "kept"), [(10.0, True), (10.01, False)])
def test_rule_2_half_is_enough(world, tmp_path, width, kept):
    box = [95.0, 90, width, 5]
    world.of(11).update(bbox=box, segmentation=[polygon(*box)])
    assert images_of(world.build(tmp_path)) == ([1, 2, 3] if kept else [2, 3])


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
        "pictures whose size differs from the annotation": 1,
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
    assert all(spec.load() for spec in find_builders().specs.values())


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


def test_pictures_that_exif_turns_are_not_embedded(world, tmp_path):
    """Readers would turn them away from their masks."""
    pictures = tmp_path / "val2014"
    write_pictures(pictures, dict.fromkeys((1, 2, 3), (HEIGHT, WIDTH)))
    exif = PIL.Image.Exif()
    exif[0x0112] = 3
    file = pictures / image_name_2014(2)
    PIL.Image.open(file).save(file, "JPEG", exif=exif.tobytes())
    built = world.build(tmp_path, images=pictures)
    assert built.info.noted["pictures that EXIF turns"] == 1
    assert [row["image"] is None for row in rows_of(built)] == [False, True, False]
