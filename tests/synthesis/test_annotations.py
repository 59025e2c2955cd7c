"""Annotations of small annotators: what is dropped, sorted, refused; cameras that come along."""

import logging
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.view_conditions import ViewCondition
from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.synthesis.batching import Batches
from chorus_bench.synthesis.cameras import add_cameras
from chorus_bench.synthesis.interfaces import (
    PERSON,
    BodyFit,
    Detection,
    OutOfDeviceMemoryError,
    Picture,
    WeakCamera,
)
from chorus_bench.synthesis.jobs import RunSettings, StageWork
from chorus_bench.synthesis.plan import Plan
from chorus_bench.synthesis.settings import AnnotationSettings, SynthesisSettings
from chorus_bench.synthesis.stages.annotations import Annotators
from chorus_bench.synthesis.stages.cameras import load_cameras
from chorus_bench.synthesis.stages.filters import load_filters
from chorus_bench.synthesis.work_folder import Shard, StageFolder

HEIGHT, WIDTH = 40, 60
NAN = float("nan")
WEAK = WeakCamera(np.array([0.9, 0.1, 0.2], np.float32), np.array([30, 20], np.float32), 0.2)
FULL = PerspectiveCamera(
    np.eye(3, dtype=np.float32),
    np.array([0, 0.2, 3], np.float32),
    np.array([[80, 0, 30], [0, 80, 20], [0, 0, 1]], np.float32),
    1.5,
)


def seen(category, left, top, right, bottom, score=0.9):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    rows, columns = slice(max(int(top), 0), int(bottom)), slice(max(int(left), 0), int(right))
    mask[rows, columns] = True
    return Detection(category, np.array([left, top, right, bottom], np.float32), score, mask)


def fit(camera=WEAK, pose=0.1, betas=0.2):
    return BodyFit(np.full(72, pose, np.float32), np.full(10, betas, np.float32), camera)


MAN, TIE = seen(PERSON, 10, 5, 30, 35), seen("tie", 15, 10, 20, 20)


@dataclass
class Fake:
    """Every role at once; gives the same things for every picture."""

    things: tuple = (MAN, TIE)
    points: object = None
    fits: object = None
    fits_in_memory: int = 99
    asked: list = field(default_factory=list)
    description: str = "fake"

    def segment(self, pictures, categories):
        self.asked.append((len(pictures), list(categories)))
        return [[t for t in self.things if t.category in categories] for _ in pictures]

    def detect(self, pictures, people):
        if self.points is not None:
            return self.points
        return [np.full((len(found), 17, 3), 1, np.float32) for found in people]

    def estimate(self, pictures, people):
        if len(pictures) > self.fits_in_memory:
            raise OutOfDeviceMemoryError("CUDA out of memory")
        return [[fit() for _ in found] for found in people] if self.fits is None else self.fits


def annotators(fake, objects=None, **settings):
    return Annotators(fake, objects or fake, fake, fake, AnnotationSettings(**settings))


def picture(name="p0"):
    return Picture(name, None, np.zeros((HEIGHT, WIDTH, 3), np.uint8))


def annotate(fake, count=1, objects=None, **settings):
    """Return the rows of some pictures and what was dropped."""
    faults = Counter()
    pictures = [picture(f"p{n}") for n in range(count)]
    rows = annotators(fake, objects, **settings).annotate(pictures, "tie", faults)
    return rows, +faults


def one(fake, **arguments):
    rows, faults = annotate(fake, **arguments)
    return rows[0], faults


def test_everything_of_a_person_and_an_object():
    row, faults = one(Fake())
    (person,), (thing,) = row["people"], row["objects"]
    assert row["sample_id"] == "p0"
    assert not faults
    assert person["box"] == [10, 5, 30, 35]
    assert (decode_mask(person["mask"]) == MAN.mask).all()
    assert np.shape(person["keypoints"]) == (17, 3)
    assert np.shape(person["pose"]) == (72,)
    assert person["weak_camera"] == WEAK.camera.tolist()
    assert (person["crop_center"], person["crop_scale"]) == ([30, 20], 0.2)
    assert "camera_rotation" not in person
    assert (thing["category"], thing["score"]) == ("tie", 0.9)
    assert (decode_mask(thing["mask"]) == TIE.mask).all()


