"""The COCO path on real annotations: those in tests/data/real_coco, and more where they are.

The environment variable CHORUS_BENCH_REALDATA names a folder with the larger subset of COCO's
annotations that the fits were made for; without it the same tests run on the small file.
"""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from pycocotools.coco import COCO

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.evaluation import evaluate
from chorus_bench.io.json_files import read_json
from chorus_bench.submission import write_submission

SMALL = Path(__file__).parents[1] / "data" / "real_coco"


def _sources():
    more = os.environ.get("CHORUS_BENCH_REALDATA")
    if more is None:
        return SMALL / "instances.json", SMALL / "fits.json"
    return Path(more) / "instances_val_subset.json", SMALL / "all_fits.json.gz"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    annotations, fits = _sources()
    folder = tmp_path_factory.mktemp("real") / "out"
    return build_dataset("coco-eft", folder, annotations=annotations, fits=fits)


@pytest.fixture(scope="module")
def rows(built):
    return pq.read_table(built.path / "data").to_pylist()


@pytest.fixture(scope="module")
def coco():
    return COCO(_sources()[0])


def test_what_is_kept(built):
    entries = len(read_json(_sources()[1])["data"])
    assert built.info.details["people_with_pairs"] == built.info.details["entries"] == entries
    assert set(built.info.left_out) == {"people whose camera does not fit"}
    assert built.info.rows >= 0.7 * entries
    assert verify_dataset(built.path).ok


def test_masks_are_those_of_pycocotools(rows, coco):
    for row in rows:
        for key, annotation in (
            ("human_mask", "annotation_id"),
            ("object_mask", "object_annotation_id"),
        ):
            expected = coco.annToMask(coco.loadAnns(row[annotation])[0])
            size = (row["height"], row["width"])
            np.testing.assert_array_equal(decode_mask(row[key], size=size), expected)


def test_the_rules_hold_for_every_row(rows, coco):
    names = {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())}
    for row in rows:
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[row["image_id"]]))
        counts = Counter(names[a["category_id"]] for a in annotations)
        assert (counts["person"], counts[row["category"]]) == (1, 1)
        assert 0.5 <= row["box_overlap"] <= 1
        assert row["reprojection_error"] <= 1


def test_cameras_look_at_people_from_the_front(rows):
    """Everybody stands before the camera, some metres away, upright more often than not."""
    depths = np.array([row["camera_translation"][2] for row in rows])
    assert (depths > 0.5).all()
    assert (depths < 100).all()
    up = np.array([np.array(row["camera_rotation"])[1, 1] for row in rows])
    assert np.median(up) < -0.8  # image y is down, body y is up


def test_joints_lie_on_the_person(rows):
    """Most joints of most people lie in or near the person's box."""
    inside = []
    for row in rows:
        x0, y0, x1, y1 = row["human_box"]
        margin = 0.1 * max(x1 - x0, y1 - y0)
        points = np.array(row["joints_2d"])
        near = (points > [x0 - margin, y0 - margin]) & (points < [x1 + margin, y1 + margin])
        inside.append(near.all(axis=1).mean())
    assert np.median(inside) > 0.9


def test_it_can_be_scored(built, tmp_path):
    values = np.zeros((48, 48, 48), np.float32)
    values[16:32, 8:40, 20:40] = 0.6
    fields = dict.fromkeys(built.info.categories, values)
    submission = write_submission(tmp_path / "submission", method="a box", fields=fields)
    result = evaluate(submission, split=built.path, min_samples=1)
    assert built.info.label in result.signature
    assert set(built.info.categories) - set(result.categories) == {"bicycle"}  # not the paper's
    everything = evaluate(submission, split=built.path, min_samples=1, population="all")
    assert {*everything.categories, *everything.unavailable} == set(built.info.categories)
