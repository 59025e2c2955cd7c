"""Poses computed elsewhere, one file per image: .npz, .json, or FrankMocap's own results.

An image's file is named ``<sample_id>.npz`` or ``<sample_id>.json``; a picture that was a file may
also have it under that file's name, without its suffix. It holds arrays over the image's P people
(`write_pose_file` writes an .npz; a .json is one object of nested lists):

* pose, one of

  * ``pose`` (P, 72) axis-angle in radians, the orientation toward the camera first;
  * ``pose`` (P, 69) of the body alone, with ``global_orient`` (P, 3);
  * ``rotations`` (P, 24, 3, 3) matrices in the same order;

* ``betas`` (P, 10);
* camera, one of

  * weak perspective: ``weak_camera`` (P, 3) s, tx, ty of a 224-pixel crop, ``crop_center`` (P, 2)
    in pixels and ``crop_scale`` (P,), the side of the crop over 200 pixels (geometry: `x_crop =
    (s X + (tx, ty)) 112`, X the posed and shaped body);
  * perspective: ``camera_rotation`` (P, 3, 3) and ``camera_translation`` (P, 3) in metres, from the
    zero-orientation body frame to the camera's, and ``intrinsics`` (P, 3, 3) or (3, 3) in pixels;
    ``reprojection_error`` (P,) in pixels, if known (else 0). With a ``pose`` of 69
    numbers, ``camera_rotation`` stands for a missing ``global_orient``;

* ``boxes`` (P, 4) left, top, right, bottom in pixels, optional.

If nobody is in the image, P = 0. People are assigned to those of the segmenter by the overlap of
their boxes; without ``boxes``, from left to right, if their numbers are equal. A person with a
number that is not finite has no fit.

FrankMocap (``python -m demo.demo_bodymocap --save_pred_pkl``) writes
``mocap/<image name>_prediction_result.pkl``; the folder is that one or the one above. Its images
must be named ``<sample_id>.png`` (.jpg, ...), or by what follows the last "/" of a sample id. The
pickles are read by `chorus_bench.io.safe_pickle`, which does not execute them.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.errors import InputError, list_some, reason, unknown_name
from chorus_bench.geometry.body import JOINTS, POSE_SIZE
from chorus_bench.geometry.boxes import intersection_over_union
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.checks import check_intrinsics, check_pose, check_rotations
from chorus_bench.geometry.rotations import matrix_to_axis_angle
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.limits import MIB
from chorus_bench.io.npz_files import read_npz
from chorus_bench.option_types import InputFolder
from chorus_bench.synthesis.annotators.frankmocap import RESULT_END, read_frankmocap
from chorus_bench.synthesis.annotators.matching import boxes_of, match_one_to_one
from chorus_bench.synthesis.interfaces import (
    BodyFit,
    Context,
    Detection,
    Picture,
    WeakCamera,
)

Float64 = NDArray[np.float64]
Format = Literal["auto", "npz", "json", "frankmocap"]
People = dict[str, Float64]

_BODY_POSE = POSE_SIZE - 3
#: Every array of a file, with its shape for one person; ``pose`` may also be (69,).
_SHAPES: dict[str, tuple[int, ...]] = {
    "pose": (POSE_SIZE,),
    "global_orient": (3,),
    "rotations": (JOINTS, 3, 3),
    "betas": (10,),
    "weak_camera": (3,),
    "crop_center": (2,),
    "crop_scale": (),
    "camera_rotation": (3, 3),
    "camera_translation": (3,),
    "intrinsics": (3, 3),
    "reprojection_error": (),
    "boxes": (4,),
}
_CHECKS = {
    "rotations": check_rotations,
    "camera_rotation": check_rotations,
    "intrinsics": check_intrinsics,
    "pose": check_pose,
    "global_orient": check_pose,
}
_WEAK = ("weak_camera", "crop_center", "crop_scale")
_FULL = ("camera_rotation", "camera_translation", "intrinsics")
_MAX_BYTES = 64 * MIB
_LAYOUT = "the layout documented in chorus_bench.synthesis.annotators.pose_files"


def make_pose_files(
    context: Context, *, folder: InputFolder, format: Format = "auto", min_overlap: float = 0.3
) -> PoseFiles:
    """Return the pose estimator that reads poses from files.

    Args:
        context: the run's context.
        folder: folder of the files.
        format: format to read; ``auto`` uses the first of .npz, .json and FrankMocap's that an
            image has.
        min_overlap: smallest intersection over union of a file's box with a person's.

    Raises:
        InputError: no such folder or format.
    """
    if format not in get_args(Format):
        raise unknown_name("format", format, get_args(Format), where="pose files")
    if not Path(folder).is_dir():
        raise InputError(
            "no such folder",
            where=folder,
            expected="a folder with a file of poses for each image",
            fix="correct the option `folder`",
        )
    return PoseFiles(Path(folder), format, min_overlap)


class PoseFiles:
    """A `chorus_bench.synthesis.interfaces.PoseEstimator`; make one with `make_pose_files`."""

    def __init__(self, folder: Path, format: Format, min_overlap: float) -> None:
        self._folder, self._format, self._min_overlap = folder, format, min_overlap
        self._met_a_file = False

    @property
    def description(self) -> str:
        """The folder's name and the format."""
        return f"poses from the folder {self._folder.resolve().name} (format {self._format})"

    def estimate(
        self, pictures: Sequence[Picture], people: Sequence[Sequence[Detection]]
    ) -> list[list[BodyFit | None]]:
        """Return the fits of each picture's people; None for a person without one.

        Raises:
            InputError: a file is damaged or has another layout, or none of the first pictures has
                a file.
        """
        paths = [self._find(picture) for picture in pictures]
        self._check_met(pictures, paths)
        return [
            [None] * len(persons) if path is None else self._fits(path, persons)
            for path, persons in zip(paths, people, strict=True)
        ]

    def _fits(self, path: Path, persons: Sequence[Detection]) -> list[BodyFit | None]:
        found = read_pose_file(path)
        return [
            None if number is None else _fit(found, number)
            for number in _match(found, persons, self._min_overlap)
        ]

    def _find(self, picture: Picture) -> Path | None:
        """Return the file of an image, or None."""
        return next((path for path in self._candidates(picture) if path.is_file()), None)

    def _candidates(self, picture: Picture) -> list[Path]:
        formats = ["npz", "json", "frankmocap"] if self._format == "auto" else [self._format]
        names = [name for name in (picture.sample_id, picture.file_name) if name is not None]
        paths = [path for name in names for kind in formats for path in self._files(name, kind)]
        root = self._folder.resolve()
        return [path for path in paths if path.resolve().is_relative_to(root)]

    def _files(self, name: str, kind: str) -> list[Path]:
        """Return the places where the poses of an image of a name may be, in one format."""
        if kind != "frankmocap":
            return [self._folder / f"{name}.{kind}"]
        file = name.rpartition("/")[2] + RESULT_END
        return [self._folder / file, self._folder / "mocap" / file]

    def _check_met(self, pictures: Sequence[Picture], paths: Sequence[Path | None]) -> None:
        """Refuse a folder in which none of the first pictures has a file."""
        self._met_a_file = self._met_a_file or any(path is not None for path in paths)
        if self._met_a_file or not pictures:
            return
        names = [path.relative_to(self._folder) for path in self._candidates(pictures[0])]
        raise InputError(
            f"has no file of poses for any of {list_some([p.sample_id for p in pictures])}",
            where=self._folder,
            expected=f"for the first of them {' or '.join(map(str, names))}",
            fix="name each image's file by its sample id, or correct the options `folder` and "
            "`format`",
        )