def test_nothing_is_found():
    row, faults = one(Fake(things=(), points=[[]], fits=[[]]))
    assert row == {"sample_id": "p0", "people": [], "objects": []}
    assert not faults


def test_a_person_without_a_pose():
    row, faults = one(Fake(fits=[[None]]))
    assert "pose" not in row["people"][0]
    assert "weak_camera" not in row["people"][0]
    assert not faults


@pytest.mark.parametrize(
    "wrong",
    [
        replace(MAN, box=np.array([10, NAN, 30, 35], np.float32)),
        replace(MAN, score=NAN),
        replace(MAN, box=np.array([10, 5, np.inf, 35], np.float32)),
    ],
)
def test_detections_that_are_not_finite_are_dropped(wrong):
    row, faults = one(Fake(things=(wrong, TIE)))
    assert row["people"] == []
    assert len(row["objects"]) == 1
    assert faults == {"detections with values that are not finite": 1}


@pytest.mark.parametrize(
    "empty",
    [
        replace(TIE, mask=np.zeros((HEIGHT, WIDTH), bool)),
        replace(TIE, box=np.array([15, 10, 15, 20], np.float32)),
        replace(TIE, box=np.array([70, 10, 90, 20], np.float32)),
    ],
)
def test_detections_without_a_pixel_are_dropped(empty):
    row, faults = one(Fake(things=(MAN, empty)))
    assert row["objects"] == []
    assert faults == {"detections without a pixel": 1}


def test_keypoints_that_are_not_finite_become_zeros():
    points = np.full((2, 17, 3), 3, np.float32)
    points[1, 4, 0] = NAN
    people = (MAN, seen(PERSON, 40, 5, 55, 35))
    row, faults = one(Fake(things=people, points=[points]))
    assert np.array(row["people"][1]["keypoints"]).tolist() == np.zeros((17, 3)).tolist()
    assert np.array(row["people"][0]["keypoints"])[0].tolist() == [3, 3, 1]
    assert faults == {"people's keypoints with values that are not finite": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        fit(pose=NAN),
        fit(betas=NAN),
        fit(replace(WEAK, camera=np.array([NAN, 0, 0], np.float32))),
        fit(replace(WEAK, scale=NAN)),
        fit(replace(FULL, translation=np.array([0, np.inf, 0], np.float32))),
        fit(replace(FULL, reprojection_error=NAN)),
    ],
)
def test_poses_that_are_not_finite_are_dropped(wrong):
    row, faults = one(Fake(fits=[[wrong]]))
    assert "pose" not in row["people"][0]
    assert "crop_scale" not in row["people"][0]
    assert "reprojection_error" not in row["people"][0]
    assert faults == {"people's poses with values that are not finite": 1}


@pytest.mark.parametrize(
    ("fake", "message"),
    [
        (Fake(things=(replace(MAN, mask=MAN.mask[:-1]),)), "the mask of a person"),
        (Fake(things=(replace(MAN, box=MAN.box[:3]),)), "the box of a person"),
        (Fake(points=[np.zeros((1, 18, 3))]), "keypoint detector: the keypoints of a picture"),
        (Fake(points=[np.zeros((2, 17, 3))]), r"has shape \(2, 17, 3\)"),
        (Fake(points=[]), "keypoint detector: gave 0 results for 1"),
        (Fake(points=np.zeros((1, 1, 17, 3))), "keypoint detector: gave ndarray for 1"),
        (Fake(fits=[[]]), "pose estimator: gave 0 results for 1"),
        (Fake(fits=[[fit()], []]), "pose estimator: gave 2 results for 1"),
        (Fake(fits=[[replace(fit(), pose=np.zeros((24, 3)))]]), "a person's pose"),
        (Fake(fits=[[replace(fit(), betas=np.zeros(16))]]), "a person's betas"),
        (Fake(fits=[[fit(replace(WEAK, camera=np.zeros(4)))]]), "a person's camera"),
    ],
)
def test_wrong_shapes_are_refused(fake, message):
    with pytest.raises(InputError, match=message) as caught:
        one(fake)
    assert caught.value.expected
    assert "correct the annotator" in caught.value.fix


