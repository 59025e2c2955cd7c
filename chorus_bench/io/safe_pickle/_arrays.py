"""Replacements for the names of Python, NumPy, SciPy and chumpy in a pickle."""

from __future__ import annotations

import math
import re
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from chorus_bench.errors import InputError
from chorus_bench.io.safe_pickle._values import (
    Budget,
    Build,
    Named,
    Pending,
    arguments,
    as_shape,
    check_key,
    damaged,
)

Array = NDArray[np.generic]

MOST_DENSE = 2**27
"""Elements of a sparse matrix when written out (1 GiB of float64)."""

_DTYPE = re.compile(r"(?:b1|[iu][1248]|f[248]|[SU][1-9]\d{0,6})")
_MEMBER_COST = 64


def _is(value: object, *words: str) -> bool:
    return isinstance(value, str) and value in words


# Python


def _encode(budget: Budget, args: tuple[object, ...]) -> bytes:
    """Return bytes that Python 3 wrote as text for protocols that know no bytes."""
    text, encoding = arguments("_codecs.encode", args, 2)
    if not isinstance(text, str) or not _is(encoding, "latin1"):
        raise damaged("bytes in an encoding other than latin1")
    budget.take(len(text))
    return text.encode("latin-1")


def _empty_bytes(budget: Budget, args: tuple[object, ...]) -> bytes:
    arguments("bytes", args, 0)
    return b""


def _members(name: str, budget: Budget, args: tuple[object, ...]) -> list[object]:
    """Return the members of the list or tuple that is the only argument, if any."""
    members = arguments(name, args, 0, 1)[0] if args else []
    if not isinstance(members, list | tuple):
        raise damaged(f"{name} of something that is not a list")
    budget.take(_MEMBER_COST * len(members))
    return list(members)


def _set(budget: Budget, args: tuple[object, ...]) -> set[object]:
    return {check_key(member) for member in _members("set", budget, args)}


def _frozenset(budget: Budget, args: tuple[object, ...]) -> frozenset[object]:
    return frozenset(_set(budget, args))


def _ordered_dict(budget: Budget, args: tuple[object, ...]) -> dict[object, object]:
    result: dict[object, object] = {}
    for pair in _members("OrderedDict", budget, args):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise damaged("an OrderedDict of something other than pairs")
        result[check_key(pair[0])] = pair[1]
    return result


def _easy_dict(budget: Budget, args: tuple[object, ...]) -> dict[object, object]:
    arguments("EasyDict", args, 0)
    return {}


def _reconstructor(budget: Budget, args: tuple[object, ...]) -> object:
    """Return a new object the way protocols 0 and 1 make one: class, base, value of the base."""
    made, base, value = arguments("copyreg._reconstructor", args, 3)
    if not isinstance(made, Named) or not isinstance(base, Named) or made.build is None:
        raise damaged("copyreg._reconstructor of something that is not a class")
    if value is None:
        return made.build(budget, ())
    if made.build is not _easy_dict or type(value) is not dict:
        raise damaged(f"a {made.name} made of a {type(value).__name__}")
    return value


# NumPy


def _dtype(budget: Budget, args: tuple[object, ...]) -> Pending:
    code = arguments("numpy.dtype", args, 1, 2, 3)[0]
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        found = ascii(code[:40]) if isinstance(code, str) else type(code).__name__
        raise InputError(
            f"the pickle holds an array of type {found}",
            expected="arrays of booleans, integers, floats or strings of fixed length",
            fix="convert it where the file was made; arrays of Python objects can run code",
        )
    return Pending("numpy.dtype", partial(_finish_dtype, code))


def _finish_dtype(code: str, budget: Budget, state: object) -> np.dtype[np.generic]:
    if not isinstance(state, tuple) or len(state) < 5 or not _is(state[1], "<", ">", "|", "="):
        raise damaged("a numpy.dtype with an unknown state")
    if any(part is not None for part in state[2:5]):
        raise damaged("a numpy.dtype with fields")
    order = "" if state[1] == "|" else str(state[1])
    return np.dtype(order + code)


def _reconstruct(budget: Budget, args: tuple[object, ...]) -> Pending:
    made = arguments("numpy _reconstruct", args, 3)[0]
    if not isinstance(made, Named) or made.name != "numpy.ndarray":
        raise damaged("numpy _reconstruct of something other than an array")
    return Pending("numpy.ndarray", _finish_array)


