"""Filters by visible keypoints: the 15 of the original by number and name, one's own, and unions.

Source: docs/method.md M7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from chorus_bench.errors import InputError, unknown_name

#: The 17 keypoints of COCO, in the order of the schema.
KEYPOINT_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
    "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip

Group = tuple[str, ...]


@dataclass(frozen=True)
class KeypointFilter:
    """Which keypoints must be visible, and which must not.

    Args:
        wanted: groups of each of which at least one keypoint must be visible.
        unwanted: groups; a person is rejected if all keypoints of any of them are visible.

    Raises:
        InputError: an unknown keypoint, or a group without one.
    """

    wanted: tuple[Group, ...] = ()
    unwanted: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        for side in ("wanted", "unwanted"):
            groups = getattr(self, side)
            if isinstance(groups, str) or not isinstance(groups, Sequence):
                raise _wrong(f"'{side}' is {groups!r}")
            object.__setattr__(self, side, tuple(map(_group, groups)))

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> KeypointFilter:
        """Return the filter that a table with ``wanted`` and ``unwanted`` describes."""
        for name in content:
            if name not in ("wanted", "unwanted"):
                raise unknown_name("part of a keypoint filter", str(name), ("wanted", "unwanted"))
        return cls(**content)

    def passes(self, visible: frozenset[str]) -> bool:
        """Whether a person with these visible keypoints passes."""
        if not all(visible.intersection(group) for group in self.wanted):
            return False
        return not any(visible.issuperset(group) for group in self.unwanted)


def _group(group: object) -> Group:
    """Return a group; a keypoint alone is a group of one."""
    names = (group,) if isinstance(group, str) else group
    if not isinstance(names, Sequence) or not names:
        raise _wrong(f"a group is {group!r}")
    for name in names:
        if name not in KEYPOINT_NAMES:
            raise unknown_name("keypoint", str(name), KEYPOINT_NAMES)
    return tuple(names)


def _wrong(found: str) -> InputError:
    return InputError(
        found,
        where="a keypoint filter",
        expected="groups of keypoints, for example wanted: [[left_wrist, right_wrist], [nose]]",
    )


def _pair(name: str) -> Group:
    return (f"left_{name}", f"right_{name}")


def _each(*names: str) -> tuple[Group, ...]:
    """Return one group for each keypoint of pairs."""
    return tuple((keypoint,) for name in names for keypoint in _pair(name))


_FACE = (("nose",), *_each("eye", "ear"))
_LEGS = _each("knee", "ankle", "hip")
_EYES, _EARS, _SHOULDERS, _ELBOWS = map(_pair, ("eye", "ear", "shoulder", "elbow"))
_WRISTS, _HIPS, _KNEES, _ANKLES = map(_pair, ("wrist", "hip", "knee", "ankle"))
_HEAD_FROM_THE_SIDE = (_EYES, (*_EARS, "nose"))

#: The original's 15 filters by name, in the order of their numbers.
KEYPOINT_FILTERS: dict[str, KeypointFilter] = {
    "face": KeypointFilter(_FACE, _LEGS),
    "face-strict": KeypointFilter(_FACE, (*_LEGS, *_each("wrist", "elbow"))),
    "torso": KeypointFilter((_SHOULDERS, _HIPS)),
    "full-body-arms": KeypointFilter((_SHOULDERS, _HIPS, _ELBOWS)),
    "full-body-legs": KeypointFilter((_SHOULDERS, _HIPS, (*_KNEES, *_ANKLES))),
    "hands": KeypointFilter((_WRISTS,), (*_LEGS, *_FACE)),
    "hands-without-shoulders": KeypointFilter((_WRISTS,), (*_LEGS, *_FACE, *_each("shoulder"))),
    "hands-without-arms": KeypointFilter((_WRISTS,), (*_LEGS, *_FACE, *_each("shoulder", "elbow"))),
    "left-hand": KeypointFilter(
        (("left_wrist",),),
        (*_LEGS, *_FACE, *_each("shoulder"), ("right_wrist",), ("right_elbow",)),
    ),
    "right-hand": KeypointFilter(
        (("right_wrist",),),
        (*_LEGS, *_FACE, *_each("shoulder"), ("left_wrist",), ("left_elbow",)),
    ),
    "full-body": KeypointFilter((_SHOULDERS, _HIPS, _KNEES, _ANKLES)),
    "head": KeypointFilter(_HEAD_FROM_THE_SIDE, _LEGS),
    "head-strict": KeypointFilter(_HEAD_FROM_THE_SIDE, (*_LEGS, *_each("wrist", "elbow"))),
    "upper-body": KeypointFilter((("nose",), _EYES, _EARS, _SHOULDERS)),
    "none": KeypointFilter(),
}

#: A filter by name or number, one's own, or several of which one must be passed.
KeypointChoice = str | int | KeypointFilter | Mapping[str, Any] | Sequence[Any]
_One = str | KeypointFilter


def read_choice(choice: object) -> _One | tuple[_One, ...]:
    """Return filters by their names, without repetitions; one alone is no list.

    Args:
        choice: a name ("torso"), a number (3), names or numbers with commas ("7,8"), a table with
            ``wanted`` and ``unwanted`` groups, or a list of any of these.

    Raises:
        InputError: an unknown name, number or keypoint.
    """
    found = dict.fromkeys(_filters(choice))
    if not found:
        raise _no_filter(choice)
    return next(iter(found)) if len(found) == 1 else tuple(found)


def passes_any(choice: KeypointChoice, visible: frozenset[str]) -> bool:
    """Whether a person with these visible keypoints passes one of the filters of `read_choice`."""
    return any(rule.passes(visible) for rule in _rules(choice))


@lru_cache(maxsize=64)
def _rules(choice: KeypointChoice) -> tuple[KeypointFilter, ...]:
    found = _filters(choice)
    return tuple(KEYPOINT_FILTERS[one] if isinstance(one, str) else one for one in found)


def _filters(choice: object) -> list[_One]:
    if isinstance(choice, KeypointFilter):
        return [choice]
    if isinstance(choice, Mapping):
        return [KeypointFilter.of(choice)]
    if isinstance(choice, str):
        return [_name(piece.strip()) for piece in choice.split(",")]
    if isinstance(choice, int) and not isinstance(choice, bool):
        return [_name(str(choice))]
    if isinstance(choice, Sequence):
        return [found for one in choice for found in _filters(one)]
    raise _no_filter(choice)


def _name(text: str) -> str:
    """Return the name of a filter from its name or its number."""
    names = tuple(KEYPOINT_FILTERS)
    if text in KEYPOINT_FILTERS:
        return text
    if not text.lstrip("+-").isdecimal():
        raise unknown_name("keypoint filter", text, names)
    number = int(text) if len(text) < 9 else 0
    if not 1 <= number <= len(names):
        raise InputError(f"no keypoint filter has the number {text}", expected="1 to 15")
    return names[number - 1]


def _no_filter(choice: object) -> InputError:
    return InputError(f"keypoint filter {choice!r}", expected=_EXPECTED)


_EXPECTED = (
    "a name or number of a keypoint filter, several of them with commas, a table with 'wanted' and "
    "'unwanted' groups, or a list of these"
)


def _yaml(choice: object) -> Any:  # noqa: ANN401 - text, table or list
    if isinstance(choice, tuple):
        return [_yaml(one) for one in choice]
    if isinstance(choice, KeypointFilter):
        sides = {"wanted": choice.wanted, "unwanted": choice.unwanted}
        return {side: [list(group) for group in groups] for side, groups in sides.items()}
    return choice


#: The same in a configuration file.
KeypointField = Annotated[
    KeypointChoice,
    PlainValidator(read_choice),
    PlainSerializer(_yaml),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "integer", "minimum": 1, "maximum": len(KEYPOINT_FILTERS)},
                {"type": "object"},
                {"type": "array"},
            ],
            "description": _EXPECTED,
        }
    ),
]
