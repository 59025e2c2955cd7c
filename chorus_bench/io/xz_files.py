"""Small files packed with xz: written by us, and read when somebody else made them."""

from __future__ import annotations

import lzma

from chorus_bench.errors import InputError
from chorus_bench.io.limits import MIB

# Of whole bytes rather than of text or code: literals that depend on the byte before, and
# nothing that depends on the position. Reading takes about as much memory as the dictionary.
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
    """Return data packed as an .xz file."""
    return lzma.compress(data, format=lzma.FORMAT_XZ, filters=_FILTERS)


def unpack(data: bytes, limit: int) -> bytes:
    """Return what is packed in an .xz file.

    Args:
        data: the file's content.
        limit: bytes that it may unpack to.

    Raises:
        InputError: broken, cut off, too large, or something appended.
    """
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    try:
        content = unpacker.decompress(data, max_length=limit + 1)
    except lzma.LZMAError as error:
        raise InputError(f"is not a readable .xz file: {error}", fix="make it again") from error
    if len(content) > limit:
        raise InputError(f"unpacks to more than {limit} bytes", expected="at most that many")
    if not unpacker.eof or unpacker.unused_data:
        raise InputError("is cut off, or has something appended", fix="make it again")
    return content
