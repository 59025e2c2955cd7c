"""Reading .zip files (archives and .npz) of unknown origin."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from chorus_bench.errors import InputError

#: What Python's readers of .zip and .tar raise on broken or hostile files.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
)

CHUNK = 2**20
_ENCRYPTED = 0x1


class BoundedReads(io.RawIOBase):
    """A file that refuses to return more than ``limit`` bytes at a time.

    Python's zip reader requests the whole list of members in one read of whatever length the file
    states, and needs much more memory than that to process it.
    """

    def __init__(self, file: BinaryIO, limit: int) -> None:
        super().__init__()
        self._file, self._limit = file, limit

    def read(self, size: int | None = -1) -> bytes:
        """Return up to ``size`` bytes; raise beyond the limit."""
        wanted = self._limit + 1 if size is None or size < 0 else size
        data = self._file.read(min(wanted, self._limit + 1))
        if len(data) > self._limit:
            raise zipfile.BadZipFile(f"its list of members takes more than {self._limit} bytes")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek as in any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return True: the file can be sought in."""
        return True


def open_zip(file: BinaryIO, directory_limit: int) -> zipfile.ZipFile:
    """Open a .zip file whose list of members takes at most ``directory_limit`` bytes.

    Raises:
        InputError: it is not a .zip file, or its list is longer.
    """
    try:
        return zipfile.ZipFile(BoundedReads(file, max(directory_limit, 2 * CHUNK)))
    except ARCHIVE_ERRORS as error:
        raise InputError(f"is not a readable .zip file: {error}", fix="make it again") from error


def check_member(info: zipfile.ZipInfo) -> None:
    """Raise an `InputError` for a member that is encrypted or compressed in an unusual way."""
    if info.flag_bits & _ENCRYPTED:
        raise InputError("is encrypted", fix="pack it without a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(
            f"is packed with method {info.compress_type}",
            expected="stored or deflated",
            fix="make it again with the default compression",
        )


def member_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Return a member's bytes, exactly as many as it declares.

    Raises:
        InputError: it is damaged, or shorter than declared.
    """
    left = info.file_size
    try:
        with archive.open(info) as member:
            while left > 0 and (chunk := member.read(min(left, CHUNK))):
                left -= len(chunk)
                yield chunk
            member.read(1)  # the end is where the checksum is compared
    except ARCHIVE_ERRORS as error:
        raise InputError(f"cannot be unpacked: {error}", fix="make the file again") from error
    if left:
        raise InputError(f"is {left} bytes shorter than it declares", fix="make the file again")
