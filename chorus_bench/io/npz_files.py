"""Reading .npz files of unknown origin: plain arrays, within a limit of memory."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from chorus_bench.errors import InputError
from chorus_bench.io.findings import printable
from chorus_bench.io.limits import MIB
from chorus_bench.io.zip_files import ARCHIVE_ERRORS, check_member, member_chunks, open_zip

Arrays = dict[str, NDArray[Any]]

_AGAIN = "write it again with numpy.savez"
#: What NumPy raises on a header that is damaged or nested too deeply.
_HEADER_ERRORS = (
    *ARCHIVE_ERRORS,
    SyntaxError,
    tokenize.TokenError,
    RecursionError,
    MemoryError,
)
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(file: BinaryIO, *, limit: int, most: int = 1000, largest: int | None = None) -> Arrays:
    """Return the arrays of an .npz file; nothing is allocated by what its headers say.

    Args:
        file: the opened file.
        limit: largest size of all arrays together, in bytes.
        most: largest number of arrays.
        largest: largest size of one array in bytes; by default the limit of all.

    Raises:
        InputError: damaged, too large, not written by `numpy.savez`, or with Python objects. The
            error does not name the file.
    """
    with open_zip(file, max(MIB, 200 * most)) as archive:
        members = archive.infolist()
        _check_sizes([member.file_size for member in members], limit, most, largest or limit)
        if len({member.filename for member in members}) < len(members):
            raise InputError("has two arrays of the same name", fix=_AGAIN)
        return {member.filename.removesuffix(".npy"): _member(archive, member)
                for member in members}  # fmt: skip


def _check_sizes(sizes: list[int], limit: int, most: int, largest: int) -> None:
    if len(sizes) > most or sum(sizes) > limit or max(sizes, default=0) > largest:
        raise InputError(
            f"has {len(sizes)} arrays of {sum(sizes)} bytes, the largest of {max(sizes)}",
            expected=f"at most {most} arrays of {limit} bytes, none larger than {largest}",
        )


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    try:
        check_member(member)
        return read_npy(b"".join(member_chunks(archive, member)))
    except InputError as error:
        name = printable(member.filename, 60)
        raise InputError(
            f"its member '{name}' {error.found}", expected=error.expected, fix=error.fix
        ) from error


def read_npy(data: bytes) -> NDArray[Any]:
    """Return the array in the bytes of a .npy file.

    Raises:
        InputError: damaged, with Python objects, or of another length than its header says.
    """
    stream = io.BytesIO(data)
    try:
        shape, fortran, dtype = _HEADERS[npy.read_magic(stream)](stream)
    except _HEADER_ERRORS as error:
        raise InputError(
            f"is no array: {printable(str(error), 200)}", expected="a plain array", fix=_AGAIN
        ) from error
    if dtype.hasobject:
        raise InputError("holds Python objects", expected="plain numbers or texts", fix=_AGAIN)
    held, needed = len(data) - stream.tell(), math.prod(shape) * dtype.itemsize
    if held != needed or min(shape, default=0) < 0:
        raise InputError(
            f"holds {held} bytes of values",
            expected=f"{needed} bytes for {dtype.name} of shape {printable(str(shape), 80)}",
            fix=_AGAIN,
        )
    values = np.frombuffer(bytearray(data[stream.tell() :]), dtype=dtype)
    return values.reshape(shape, order="F" if fortran else "C")
