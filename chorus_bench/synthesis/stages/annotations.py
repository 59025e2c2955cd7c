"""Stage `annotations`: people and objects with masks, keypoints, poses; near-duplicates removed.

Source: docs/method.md M4 and M5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.datasets.image_folder import SOURCE
from chorus_bench.datasets.masks import encode_mask
from chorus_bench.datasets.recipe import Row
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
        dropped: Counter[str] = Counter()  # counted only if all of them fit into memory
        people, objects = self._segment(pictures, categories, dropped)
        points = check_keypoints(
            self.keypoints.detect(pictures, people), people, "the keypoint detector", dropped
        )
        fits = check_fits(
            self.poses.estimate(pictures, people), people, "the pose estimator", dropped
        )
        faults.update(dropped)
        return [
            {
                "sample_id": picture.sample_id,
                "people": [_person(*parts) for parts in zip(*found, strict=True)],
                "objects": [_object(thing) for thing in things],
            }
            for picture, things, *found in zip(pictures, objects, people, points, fits, strict=True)
        ]

    def _segment(
        self, pictures: Sequence[Picture], categories: Sequence[str], faults: Counter[str]
    ) -> tuple[list[list[Detection]], list[list[Detection]]]:
        """Return people and objects of each picture, from left to right."""
        names = [PERSON] if self.objects is not self.people else [PERSON, *categories]
        found = check_detections(
            self.people.segment(pictures, names), pictures, "the segmenter", faults
        )
        things = found
        if self.objects is not self.people:
            seen = self.objects.segment(pictures, categories)
            things = check_detections(seen, pictures, "the object segmenter", faults)
        tidy = partial(self._of, faults=faults)
        people = [tidy(some, PERSON) for some in found]
        return people, [[d for name in categories for d in tidy(some, name)] for some in things]

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
        pictures = [read_picture(row) for row in rows if row["fault"] is None]
        annotate = partial(annotators.annotate, category=shard.category, faults=faults)
        found = {row["sample_id"]: row for row in batches.map(annotate, pictures)}
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