def test_a_segmenter_that_forgets_a_picture():
    fake = Fake()
    fake.segment = lambda pictures, categories: [[]]
    with pytest.raises(InputError, match="the segmenter: gave 1 results for 2"):
        annotate(fake, count=2)


def test_boxes_are_cut_at_the_edges():
    row, _ = one(Fake(things=(seen(PERSON, -8, -3, 75, 99), TIE)))
    assert row["people"][0]["box"] == [0, 0, WIDTH, HEIGHT]


def test_scores_are_0_to_1():
    row, _ = one(Fake(things=(replace(MAN, score=1.2), replace(TIE, score=-0.1))))
    assert row["people"][0]["score"] == 1
    assert row["objects"][0]["score"] == 0


def test_people_stand_from_left_to_right():
    people = [seen(PERSON, left, 5, left + 12, 35) for left in (40, 2, 20)]
    ties = [seen("tie", left, 10, left + 4, 20) for left in (45, 5)]
    points = np.zeros((3, 17, 3), np.float32)
    row, _ = one(Fake(things=(*ties, *people), points=[points]))
    assert [person["box"][0] for person in row["people"]] == [2, 20, 40]
    assert [thing["box"][0] for thing in row["objects"]] == [5, 45]


def test_keypoints_and_poses_are_of_people_in_their_order():
    asked = []
    fake = Fake(things=[seen(PERSON, left, 5, left + 12, 35) for left in (40, 2)])
    fake.detect = lambda pictures, people: (
        asked.append(people)
        or [np.stack([np.full((17, 3), person.box[0], np.float32) for person in people[0]])]
    )
    row, _ = one(fake)
    assert [person.box[0] for person in asked[0][0]] == [2, 40]
    assert [person["keypoints"][0][0] for person in row["people"]] == [2, 40]


def test_near_duplicates_are_removed():
    double = replace(MAN, box=MAN.box + np.float32(0.5), score=0.5)
    twice = replace(TIE, score=0.4)
    row, faults = one(Fake(things=(double, MAN, twice, TIE)))
    assert [person["box"] for person in row["people"]] == [MAN.box.tolist()]
    assert [thing["score"] for thing in row["objects"]] == [0.9]
    assert faults == {"near-duplicate detections": 2}
    row, faults = one(Fake(things=(double, MAN, TIE)), min_overlap=1.0)
    assert len(row["people"]) == 2
    assert not faults


def test_other_categories_are_left_out():
    fake = Fake()
    fake.segment = lambda pictures, categories: [[MAN, TIE, seen("cup", 1, 1, 5, 5)]]
    row, _ = one(fake)
    assert [thing["category"] for thing in row["objects"]] == ["tie"]


def test_one_segmenter_is_asked_once():
    fake = Fake()
    annotate(fake, count=2)
    assert fake.asked == [(2, [PERSON, "tie"])]
    assert annotators(fake).models == {
        "segmenter": "fake", "keypoint detector": "fake", "pose estimator": "fake",
    }  # fmt: skip


def test_objects_of_their_own_segmenter():
    people = Fake(things=(MAN, TIE))
    other = Fake(things=(seen("tie", 1, 1, 9, 9), MAN), description="other")
    row, _ = one(people, objects=other)
    assert (people.asked, other.asked) == ([(1, [PERSON])], [(1, ["tie"])])
    assert [thing["box"] for thing in row["objects"]] == [[1, 1, 9, 9]]
    assert len(row["people"]) == 1
    assert annotators(people, other).models["object segmenter"] == "other"


