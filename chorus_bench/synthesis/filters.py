"""Filters: which images show one person with one object clearly enough.

The filters run in a fixed order, and the first that fails is the reason.

Source: docs/method.md M6 and M7; the paper, section 3.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from chorus_bench.boundary import checked
from chorus_bench.datasets.masks import decode_mask, encode_mask
from chorus_bench.datasets.schema import CAMERA_COLUMNS, KEPT, REJECTED, AnyRow
from chorus_bench.errors import InputError
from chorus_bench.geometry.boxes import box_areas, box_intersections
from chorus_bench.synthesis.keypoint_filters import (
    KEYPOINT_NAMES,
    KeypointField,
    passes_any,
    read_choice,
)

NO_PERSON = "no person"
MANY_PEOPLE = "more than one person"
NO_OBJECT = "no target object"
MANY_OBJECTS = "more than one target object"
NO_CONTACT = "not exactly one object box overlaps the person"
OTHER_CONTACT = "another number of object boxes overlaps the person"
KEYPOINTS = "keypoints not visible"
#: Every reason, in the order in which the filters run.
REASONS = (NO_PERSON, MANY_PEOPLE, NO_OBJECT, MANY_OBJECTS, NO_CONTACT, OTHER_CONTACT, KEYPOINTS)


@checked
@dataclass(frozen=True)
class FilterSettings:
    """Settings of the filters; the defaults are the paper's.

    Args:
        min_overlap: an object box overlaps a person if more than this share of it lies in the
            person's box.
        keypoints: a filter of `KEYPOINT_FILTERS` by name or number, one's own, or several of which
            one must be passed, see `read_choice`.
        keypoint_confidence: keypoints with at least this confidence are visible.
        one_person: reject images with more than one person; otherwise the first person from the
            left who passes is used.
        one_object: reject images with more than one target object.
        overlapping_objects: allowed numbers of object boxes that overlap the person; their masks
            are united. None for any number: then the masks of all objects are united.

    Raises:
        InputError: an unknown filter, or a number that makes no sense.
    """

    #: Settings files with other keys are refused.
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    min_overlap: float = 0.1
    keypoints: KeypointField = "torso"
    keypoint_confidence: float = 0.7
    one_person: bool = True
    one_object: bool = True
    overlapping_objects: tuple[int, ...] | None = (1,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keypoints", read_choice(self.keypoints))
        for name in ("min_overlap", "keypoint_confidence"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}", expected="0 to 1")
        if self.overlapping_objects is not None:
            object.__setattr__(self, "overlapping_objects", _numbers(self.overlapping_objects))


def _numbers(allowed: object) -> tuple[int, ...]:
    """Return allowed numbers of boxes in order; one alone may be no list."""
    found: list[Any] = list(allowed) if isinstance(allowed, tuple | list) else [allowed]
    if not found or any(type(number) is not int or number < 0 for number in found):
        raise InputError(
            f"overlapping_objects is {allowed!r}",
            expected="numbers of boxes, for example [1, 2], or null for any number",
        )
    return tuple(sorted({*found}))


_View = tuple[Mapping[str, Any], list[Mapping[str, Any]]]


@checked
@dataclass(frozen=True)
class Verdict:
    """Whether an image is kept and, if not, the first filter that it fails."""

    kept: bool
    reason: str | None = None


@checked
@dataclass
class FilterStatistics:
    """Counts of images by outcome: category -> reason or kept -> count."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    @checked
    def add(self, category: str, verdict: Verdict) -> None:
        """Count one image."""
        self.counts.setdefault(category, Counter())[verdict.reason or KEPT] += 1

    def __add__(self, other: FilterStatistics) -> FilterStatistics:
        total = FilterStatistics()
        for category in sorted({*self.counts, *other.counts}):
            both = (self.counts.get(category, Counter()), other.counts.get(category, Counter()))
            total.counts[category] = both[0] + both[1]
        return total

    @checked
    def images(self, category: str | None = None) -> int:
        """Return the number of images, of one category or of all."""
        return sum(counter.total() for counter in self._of(category))

    @checked
    def kept(self, category: str | None = None) -> int:
        """Return the number of kept images, of one category or of all."""
        return sum(counter[KEPT] for counter in self._of(category))

    @checked
    def rejection_rate(self, category: str | None = None) -> float:
        """Return 1 - kept / images, as in table 1 of the paper.

        Raises:
            InputError: there were no images.
        """
        images = self.images(category)
        if not images:
            raise InputError("there are no images to filter", where=category)
        return 1 - self.kept(category) / images

    @checked
    def check_kept(self, categories: Iterable[str] = ()) -> None:
        """Raise an `InputError` for a category without a single kept view.

        Args:
            categories: categories to check besides those that were counted.
        """
        for category in sorted({*self.counts, *categories}):
            if not self.kept(category):
                raise self._nothing_kept(category)

    def _of(self, category: str | None) -> list[Counter[str]]:
        if category is None:
            return list(self.counts.values())
        return [self.counts.get(category, Counter())]

    def _nothing_kept(self, category: str) -> InputError:
        counter = self.counts.get(category, Counter())
        reasons = [*REASONS, *sorted({*counter} - {*REASONS, KEPT})]
        removed = ", ".join(f"{reason}: {counter[reason]}" for reason in reasons if counter[reason])
        return InputError(
            f"none of {counter.total()} images is kept" + (f" ({removed})" if removed else ""),
            where=f"category '{category}'",
            expected="at least one image with one person and one object",
            fix="make more images, or relax the filter that removed most of them",
        )


