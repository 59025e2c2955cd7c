"""The three formats of a grid file: from bytes to an array, header first.

Nothing is allocated by a size stated in a file before that size has been checked.
"""

from __future__ import annotations

import io
import json
import tokenize
import warnings
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from chorus_bench.errors import InputError, list_some
from chorus_bench.geometry.grid import MAX_RESOLUTION, MIN_RESOLUTION, GridSpec
from chorus_bench.io.findings import nearest, printable
from chorus_bench.io.limits import GRID_SLACK_BYTES, MAX_HEADER_BYTES
from chorus_bench.io.zip_files import check_member, member_chunks, open_zip

Raw = NDArray[np.float32 | np.float16 | np.uint8]

TENSOR_NAME = "occupancy"
DTYPES = ("float32", "float16", "uint8")
#: One grid file: the finest float32 grid and its header.
MAX_GRID_BYTES = 4 * MAX_RESOLUTION**3 + GRID_SLACK_BYTES
_SAFETENSORS_DTYPES = {"F32": "<f4", "F16": "<f2", "U8": "|u1"}
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_NPY_READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
# Errors of NumPy and Python's parser for a header that is damaged or nested too deeply.
_NPY_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    SyntaxError,
    tokenize.TokenError,
    RecursionError,
    MemoryError,
)


def decode(name: str, data: bytes, spec: GridSpec | None) -> Raw:
    """Return the array in the bytes of a grid file.

    Args:
        name: the file's name; its suffix determines the format.
        data: the file's content.
        spec: the geometry that the submission declares; None if that is not known and any cube
            is acceptable.

    Returns:
        (N, N, N) of one of `DTYPES`, possibly a view of ``data``.

    Raises:
        InputError: a wrong format, dtype, shape or length.
    """
    if data.startswith(_PICKLE_STARTS):
        raise InputError(
            "is a Python pickle, which is never opened because it could execute code",
            expected=f"a {PurePosixPath(name).suffix} file with the tensor '{TENSOR_NAME}'",
            fix="write it with chorus_bench.submission.write_submission",
        )
    return _DECODERS[PurePosixPath(name).suffix.lower()](data, spec)


def to_probabilities(raw: Raw) -> NDArray[np.float32]:
    """Return the values as float32: uint8 is divided by 255, float16 widened.

    Args:
        raw: (N, N, N) of one of `DTYPES`.
    """
    if raw.dtype == np.uint8:
        return np.divide(raw, np.float32(255), dtype=np.float32)
    return np.array(raw, dtype=np.float32, order="C")


def _from_safetensors(data: bytes, spec: GridSpec | None) -> Raw:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= length <= min(MAX_HEADER_BYTES, len(data) - 8):
        raise InputError(
            "is not a .safetensors file: the length of its header is wrong", fix="write it again"
        )
    header = _json_object(data[8 : 8 + length])
    tensors = [key for key in header if key != "__metadata__"]
    _check_tensor_names(tensors)
    entry = header[TENSOR_NAME]
    if not isinstance(entry, dict):
        raise InputError("its header does not describe the tensor", fix="write it again")
    stated = _plain(entry.get("dtype"))
    dtype, shape = _check_tensor(_SAFETENSORS_DTYPES.get(stated), stated, entry.get("shape"), spec)
    needed = dtype.itemsize * shape[0] ** 3
    if entry.get("data_offsets") != [0, needed]:
        raise InputError(
            f"its header places the tensor at bytes {_plain(entry.get('data_offsets'))}",
            expected=f"(0, {needed}) for {dtype.name} of shape {shape}",
            fix="write it again",
        )
    return _from_buffer(memoryview(data)[8 + length :], dtype, shape)


def _json_object(data: bytes) -> dict[str, object]:
    def without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key occurs twice")
        return dict(pairs)

    try:
        header = json.loads(data, object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"is not a .safetensors file: its header is not JSON ({printable(str(error), 80)})",
            fix="write it again",
        ) from error
    if not isinstance(header, dict):
        raise InputError("is not a .safetensors file: its header is not a JSON object")
    return header


