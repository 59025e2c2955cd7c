"""Replacements for torch's names in a pickle; torch itself is never imported.

A pickled CPU tensor is a call of ``torch._utils._rebuild_tensor_v2`` on a storage, and the storage
a call of ``torch.storage._load_from_bytes`` on a whole torch.save file with that one storage in it.
torch 1.4 to 2.13 write the legacy layout there (five pickles, then the raw bytes); the zip layout
(data.pkl, data/0, byteorder) is read as well. The values are little-endian in the legacy layout.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from chorus_bench.errors import InputError
from chorus_bench.io.safe_pickle._arrays import Array, check_values, named
from chorus_bench.io.safe_pickle._machine import Machine
from chorus_bench.io.safe_pickle._values import (
    Budget,
    Build,
    Named,
    arguments,
    as_int,
    as_shape,
    damaged,
)

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_ZIP_MAGIC = b"PK\x03\x04"
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
    struct.error,
)
_BFLOAT16 = "bfloat16"

_STORAGES = {
    "BFloat16Storage": _BFLOAT16,
    "BoolStorage": "?",
    "ByteStorage": "u1",
    "CharStorage": "i1",
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "IntStorage": "i4",
    "LongStorage": "i8",
    "ShortStorage": "i2",
    "UntypedStorage": "u1",
}
_NEW_DTYPES = {"uint16": "u2", "uint32": "u4", "uint64": "u8"}

_STORAGE_TABLE: Mapping[tuple[str, str], Named] = {
    (module, name): Named(f"{module}.{name}", dtype=dtype)
    for module in ("torch", "torch.cuda", "torch.storage")
    for name, dtype in _STORAGES.items()
}


@dataclass(frozen=True, slots=True)
class _Storage:
    """The raw bytes of tensors, and how a torch.save file names them."""

    key: str
    dtype: str
    count: int
    raw: bytes | memoryview = b""
    order: str = "<"

    def size(self) -> int:
        """Return the number of bytes the storage should have."""
        return self.count * _numpy_type(self.dtype, self.order).itemsize


def _numpy_type(dtype: str, order: str) -> np.dtype[np.generic]:
    return np.dtype(order + ("u2" if dtype == _BFLOAT16 else dtype))


def _reference(identifier: object) -> _Storage:
    """Return the storage, still without bytes, that a persistent identifier names."""
    if not isinstance(identifier, tuple) or len(identifier) not in (5, 6):
        raise damaged("a torch storage with an unknown identifier")
    word, kind, key, _location, count, *view = identifier
    if not isinstance(word, str) or word != "storage":
        raise damaged("a torch object of an unknown kind")
    if not isinstance(kind, Named) or kind.dtype is None or any(view):
        raise damaged("a torch storage of an unknown kind")
    if not isinstance(key, str):
        raise damaged("a torch storage without a name")
    return _Storage(key, kind.dtype, as_int(count, "the size of a torch storage"))


def _read_pickle(raw: bytes, position: int, budget: Budget) -> tuple[object, int]:
    machine = Machine(raw, _STORAGE_TABLE, budget, persistent=_reference, position=position)
    return machine.run(), machine.position


def _load_from_bytes(budget: Budget, args: tuple[object, ...]) -> _Storage:
    """Return the only storage in the bytes of a torch.save file."""
    (raw,) = arguments("torch.storage._load_from_bytes", args, 1)
    if isinstance(raw, str):
        raw = raw.encode("latin-1")
    if not isinstance(raw, bytes):
        raise damaged("torch.storage._load_from_bytes of something that is not bytes")
    budget.take(len(raw))
    return _read_zip(raw, budget) if raw.startswith(_ZIP_MAGIC) else _read_legacy(raw, budget)


def _read_legacy(raw: bytes, budget: Budget) -> _Storage:
    """Read pickles of a magic number, a version, the system and the storage, its key, its bytes."""
    magic, position = _read_pickle(raw, 0, budget)
    version, position = _read_pickle(raw, position, budget)
    if magic != _LEGACY_MAGIC or version != _LEGACY_PROTOCOL:
        raise damaged("a torch storage in an unknown file format")
    _system, position = _read_pickle(raw, position, budget)
    storage, position = _read_pickle(raw, position, budget)
    keys, position = _read_pickle(raw, position, budget)
    if not isinstance(storage, _Storage) or keys != [storage.key]:
        raise damaged("a torch storage file with something other than one storage")
    count = int.from_bytes(raw[position : position + 8], "little")
    values = memoryview(raw)[position + 8 :]
    if count != storage.count or len(values) != storage.size():
        raise damaged(f"a torch storage of {storage.count} values in {len(values)} bytes")
    return _Storage(storage.key, storage.dtype, storage.count, values)


def _read_zip(raw: bytes, budget: Budget) -> _Storage:
    """Read the storage of a zip file with data.pkl, data/0 and possibly byteorder."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            records = {item.filename.partition("/")[2]: item for item in archive.infolist()}
            storage, _ = _read_pickle(_record(archive, records, "data.pkl"), 0, budget)
            if not isinstance(storage, _Storage):
                raise damaged("a torch storage file with something other than one storage")
            values = _record(archive, records, f"data/{storage.key}")
            order = "little"
            if "byteorder" in records:
                order = _record(archive, records, "byteorder").decode("ascii", "replace")
    except InputError:
        raise
    except _ZIP_ERRORS as error:
        raise damaged("a torch storage in a broken zip file") from error
    if order not in ("little", "big") or len(values) != storage.size():
        raise damaged(f"a torch storage of {storage.count} values in {len(values)} bytes")
    sign = "<" if order == "little" else ">"
    return _Storage(storage.key, storage.dtype, storage.count, values, sign)