def write_pose_file(path: str | Path, **arrays: ArrayLike) -> Path:
    """Write the poses of one image's people as an .npz.

    Args:
        path: ``<folder>/<sample_id>.npz``; replaced if it exists.
        arrays: arrays of the layout above, for example ``pose``, ``betas``, ``weak_camera``,
            ``crop_center`` and ``crop_scale``.

    Returns:
        The path.

    Raises:
        InputError: an array is missing, unknown or of a wrong shape, or the file cannot be
            written.
    """
    target = Path(path)
    if target.suffix != ".npz":
        raise InputError(
            f"has the suffix '{target.suffix}'", where=target, expected="a name that ends in .npz"
        )
    given = {key: np.asarray(value) for key, value in arrays.items()}
    _checked(given, target)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **cast("dict[str, Any]", given))
    return atomic_write_bytes(target, buffer.getvalue())


def read_pose_file(path: Path) -> People:
    """Read the poses of one image's people.

    Returns:
        ``pose`` (P, 72), ``betas`` (P, 10), the arrays of one kind of camera, perhaps ``boxes``
        (P, 4) and ``reprojection_error`` (P,); see the module's documentation.

    Raises:
        InputError: the file is damaged, is a pickle that requests code, or has another layout.
    """
    if path.name.endswith(RESULT_END):
        return read_frankmocap(path)
    arrays = _read_json(path) if path.suffix == ".json" else _read_npz(path)
    return _checked(arrays, path)


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            return read_npz(file, limit=_MAX_BYTES)
    except (InputError, OSError) as error:
        raise InputError(
            f"cannot be read: {reason(error)}",
            where=path,
            expected="a complete .npz of plain arrays",
            fix="write it again, for example with `write_pose_file`",
        ) from error


def _read_json(path: Path) -> dict[str, NDArray[Any]]:
    from chorus_bench.io.json_files import read_json

    data = read_json(path)
    if not isinstance(data, dict):
        raise InputError(f"holds a {type(data).__name__}", where=path, expected=_LAYOUT)
    return {key: _array_of(value, key, path) for key, value in data.items()}


def _array_of(value: object, key: str, path: Path) -> NDArray[Any]:
    try:
        # None, which JSON writers use for a number that is not finite, becomes NaN.
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"'{key}' is not an array of numbers", where=path, expected=_LAYOUT
        ) from error


