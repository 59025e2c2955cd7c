"""Named arrays in a small .npz file that is compressed as a whole: ``name.npz.xz``.

``numpy.load(lzma.open("name.npz.xz"))`` reads it. It is half as large as an ordinary .npz file,
which compresses every array separately.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import InputError
from chorus_bench.io import xz_files
from chorus_bench.io.limits import MIB
from chorus_bench.io.npz_files import Arrays, read_npz
from chorus_bench.io.zip_files import ARCHIVE_ERRORS

#: What to do about an invalid file.
AGAIN = "write it with `chorus-bench leaderboard add`"

_MAX_FILE_BYTES, _MAX_BYTES = 32 * MIB, 128 * MIB


def arrays_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the content of an .npz.xz file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return xz_files.pack(stream.getvalue())


def read_arrays(file: Path, *, most: int, largest: int) -> Arrays:
    """Read an untrusted .npz.xz or .npz file; no more than a limit is decompressed.

    Args:
        file: the file.
        most: largest number of arrays.
        largest: largest size of an array in bytes.

    Raises:
        InputError: damaged, too large, or with Python objects.
    """
    try:
        size = file.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise InputError(f"has {size} bytes", expected=f"at most {_MAX_FILE_BYTES}")
        data = file.read_bytes()
        content = xz_files.unpack(data, _MAX_BYTES) if file.suffix == ".xz" else data
        return read_npz(io.BytesIO(content), limit=_MAX_BYTES, most=most, largest=largest)
    except InputError as error:
        raise InputError(error.found, where=file, expected=error.expected, fix=AGAIN) from error
    except (*ARCHIVE_ERRORS, MemoryError) as error:
        raise InputError(f"cannot be read: {error}", where=file, fix=AGAIN) from error