def _from_npy(data: bytes, spec: GridSpec | None) -> Raw:
    file = io.BytesIO(data)
    shape, dtype, order = _npy_header(file, spec)
    return _from_buffer(memoryview(data)[file.tell() :], dtype, shape, order)


def _npy_header(
    file: io.BytesIO, spec: GridSpec | None
) -> tuple[tuple[int, int, int], np.dtype[np.generic], bool]:
    """Read and check a .npy header; the file position is then at the data."""
    try:
        read = _NPY_READERS[npy.read_magic(file)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, fortran, dtype = read(file, max_header_size=MAX_HEADER_BYTES)
    except _NPY_ERRORS as error:
        reason = printable(str(error).partition("\n")[0], 120)
        raise InputError(f"is not a .npy file: {reason}", fix="write it with numpy.save") from error
    if dtype.hasobject:
        raise InputError(
            "holds pickled Python objects, which are never opened because they could execute code",
            expected=f"an array of dtype {', '.join(DTYPES)}",
            fix="save plain numbers: array.astype(numpy.float32)",
        )
    known = dtype.str if dtype.newbyteorder("=").name in DTYPES else None
    dtype, cube = _check_tensor(known, str(dtype), list(shape), spec)
    return cube, dtype, fortran


def _from_npz(data: bytes, spec: GridSpec | None) -> Raw:
    with open_zip(io.BytesIO(data), GRID_SLACK_BYTES) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if len(members) < len(archive.infolist()):
            raise InputError("has two members of the same name", fix="write it again")
        if any(name.endswith("data.pkl") for name in members):
            raise InputError(
                "is a file of torch.save: a pickle, which is never opened",
                expected=f"a .npz file with the array '{TENSOR_NAME}'",
                fix=f"numpy.savez(path, {TENSOR_NAME}=tensor.numpy())",
            )
        stray = next((name for name in members if not name.endswith(".npy")), None)
        if stray is not None:
            raise InputError(
                f"has the member '{printable(stray, 60)}', which is not an array",
                fix="write it with numpy.savez",
            )
        _check_tensor_names([name.removesuffix(".npy") for name in members])
        return _from_npz_member(archive, members[f"{TENSOR_NAME}.npy"], spec)


def _from_npz_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, spec: GridSpec | None) -> Raw:
    check_member(info)
    resolution = MAX_RESOLUTION if spec is None else spec.resolution
    chunks = member_chunks(archive, info)
    head = io.BytesIO(next(chunks, b""))
    shape, dtype, order = _npy_header(head, spec)
    most = 4 * resolution**3 + GRID_SLACK_BYTES
    if info.file_size > most:
        raise InputError(
            f"'{info.filename}' unpacks to {info.file_size} bytes",
            expected=f"at most {most} bytes for a grid of {resolution}^3",
        )
    values = bytearray(head.read())
    for chunk in chunks:
        values += chunk
    return _from_buffer(memoryview(values), dtype, shape, order)


def _check_tensor_names(names: list[str]) -> None:
    """Raise an `InputError` unless the only tensor is named `occupancy`."""
    if names == [TENSOR_NAME]:
        return
    shown = list_some([f"'{printable(name, 60)}'" for name in names])
    count = f"{len(names)} tensors: {shown}" if len(names) != 1 else f"the tensor {shown}"
    near = nearest(TENSOR_NAME, names[:100])
    if TENSOR_NAME in names:
        fix = "remove the others"
    elif near is not None or len(names) == 1:
        fix = f"rename '{printable(near or names[0], 60)}' to '{TENSOR_NAME}'"
    else:
        fix = f"write one tensor named '{TENSOR_NAME}'"
    raise InputError(
        f"holds {count}" if names else "holds no tensor",
        expected=f"one tensor, '{TENSOR_NAME}'",
        fix=fix,
    )


