"""Arrays from users: conversion and checks before anything is computed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import InputError

#: NumPy's kinds of real numbers: bool, unsigned, signed, float.
_REAL = "buif"
#: More elements of a sparse array are not made dense: 2 GiB of float64.
_LARGEST_DENSE = 2**28


def real_array(value: object, name: str = "", *, where: object | None = None) -> NDArray[Any]:
    """Return an array of real numbers from any library as a NumPy array.

    Tensors are detached and copied to the processor; bfloat16, which NumPy lacks, becomes float32
    (exactly). Sparse tensors and SciPy's sparse arrays become dense ones: what is not stored is
    zero. A masked array without masked elements becomes its data.

    Args:
        value: an array, a tensor, or nested sequences of numbers.
        name: its name in errors; by default none.
        where: place to name in errors.

    Raises:
        InputError: masked elements, a sparse array too large to be a dense one, lists of
            different lengths, or values that are not real numbers.
    """
    if isinstance(value, np.ma.MaskedArray):
        value = _unmasked(value, name, where)
    if hasattr(value, "detach") and hasattr(value, "dtype"):
        value = _from_tensor(value, name, where)
    elif hasattr(value, "todense"):  # SciPy and the package sparse
        _check_dense_size(value, name, where)
        value = np.asarray(value.todense())
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        # Lists of different lengths, foreign objects, tensors of another library.
        raise InputError(
            f"{name} is not an array: {error}".lstrip(),
            where=where,
            expected="an array of numbers",
            fix="for a tensor: tensor.detach().cpu().float().numpy()",
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
    if "sparse" in str(getattr(tensor, "layout", "")):
        _check_dense_size(tensor, name, where)
        tensor = tensor.to_dense()
    if str(tensor.dtype).endswith("bfloat16"):
        tensor = tensor.float()
    return np.asarray(tensor.cpu().resolve_conj().resolve_neg().numpy())


def _check_dense_size(value: Any, name: str, where: object) -> None:  # noqa: ANN401 - of any library
    shape = tuple(int(n) for n in value.shape)
    if math.prod(shape) > _LARGEST_DENSE:
        raise InputError(
            f"{name} is a sparse array of shape {shape}".lstrip(),
            where=where,
            expected=f"at most {_LARGEST_DENSE} elements, stored or not",
            fix="give only the part that is needed",
        )
