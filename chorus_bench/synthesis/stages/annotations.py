"""Stage `annotations`: people and objects with masks, keypoints, poses; near-duplicates removed.

Source: docs/method.md M4 and M5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.datasets.image_folder import SOURCE
from chorus_bench.datasets.masks import encode_mask
from chorus_bench.datasets.recipe import Row
from chorus_bench.engines.threads import ahead
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.synthesis.batching import Batches
from chorus_bench.synthesis.checks import check_detections, check_fits, check_keypoints
from chorus_bench.synthesis.image_files import decode_picture
from chorus_bench.synthesis.interfaces import (
    PERSON,
    Address,
    BodyFit,
    Context,
    Detection,
    Float32,
    KeypointDetector,
    Picture,
    PoseEstimator,
    Segmenter,
)
from chorus_bench.synthesis.jobs import Made, StageWork
from chorus_bench.synthesis.non_maximum_suppression import keep_without_near_duplicates
from chorus_bench.synthesis.registry import make_component
from chorus_bench.synthesis.settings import AnnotationSettings
from chorus_bench.synthesis.work_folder import Shard

_READ = ("sample_id", "category", "prompt", "view", "index", "source", "image", "fault")


@dataclass
class _Work:
    """A batch on its way through the annotators."""

    pictures: Sequence[Picture]
    categories: Sequence[str]
    prepared: list[dict[str, Any]] = field(default_factory=list)
    people: list[list[Detection]] = field(default_factory=list)
    objects: list[list[Detection]] = field(default_factory=list)
    points: list[Float32] = field(default_factory=list)
    fits: list[list[BodyFit | None]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def _prepared(annotator: object, *arguments: object) -> dict[str, Any]:
    """Return the keyword with what an annotator prepares, if it is one of those that do."""
    prepare = getattr(annotator, "prepare", None)
    return {} if prepare is None else {"prepared": prepare(*arguments)}


def _rows(work: _Work) -> _Work:
    """Make the rows of a batch; for any thread."""
    parts = zip(work.pictures, work.objects, work.people, work.points, work.fits, strict=True)
    work.rows = [
        {
            "sample_id": picture.sample_id,
            "people": [_person(*person) for person in zip(*found, strict=True)],
            "objects": [_object(thing) for thing in things],
        }
        for picture, things, *found in parts
    ]
    return work


@dataclass(frozen=True)
class Annotators:
    """The annotators of a run.

    Attributes:
        people: segments people, and objects if ``objects`` is the same.
        objects: segments the objects.
        keypoints: the keypoint detector.
        poses: the pose estimator.
        settings: settings of the removal of near-duplicates.
    """

    people: Segmenter
    objects: Segmenter
    keypoints: KeypointDetector
    poses: PoseEstimator
    settings: AnnotationSettings

    @classmethod
    def make(cls, settings: AnnotationSettings, context: Context) -> Annotators:
        """Load all annotators and check that they know the categories.

        Raises:
            InputError: an unknown annotator, option or category, or a model that is not available.
        """
        people = make_segmenters(settings, context)
        points, pose = settings.keypoints, settings.pose
        return cls(
            *people,
            make_component("keypoint detector", points.name, context, points.options),
            make_component("pose estimator", pose.name, context, pose.options),
            settings,
        )

    @property
    def models(self) -> dict[str, str]:
        """The descriptions of the annotators, by role."""
        roles: dict[str, Any] = {"segmenter": self.people}
        if self.objects is not self.people:
            roles["object segmenter"] = self.objects
        roles |= {"keypoint detector": self.keypoints, "pose estimator": self.poses}
        return {role: annotator.description for role, annotator in roles.items()}

    def annotate(
        self, pictures: Sequence[Picture], category: str, faults: Counter[str]
    ) -> list[Row]:
        """Return ``sample_id``, ``people`` and ``objects`` of pictures that show a category.

        See `annotate_all`, which looks for objects of several.
        """
        return self.annotate_all(pictures, [category], faults)

    def annotate_all(
        self, pictures: Sequence[Picture], categories: Sequence[str], faults: Counter[str]
    ) -> list[Row]:
        """Return ``sample_id``, ``people`` and ``objects`` of pictures.

        People are ordered from left to right, and so are the objects of each category.

        Args:
            pictures: pictures of any size.
            categories: categories of the objects to look for; none for people alone.
            faults: counts of dropped results.

        Raises:
            InputError: an annotator returned something of a wrong shape.
            OutOfDeviceMemoryError: too many pictures at a time.
        """
        (rows,) = self.annotate_batches(iter([pictures]), categories, faults)
        return rows

    def annotate_batches(
        self,
        batches: Iterator[Sequence[Picture]] | Iterator[Sequence[Row]],
        categories: Sequence[str],
        faults: Counter[str],
        threads: int = 0,
    ) -> Iterator[list[Row]]:
        """Yield the rows of each batch, in order; see `annotate_all`.

        Pictures are decoded and prepared in threads while models work on earlier ones, which they
        do in the calling thread alone. Whatever the number of threads, models get the same
        batches. At most 3 (threads + 1) batches are in memory.

        Args:
            batches: pictures, or rows with pictures.
            categories: categories of the objects to look for; none for people alone.
            faults: counts of dropped results.
            threads: threads that prepare; with 0, the calling thread does.

        Raises:
            InputError: as for `annotate_all`.
            OutOfDeviceMemoryError: too many pictures at a time.
        """
        begun = ahead(partial(self._begin, categories=categories), batches, threads)
        segmented = ahead(self._crop, map(self._segment, begun), threads)
        for work in ahead(_rows, map(self._pose, segmented), threads):
            faults.update(work.dropped)  # counted only if all of them fit into memory
            yield work.rows

    def _begin(self, batch: Sequence[Picture] | Sequence[Row], categories: Sequence[str]) -> _Work:
        """Decode and prepare a batch; for any thread."""
        pictures = [item if isinstance(item, Picture) else read_picture(item) for item in batch]
        work = _Work(pictures, categories)
        work.prepared = [_prepared(segmenter, pictures) for segmenter in self._segmenters]
        return work

    @property
    def _segmenters(self) -> list[Segmenter]:
        return [self.people] if self.objects is self.people else [self.people, self.objects]

    def _segment(self, work: _Work) -> _Work:
        """Find people and objects of a batch, from left to right."""
        pictures, categories, dropped = work.pictures, work.categories, work.dropped
        names = [PERSON, *categories] if self.objects is self.people else [PERSON]
        people, *others = work.prepared
        found = check_detections(
            self.people.segment(pictures, names, **people), pictures, "the segmenter", dropped
        )
        things = found
        for prepared in others:
            things = check_detections(
                self.objects.segment(pictures, categories, **prepared),
                pictures,
                "the object segmenter",
                dropped,
            )
        tidy = partial(self._of, faults=dropped)
        work.people = [tidy(some, PERSON) for some in found]
        work.objects = [[d for name in categories for d in tidy(some, name)] for some in things]
        return work

    def _crop(self, work: _Work) -> _Work:
        """Prepare the people of a batch; for any thread."""
        work.prepared = [_prepared(self.keypoints, work.pictures, work.people)]
        return work

    def _pose(self, work: _Work) -> _Work:
        """Find keypoints and poses of a batch."""
        pictures, people, dropped = work.pictures, work.people, work.dropped
        (crops,) = work.prepared
        work.points = check_keypoints(
            self.keypoints.detect(pictures, people, **crops),
            people,
            "the keypoint detector",
            dropped,
        )
        work.fits = check_fits(
            self.poses.estimate(pictures, people), people, "the pose estimator", dropped
        )
        work.prepared = []
        return work

    def _of(
        self, found: Sequence[Detection], category: str, faults: Counter[str]
    ) -> list[Detection]:
        """Return the detections of a category without near-duplicates, from left to right."""
        same = [d for d in found if d.category == category]
        kept = keep_without_near_duplicates(
            np.array([d.box for d in same]).reshape(-1, 4),
            [d.score for d in same],
            min_overlap=self.settings.min_overlap,
            sure_score=self.settings.sure_score,
        )
        faults["near-duplicate detections"] += len(same) - len(kept)
        return sorted((same[n] for n in kept), key=lambda d: float(d.box[0]))


def make_segmenters(settings: AnnotationSettings, context: Context) -> tuple[Segmenter, Segmenter]:
    """Return the segmenters of people and of objects, checked to know the run's categories.

    Raises:
        InputError: an unknown segmenter or category, or a model that is not available.
    """
    own = settings.segmenter
    people: Segmenter = make_component("segmenter", own.name, context, own.options)
    other = settings.object_segmenter
    objects: Segmenter = (
        people if other is None else make_component("segmenter", other.name, context, other.options)
    )
    people.check_categories([PERSON])
    objects.check_categories(context.categories)
    return people, objects


def load_annotations(work: StageWork) -> Callable[[Shard], Made]:
    """Load the annotators; return the function that annotates the images of a shard."""
    annotators = Annotators.make(work.settings.annotations, work.context())
    batches = Batches(work.run.batch, "pictures")

    def make(shard: Shard) -> Made:
        faults: Counter[str] = Counter()
        rows = work.folder("images").read(shard, _READ)
        usable = [row for row in rows if row["fault"] is None]
        annotate = partial(
            annotators.annotate_batches,
            categories=[shard.category],
            faults=faults,
            threads=work.run.prepare_threads or 0,
        )
        found = {row["sample_id"]: row for row in batches.stream(annotate, usable)}
        nothing: Row = {"people": [], "objects": []}
        ids = [row["sample_id"] for row in rows]
        made = [found.get(name, {"sample_id": name, **nothing}) for name in ids]
        return Made(made, faults, annotators.models)

    return make


def read_picture(row: Row) -> Picture:
    """Return a row's picture; one that an image search found has no address."""
    address = None
    if row.get("source") != SOURCE:
        address = Address(row["category"], row["prompt"], row["view"], row["index"])
    pixels = decode_picture(row["image"]["bytes"], row["sample_id"])
    path = row["image"].get("path")
    return Picture(row["sample_id"], address, pixels, Path(path).stem if path else None)


def _person(found: Detection, points: Float32, fit: BodyFit | None) -> dict[str, Any]:
    person = {**_seen(found), "keypoints": points.tolist()}
    return person if fit is None else person | _body(fit)


def _object(found: Detection) -> dict[str, Any]:
    return {"category": found.category, **_seen(found)}


def _seen(found: Detection) -> dict[str, Any]:
    return {
        "box": found.box.tolist(),
        "score": found.score,
        "mask": encode_mask(found.mask),
    }


def _body(fit: BodyFit) -> dict[str, Any]:
    body = {"pose": np.asarray(fit.pose).tolist(), "betas": np.asarray(fit.betas).tolist()}
    camera = fit.camera
    if isinstance(camera, PerspectiveCamera):
        return body | camera.columns()
    return body | {
        "weak_camera": np.asarray(camera.camera).tolist(),
        "crop_center": np.asarray(camera.center).tolist(),
        "crop_scale": float(camera.scale),
    }