def test_a_wrong_object_segmenter_is_named():
    other = Fake()
    other.segment = lambda pictures, categories: []
    with pytest.raises(InputError, match="the object segmenter: gave 0 results for 1"):
        one(Fake(), objects=other)


def test_batches_are_halved_and_faults_counted_once(caplog):
    """The poses do not fit, after the detections were counted."""
    fake = Fake(things=(MAN, replace(TIE, score=NAN)), fits_in_memory=2)
    found, faults, batches = annotators(fake), Counter(), Batches(4, "pictures")
    pictures = [picture(f"p{n}") for n in range(5)]
    with caplog.at_level(logging.WARNING):
        rows = list(batches.map(lambda some: found.annotate(some, "tie", faults), pictures))
    assert [row["sample_id"] for row in rows] == [f"p{n}" for n in range(5)]
    assert [count for count, _ in fake.asked] == [4, 2, 2, 1]
    assert "with 4 pictures at a time; continuing with 2" in caplog.text
    assert +faults == {"detections with values that are not finite": 5}


def test_not_even_one_fits():
    found = annotators(Fake(fits_in_memory=0))
    batches = Batches(2, "pictures")
    with pytest.raises(ChorusBenchError, match="memory for one of the pictures"):
        list(batches.map(lambda some: found.annotate(some, "tie", Counter()), [picture()]))


def run_verdicts(work_folder, fits):
    """Return the rows of filters and cameras for pictures with these fits."""
    shard = Shard("tie-00000", "tie", 0, len(fits))
    plan = Plan({"tie": ("a man ties a tie",)}, (ViewCondition("plain", ""),), {"tie": len(fits)})
    settings = SynthesisSettings(categories=("tie",))
    rows, _ = annotate(Fake(fits=[[one] for one in fits]), count=len(fits))
    images = [
        {"sample_id": row["sample_id"], "category": "tie", "height": HEIGHT, "width": WIDTH}
        for row in rows
    ]
    for stage, content in (("images", images), ("annotations", rows)):
        StageFolder(work_folder, stage).write(shard, content, seconds=0, counts={}, models={})
    made = {}
    for stage, load in (("filters", load_filters), ("cameras", load_cameras)):
        work = StageWork(stage, load, work_folder, settings, plan, RunSettings())
        work()(shard)
        made[stage] = StageFolder(work_folder, stage).read(shard)
    return made["filters"], made["cameras"]


def test_a_camera_of_the_pose_estimator_stays_as_it_is(tmp_path):
    filters, cameras = run_verdicts(tmp_path, [fit(FULL), fit(WEAK), None])
    for row in (filters[0], cameras[0]):
        assert row["verdict"] == "kept"
        assert row["camera_rotation"] == FULL.rotation.tolist()
        assert row["camera_translation"] == FULL.translation.tolist()
        assert row["camera_intrinsics"] == FULL.intrinsics.tolist()
        assert row["reprojection_error"] == 1.5
    assert filters[1]["camera_rotation"] is None
    assert (cameras[1]["verdict"], filters[2]["verdict"]) == ("kept", "kept")
    assert cameras[1]["camera_rotation"] is not None
    assert cameras[2]["verdict"] == "rejected"
    assert cameras[2]["reason"] == (
        "no camera: the person has no pose, weak_camera, crop_center, crop_scale"
    )


def test_weak_cameras_are_solved_as_everywhere(tmp_path):
    _, (row,) = run_verdicts(tmp_path, [fit(WEAK)])
    person = {
        "pose": [0.1] * 72, "betas": [0.2] * 10, "weak_camera": WEAK.camera,
        "crop_center": WEAK.center, "crop_scale": WEAK.scale,
    }  # fmt: skip
    person = {name: np.float32(value).tolist() for name, value in person.items()}
    known = {"verdict": "kept", "height": HEIGHT, "width": WIDTH, "people": [person]}
    (solved,) = add_cameras([known], load_body("default"))
    assert row["camera_translation"] == solved["camera_translation"]
    assert row["reprojection_error"] == pytest.approx(solved["reprojection_error"], rel=1e-6)
