"""Which person-object pairs of an image are samples.

Source: docs/protocol.md P30 and P31.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from chorus_bench.datasets.coco_eft.annotations import PERSON, Annotation, CocoFile, Image
from chorus_bench.datasets.coco_eft.entry_error import EntryError
from chorus_bench.datasets.coco_eft.fits import Fit
from chorus_bench.datasets.recipe import Note
from chorus_bench.geometry.boxes import overlap_of_smaller

#: The smallest overlap of the two boxes.
MIN_OVERLAP = 0.5

Box = tuple[float, float, float, float]

_ZERO = "zero-area boxes"


@dataclass(frozen=True)
class Target:
    """An object that forms a sample with the person of its image.

    Attributes:
        category: category of the object.
        annotation: annotation of the object.
        box: box of the object, xyxy in pixels.
        overlap: intersection of the two boxes over the area of the smaller one.
    """

    category: str
    annotation: Annotation
    box: Box
    overlap: float


@dataclass(frozen=True)
class Candidate:
    """A fit with the objects that form samples with its person.

    Attributes:
        fit: the body fit.
        image: COCO's entry of the image.
        person: the annotation of the person.
        person_box: box of the person, xyxy in pixels.
        targets: at least one object.
    """

    fit: Fit
    image: Image
    person: Annotation
    person_box: Box
    targets: tuple[Target, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image, pixels."""
        return self.image["height"], self.image["width"]


@dataclass
class Selection:
    """The candidates, problems with other entries, and the number that the rules leave out."""

    candidates: list[Candidate] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    ruled_out: Counter[str] = field(default_factory=Counter)


def select_pairs(
    fits: Sequence[Fit], coco: CocoFile, categories: Collection[str] | None = None
) -> Selection:
    """Return the person-object pairs of the fits.

    Args:
        fits: body fits.
        coco: the annotations of their images.
        categories: only objects of these categories; by default all but person.
    """
    selection = Selection()
    for fit in fits:
        try:
            candidate = _candidate(fit, coco, categories, selection)
        except EntryError as error:
            selection.notes.append(error.note(fit.entry))
            continue
        if candidate is not None:
            selection.candidates.append(candidate)
    return selection


def _candidate(
    fit: Fit, coco: CocoFile, categories: Collection[str] | None, selection: Selection
) -> Candidate | None:
    image = coco.images.get(fit.image_name)
    if image is None:
        raise EntryError("images missing from the annotation file", "its image is not there")
    annotations = coco.of_image(image)
    people = [a for a in annotations if coco.categories.get(a["category_id"]) == PERSON]
    if not people:
        raise EntryError("entries without a person", "its image has no person annotation")
    if len(people) > 1:
        selection.ruled_out["images with more than one person (crowds count)"] += 1
        return None
    size = (image["height"], image["width"])
    person_box = box_of(people[0], size)
    targets = _targets(fit, annotations, person_box, size, coco, categories, selection)
    if not targets:
        selection.ruled_out["no object that is the only one of its category and overlaps"] += 1
        return None
    if people[0]["id"] != fit.annotation_id:
        message = f"the person of its image has the annotation {people[0]['id']}, which is taken"
        reason = "annotIds that are not in the annotation file for their image"
        selection.notes.append(Note(fit.entry, reason, message, left_out=False))
    return Candidate(fit, image, people[0], person_box, tuple(targets))


def _targets(
    fit: Fit,
    annotations: Sequence[Annotation],
    person_box: Box,
    size: tuple[int, int],
    coco: CocoFile,
    categories: Collection[str] | None,
    selection: Selection,
) -> list[Target]:
    counts = Counter(annotation["category_id"] for annotation in annotations)
    targets = []
    for annotation in annotations:
        category = coco.categories.get(annotation["category_id"], PERSON)
        if category == PERSON or counts[annotation["category_id"]] != 1:
            continue
        if categories is not None and category not in categories:
            continue
        try:
            box = box_of(annotation, size)
        except EntryError as error:
            selection.notes.append(error.note(f"{fit.entry}, {category}"))
            continue
        overlap = overlap_of_smaller(person_box, box)
        if overlap >= MIN_OVERLAP:
            targets.append(Target(category, annotation, box, overlap))
    return sorted(targets, key=lambda target: target.category)


def box_of(annotation: Annotation, size: tuple[int, int]) -> Box:
    """Return the box of an annotation, xyxy in pixels.

    Args:
        annotation: a COCO annotation; its box is left, top, width, height.
        size: height and width of its image, pixels.

    Raises:
        EntryError: no box, an empty one, or one that leaves the image by more than a pixel.
    """
    where, found = f"annotation {annotation['id']}", annotation.get("bbox")
    numbers = found if isinstance(found, list) and len(found) == 4 else [math.nan]
    if not all(isinstance(n, int | float) and abs(n) < 2**53 for n in numbers):
        raise EntryError("annotations without a box", f"{where} has the box {found}")
    x, y, width, height = (float(n) for n in numbers)
    if width <= 0 or height <= 0:
        raise EntryError(_ZERO, f"{where} has a box of {width:g} x {height:g} pixels")
    box = x, y, x + width, y + height
    if min(x, y) < -1 or box[2] > size[1] + 1 or box[3] > size[0] + 1:
        raise EntryError(
            "boxes outside their image",
            f"{where} has the box [{x:g}, {y:g}, {width:g}, {height:g}] (left, top, width, "
            f"height), its image has {size[1]} x {size[0]} pixels (width x height)",
        )
    return box