def _finish_array(budget: Budget, state: object) -> Array:
    """Return the array of an ndarray's state: (version), shape, type, order, raw bytes."""
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise damaged("a numpy array with an unknown state")
    shape, dtype, fortran, raw = state[-4:]
    return array_of(budget, raw, dtype, shape, "F" if fortran else "C")


def _from_buffer(budget: Budget, args: tuple[object, ...]) -> Array:
    """Return the array of a protocol 5 pickle.

    Since version 2.4 NumPy writes other orders of the axes as ``K`` with a fifth argument: the
    array is the buffer in ``shape`` and C order, its axes then exchanged.
    """
    raw, dtype, shape, order, *axes = arguments("numpy _frombuffer", args, 4, 5)
    if _is(order, "K") and axes and axes[0] is not None:
        stored = array_of(budget, raw, dtype, shape, "C")
        return stored.transpose(_permutation(axes[0], stored.ndim))
    if not _is(order, "C", "F"):
        raise damaged("a numpy array in an unknown order")
    return array_of(budget, raw, dtype, shape, str(order))


def _permutation(axes: object, count: int) -> tuple[int, ...]:
    """Return the axes if they are 0 to count - 1, each once."""
    whole = isinstance(axes, tuple) and all(type(axis) is int for axis in axes)
    if not isinstance(axes, tuple) or not whole or sorted(axes) != list(range(count)):
        raise damaged("a numpy array whose axes are no permutation")
    return axes


def _scalar(budget: Budget, args: tuple[object, ...]) -> np.generic:
    dtype, raw = arguments("numpy scalar", args, 2)
    scalar: np.generic = array_of(budget, raw, dtype, (1,), "C")[0]
    return scalar


def array_of(budget: Budget, raw: object, dtype: object, shape: object, order: str) -> Array:
    """Return a writable array in the machine's byte order, made of raw bytes.

    Args:
        budget: pays for the copy.
        raw: bytes, or Python 2 bytes read as latin-1 text.
        dtype: the finished NumPy type.
        shape: tuple of ints; must fit the number of bytes.
        order: "C" or "F".

    Raises:
        InputError: sizes that do not match, or bytes that are not values of the type.
    """
    if not isinstance(dtype, np.dtype) or not isinstance(raw, bytes | bytearray | str):
        raise damaged("a numpy array without a type or without bytes")
    sizes = as_shape(shape, "the shape of an array")
    needed = math.prod(sizes) * dtype.itemsize
    if needed != len(raw) or dtype.itemsize > budget.file_size:
        raise damaged(f"an array of shape {sizes} and type {dtype} from {len(raw)} bytes")
    budget.take(len(raw))
    buffer = bytearray(raw, "latin-1") if isinstance(raw, str) else bytearray(raw)
    flat: Array = np.frombuffer(buffer, dtype)
    check_values(flat)
    native = flat.astype(dtype.newbyteorder("="), copy=False)
    return native.reshape(sizes, order="F" if order == "F" else "C")


def check_values(flat: Array) -> None:
    """Raise an `InputError` if raw bytes are not booleans or not text (NumPy never checks)."""
    if flat.dtype.kind == "b" and flat.size and flat.view(np.uint8).max() > 1:
        raise damaged("a boolean array with values other than 0 and 1")
    if flat.dtype.kind == "U" and flat.nbytes:
        letters = flat.view(np.dtype(np.uint32).newbyteorder(flat.dtype.byteorder))
        if letters.max() > 0x10FFFF:
            raise damaged("a text array with invalid characters")


# SciPy


def _sparse(kind: str, budget: Budget, args: tuple[object, ...]) -> Pending:
    arguments(f"{kind}_matrix", args, 0)
    return Pending(f"{kind}_matrix", partial(_finish_sparse, kind))


def _finish_sparse(kind: str, budget: Budget, state: object) -> sparse.csc_array | sparse.csr_array:
    """Return a csc or csr array with the attributes in ``state``, all checked."""
    if not isinstance(state, dict):
        raise damaged("a sparse matrix without attributes")
    shape = as_shape(state.get("_shape"), "the shape of a sparse matrix")
    if len(shape) != 2 or math.prod(shape) > MOST_DENSE:
        raise damaged(f"a sparse matrix of shape {shape}; at most {MOST_DENSE} elements are read")
    pointers = _index_array(budget, state.get("indptr"), "indptr")
    indices = _index_array(budget, state.get("indices"), "indices")
    data = state.get("data")
    major, minor = shape if kind == "csr" else shape[::-1]
    if len(pointers) != major + 1 or pointers[0] != 0 or np.any(np.diff(pointers) < 0):
        raise damaged("a sparse matrix whose indptr does not fit its shape")
    count = int(pointers[-1])
    if not isinstance(data, np.ndarray) or data.ndim != 1 or data.dtype.kind not in "biuf":
        raise damaged("a sparse matrix whose data are not numbers")
    if count > min(len(indices), len(data)):
        raise damaged(f"a sparse matrix with {len(data)} of {count} values")
    if count and not 0 <= indices[:count].min() <= indices[:count].max() < minor:
        raise damaged(f"a sparse matrix whose indices leave its shape {shape}")
    budget.take(data.nbytes)
    made = sparse.csr_array if kind == "csr" else sparse.csc_array
    return made((data[:count].copy(), indices[:count], pointers), shape=shape)


