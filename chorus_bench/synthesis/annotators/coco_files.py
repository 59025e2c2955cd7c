"""People, objects and keypoints from a file in COCO's format, as annotation tools write it.

An image of the file belongs to the picture whose sample id, or whose own file, has its name,
without folder, suffix, and the ``COCO_val2014_`` of the files of 2014. The keypoints are those of
COCO's 17; their confidence is 1 for visible ones (v = 2), 0.5 for hidden ones (v = 1), else 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from chorus_bench.datasets.coco_eft.entry_error import EntryError
from chorus_bench.datasets.coco_eft.pairs import box_of
from chorus_bench.datasets.coco_eft.segmentations import annotation_mask
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.errors import InputError, list_some, unknown_name
from chorus_bench.geometry.boxes import intersection_over_union
from chorus_bench.io.json_files import read_json
from chorus_bench.option_types import InputFile
from chorus_bench.synthesis.annotators.matching import boxes_of, match_one_to_one
from chorus_bench.synthesis.interfaces import Context, Detection, Float32, Picture

Annotation = Mapping[str, Any]

_SAME_PERSON = 0.3
_YEAR = re.compile(r"^COCO_[a-z]+\d{4}_")
_KEYPOINTS = 17
#: Confidence by COCO's flag v.
_CONFIDENCE = (0.0, 0.5, 1.0)


class CocoAnnotations:
    """The annotations of a file, by the names of its images.

    Args:
        path: the file.

    Raises:
        InputError: no such file, or one of another kind.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError("no such file of annotations", where=path, expected="COCO's format")
        content = read_json(path)
        keys = ("images", "annotations", "categories")
        if not isinstance(content, dict) or not all(
            isinstance(content.get(key), list) for key in keys
        ):
            raise InputError("is not in COCO's format", where=path, expected=", ".join(keys))
        self.path = path
        try:
            self.categories = {one["id"]: str(one["name"]) for one in content["categories"]}
            ids = {_stem(one["file_name"]): one["id"] for one in content["images"]}
            grouped: dict[Any, list[Annotation]] = {number: [] for number in ids.values()}
            for one in content["annotations"]:
                if one["image_id"] in grouped and not one.get("iscrowd"):
                    grouped[one["image_id"]].append(one)
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"has an entry that is damaged: {error!r}", where=path, expected="COCO's format"
            ) from error
        self._met = False
        self._of_image = {stem: tuple(grouped[number]) for stem, number in ids.items()}

    def of(self, picture: Picture) -> tuple[Annotation, ...] | None:
        """Return the annotations of a picture; None for one that the file does not know."""
        names = [picture.sample_id, _YEAR.sub("", picture.file_name or "")]
        return next((self._of_image[name] for name in names if name in self._of_image), None)

    def check_known(self, pictures: Sequence[Picture]) -> None:
        """Raise an `InputError` if the file has known no picture yet, and none of these either."""
        self._met = self._met or any(self.of(picture) is not None for picture in pictures)
        if pictures and not self._met:
            raise InputError(
                f"has none of {list_some(list(map(_name, pictures)))}",
                where=self.path,
                expected="images with the names of the pictures' files, or their sample ids",
            )


def _name(picture: Picture) -> str:
    """Return what messages call a picture."""
    return picture.file_name or picture.sample_id


def _stem(name: str) -> str:
    return _YEAR.sub("", PureWindowsPath(name).stem)