@checked
def filter_row(row: AnyRow, settings: FilterSettings = FilterSettings()) -> Verdict:
    """Apply the filters to one training row.

    Args:
        row: with ``category``, ``people`` (``box``, ``keypoints``) and ``objects``
            (``category``, ``box``); boxes xyxy in pixels, keypoints (17, 3) x, y, confidence.
        settings: thresholds.
    """
    return _judge(row, settings)[0]


@checked
def filter_rows(
    rows: Iterable[AnyRow],
    settings: FilterSettings = FilterSettings(),
    statistics: FilterStatistics | None = None,
) -> Iterator[dict[str, Any]]:
    """Apply the filters to training rows.

    Args:
        rows: training rows.
        settings: thresholds.
        statistics: counts every image.

    Yields:
        Every row with ``verdict`` ("kept" or "rejected") and ``reason``. Kept rows have
        ``human_mask``, ``pose``, ``betas`` and, if there is one, the perspective camera of their
        person, and ``object_mask`` of their object.
    """
    for row in rows:
        verdict, view = _judge(row, settings)
        if statistics is not None:
            statistics.add(str(row.get("category")), verdict)
        result = {**row, "verdict": KEPT if verdict.kept else REJECTED, "reason": verdict.reason}
        yield result if view is None else result | _found(*view, _targets(row))


def kept_person(row: AnyRow) -> Mapping[str, Any]:
    """Return the person of a kept row: the one with its ``human_mask``, by default the first."""
    people = _people(row)
    same = (person for person in people if person.get("mask") == row.get("human_mask"))
    return people[0] if len(people) == 1 else next(same, people[0])


def _judge(row: AnyRow, settings: FilterSettings) -> tuple[Verdict, _View | None]:
    """Return the verdict and, of a kept image, the person and the objects that overlap."""
    people, targets = _people(row), _targets(row)
    if reason := _wrong_number(len(people), len(targets), settings):
        return Verdict(False, reason), None
    reasons = []
    for person in people:
        objects = _objects_of(person, targets, settings)
        if objects is None:
            reasons.append(NO_CONTACT if settings.overlapping_objects == (1,) else OTHER_CONTACT)
        elif passes_any(settings.keypoints, _visible(person, settings)):
            return Verdict(True), (person, objects)
        else:
            reasons.append(KEYPOINTS)
    return Verdict(False, max(reasons, key=REASONS.index)), None


def _wrong_number(people: int, objects: int, settings: FilterSettings) -> str | None:
    """Return the reason if there are too few or too many people or objects."""
    if people != 1 and (not people or settings.one_person):
        return MANY_PEOPLE if people else NO_PERSON
    if objects != 1 and (not objects or settings.one_object):
        return MANY_OBJECTS if objects else NO_OBJECT
    return None


def _objects_of(
    person: Mapping[str, Any], targets: list[Mapping[str, Any]], settings: FilterSettings
) -> list[Mapping[str, Any]] | None:
    """Return the objects whose masks count for a person; None for a number not allowed."""
    if settings.overlapping_objects is None:
        return targets
    shares = _shares_inside([target["box"] for target in targets], person["box"])
    inside = [t for t, share in zip(targets, shares, strict=True) if share > settings.min_overlap]
    return inside if len(inside) in settings.overlapping_objects else None


def _found(
    person: Mapping[str, Any], objects: list[Mapping[str, Any]], targets: list[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "human_mask": person.get("mask"),
        "object_mask": _united([item.get("mask") for item in objects], targets[0].get("mask")),
        "pose": person.get("pose"),
        "betas": person.get("betas"),
        **{name: person[name] for name in CAMERA_COLUMNS if person.get(name) is not None},
    }


def _united(masks: list[Any], like: Any) -> Any:  # noqa: ANN401 - RLE or None
    """Return the union of masks; of no mask, an empty one of the size of another."""
    if len(masks) == 1 or any(mask is None for mask in [like, *masks]):
        return masks[0] if masks else None
    total = np.zeros_like(decode_mask(like))
    for mask in masks:
        total |= decode_mask(mask, size=total.shape)
    return encode_mask(total)


def _people(row: AnyRow) -> Sequence[Mapping[str, Any]]:
    return row.get("people") or []


def _targets(row: AnyRow) -> list[Mapping[str, Any]]:
    return [item for item in row.get("objects") or [] if item["category"] == row.get("category")]


def _shares_inside(boxes: list[Any], person: Any) -> NDArray[np.float64]:  # noqa: ANN401 - numbers
    """Return the share of each object box that lies in the person's; 0 for empty boxes."""
    common, areas = box_intersections(person, boxes)[0], box_areas(boxes)
    return np.divide(common, areas, out=np.zeros_like(common), where=areas > 0)


def _visible(person: Mapping[str, Any], settings: FilterSettings) -> frozenset[str]:
    """Return the names of the visible keypoints; none if there are no keypoints."""
    if person.get("keypoints") is None:
        return frozenset()
    points = np.asarray(person["keypoints"], dtype=np.float64)
    if points.shape != (len(KEYPOINT_NAMES), 3):
        raise InputError(
            f"keypoints of shape {points.shape}", expected="(17, 3): x, y, confidence, COCO's order"
        )
    seen = (points[:, 2].astype(np.float32) >= np.float32(settings.keypoint_confidence)).tolist()
    return frozenset(name for name, there in zip(KEYPOINT_NAMES, seen, strict=True) if there)