def _index_array(budget: Budget, value: object, name: str) -> NDArray[np.int64]:
    if not isinstance(value, np.ndarray) or value.ndim != 1 or value.dtype.kind not in "iu":
        raise damaged(f"a sparse matrix whose {name} are not integers")
    budget.take(8 * value.size)
    return value.astype(np.int64)


# chumpy


def _chumpy(name: str, budget: Budget, args: tuple[object, ...]) -> Pending:
    arguments(name, args, 0)
    return Pending(name, _finish_select if name.endswith("Select") else _finish_ch)


def _finish_ch(budget: Budget, state: object) -> Array:
    """Return the array that a chumpy.ch.Ch wraps."""
    return _numbers(state.get("x") if isinstance(state, dict) else None, "chumpy.ch.Ch")


def _finish_select(budget: Budget, state: object) -> Array:
    """Return what a chumpy.reordering.Select (a slice) shows: ``a.ravel()[idxs]``, reshaped."""
    if not isinstance(state, dict):
        raise damaged("a chumpy.reordering.Select without attributes")
    whole = _numbers(state.get("a"), "chumpy.reordering.Select").ravel()
    places = state.get("idxs")
    if not isinstance(places, np.ndarray) or places.dtype.kind not in "iu":
        raise damaged("a chumpy.reordering.Select without indices")
    if places.size and not 0 <= places.min() <= places.max() < whole.size:
        raise damaged("a chumpy.reordering.Select that reaches outside its array")
    shape = as_shape(state.get("preferred_shape", places.shape), "the shape of a chumpy Select")
    if math.prod(shape) != places.size:
        raise damaged(f"a chumpy.reordering.Select of {places.size} numbers in shape {shape}")
    budget.take(whole.nbytes + places.size * whole.itemsize)
    return whole[places.ravel()].reshape(shape)


def _numbers(value: object, name: str) -> Array:
    if isinstance(value, int | float | np.generic):
        value = np.asarray(value)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        raise damaged(f"a {name} without an array of numbers")
    return value


# Names


def _entries() -> dict[str, Build | None]:
    """Return the replacement of each name; None for names that are only mentioned."""
    table: dict[str, Build | None] = {
        "_codecs encode": _encode,
        "collections OrderedDict": _ordered_dict,
        "easydict EasyDict": _easy_dict,
        "chumpy.ch Ch": partial(_chumpy, "chumpy.ch.Ch"),
        "chumpy.reordering Select": partial(_chumpy, "chumpy.reordering.Select"),
        "numpy ndarray": None,
        "numpy dtype": _dtype,
    }
    for core in ("numpy.core", "numpy._core"):
        table[f"{core}.multiarray _reconstruct"] = _reconstruct
        table[f"{core}.multiarray scalar"] = _scalar
        table[f"{core}.numeric _frombuffer"] = _from_buffer
    for kind in ("csc", "csr"):
        for module in (f"scipy.sparse.{kind}", f"scipy.sparse._{kind}"):
            table[f"{module} {kind}_matrix"] = partial(_sparse, kind)
            table[f"{module} {kind}_array"] = partial(_sparse, kind)
    for builtins, copyreg in (("__builtin__", "copy_reg"), ("builtins", "copyreg")):
        table[f"{copyreg} _reconstructor"] = _reconstructor
        table |= {f"{builtins} {name}": None for name in ("object", "dict")}
        table |= {f"{builtins} set": _set, f"{builtins} frozenset": _frozenset}
        table[f"{builtins} bytes"] = _empty_bytes
    return table


def named(entries: dict[str, Build | None]) -> dict[tuple[str, str], Named]:
    """Return a table for the machine from names written as in a pickle."""
    return {
        (module, name): Named(f"{module}.{name}", build)
        for (module, name), build in ((key.split(" "), build) for key, build in entries.items())
    }


TABLE = named(_entries())
