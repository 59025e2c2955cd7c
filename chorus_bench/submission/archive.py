"""Submissions packed as .zip or .tar.gz: unpacked into a private folder, within limits.

Members are read one by one and written under checked names; `extractall` is never used. Only
regular files are unpacked.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from chorus_bench.errors import InputError
from chorus_bench.io.files import WriteError
from chorus_bench.io.findings import Finding, Findings, printable
from chorus_bench.io.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_ARCHIVE_DIRECTORY_BYTES,
    MAX_FILES,
    MAX_UNPACK_RATIO,
    MAX_UNPACKED_BYTES,
    RATIO_FREE_BYTES,
)
from chorus_bench.io.untrusted_files import is_ignored, too_long
from chorus_bench.io.zip_files import (
    ARCHIVE_ERRORS,
    CHUNK,
    check_member,
    member_chunks,
    open_zip,
)

#: The suffixes of supported archives.
ARCHIVE_SUFFIXES = (".zip", ".tar.gz", ".tgz")

_MAX_DEPTH = 8
_TAR_HEADER_BYTES = 2**16  # names and extended headers of one member


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


def unpack(archive: Path, folder: Path, errors: Findings) -> Path | None:
    """Unpack an archive.

    Args:
        archive: a .zip, .tar.gz or .tgz file.
        folder: an empty private folder.
        errors: collects every member that is not unpacked, with the reason.

    Returns:
        The submission's folder: ``folder``, or the one folder at the archive's top that holds
        everything. None if the archive is damaged or exceeds the limits.

    Raises:
        WriteError: the disk of ``folder`` is full.
    """
    unpack_members = _unpack_zip if archive.name.lower().endswith(".zip") else _unpack_tar
    try:
        with archive.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_ARCHIVE_BYTES:
                raise too_long(size, MAX_ARCHIVE_BYTES)
            unpack_members(file, _Unpacking(folder, errors, _allowance(size)))
    except WriteError:
        raise
    except InputError as error:
        errors.append(Finding.of(error, "the archive"))
        return None
    except OSError as error:
        reason = error.strerror or str(error)
        errors.add("the archive", f"cannot be read: {reason}", fix="check its permissions")
        return None
    return _top(folder)


def _allowance(packed: int) -> int:
    """Return the number of bytes to which an archive of ``packed`` bytes may unpack."""
    return min(MAX_UNPACKED_BYTES, max(RATIO_FREE_BYTES, packed * MAX_UNPACK_RATIO))


def _top(folder: Path) -> Path:
    inside = [path for path in folder.iterdir() if not is_ignored(path.name)]
    if len(inside) == 1 and inside[0].is_dir() and inside[0].name not in ("grids", "posed"):
        return inside[0]
    return folder


@dataclass
class _Unpacking:
    """The folder being filled, and the remaining limits."""

    folder: Path
    errors: Findings
    left: int
    members: int = 0

    def count(self) -> None:
        """Count a member."""
        self.members += 1
        if self.members > MAX_FILES:
            raise InputError(f"has more than {MAX_FILES} members", expected="fewer")

    def write(self, name: str, size: int, chunks: Iterator[bytes]) -> None:
        """Write one member; a problem with it alone becomes a separate error."""
        self.left -= size
        if self.left < 0:
            raise _beyond_limits()
        try:
            _write_new(_safe_path(self.folder, name), chunks)
        except WriteError:
            raise
        except InputError as error:
            self.errors.append(Finding.of(error, printable(name)))


def _write_new(path: Path, chunks: Iterator[bytes]) -> None:
    """Write a file that must not exist yet.

    Raises:
        WriteError: the disk is full.
        InputError: the name is taken or impossible, or the member is damaged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError("has the name of another member", fix="pack every file once") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WriteError(
                f"the archive cannot be unpacked: {error.strerror}",
                where=path.parent,
                fix="free some space, or set TMPDIR to a folder on another disk; nothing was "
                "left behind",
            ) from error
        raise InputError(f"cannot be unpacked: {error.strerror}", fix="rename it") from error


def _beyond_limits() -> InputError:
    return InputError(
        "unpacks to more than the limits allow",
        expected=f"at most {MAX_UNPACKED_BYTES} bytes, and from {RATIO_FREE_BYTES} bytes on not "
        f"more than {MAX_UNPACK_RATIO} times the archive's size",
        fix="submit the folder itself, or use a lower resolution, float16 or uint8",
    )


