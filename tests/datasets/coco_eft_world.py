"""A small made-up world of COCO annotations and fits, for the tests of the COCO-EFT builder."""

import json

import numpy as np
import pyarrow.parquet as pq

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.coco_eft.annotations import image_name_2014
from chorus_bench.geometry.rotations import axis_angle_to_matrix

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
            "fits_name": "eft",
        }
        return build_dataset("coco-eft", folder / "out", overwrite=True, **{**known, **options})


def rows_of(built):
    return pq.read_table(built.path / "data").to_pylist()


def images_of(built):
    return sorted(row["image_id"] for row in rows_of(built))


def messages(built):
    return [str(note) for note in built.notes]


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