class CocoSegmenter:
    """A `chorus_bench.synthesis.interfaces.Segmenter`; make one with `make_coco_segmenter`."""

    def __init__(self, file: CocoAnnotations) -> None:
        self._file = file

    @property
    def description(self) -> str:
        """The file's name."""
        return f"annotations of {self._file.path.name}"

    def check_categories(self, categories: Sequence[str]) -> None:
        """Raise an `InputError` that names a category that the file lacks."""
        known = self._file.categories.values()
        for category in categories:
            if category not in known:
                raise unknown_name("category", category, sorted(known), where=self._file.path)

    def segment(
        self, pictures: Sequence[Picture], categories: Sequence[str]
    ) -> list[list[Detection]]:
        """Return the annotations of the categories in each picture.

        Raises:
            InputError: the file knows none of the first pictures, or an annotation is damaged.
        """
        self._file.check_known(pictures)
        return [self._of(picture, categories) for picture in pictures]

    def _of(self, picture: Picture, categories: Sequence[str]) -> list[Detection]:
        found = []
        for one in self._file.of(picture) or ():
            name = self._file.categories.get(one.get("category_id"), "")
            if name in categories:
                found.append(self._detection(one, name, picture))
        return found

    def _detection(self, one: Annotation, name: str, picture: Picture) -> Detection:
        try:
            box = np.array(box_of(one, picture.size), np.float32)
            mask = decode_mask(annotation_mask(one, picture.size, [])).astype(bool)
            return Detection(name, box, float(one.get("score", 1.0)), mask)
        except (EntryError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"an annotation of '{_name(picture)}' is damaged: {error}",
                where=self._file.path,
                expected="a box and a mask inside the picture",
            ) from error


class CocoKeypoints:
    """A `chorus_bench.synthesis.interfaces.KeypointDetector`; see `make_coco_keypoints`."""

    def __init__(self, file: CocoAnnotations) -> None:
        self._file = file

    @property
    def description(self) -> str:
        """The file's name."""
        return f"keypoints of {self._file.path.name}"

    def detect(
        self, pictures: Sequence[Picture], people: Sequence[Sequence[Detection]]
    ) -> list[Float32]:
        """Return keypoints (P, 17, 3) of each picture's people; zeros where the file has none.

        Raises:
            InputError: the file knows none of the first pictures, or keypoints are damaged.
        """
        self._file.check_known(pictures)
        return [self._of(*both) for both in zip(pictures, people, strict=True)]

    def _of(self, picture: Picture, people: Sequence[Detection]) -> Float32:
        known = [one for one in self._file.of(picture) or () if one.get("keypoints")]
        found = np.zeros((len(people), _KEYPOINTS, 3), dtype=np.float32)
        try:
            boxes = [box_of(one, picture.size) for one in known]
            points = [_points(one["keypoints"]) for one in known]
        except (EntryError, ValueError, TypeError) as error:
            raise InputError(
                f"keypoints of '{_name(picture)}' are damaged: {error}",
                where=self._file.path,
                expected="a box and 17 times x, y, v",
            ) from error
        overlaps = intersection_over_union(boxes_of(people), np.reshape(boxes, (-1, 4)))
        for person, number in enumerate(match_one_to_one(overlaps, _SAME_PERSON)):
            if number is not None:
                found[person] = points[number]
        return found


def _points(numbers: Sequence[float]) -> Float32:
    """Return keypoints (17, 3) x, y, confidence from 51 numbers x, y, v."""
    points = np.array(numbers, dtype=np.float32).reshape(_KEYPOINTS, 3)
    if not np.isin(points[:, 2], range(len(_CONFIDENCE))).all():
        raise ValueError("a flag v is not 0, 1 or 2")
    points[:, 2] = np.array(_CONFIDENCE, np.float32)[points[:, 2].astype(int)]
    return points


def make_coco_segmenter(context: Context, *, annotations: InputFile) -> CocoSegmenter:
    """Return the segmenter ``coco``.

    Args:
        context: the run's context.
        annotations: a file in COCO's format with boxes and masks.

    Raises:
        InputError: no such file, or one of another kind.
    """
    return CocoSegmenter(CocoAnnotations(Path(annotations)))


def make_coco_keypoints(context: Context, *, annotations: InputFile) -> CocoKeypoints:
    """Return the keypoint detector ``coco``.

    Args:
        context: the run's context.
        annotations: a file in COCO's format with boxes and keypoints of people.

    Raises:
        InputError: no such file, or one of another kind.
    """
    return CocoKeypoints(CocoAnnotations(Path(annotations)))
