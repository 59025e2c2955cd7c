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

from chorus_bench.datasets.schema import CAMERA_COLUMNS, KEPT, REJECTED, AnyRow
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.boxes import box_areas, box_intersections

#: The 17 keypoints of COCO, in the order of the schema.
KEYPOINT_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
    "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip

NO_PERSON = "no person"
MANY_PEOPLE = "more than one person"
NO_OBJECT = "no target object"
MANY_OBJECTS = "more than one target object"
NO_CONTACT = "not exactly one object box overlaps the person"
KEYPOINTS = "keypoints not visible"
#: Every reason, in the order in which the filters run.
REASONS = (NO_PERSON, MANY_PEOPLE, NO_OBJECT, MANY_OBJECTS, NO_CONTACT, KEYPOINTS)

Group = tuple[str, ...]


@dataclass(frozen=True)
class KeypointPreset:
    """Which keypoints must be visible.

    Args:
        required: groups of each of which at least one keypoint must be visible.
        excluded: groups that must not all be visible (a group is visible if one of its keypoints
            is); empty for no such rule.
    """

    required: tuple[Group, ...] = ()
    excluded: tuple[Group, ...] = ()

    def passes(self, visible: frozenset[str]) -> bool:
        """Whether a person with these visible keypoints passes."""
        if not all(visible.intersection(group) for group in self.required):
            return False
        return not self.excluded or not all(visible.intersection(group) for group in self.excluded)


_SHOULDERS: Group = ("left_shoulder", "right_shoulder")
_HIPS: Group = ("left_hip", "right_hip")
_ARMS: Group = ("left_elbow", "right_elbow", "left_wrist", "right_wrist")
_LEGS: Group = ("left_knee", "right_knee", "left_ankle", "right_ankle")
_FACE: Group = ("nose", "left_eye", "right_eye")
_LEFT_HAND: Group = ("left_wrist",)
_RIGHT_HAND: Group = ("right_wrist",)

#: The presets by name. "torso" is the paper's default; see docs/method.md M7 for the others.
KEYPOINT_PRESETS: dict[str, KeypointPreset] = {
    "torso": KeypointPreset((_SHOULDERS, _HIPS)),
    "face": KeypointPreset((_FACE,)),
    "face-strict": KeypointPreset((_FACE,), (_SHOULDERS, _HIPS)),
    "full-body-arms": KeypointPreset((_SHOULDERS, _HIPS, _ARMS)),
    "full-body-legs": KeypointPreset((_SHOULDERS, _HIPS, _LEGS)),
    "hands": KeypointPreset((_LEFT_HAND + _RIGHT_HAND,)),
    "left-hand": KeypointPreset((_LEFT_HAND,), (_LEFT_HAND, _RIGHT_HAND)),
    "right-hand": KeypointPreset((_RIGHT_HAND,), (_LEFT_HAND, _RIGHT_HAND)),
    "none": KeypointPreset(),
}


@dataclass(frozen=True)
class FilterSettings:
    """Thresholds of the filters; the defaults are the paper's.

    Args:
        min_overlap: an object box overlaps the person if more than this share of it lies in the
            person's box.
        keypoints: a preset of `KEYPOINT_PRESETS`.
        keypoint_confidence: keypoints with at least this confidence are visible.

    Raises:
        InputError: an unknown preset, or a threshold outside [0, 1].
    """

    #: Settings files with other keys are refused.
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    min_overlap: float = 0.1
    keypoints: str = "torso"
    keypoint_confidence: float = 0.7

    def __post_init__(self) -> None:
        if self.keypoints not in KEYPOINT_PRESETS:
            raise unknown_name("keypoint preset", self.keypoints, KEYPOINT_PRESETS)
        for name in ("min_overlap", "keypoint_confidence"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}", expected="0 to 1")


@dataclass(frozen=True)
class Verdict:
    """Whether an image is kept and, if not, the first filter that it fails."""

    kept: bool
    reason: str | None = None