def _record(archive: zipfile.ZipFile, records: dict[str, zipfile.ZipInfo], name: str) -> bytes:
    """Return one file of a torch zip. torch never compresses them, so zip bombs are refused."""
    item = records.get(name)
    if item is None:
        raise damaged(f"a torch storage file without {name}")
    if item.compress_type != zipfile.ZIP_STORED or item.flag_bits & 1:
        raise damaged("a torch storage file that is compressed or encrypted")
    return archive.read(item)


# Tensors


def _tensor_v2(budget: Budget, args: tuple[object, ...]) -> Array:
    storage, offset, size, stride, *rest = arguments("_rebuild_tensor_v2", args, 6, 7)
    if not isinstance(storage, _Storage):
        raise damaged("a torch tensor without a storage")
    return _tensor(budget, storage, storage.dtype, offset, size, stride, rest[2:])


def _tensor_v3(budget: Budget, args: tuple[object, ...]) -> Array:
    storage, offset, size, stride, *rest = arguments("_rebuild_tensor_v3", args, 7, 8)
    if not isinstance(storage, _Storage):
        raise damaged("a torch tensor without a storage")
    dtype = rest[2]
    if not isinstance(dtype, Named) or dtype.dtype is None:
        raise damaged("a torch tensor without a type")
    return _tensor(budget, storage, dtype.dtype, offset, size, stride, rest[3:])


def _tensor(
    budget: Budget,
    storage: _Storage,
    dtype: str,
    offset: object,
    size: object,
    stride: object,
    marks: list[object],
) -> Array:
    """Return a tensor as a new C-ordered array in the machine's byte order.

    bfloat16, which NumPy lacks, becomes float32 with the same values.
    """
    shape = as_shape(size, "the size of a torch tensor")
    steps = as_shape(stride, "the stride of a torch tensor")
    start = as_int(offset, "the offset of a torch tensor")
    if len(shape) != len(steps) or any(marks):
        raise damaged("a torch tensor with a lazy conjugate, or with sizes that do not fit")
    kind = _numpy_type(dtype, storage.order)
    stored = len(storage.raw) // kind.itemsize
    last = start + sum((n - 1) * step for n, step in zip(shape, steps, strict=True))
    if 0 in shape:
        return np.zeros(shape, np.float32 if dtype == _BFLOAT16 else kind.newbyteorder("="))
    if last >= stored:
        raise damaged(f"a torch tensor of size {shape} that reaches outside its storage")
    flat: Array = np.frombuffer(storage.raw, kind, stored)[start : last + 1]
    view = as_strided(flat, shape, [step * kind.itemsize for step in steps], writeable=False)
    budget.take(view.nbytes * (4 if dtype == _BFLOAT16 else 1))
    if dtype == _BFLOAT16:
        wide = view.astype(np.uint32, order="C")
        return np.left_shift(wide, 16, out=wide).view(np.float32)
    values = view.astype(kind.newbyteorder("="), order="C", copy=True)
    check_values(values)
    return values


def _parameter(budget: Budget, args: tuple[object, ...]) -> Array:
    data = arguments("_rebuild_parameter", args, 3)[0]
    if not isinstance(data, np.ndarray):
        raise damaged("a torch parameter without a tensor")
    return data


def _size(budget: Budget, args: tuple[object, ...]) -> tuple[int, ...]:
    return as_shape(arguments("torch.Size", args, 1)[0], "a torch.Size")


_ENTRIES: dict[str, Build | None] = {
    "torch Size": _size,
    "torch._utils _rebuild_parameter": _parameter,
    "torch._utils _rebuild_tensor_v2": _tensor_v2,
    "torch._utils _rebuild_tensor_v3": _tensor_v3,
    "torch.storage _load_from_bytes": _load_from_bytes,
}

TABLE: Mapping[tuple[str, str], Named] = named(_ENTRIES) | {
    ("torch", name): Named(f"torch.{name}", dtype=dtype) for name, dtype in _NEW_DTYPES.items()
}
