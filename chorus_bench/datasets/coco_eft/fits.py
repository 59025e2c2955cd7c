"""EFT body fits: the contents of an entry, and the checks on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.coco_eft.entry_error import EntryError
from chorus_bench.datasets.coco_eft.makers import Statement
from chorus_bench.datasets.recipe import Note
from chorus_bench.datasets.sources import EFT_FITS
from chorus_bench.errors import InputError, list_some
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import JOINT_NAMES, JOINTS
from chorus_bench.io.json_files import read_json

Float64 = NDArray[np.float64]

#: A matrix is a rotation if ``R R^T`` is the identity within this, and its determinant > 0.
ROTATION_TOLERANCE = 1e-3

_SHAPES: Mapping[str, tuple[int, ...]] = {
    "parm_pose": (JOINTS, 3, 3),
    "parm_shape": (10,),
    "parm_cam": (3,),
    "bbox_center": (2,),
    "bbox_scale": (),
}


@dataclass(frozen=True)
class Fit:
    """One body fit.

    Attributes:
        annotation_id: annotation id of the person, as in the file of fits.
        image_name: the image's file name of 2014.
        rotations: rotations of the joints, (24, 3, 3).
        betas: shape coefficients, (10,).
        camera: weak-perspective (s, tx, ty) of the crop, (3,).
        center: centre of the crop's box, pixels, (2,).
        scale: side of the crop's box over 200 pixels.
    """

    annotation_id: int
    image_name: str
    rotations: Float64
    betas: Float64
    camera: Float64
    center: Float64
    scale: float

    @property
    def entry(self) -> str:
        """Its name in messages."""
        return f"annotId {self.annotation_id} ({self.image_name})"


@dataclass(frozen=True)
class FitsFile:
    """The contents of a file of fits.

    Attributes:
        fits: the usable fits in the order of their image names.
        notes: one for each of the others.
        statement: what the file says about its makers.
    """

    fits: tuple[Fit, ...]
    notes: tuple[Note, ...]
    statement: Statement


def read_fits(path: Path) -> FitsFile:
    """Read a file of EFT fits.

    Args:
        path: ``COCO2014-Val-ver10.json`` or another file of that format, gzipped or not.

    Raises:
        InputError: the file is not one of EFT fits, or none of them is usable.
    """
    content = read_json(path)
    entries = content.get("data") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not any(_is_entry(entry) for entry in entries):
        raise _not_fits(content, path)
    fits: list[Fit] = []
    notes: list[Note] = []
    for number, entry in enumerate(entries):
        try:
            fits.append(_fit(entry))
        except EntryError as error:
            notes.append(error.note(_entry_name(entry, number)))
    if not fits:
        raise InputError(
            f"none of its {len(entries)} entries is usable; the first: {notes[0].message}",
            where=path,
            fix=EFT_FITS.instruction(),
        )
    kept = _once(sorted(fits, key=lambda fit: fit.image_name), notes)
    return FitsFile(tuple(kept), tuple(notes), Statement.of(content, entries))


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and "parm_pose" in entry


def _not_fits(content: object, path: Path) -> InputError:
    found = f"it holds a {type(content).__name__}"
    if isinstance(content, dict):
        found = f"it has the keys {list_some(sorted(map(str, content)))}"
        if "annotations" in content:
            found = "it looks like a COCO annotation file: are the two files swapped?"
    return InputError(
        f"is not a file of EFT fits: {found}",
        where=path,
        expected=f'{EFT_FITS.file}: {{"ver": ..., "data": [{{"parm_pose": ...}}, ...]}}',
        fix=EFT_FITS.instruction(),
    )


def _fit(entry: Any) -> Fit:  # noqa: ANN401 - whatever the file holds
    if not isinstance(entry, dict):
        raise EntryError("entries that are not objects", "it is not an object")
    kind = entry.get("smpltype", "smpl")
    if kind != "smpl":
        raise EntryError("fits of a body other than SMPL", f"its smpltype is {kind!r}")
    annotation_id, name = entry.get("annotId"), entry.get("imageName")
    if not _is_whole(annotation_id):
        message = f"its annotId is {str(annotation_id)[:40]!r}, not a whole number"
        raise EntryError("entries without annotId", message)
    if not isinstance(name, str) or not name:
        raise EntryError("entries without imageName", "it has no imageName")
    arrays = {key: _numbers(entry, key, shape) for key, shape in _SHAPES.items()}
    _check_rotations(arrays["parm_pose"])
    _check_camera(float(arrays["parm_cam"][0]), float(arrays["bbox_scale"]))
    return Fit(
        annotation_id=int(annotation_id),
        image_name=PureWindowsPath(name).name,
        rotations=arrays["parm_pose"],
        betas=arrays["parm_shape"],
        camera=arrays["parm_cam"],
        center=arrays["bbox_center"],
        scale=float(arrays["bbox_scale"]),
    )


def _is_whole(value: object) -> TypeGuard[int | float]:
    """Whether a value is a whole number that an id can be; EFT's file has some as floats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 2**53 and value == int(value)


def _numbers(entry: dict[str, Any], key: str, shape: tuple[int, ...]) -> Float64:
    reason = f"fits without a usable {key}"
    if key not in entry:
        raise EntryError(reason, f"it has no {key}")
    try:
        value = np.asarray(entry[key], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise EntryError(reason, f"its {key} holds something other than numbers") from None
    if value.shape == (1, *shape):
        value = value[0]
    if value.shape != shape:
        raise EntryError(reason, f"its {key} has the shape {value.shape}, not {shape}")
    if not np.isfinite(value).all():
        raise EntryError(reason, f"its {key} holds a number that is not finite")
    return value


def _check_rotations(matrices: Float64) -> None:
    """Refuse matrices (24, 3, 3) that are not rotations."""
    squares = exact.product(matrices, matrices.swapaxes(-1, -2))
    off = np.abs(squares - np.eye(3)).max(axis=(-1, -2))
    determinants = exact.determinant(matrices)
    bad = (off > ROTATION_TOLERANCE) | (determinants < 0)
    if bad.any():
        joint = int(np.argmax(bad))
        raise EntryError(
            "matrices that are not rotations",
            f"{np.count_nonzero(bad)} of its matrices are not rotations, the first at joint "
            f"{joint} ({JOINT_NAMES[joint]}): R R^T is off the identity by {off[joint]:.3g}, "
            f"det R = {determinants[joint]:.3g}",
        )


def _check_camera(zoom: float, scale: float) -> None:
    if zoom <= 0:
        raise EntryError("cameras without scale", f"its camera has the scale {zoom:g}")
    if scale <= 0:
        raise EntryError("zero-area boxes", f"the box of the fit has the scale {scale:g}")


def _entry_name(entry: object, number: int) -> str:
    if not isinstance(entry, dict) or "annotId" not in entry:
        return f"entry number {number}"
    return f"annotId {entry['annotId']} ({entry.get('imageName', 'no image name')})"


def _once(fits: list[Fit], notes: list[Note]) -> list[Fit]:
    """Return the fits without repetitions of the same annotation and image."""
    seen: set[tuple[int, str]] = set()
    kept = []
    for fit in fits:
        address = (fit.annotation_id, fit.image_name)
        if address in seen:
            message = "its annotId occurs twice in the file of fits; the first one is used"
            notes.append(Note(fit.entry, "duplicated ids of fits", message))
            continue
        seen.add(address)
        kept.append(fit)
    return kept
