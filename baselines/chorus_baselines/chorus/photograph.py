"""People in a photograph, each with a pose, a camera and the object nearest to them.

Source: docs/method.md M20; the paper, section 4.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chorus_baselines.chorus.inference import check_pose
from chorus_baselines.chorus.subject import nearest_category
from chorus_bench.array_types import Float64
from chorus_bench.datasets.image_folder import MAX_IMAGE_BYTES, upright_size
from chorus_bench.datasets.recipe import Note
from chorus_bench.datasets.schema import CAMERA_COLUMNS, KEPT
from chorus_bench.errors import InputError, list_some
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.io.untrusted_files import read_limited
from chorus_bench.synthesis.cameras import add_cameras
from chorus_bench.synthesis.image_files import decode_picture
from chorus_bench.synthesis.interfaces import PERSON, Context, Picture
from chorus_bench.synthesis.requirements import check_annotation, check_truth
from chorus_bench.synthesis.settings import SynthesisSettings
from chorus_bench.synthesis.stages.annotations import Annotators


@dataclass(frozen=True, eq=False)
class PhotoPerson:
    """A person in a photograph.

    Attributes:
        number: 1 for the leftmost.
        box: (4,) xyxy in pixels.
        pose: (72,) axis-angle in radians, the global orientation zero; None without a fit.
        camera: from the body frame to pixels; None without one.
        category: category of the detected object that overlaps them most; None if none does.
    """

    number: int
    box: Float64
    pose: Float64 | None
    camera: PerspectiveCamera | None
    category: str | None


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph and what was found in it.

    Attributes:
        picture: the picture.
        people: the people, from left to right.
        objects: category -> number of detected objects.
    """

    picture: Picture
    people: tuple[PhotoPerson, ...]
    objects: Mapping[str, int] = field(default_factory=dict)


def read_photo(path: str | Path) -> Picture:
    """Read a photograph, turned as its EXIF orientation says.

    Raises:
        InputError: no such file, or not a picture.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError("no such photograph", where=file, expected="a JPEG, PNG, WebP or BMP")
    content = read_limited(file, MAX_IMAGE_BYTES)
    size = upright_size(content, file.name)
    if isinstance(size, Note):
        raise InputError(size.message, where=file, expected="a JPEG, PNG, WebP or BMP")
    return Picture(file.stem, None, decode_picture(content, file), file.stem)


def annotate_photo(
    picture: Picture,
    settings: SynthesisSettings,
    body: BodyModel,
    *,
    categories: Sequence[str] = (),
    device: str = "cpu",
) -> Photograph:
    """Find the people of a photograph, their poses, cameras and objects.

    Args:
        picture: the photograph, see `read_photo`.
        settings: settings of annotators and cameras.
        body: the body of the poses.
        categories: objects to look for, those that the segmenter knows; none for people alone.
        device: device of the models.

    Raises:
        InputError: an annotator that is unknown or not available, or one that knows none of the
            categories.
    """
    check_annotation(settings)
    if picture.address is None:
        check_truth(settings, picture.sample_id)
    context = Context(settings.seed, body, device, settings.threads)
    annotators = Annotators.make(settings.annotations, context)
    known = known_categories(annotators, categories)
    (row,) = annotators.annotate_all([picture], known, Counter())
    people = [
        _person(number, one, row["objects"], picture, body, settings)
        for number, one in enumerate(row["people"], start=1)
    ]
    return Photograph(picture, tuple(people), Counter(o["category"] for o in row["objects"]))


def known_categories(annotators: Annotators, categories: Iterable[str]) -> list[str]:
    """Return the categories that a segmenter knows.

    Raises:
        InputError: none of them.
    """
    known, refusal = [], None
    for category in categories:
        try:
            annotators.objects.check_categories([category])
            known.append(category)
        except InputError as error:
            refusal = error
    if refusal is not None and not known:
        raise refusal
    return known


def chosen_people(photo: Photograph, number: int | None) -> tuple[PhotoPerson, ...]:
    """Return the people to reconstruct: the one asked for, or all.

    Args:
        photo: the photograph.
        number: 1 for the leftmost; None for all.

    Raises:
        InputError: nobody, or no such person.
    """
    if not photo.people:
        raise InputError(
            "no person was found",
            where=photo.picture.sample_id,
            fix=f"choose another photograph or another segmenter of '{PERSON}'; or give the pose "
            "with --pose",
        )
    if number is None:
        return photo.people
    if not 1 <= number <= len(photo.people):
        raise InputError(
            f"no person {number}",
            where=photo.picture.sample_id,
            expected=f"1 to {len(photo.people)}, counted from the left",
        )
    return (photo.people[number - 1],)


def missing(person: PhotoPerson, category: str | None, photo: Photograph) -> str | None:
    """Return why a person cannot be reconstructed; None if they can.

    Args:
        person: one of the photograph's.
        category: the category that was asked for; None for that of the nearest object.
        photo: the photograph.
    """
    if person.pose is None:
        return "has no estimated pose"
    if category is None and person.category is None:
        found = [f"{count} {name}" for name, count in photo.objects.items()]
        return f"is overlapped by none of the detected objects ({list_some(found) or 'none'})"
    return None


def _person(
    number: int,
    person: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    picture: Picture,
    body: BodyModel,
    settings: SynthesisSettings,
) -> PhotoPerson:
    box = np.asarray(person["box"], dtype=np.float64)
    category = nearest_category(box, objects)
    if person.get("pose") is None:
        return PhotoPerson(number, box, None, None, category)
    height, width = picture.size
    own = {name: person[name] for name in CAMERA_COLUMNS if person.get(name) is not None}
    alone = {"verdict": KEPT, "height": height, "width": width, "people": [person], **own}
    (solved,) = add_cameras([alone], body, **settings.cameras.arguments(body))
    camera = PerspectiveCamera.from_row(solved) if solved["verdict"] == KEPT else None
    return PhotoPerson(number, box, check_pose(person["pose"]), camera, category)