def _safe_path(folder: Path, name: str) -> Path:
    """Return the path for a member, always below ``folder``."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
        raise InputError(
            "is a path that could lead outside the submission",
            expected="names relative to the archive, without '..', '\\' or a drive",
            fix="pack the folder again",
        )
    if not name.isprintable() or len(parts) > _MAX_DEPTH:
        raise InputError("is not a usable name", fix="use plain names and fewer folders")
    return folder.joinpath(*parts)


def _unpack_zip(file: BinaryIO, unpacking: _Unpacking) -> None:
    with open_zip(file, MAX_ARCHIVE_DIRECTORY_BYTES) as archive:
        for info in archive.infolist():
            unpacking.count()
            if _is_wanted(info.filename) and _check_zip_member(info, unpacking.errors):
                unpacking.write(info.filename, info.file_size, member_chunks(archive, info))


def _is_wanted(name: str) -> bool:
    """Whether a member is a file that was meant to be sent."""
    return not name.endswith("/") and not any(
        is_ignored(part) and part not in (".", "..") for part in name.split("/")
    )


def _check_zip_member(info: zipfile.ZipInfo, errors: Findings) -> bool:
    kind = stat.S_IFMT(info.external_attr >> 16)
    try:
        if kind not in (0, stat.S_IFREG):
            raise _not_regular("a symbolic link" if kind == stat.S_IFLNK else "a special file")
        check_member(info)
    except InputError as error:
        errors.append(Finding.of(error, printable(info.filename)))
        return False
    return True


def _not_regular(kind: str) -> InputError:
    return InputError(
        f"is {kind}, which is never unpacked",
        expected="regular files and folders",
        fix="pack the file itself",
    )


class _ForwardReader:
    """The unpacked bytes of a .gz file for `tarfile`, forward only and within limits.

    A .tar can state lengths that make its reader request gigabytes at once, or go back and read
    the same header forever. Neither happens in an honest one.

    Attributes:
        readable: number of bytes that may currently still be read, rather than skipped.
    """

    def __init__(self, file: BinaryIO, allowance: int) -> None:
        self._file = gzip.GzipFile(fileobj=file, mode="rb")
        self._allowance = allowance
        self._position = 0
        self.readable = _TAR_HEADER_BYTES

    def read(self, size: int) -> bytes:
        self.readable -= size
        if size < 0 or self.readable < 0:
            raise tarfile.ReadError("a header that is too long")
        return self._take(size)

    def seek(self, position: int) -> int:
        if position < self._position:
            raise tarfile.ReadError("a header that points back")
        while self._position < position and self._take(min(CHUNK, position - self._position)):
            pass
        return self._position

    def tell(self) -> int:
        return self._position

    def _take(self, size: int) -> bytes:
        data = self._file.read(size)
        self._position += len(data)
        if self._position > self._allowance:
            raise _beyond_limits()
        return data


@contextlib.contextmanager
def _tar_errors() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (*ARCHIVE_ERRORS, tarfile.TarError) as error:
        raise InputError(
            f"is not a readable .tar.gz file: {printable(str(error))}", fix="make it again"
        ) from error


def _unpack_tar(file: BinaryIO, unpacking: _Unpacking) -> None:
    reader = _ForwardReader(file, unpacking.left)
    with _tar_errors():
        archive = tarfile.open(fileobj=cast("BinaryIO", reader), mode="r:")  # noqa: SIM115
        member = archive.next()
    while member is not None:
        unpacking.count()
        _unpack_tar_member(archive, member, reader, unpacking)
        reader.readable = _TAR_HEADER_BYTES
        with _tar_errors():
            member = archive.next()


def _unpack_tar_member(
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    reader: _ForwardReader,
    unpacking: _Unpacking,
) -> None:
    name = member.name.removeprefix("./")
    if member.isdir() or not _is_wanted(name):
        return
    if not member.isreg() or member.issparse():
        kind = "a link" if member.issym() or member.islnk() else "a special file"
        unpacking.errors.append(Finding.of(_not_regular(kind), printable(name)))
        return
    reader.readable = member.size
    unpacking.write(name, member.size, _tar_chunks(archive, member))


def _tar_chunks(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    left = member.size
    with _tar_errors():
        content = archive.extractfile(member)
        while content is not None and left > 0 and (chunk := content.read(min(left, CHUNK))):
            left -= len(chunk)
            yield chunk
        if left:
            raise tarfile.ReadError(f"'{member.name}' is truncated")
