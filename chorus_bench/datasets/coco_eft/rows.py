"""The rows of the split: poses and points of the people, their cameras, masks and columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from chorus_bench.calibration import EFT, Calibration, calibrate, weak_perspective_to_image
from chorus_bench.datasets.coco_eft.annotations import CocoFile
from chorus_bench.datasets.coco_eft.entry_error import EntryError
from chorus_bench.datasets.coco_eft.pairs import Candidate, Target
from chorus_bench.datasets.coco_eft.pictures import CocoImages
from chorus_bench.datasets.coco_eft.points import PointSet
from chorus_bench.datasets.coco_eft.segmentations import annotation_mask
from chorus_bench.datasets.recipe import Note, Row
from chorus_bench.datasets.schema import TEST_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import without_global_orientation
from chorus_bench.geometry.rotations import Floats, matrix_to_axis_angle_antisymmetric

#: Test rows with COCO's information about the image.
SCHEMA = pa.schema(
    [
        *TEST_SCHEMA,
        pa.field("file_name", pa.string()),
        pa.field("license", pa.string()),
        pa.field("license_url", pa.string()),
        pa.field("coco_url", pa.string()),
        pa.field("flickr_url", pa.string()),
    ]
)


@dataclass(frozen=True)
class SharedInputs:
    """Inputs that all pieces of a build share.

    Attributes:
        coco: the annotations.
        points: the body points to fit cameras to.
        solver: ``adam`` or ``lm``.
        pictures: the images to embed, or None.
    """

    coco: CocoFile
    points: PointSet
    solver: str
    pictures: CocoImages | None


def rows_of_people(
    shared: SharedInputs, candidates: Sequence[Candidate], notes: list[Note]
) -> Iterator[Row]:
    """Fit the cameras of some people and yield their rows.

    Args:
        shared: inputs that all pieces share.
        candidates: the people with their pairs.
        notes: collects problems with single people.

    Yields:
        Rows of `SCHEMA`.
    """
    people = []
    for candidate in candidates:
        try:
            people.append(_Person.place(candidate, shared.points))
        except InputError as error:
            reason = "fits whose crop is unusable"
            notes.append(Note(candidate.fit.entry, reason, error.found))
    if not people:
        return
    cameras = _calibrate(people, shared.solver)
    for index, person in enumerate(people):
        problem = cameras.reasons[index]
        if problem is not None:
            reason = "people whose camera does not fit"
            notes.append(Note(person.candidate.fit.entry, reason, problem))
            continue
        yield from _person_rows(person, cameras, index, shared, notes)


@dataclass(frozen=True)
class _Person:
    """A person ready for calibration.

    Attributes:
        candidate: the fit and its pairs.
        pose: (72,) axis-angle in radians, global orientation included, float32.
        points: points of the body with zero global orientation and shape, (24, 3) in metres.
        targets: where they are in the image, (24, 2) in pixels.
    """

    candidate: Candidate
    pose: NDArray[np.float32]
    points: Floats
    targets: Floats

    @classmethod
    def place(cls, candidate: Candidate, points: PointSet) -> _Person:
        """Pose the body and put its points into the image (docs/method.md M9 to M11).

        The pose is float32 like the original's, but the points are float64: rounding them would
        add to the original's own rounding, and change the fifth digit of a solve of 100 steps.

        Raises:
            InputError: the crop is too small or lies outside the image.
        """
        fit = candidate.fit
        pose = matrix_to_axis_angle_antisymmetric(fit.rotations.astype(np.float32)).reshape(72)
        posed = points.points(pose, fit.betas)
        image_points = weak_perspective_to_image(
            posed, fit.camera, fit.center, fit.scale, candidate.size
        )
        canonical = points.points(without_global_orientation(pose), None)
        return cls(candidate, pose, canonical, image_points)


def _calibrate(people: Sequence[_Person], solver: str) -> Calibration:
    return calibrate(
        np.stack([person.points for person in people]),
        np.stack([person.targets for person in people]),
        np.stack([person.pose[:3] for person in people]),
        np.stack([person.candidate.fit.camera for person in people]),
        np.array([person.candidate.size for person in people]),
        solver=solver,
        settings=EFT,
    )


def _person_rows(
    person: _Person, cameras: Calibration, index: int, shared: SharedInputs, notes: list[Note]
) -> Iterator[Row]:
    """Yield the rows of one person, one per object."""
    candidate = person.candidate
    entry = candidate.fit.entry
    try:
        human_mask = annotation_mask(candidate.person, candidate.size, notes)
    except EntryError as error:
        notes.append(error.note(entry))
        return
    columns = {
        **_image_columns(candidate, shared, notes),
        "human_mask": human_mask,
        "human_box": candidate.person_box,
        "pose": person.pose,
        "betas": candidate.fit.betas,
        **cameras.camera(index).columns(),
        "joints_2d": person.targets.tolist(),
    }
    for target in candidate.targets:
        try:
            mask = annotation_mask(target.annotation, candidate.size, notes)
        except EntryError as error:
            notes.append(error.note(f"{entry}, {target.category}"))
            continue
        yield {**columns, **_target_columns(candidate, target), "object_mask": mask}


def _target_columns(candidate: Candidate, target: Target) -> dict[str, Any]:
    image_id, fit_id = candidate.image["id"], candidate.fit.annotation_id
    return {
        "sample_id": f"{image_id:012d}_{fit_id}_{target.category.replace(' ', '-')}",
        "category": target.category,
        "object_annotation_id": target.annotation["id"],
        "object_box": target.box,
        "box_overlap": target.overlap,
    }


def _image_columns(candidate: Candidate, shared: SharedInputs, notes: list[Note]) -> dict[str, Any]:
    image = candidate.image
    license, license_url = shared.coco.license_of(image)
    picture = None
    if shared.pictures is not None:
        try:
            picture = {"bytes": shared.pictures.read(image), "path": image["file_name"]}
        except EntryError as error:
            note = Note(candidate.fit.entry, error.reason, error.message, left_out=False)
            notes.append(note)
    return {
        "image_id": image["id"],
        "annotation_id": candidate.person["id"],
        "height": image["height"],
        "width": image["width"],
        "image": picture,
        "file_name": image["file_name"],
        "license": license,
        "license_url": license_url,
        "coco_url": _text(image.get("coco_url")),
        "flickr_url": _text(image.get("flickr_url")),
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