def _checked(arrays: Mapping[str, NDArray[Any]], path: Path) -> People:
    """Check a file's arrays and convert the poses to one form."""
    for key in arrays:
        if key not in _SHAPES:
            raise unknown_name("array", key, _SHAPES, where=path)
    if "betas" not in arrays:
        raise _missing("betas", path)
    people = len(np.atleast_1d(arrays["betas"]))
    shaped = {key: _shaped(key, value, people, path) for key, value in arrays.items()}
    weak, full = (all(key in shaped for key in keys) for keys in (_WEAK, _FULL))
    if not (weak or full):
        raise _missing(f"a camera: {', '.join(_WEAK)}; or {', '.join(_FULL)}", path)
    _check_geometry(shaped, path)
    shaped["pose"] = _whole_pose(shaped, path)
    return shaped


def _check_geometry(arrays: People, path: Path) -> None:
    """Refuse matrices that are no rotations, poses in degrees, crops without a side.

    People with a number that is not finite have no fit; nothing is asked of them.
    """
    if "rotations" in arrays and "pose" in arrays:
        raise InputError(
            "holds both 'pose' and 'rotations'",
            where=path,
            expected="one of them",
            fix=f"use {_LAYOUT}",
        )
    for key, check in _CHECKS.items():
        if key in arrays:
            values = arrays[key]
            usable = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
            check(values[usable], f"'{key}'", where=path)
    crops = arrays.get("crop_scale", np.ones(0))
    if (crops[np.isfinite(crops)] <= 0).any():
        raise InputError(
            "'crop_scale' has values of 0 or less",
            where=path,
            expected="the crop's side / 200 pixels",
        )


def _shaped(key: str, value: NDArray[Any], people: int, path: Path) -> Float64:
    """Return an array as (P, ...) float64."""
    shape = _SHAPES[key]
    if value.dtype.kind not in "fiu":
        raise InputError(f"'{key}' is of type {value.dtype}", where=path, expected="numbers")
    if key == "pose" and value.shape[1:] == (_BODY_POSE,):
        shape = (_BODY_POSE,)
    if key == "intrinsics" and value.shape == shape:
        value = np.broadcast_to(value, (people, *shape))
    if people == 0 and value.size == 0:
        value = value.reshape(0, *shape)
    if value.shape != (people, *shape):
        raise InputError(
            f"'{key}' has shape {value.shape}",
            where=path,
            expected=f"{(people, *shape)} for the {people} people that 'betas' has",
            fix=f"use {_LAYOUT}",
        )
    return value.astype(np.float64)


def _missing(what: str, path: Path) -> InputError:
    return InputError(f"lacks {what}", where=path, expected=_LAYOUT)


def _whole_pose(arrays: People, path: Path) -> Float64:
    """Return poses (P, 72), whichever form they have in the file."""
    if "rotations" in arrays:
        return matrix_to_axis_angle(arrays["rotations"]).reshape(-1, POSE_SIZE).astype(np.float64)
    if "pose" not in arrays:
        raise _missing("the poses: 'pose' or 'rotations'", path)
    pose = arrays["pose"]
    if pose.shape[1] == POSE_SIZE:
        return pose
    if "global_orient" in arrays:
        return np.concatenate([arrays["global_orient"], pose], axis=1)
    if "camera_rotation" not in arrays:
        raise _missing("'global_orient', which goes with a pose of 69 numbers", path)
    orient = matrix_to_axis_angle(arrays["camera_rotation"])
    return np.concatenate([orient, pose], axis=1).astype(np.float64)


def _match(found: People, persons: Sequence[Detection], min_overlap: float) -> list[int | None]:
    """Return the index in the file of each person."""
    if "boxes" in found:
        overlaps = intersection_over_union(boxes_of(persons), found["boxes"])
        return match_one_to_one(overlaps, min_overlap)
    matches: list[int | None] = [None] * len(persons)
    if len(found["pose"]) == len(persons):
        left = [float(person.box[0]) for person in persons]
        for number, person in enumerate(np.argsort(left, kind="stable")):
            matches[int(person)] = number
    return matches


def _fit(found: People, number: int) -> BodyFit | None:
    """Return one of a file's people, or None if a number is not finite."""
    one = {key: values[number].astype(np.float32) for key, values in found.items()}
    full = all(key in one for key in _FULL)
    used = ("pose", "betas", *(_FULL if full else _WEAK))
    if not all(np.isfinite(one[key]).all() for key in used):
        return None
    return BodyFit(one["pose"], one["betas"], _full_camera(one) if full else _weak_camera(one))


def _full_camera(one: Mapping[str, Any]) -> PerspectiveCamera:
    rotation, translation, intrinsics = (one[key] for key in _FULL)
    error = float(one.get("reprojection_error", 0.0))
    return PerspectiveCamera(rotation, translation, intrinsics, error)


def _weak_camera(one: Mapping[str, Any]) -> WeakCamera:
    return WeakCamera(one["weak_camera"], one["crop_center"], float(one["crop_scale"]))
