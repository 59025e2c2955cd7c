"""Small xz files: written here, and read from untrusted sources."""

from __future__ import annotations

import lzma

from chorus_bench.errors import InputError
from chorus_bench.io.limits import MIB

# Tuned for arrays of bytes: literals depend on the previous byte, nothing on the position.
# Reading takes about as much memory as the dictionary.
_FILTERS = [
    {
        "id": lzma.FILTER_LZMA2,
        "preset": 9 | lzma.PRESET_EXTREME,
        "dict_size": 16 * MIB,
        "lc": 4,
        "lp": 0,
        "pb": 0,
    }
]
_MEMORY = 80 * MIB


def pack(data: bytes) -> bytes:
    """Return data compressed as an .xz file."""
    return lzma.compress(data, format=lzma.FORMAT_XZ, filters=_FILTERS)


def unpack(data: bytes, limit: int) -> bytes:
    """Return the data of an .xz file.

    Args:
        data: the file's content.
        limit: largest size of the data in bytes.

    Raises:
        InputError: damaged, truncated or too large, or with appended data.
    """
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    try:
        content = unpacker.decompress(data, max_length=limit + 1)
    except lzma.LZMAError as error:
        raise InputError(f"is not a readable .xz file: {error}", fix="create it again") from error
    if len(content) > limit:
        raise InputError(f"unpacks to more than {limit} bytes", expected="at most that many")
    if not unpacker.eof or unpacker.unused_data:
        raise InputError("is truncated, or has appended data", fix="create it again")
    return content
