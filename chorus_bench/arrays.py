"""Arrays from users: conversion and checks before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import InputError

#: NumPy's kinds of real numbers: bool, unsigned, signed, float.
_REAL = "buif"


def real_array(value: object, name: str = "", *, where: object | None = None) -> NDArray[Any]:
    """Return an array of real numbers from any library as a NumPy array.

    Tensors are detached and copied to the processor; bfloat16, which NumPy lacks, becomes float32
    (exactly). A masked array without masked elements becomes its data.

    Args:
        value: an array, a tensor, or nested sequences of numbers.
        name: its name in errors; by default none.
        where: place to name in errors.

    Raises:
        InputError: masked elements, a sparse tensor, lists of different lengths, or values that
            are not real numbers.
    """
    if isinstance(value, np.ma.MaskedArray):
        value = _unmasked(value, name, where)
    if hasattr(value, "detach"):
        value = _from_tensor(value, name, where)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:  # lists of different lengths, foreign objects
        raise InputError(
            f"{name} is not an array: {error}".lstrip(), where=where, expected="an array of numbers"
        ) from error
    if array.dtype.kind not in _REAL:
        raise InputError(
            f"{name} has dtype {array.dtype}".lstrip(), where=where, expected="real numbers"
        )
    return array


def _unmasked(value: np.ma.MaskedArray[Any, Any], name: str, where: object) -> NDArray[Any]:
    masked = int(np.ma.getmaskarray(value).sum())
    if masked:
        raise InputError(
            f"{name} is a masked array with {masked} of {value.size} elements masked".lstrip(),
            where=where,
            expected="an array without a mask: NumPy would use the values under the mask",
            fix="replace masked elements, for example with `array.filled(0)`",
        )
    return np.asarray(value.data)


def _from_tensor(value: Any, name: str, where: object) -> NDArray[Any]:  # noqa: ANN401 - any tensor
    tensor = value.detach()
    if getattr(tensor, "is_sparse", False) or "sparse" in str(getattr(tensor, "layout", "")):
        raise InputError(
            f"{name} is a sparse tensor".lstrip(),
            where=where,
            expected="a dense array",
            fix="convert it with `tensor.to_dense()`",
        )
    if str(tensor.dtype).endswith("bfloat16"):
        tensor = tensor.float()
    return np.asarray(tensor.cpu().numpy())
