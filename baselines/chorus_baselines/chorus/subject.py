"""The subject of a picture, with pose and object: the input of a reconstruction.

Source: docs/method.md M20; the paper, section 4.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chorus_baselines.chorus.inference import check_pose
from chorus_bench.array_types import Float64
from chorus_bench.boundary import checked
from chorus_bench.datasets.bodies import BodySource, body_for
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.boxes import box_intersections


@dataclass(frozen=True, eq=False)
class Subject:
    """A person's pose and the category of their object.

    Attributes:
        pose: (72,) axis-angle in radians, the global orientation zero.
        category: category of the object.
    """

    pose: Float64
    category: str


def find_subject(data: str | Path, sample: str, body: BodySource = None) -> Subject:
    """Return the subject of a sample of a dataset.

    Args:
        data: a test split or annotated images, see `DatasetRows.open`.
        sample: its ``sample_id``.
        body: the body that the pose is for.

    Raises:
        InputError: no such sample, another body, or see `subject_of`.
    """
    rows = DatasetRows.open(data)
    body_for(rows.body, body, rows.name)
    names: list[str] = []
    for category in rows.categories:
        for row in rows.rows(category):
            if row["sample_id"] == sample:
                return subject_of(row)
            names.append(row["sample_id"])
    raise unknown_name("sample", sample, names[:20], where=data)


@checked
def subject_of(row: Mapping[str, Any]) -> Subject:
    """Return the subject of a dataset row.

    A row with its own pose (a test sample, or a training row after the filters) states the subject
    itself. For an annotated image, it is the most confident person, with the category of the
    detected object whose box overlaps this person's box most; if none does, the row's own category.

    Args:
        row: a test row or a training row.

    Raises:
        InputError: no person with a pose, or no category.
    """
    where = f"row '{row.get('sample_id')}'"
    if row.get("pose") is not None:
        return Subject(check_pose(row["pose"]), str(row["category"]))
    people = [person for person in row.get("people") or [] if person.get("pose") is not None]
    if not people:
        raise InputError("no person with a pose", where=where, fix="choose another image")
    person = max(people, key=lambda found: float(found.get("score") or 0))
    objects = row.get("objects") or []
    category = nearest_category(person["box"], objects) or row.get("category")
    if category is None:
        raise InputError(
            f"none of {len(objects)} detected objects overlaps the person",
            where=where,
            fix="give the category with --category",
        )
    return Subject(check_pose(person["pose"]), str(category))


def nearest_category(box: ArrayLike, objects: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the category of the object whose box overlaps a person's most; None if none does.

    Args:
        box: (4,) the person's box, xyxy in pixels.
        objects: with ``box`` and ``category``.
    """
    found = [item for item in objects if item.get("box") is not None]
    overlaps = box_intersections(box, [item["box"] for item in found])[0]
    return str(found[int(np.argmax(overlaps))]["category"]) if (overlaps > 0).any() else None
