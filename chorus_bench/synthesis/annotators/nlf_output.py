"""The output of a TorchScript file of the NLF kind, checked and converted to arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.errors import InputError, count_of
from chorus_bench.geometry.body import JOINTS, POSE_SIZE

METHOD = "detect_smpl_batched"
_SHAPES: dict[str, tuple[int, ...]] = {
    "pose": (POSE_SIZE,),
    "betas": (10,),
    "trans": (3,),
    "joints2d": (JOINTS, 2),
}
_OPTIONAL_SHAPES: dict[str, tuple[int, ...]] = {"joints3d": (JOINTS, 3)}


@dataclass(frozen=True, eq=False)
class FoundPeople:
    """A file's output for the people of one picture, as (P, ...) arrays."""

    pose: Float64
    betas: Float64
    trans: Float64
    joints2d: Float64
    joints3d: Float64 | None = None


def read_output(output: Any, pictures: int, where: str) -> list[FoundPeople]:  # noqa: ANN401 - checked here
    """Check a file's output and convert it to arrays, one set per picture.

    Args:
        output: the method's return value.
        pictures: number of pictures.
        where: the file, for messages.

    Raises:
        InputError: a missing key, or an entry with a wrong shape or number.
    """
    if not isinstance(output, dict) or (missing := [key for key in _SHAPES if key not in output]):
        there = sorted(map(str, output)) if isinstance(output, dict) else type(output).__name__
        raise InputError(
            f"{METHOD} returned {there}"
            + (f", without {', '.join(missing)}" if isinstance(output, dict) else ""),
            where=where,
            expected=f"a dictionary with {', '.join(_SHAPES)}",
            fix="use a file of the NLF kind for several people (nlf_*_multi.torchscript)",
        )
    optional = {key: shape for key, shape in _OPTIONAL_SHAPES.items() if key in output}
    arrays = {
        key: _read_list(output[key], shape, pictures, key, where)
        for key, shape in (_SHAPES | optional).items()
    }
    found = [{key: arrays[key][i] for key in arrays} for i in range(pictures)]
    for one in found:
        _check_counts(one, where)
    return [FoundPeople(**one) for one in found]


def _read_list(
    value: Any,  # noqa: ANN401 - a list of tensors, checked here
    shape: tuple[int, ...],
    pictures: int,
    key: str,
    where: str,
) -> list[Float64]:
    try:
        arrays = [np.asarray(tensor.detach().cpu().numpy(), dtype=np.float64) for tensor in value]
    except (AttributeError, TypeError) as error:
        raise _wrong(key, type(value).__name__, shape, where) from error
    if len(arrays) != pictures:
        raise InputError(
            f"'{key}' of {METHOD} has {count_of(len(arrays), 'entry')} for "
            f"{count_of(pictures, 'picture')}",
            where=where,
        )
    for array in arrays:
        if array.shape[1:] != shape:
            raise _wrong(key, f"shape {array.shape}", shape, where)
    return arrays


def _wrong(key: str, found: str, shape: tuple[int, ...], where: str) -> InputError:
    body = "SMPL's 24 joints; SMPL-X has others, so leave model_name at 'smpl'"
    return InputError(
        f"'{key}' of {METHOD} is of {found}",
        where=where,
        expected=f"for each picture a tensor of shape {('P', *shape)} for P people",
        fix=f"use a file, and a model_name, that fits a body with {body}",
    )


def _check_counts(found: dict[str, Float64], where: str) -> None:
    counts = {key: len(array) for key, array in found.items()}
    if len(set(counts.values())) > 1:
        raise InputError(
            f"{METHOD} returned different numbers of people for one picture: {counts}",
            where=where,
            expected="the same number in every entry",
        )