def _check_tensor(
    known: str | None, stated: str, shape: object, spec: GridSpec | None
) -> tuple[np.dtype[np.generic], tuple[int, int, int]]:
    """Return the dtype and shape that a header states, or raise one error about both.

    Args:
        known: the dtype in NumPy's notation; None if it is not allowed.
        stated: the dtype as in the header.
        shape: the shape as in the header, which should be a list.
        spec: the geometry that the submission declares, or None.
    """
    found, expected, fixes = [], [], []
    if known is None:
        found.append(f"dtype {printable(stated, 60)}")
        expected.append(f"dtype {' or '.join(DTYPES)}")
        fixes.append(_dtype_fix(stated))
    side = _side(shape)
    if side is None or side != (spec.resolution if spec else side):
        found.append(f"shape {_plain(shape)}")
        expected.append(_expected_shape(spec))
        fixes.append(_shape_fix(side, spec))
    if known is None or side is None or found:
        raise InputError(
            f"'{TENSOR_NAME}' has {' and '.join(found)}",
            expected=", ".join(expected),
            fix="; ".join(fixes),
        )
    return np.dtype(known), (side, side, side)


def _dtype_fix(stated: str) -> str:
    if stated == "BF16":
        return "NumPy has no bfloat16; convert it in PyTorch, which loses nothing: tensor.float()"
    return (
        "convert it: array.astype(numpy.float32), or give it to write_submission, which takes any "
        "dtype"
    )


def _side(shape: object) -> int | None:
    """Return N if a shape is (N, N, N) with an N that is allowed for some grid."""
    if not isinstance(shape, list) or len(shape) != 3:
        return None
    n = shape[0]
    usable = all(type(m) is int and m == n for m in shape)
    return n if usable and MIN_RESOLUTION <= n <= MAX_RESOLUTION else None


def _expected_shape(spec: GridSpec | None) -> str:
    if spec is None:
        return f"shape (N, N, N) with N from {MIN_RESOLUTION} to {MAX_RESOLUTION}"
    return f"shape {spec.shape}, by the grid's resolution in submission.yaml"


def _shape_fix(side: int | None, spec: GridSpec | None) -> str:
    if side is not None and spec is not None:
        return (
            f"write 'resolution: {side}' under 'grid' in submission.yaml, or under 'grids: "
            "{<category>: ...}' if only this category has it"
        )
    return (
        "put the axes in the order x, y, z and give them the same length: array.transpose(...); or "
        "`chorus-bench convert grids FOLDER --output SUBMISSION`, which takes boxes and other axes"
    )


def _plain(stated: object) -> str:
    """Return a header's value as short text; nested and unusual values only by type."""
    if isinstance(stated, str):
        return printable(stated, 60)
    if isinstance(stated, list) and all(type(n) is int for n in stated):
        return printable(str(tuple(stated)), 80)
    return "nothing" if stated is None else f"something of type {type(stated).__name__}"


def _from_buffer(
    body: memoryview,
    dtype: np.dtype[np.generic],
    shape: tuple[int, int, int],
    fortran: bool = False,
) -> Raw:
    needed = dtype.itemsize * shape[0] ** 3
    if len(body) != needed:
        raise InputError(
            f"holds {len(body)} bytes of values",
            expected=f"{needed} bytes for {dtype.name} of shape {shape}",
            fix="the file is truncated or has trailing data: write it again",
        )
    return np.frombuffer(body, dtype=dtype).reshape(shape, order="F" if fortran else "C")


_DECODERS: dict[str, Callable[[bytes, GridSpec | None], Raw]] = {
    ".safetensors": _from_safetensors,
    ".npz": _from_npz,
    ".npy": _from_npy,
}
#: The suffixes that a grid file may have.
SUFFIXES = tuple(_DECODERS)
