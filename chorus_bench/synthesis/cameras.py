"""Cameras of training rows: weak perspective to perspective, many people at a time.

Source: docs/method.md M9 to M13.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.calibration import SYNTHESIZED, calibrate, weak_perspective_to_image
from chorus_bench.calibration.settings import CalibrationSettings
from chorus_bench.datasets.coco_eft.points import PointSet, SmplPoints
from chorus_bench.datasets.schema import KEPT, REJECTED, AnyRow
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel, without_global_orientation
from chorus_bench.synthesis.filters import kept_person

Float64 = NDArray[np.float64]

PEOPLE_AT_ONCE = 1024
NO_CAMERA = "no camera"
_NEEDED = ("pose", "weak_camera", "crop_center", "crop_scale")


def add_cameras(
    rows: Iterable[AnyRow],
    body: BodyModel,
    *,
    settings: CalibrationSettings = SYNTHESIZED,
    solver: str = "adam",
    points: PointSet | None = None,
) -> Iterator[dict[str, Any]]:
    """Give kept training rows the perspective camera of their person.

    Rows that are not kept, and rows that have a camera, pass through unchanged. A kept row without
    a solution (no weak-perspective camera, a crop outside the image, a loss that is not finite)
    becomes rejected, with the reason.

    Args:
        rows: training rows after the filters.
        body: the body of the poses and shapes.
        settings: settings of the calibration; the paper's for synthesised images by default.
        solver: ``adam`` or ``lm``.
        points: the 24 points of a body that are fitted, see `point_set`; its SMPL joints by
            default.

    Yields:
        The rows in order, with ``camera_rotation``, ``camera_translation``,
        ``camera_intrinsics`` and ``reprojection_error`` (pixels).
    """
    for batch in _batches(rows, PEOPLE_AT_ONCE):
        yield from _solve_batch(batch, points or SmplPoints(body), settings, solver)


def _solve_batch(
    rows: Sequence[AnyRow], fitted: PointSet, settings: CalibrationSettings, solver: str
) -> Iterator[dict[str, Any]]:
    cameras: dict[int, Mapping[str, Any]] = {}
    solvable, people = [], []
    for number, row in enumerate(rows):
        if row.get("verdict") != KEPT or row.get("camera_rotation") is not None:
            continue
        try:
            people.append(_person(row, fitted))
            solvable.append(number)
        except InputError as error:
            cameras[number] = _without_camera(error.found)
    if people:
        points, targets, orientation, weak, sizes = (np.stack(x) for x in zip(*people, strict=True))
        found = calibrate(
            points, targets, orientation, weak, sizes, solver=solver, settings=settings
        )
        for place, number in enumerate(solvable):
            reason = found.reasons[place]
            cameras[number] = _without_camera(reason) if reason else found.camera(place).columns()
    for number, row in enumerate(rows):
        yield {**row, **cameras.get(number, {})}


def _person(row: AnyRow, fitted: PointSet) -> tuple[Any, ...]:
    """Return what the calibration takes of one person, see `calibrate`."""
    person = kept_person(row)
    missing = [name for name in _NEEDED if person.get(name) is None]
    if missing:
        raise InputError(f"the person has no {', '.join(missing)}")
    pose = np.asarray(person["pose"], dtype=np.float64)
    weak = np.asarray(person["weak_camera"], dtype=np.float64)
    if not (np.isfinite(pose).all() and np.isfinite(weak).all()):
        raise InputError("the pose or the weak-perspective camera is not finite")
    size = (int(row["height"]), int(row["width"]))
    posed = fitted.points(pose, person.get("betas"))
    canonical = fitted.points(without_global_orientation(pose), None)
    center = np.asarray(person["crop_center"], dtype=np.float64)
    targets = weak_perspective_to_image(posed, weak, center, float(person["crop_scale"]), size)
    return canonical, targets, pose[:3], weak, np.array(size)


def _without_camera(reason: str) -> dict[str, Any]:
    return {"verdict": REJECTED, "reason": f"{NO_CAMERA}: {reason}"}


def _batches(rows: Iterable[AnyRow], size: int) -> Iterator[list[AnyRow]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