@dataclass
class FilterStatistics:
    """Counts of images by outcome: category -> reason or kept -> count."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, category: str, verdict: Verdict) -> None:
        """Count one image."""
        self.counts.setdefault(category, Counter())[verdict.reason or KEPT] += 1

    def __add__(self, other: FilterStatistics) -> FilterStatistics:
        total = FilterStatistics()
        for category in sorted({*self.counts, *other.counts}):
            both = (self.counts.get(category, Counter()), other.counts.get(category, Counter()))
            total.counts[category] = both[0] + both[1]
        return total

    def images(self, category: str | None = None) -> int:
        """Return the number of images, of one category or of all."""
        return sum(counter.total() for counter in self._of(category))

    def kept(self, category: str | None = None) -> int:
        """Return the number of kept images, of one category or of all."""
        return sum(counter[KEPT] for counter in self._of(category))

    def rejection_rate(self, category: str | None = None) -> float:
        """Return 1 - kept / images, as in table 1 of the paper.

        Raises:
            InputError: there were no images.
        """
        images = self.images(category)
        if not images:
            raise InputError("there are no images to filter", where=category)
        return 1 - self.kept(category) / images

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


def filter_row(row: AnyRow, settings: FilterSettings = FilterSettings()) -> Verdict:
    """Apply the filters to one training row.

    Args:
        row: with ``category``, ``people`` (``box``, ``keypoints``) and ``objects``
            (``category``, ``box``); boxes xyxy in pixels, keypoints (17, 3) x, y, confidence.
        settings: thresholds.
    """
    people, targets = _people(row), _targets(row)
    if len(people) != 1:
        return Verdict(False, MANY_PEOPLE if people else NO_PERSON)
    if len(targets) != 1:
        return Verdict(False, MANY_OBJECTS if targets else NO_OBJECT)
    shares = _shares_inside([target["box"] for target in targets], people[0]["box"])
    if np.count_nonzero(shares > settings.min_overlap) != 1:
        return Verdict(False, NO_CONTACT)
    visible = _visible(people[0].get("keypoints"), settings.keypoint_confidence)
    if not KEYPOINT_PRESETS[settings.keypoints].passes(visible):
        return Verdict(False, KEYPOINTS)
    return Verdict(True)


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
        verdict = filter_row(row, settings)
        if statistics is not None:
            statistics.add(str(row.get("category")), verdict)
        result = {**row, "verdict": KEPT if verdict.kept else REJECTED, "reason": verdict.reason}
        if verdict.kept:
            result |= _found(_people(row)[0], _targets(row)[0])
        yield result


def _found(person: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "human_mask": person.get("mask"),
        "object_mask": target.get("mask"),
        "pose": person.get("pose"),
        "betas": person.get("betas"),
        **{name: person[name] for name in CAMERA_COLUMNS if person.get(name) is not None},
    }


def _people(row: AnyRow) -> Sequence[Mapping[str, Any]]:
    return row.get("people") or []


def _targets(row: AnyRow) -> list[Mapping[str, Any]]:
    return [item for item in row.get("objects") or [] if item["category"] == row.get("category")]


def _shares_inside(boxes: list[Any], person: Any) -> NDArray[np.float64]:  # noqa: ANN401 - numbers
    """Return the share of each object box that lies in the person's; 0 for empty boxes."""
    common, areas = box_intersections(person, boxes)[0], box_areas(boxes)
    return np.divide(common, areas, out=np.zeros_like(common), where=areas > 0)


def _visible(keypoints: Any, confidence: float) -> frozenset[str]:  # noqa: ANN401 - numbers or None
    """Return the names of the visible keypoints; none if there are no keypoints."""
    if keypoints is None:
        return frozenset()
    points = np.asarray(keypoints, dtype=np.float64)
    if points.shape != (len(KEYPOINT_NAMES), 3):
        raise InputError(
            f"keypoints of shape {points.shape}", expected="(17, 3): x, y, confidence, COCO's order"
        )
    seen = (points[:, 2].astype(np.float32) >= np.float32(confidence)).tolist()
    return frozenset(name for name, there in zip(KEYPOINT_NAMES, seen, strict=True) if there)
