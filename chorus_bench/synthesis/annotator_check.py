"""Whether the annotators of a configuration work: each is loaded and run on one picture."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from chorus_bench.datasets.image_folder import MAX_IMAGE_BYTES
from chorus_bench.errors import InputError
from chorus_bench.io.untrusted_files import read_limited
from chorus_bench.simulation import CATEGORIES, PROMPTS, simulate_train_row
from chorus_bench.synthesis.annotators.oracle import Oracle
from chorus_bench.synthesis.checks import check_detections, check_fits, check_keypoints
from chorus_bench.synthesis.image_files import decode_picture
from chorus_bench.synthesis.interfaces import (
    PERSON,
    Address,
    BodyFit,
    Context,
    Detection,
    Float32,
    Picture,
)
from chorus_bench.synthesis.jobs import RunSettings, context_of
from chorus_bench.synthesis.registry import Kind, make_component
from chorus_bench.synthesis.settings import Component, SynthesisSettings

Found = TypeVar("Found")

_SIZE, _VIEW, _CATEGORY = 512, "full_body", "surfboard"
#: Calls that are timed, after one that is not.
TIMES = 3


@dataclass
class CheckedAnnotator:
    """One annotator of a configuration.

    Attributes:
        role: what it does.
        name: its registered name.
        model: the model and its settings; empty if it could not be loaded.
        load_seconds: time of loading it.
        seconds: time of one picture, after a first call.
        found: what it found in the picture, in words.
        problem: why it cannot be used; empty if it can.
    """

    role: str
    name: str
    model: str = ""
    load_seconds: float = 0.0
    seconds: float = 0.0
    found: str = ""
    problem: str = ""


@dataclass
class AnnotatorCheck:
    """The annotators of a configuration, and what they found in one picture.

    Attributes:
        picture: the picture.
        category: the objects that were looked for.
        checked: the annotators.
        people: the people, from left to right.
        objects: the objects.
        keypoints: (P, 17, 3) of the people; None if they were not found.
        fits: the poses of the people.
        given: whether the people are the simulated world's, because the segmenter found none.
    """

    picture: Picture
    category: str
    checked: list[CheckedAnnotator] = field(default_factory=list)
    people: Sequence[Detection] = ()
    objects: Sequence[Detection] = ()
    keypoints: Float32 | None = None
    fits: Sequence[BodyFit | None] = ()
    given: bool = False

    @property
    def ok(self) -> bool:
        """Whether every annotator can be used."""
        return not any(one.problem for one in self.checked)


def check_annotators_on_picture(
    settings: SynthesisSettings, run: RunSettings, picture: str | Path | None = None
) -> AnnotatorCheck:
    """Load every annotator of a configuration and run it on a picture.

    One that cannot be used does not hinder the others: people whom the segmenter did not find in
    the simulated picture are those of its truth.

    Args:
        settings: the configuration; the first category is looked for, by default surfboards.
        run: device of the models, and number of pictures at a time.
        picture: a JPEG or PNG file; by default a picture of the simulated world.

    Raises:
        InputError: the picture cannot be read, or the body cannot be loaded.
    """
    category = settings.categories[0] if settings.categories else _CATEGORY
    context = context_of(settings, run)
    shown = _read(Path(picture)) if picture else _simulated(category, context)
    check = AnnotatorCheck(shown, category)
    _check_segmenters(check, settings, context, run)
    if not check.people and shown.address is not None:
        truth = Oracle(context.body, context.seed, 0.0)
        check.people, check.given = truth.segment([shown], [PERSON])[0], True
    _check_people(check, settings, context, run)
    return check


def _check_segmenters(
    check: AnnotatorCheck, settings: SynthesisSettings, context: Context, run: RunSettings
) -> None:
    own, other = settings.annotations.segmenter, settings.annotations.object_segmenter
    jobs = [("segmenter", own, [PERSON] if other else [PERSON, check.category])]
    if other is not None:
        jobs.append(("object segmenter", other, [check.category]))
    for role, component, names in jobs:

        def call(made: Any, pictures: list[Picture], names: list[str] = names) -> Any:  # noqa: ANN401
            made.check_categories(names)
            found = made.segment(pictures, names)
            return check_detections(found, pictures, "the segmenter", Counter())

        found = _checked(check, role, "segmenter", component, context, run, call) or []
        found = sorted(found, key=lambda thing: float(thing.box[0]))
        check.people = [*check.people, *(d for d in found if d.category == PERSON)]
        check.objects = [*check.objects, *(d for d in found if d.category == check.category)]
        check.checked[-1].found = _counted(found, names)


def _check_people(
    check: AnnotatorCheck, settings: SynthesisSettings, context: Context, run: RunSettings
) -> None:
    people = list(check.people)

    def detect(made: Any, pictures: list[Picture]) -> list[Float32]:  # noqa: ANN401
        several = [people] * len(pictures)
        return check_keypoints(made.detect(pictures, several), several, "the detector", Counter())

    def estimate(made: Any, pictures: list[Picture]) -> list[list[BodyFit | None]]:  # noqa: ANN401
        several = [people] * len(pictures)
        return check_fits(made.estimate(pictures, several), several, "the estimator", Counter())

    found, kind = settings.annotations, "keypoint detector"
    points = _checked(check, kind, "keypoint detector", found.keypoints, context, run, detect)
    if points is not None:
        check.keypoints = points
        seen = int((points[..., 2] >= settings.filters.keypoint_confidence).sum())
        check.checked[-1].found = f"{seen} visible keypoints of {len(people)} people"
    fits = _checked(check, "pose estimator", "pose estimator", found.pose, context, run, estimate)
    if fits is not None:
        check.fits = fits
        count = sum(fit is not None for fit in fits)
        check.checked[-1].found = f"poses of {count} of {len(people)} people"


def _checked(
    check: AnnotatorCheck,
    role: str,
    kind: Kind,
    component: Component,
    context: Context,
    run: RunSettings,
    call: Callable[[Any, list[Picture]], Sequence[Found]],
) -> Found | None:
    """Load an annotator and run it; return what it found in the picture."""
    one = CheckedAnnotator(role, component.name)
    check.checked.append(one)
    pictures = [check.picture] * run.batch
    try:
        started = time.perf_counter()
        made = make_component(kind, component.name, context, component.options)
        one.load_seconds, one.model = time.perf_counter() - started, made.description
        first = call(made, [check.picture])[0]  # it may load and compile more
        started = time.perf_counter()
        for _ in range(TIMES):
            call(made, pictures)
        one.seconds = (time.perf_counter() - started) / (TIMES * len(pictures))
    except Exception as error:  # whatever somebody else's model raises; the others are still run
        one.problem = str(error) or type(error).__name__
        return None
    return first


def _counted(found: Sequence[Detection], names: Sequence[str]) -> str:
    counts = Counter(detection.category for detection in found)
    return ", ".join(f"{counts[name]} x {name}" for name in names)


def _read(file: Path) -> Picture:
    try:
        content = read_limited(file, MAX_IMAGE_BYTES)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=file) from error
    return Picture(file.stem, None, decode_picture(content, file))


def _simulated(category: str, context: Context) -> Picture:
    """Return a picture of one person with one object, without one of the world's failures."""
    name = category if category in CATEGORIES else _CATEGORY
    for index in range(100):
        address = Address(name, PROMPTS[name][0], _VIEW, index)
        row = simulate_train_row(
            name, address.prompt, _VIEW, index, seed=context.seed, body=context.body, size=_SIZE
        )
        if row["true_failure"] is None:
            break
    pixels = decode_picture(row["image"]["bytes"], row["sample_id"])
    return Picture(row["sample_id"], address, pixels)
