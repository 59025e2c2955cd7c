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
from safetensors import numpy as safetensors_numpy

from chorus_bench.io.files import atomic_write_bytes

Arrays = dict[str, NDArray[Any]]

_DTYPES = {"U8": np.uint8, "I32": np.int32, "I64": np.int64, "F32": np.float32}
_MAX_HEADER = 1 << 20


class DamagedFileError(Exception):
    """The file differs from what was written."""


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]
) -> None:
    """Write arrays atomically, with a digest and ``metadata`` in the header."""
    contiguous = {key: np.ascontiguousarray(value) for key, value in arrays.items()}
    header = {**metadata, "digest": _digest(contiguous)}
    atomic_write_bytes(path, safetensors_numpy.save(contiguous, metadata=header))


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
