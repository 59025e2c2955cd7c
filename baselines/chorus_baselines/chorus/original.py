"""Fields from the files that the original CHORUS project exports.

Such a file is a pickle with the aggregation of one category. It is read without being executed.
The field is the ratio of two hulls, at ``full_aggregations.SMPL``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chorus_baselines.chorus.aggregation import SMALLEST_SEEN
from chorus_bench.array_types import Float32
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, did_you_mean
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.safe_pickle import load_pickle
from chorus_bench.submission import InteractionField, InteractionType, write_submission

_PLACE = ("full_aggregations", "SMPL")
_HULL, _IMAGE_HULL = "visual_hull", "full_image_visual_hull"
# Sums of float32 weights may leave a ratio this much above 1.
_ROUNDING = 1e-4


@checked
def read_original_field(file: str | Path, *, allow_empty: bool = False) -> Float32:
    """Read the occupancy field of one category.

    Args:
        file: the exported pickle.
        allow_empty: return a field of zeros where no voxel is on any mask.

    Returns:
        (N, N, N) float32 probabilities: ``visual_hull / full_image_visual_hull``, where
        denominators below 1e-7 count as 1e-7.

    Raises:
        InputError: the file contains something that is never read, lacks the two hulls, or they
            are not cubes of finite numbers whose ratio is a probability.
    """
    content: object = load_pickle(file)
    for key in _PLACE:
        content = _entry(content, key, file)
    hull, image_hull = (
        _hull(_entry(content, key, file), key, file) for key in (_HULL, _IMAGE_HULL)
    )
    if hull.shape != image_hull.shape:
        raise InputError(f"the hulls have shapes {hull.shape} and {image_hull.shape}", where=file)
    smallest = np.float32(SMALLEST_SEEN)
    field = hull / np.where(image_hull > smallest, image_hull, smallest)
    if field.min() < 0 or field.max() > 1 + _ROUNDING:
        raise InputError(
            f"the ratio of the hulls goes from {field.min():.4g} to {field.max():.4g}",
            where=file,
            expected="probabilities from 0 to 1",
        )
    if not (allow_empty or field.any()):
        raise InputError("the field would be empty: no voxel is on any mask", where=file)
    return np.minimum(field, np.float32(1))


@checked
def import_chorus(
    files: Mapping[str, str | Path],
    output: str | Path,
    *,
    prompts: Mapping[str, Mapping[str, str | Path]] | None = None,
    method: str = "CHORUS (original)",
    side_length: float = 3.0,
    overwrite: bool = False,
    **metadata: Any,  # noqa: ANN401 - checked by write_submission
) -> dict[str, Float32]:
    """Write a submission from the original project's exported aggregations.

    Args:
        files: category -> exported pickle.
        output: the submission's folder.
        prompts: category -> prompt -> exported pickle, for the fields of interaction types; one
            without a voxel on any mask is left out.
        method: the method's name.
        side_length: side of the canonical cube about the origin, metres; not in the file.
        overwrite: replace an existing submission.
        **metadata: optional keys of `submission.yaml`.

    Returns:
        category -> (N, N, N) float32 field.

    Raises:
        InputError: no file, files of different resolutions, or one that cannot be used; see
            `read_original_field`.
    """
    if not files:
        raise InputError("there is no file to import")
    fields = {category: read_original_field(file) for category, file in files.items()}
    resolution = len(next(iter(fields.values())))
    for category, field in fields.items():
        _check_size(field, resolution, files[category])
    types = {name: _of_prompts(own, resolution) for name, own in (prompts or {}).items()}
    write_submission(
        output,
        method=method,
        fields=fields,
        grid=GridSpec(resolution, side_length),
        overwrite=overwrite,
        interactions=types,
        **metadata,
    )
    return fields


def _of_prompts(files: Mapping[str, str | Path], resolution: int) -> list[InteractionField]:
    """Return the fields of a category's prompts that have one."""
    found = []
    for prompt, file in files.items():
        field = read_original_field(file, allow_empty=True)
        _check_size(field, resolution, file)
        if field.any():
            found.append(InteractionField(InteractionType.of(prompt), field))
    return found


def _check_size(field: Float32, resolution: int, file: str | Path) -> None:
    if len(field) != resolution:
        raise InputError(
            f"a field of {len(field)}^3 voxels, while others have {resolution}^3",
            where=file,
            fix="import files of one resolution at a time",
        )


def _entry(content: object, key: str, file: str | Path) -> Any:  # noqa: ANN401 - a pickle's content
    if not isinstance(content, Mapping):
        raise InputError(f"no '{key}' in the file", where=file, expected=_layout())
    if key not in content:
        fix = did_you_mean(key, [str(name) for name in content])
        raise InputError(f"no '{key}' in the file", where=file, expected=_layout(), fix=fix)
    return content[key]


def _layout() -> str:
    return f"{'.'.join(_PLACE)} with {_HULL} and {_IMAGE_HULL}, as the original exports them"


def _hull(value: object, key: str, file: str | Path) -> Float32:
    array = np.asarray(value)
    cube = array.ndim == 3 and len(set(array.shape)) == 1
    if not cube or array.dtype.kind not in "fiu":
        raise InputError(
            f"'{key}' has shape {array.shape} and dtype {array.dtype}",
            where=file,
            expected="a cube of numbers",
        )
    if not np.isfinite(array).all():
        raise InputError(f"'{key}' has values that are NaN or infinite", where=file)
    return array.astype(np.float32)
