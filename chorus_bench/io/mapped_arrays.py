"""Named arrays in one memory-mapped file that detects damage.

The files are plain safetensors with a digest of their contents in the header.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from chorus_bench.io.files import atomic_write_bytes

Arrays = dict[str, NDArray[Any]]

_DTYPES = {"U8": np.uint8, "U16": np.uint16, "I32": np.int32, "I64": np.int64, "F32": np.float32}
_NAMES = {np.dtype(kind): name for name, kind in _DTYPES.items()}
_MAX_HEADER = 1 << 20


class DamagedFileError(Exception):
    """The file differs from what was written."""


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]
) -> None:
    """Write arrays atomically, with a digest and ``metadata`` in the header.

    Equal arrays and metadata give equal bytes; the safetensors package shuffles the metadata.
    """
    contiguous = {key: np.ascontiguousarray(value) for key, value in arrays.items()}
    header: dict[str, object] = {
        "__metadata__": dict(sorted({**metadata, "digest": _digest(contiguous)}.items()))
    }
    # The widest first, so that everything lies where its type may.
    names = sorted(contiguous, key=lambda name: (-contiguous[name].itemsize, name))
    place = 0
    for name in names:
        value = contiguous[name]
        end = place + value.nbytes
        header[name] = {
            "dtype": _NAMES[value.dtype],
            "shape": list(value.shape),
            "data_offsets": [place, end],
        }
        place = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    parts = [len(text).to_bytes(8, "little"), text, *(contiguous[n].tobytes() for n in names)]
    atomic_write_bytes(path, b"".join(parts))


def read_arrays(path: Path) -> tuple[Arrays, dict[str, str]]:
    """Map arrays into memory, read-only, and verify their digest.

    Raises:
        DamagedFileError: truncated, or contents that do not match the digest.
        FileNotFoundError: no such file.
    """
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
    except ValueError as error:
        raise DamagedFileError(f"{path}: {error}") from error
    try:
        arrays, metadata = _parse(data)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DamagedFileError(f"{path}: {error}") from error
    if metadata.get("digest") != _digest(arrays):
        raise DamagedFileError(f"{path}: the contents do not match their digest")
    return arrays, metadata


def _parse(data: NDArray[np.uint8]) -> tuple[Arrays, dict[str, str]]:
    size = int.from_bytes(data[:8].tobytes(), "little")
    if not 0 < size <= min(_MAX_HEADER, len(data) - 8):
        raise ValueError("not a safetensors file")
    header = json.loads(data[8 : 8 + size].tobytes())
    metadata = header.pop("__metadata__")
    payload = data[8 + size :]
    arrays: Arrays = {}
    for key, entry in header.items():
        begin, end = entry["data_offsets"]
        arrays[key] = payload[begin:end].view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays, metadata


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = xxhash.xxh3_128()
    for key in sorted(arrays):
        value = arrays[key]
        digest.update(f"{key}:{value.dtype.str}:{value.shape};".encode())
        digest.update(value.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
