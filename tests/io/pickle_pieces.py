"""Pickles put together by hand, instruction by instruction, and the archive of old ones."""

import io
import struct
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.io.safe_pickle import load_pickle

ARCHIVE = Path(__file__).parents[2] / "chorus_bench" / "golden" / "old_pickles.zip"
"""Pickles written by old releases of Python and its libraries; see made_with.py in it."""

with zipfile.ZipFile(ARCHIVE) as _archive:
    OLD_PICKLES = {
        name.removesuffix(".pkl"): _archive.read(name)
        for name in _archive.namelist()
        if name.endswith(".pkl")
    }

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
"""Magic number, version and (empty) system description of torch's legacy layout."""


def load(folder: Path, data: bytes):
    path = folder / "test.pkl"
    path.write_bytes(data)
    return load_pickle(path)


def refused(folder: Path, data: bytes, message: str = "") -> InputError:
    """Check that the file is refused, within seconds of work, and return the error."""
    begun = time.process_time()
    with pytest.raises(InputError, match=message) as caught:
        load(folder, data)
    assert time.process_time() - begun < 20
    assert caught.value.where == str(folder / "test.pkl")
    assert caught.value.fix
    return caught.value


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def raw_bytes(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def pack(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def call(target: bytes, *args: bytes) -> bytes:
    return target + pack(*args) + b"R"


def dtype(code: str, order: str = "<") -> bytes:
    state = pack(number(3), text(order), b"NNN", number(-1), number(-1), number(0))
    return call(name("numpy", "dtype"), text(code), b"\x89", b"\x88") + state + b"b"


def array(code: str, shape: tuple[int, ...], content: bytes) -> bytes:
    """Return the pickle of an array whose content is given as a pickle."""
    made = call(
        name("numpy.core.multiarray", "_reconstruct"),
        *(name("numpy", "ndarray"), pack(number(0)), raw_bytes(b"b")),
    )
    sizes = pack(*(number(size) for size in shape))
    return made + pack(number(1), sizes, dtype(code), b"\x89", content) + b"b"


def numbers(values: list[float], code: str = "f8") -> bytes:
    content = np.array(values, f"<{code}").tobytes()
    return array(code, (len(values),), raw_bytes(content))


def made_with_state(target: bytes, **state: bytes) -> bytes:
    items = b"".join(text(key) + value for key, value in state.items())
    return target + b")\x81}(" + items + b"ub"


def tensor(
    storage: bytes, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0
) -> bytes:
    shapes = [pack(*map(number, values)) for values in (size, stride)]
    hooks = call(name("collections", "OrderedDict"))
    target = name("torch._utils", "_rebuild_tensor_v2")
    return call(target, storage, number(offset), *shapes, b"\x89", hooks)


def storage_of(content: bytes) -> bytes:
    return call(name("torch.storage", "_load_from_bytes"), raw_bytes(content))


def identifier(kind: str = "FloatStorage", count: int = 3, word: str = "storage") -> bytes:
    parts = text(word), name("torch", kind), text("7"), text("cpu"), number(count), b"N"
    return pack(*parts) + b"Q"


def legacy(reference: bytes | None = None, count: int = 3, content: bytes = bytes(12)) -> bytes:
    keys = b"](" + text("7") + b"e."
    return MAGIC + (reference or identifier()) + b"." + keys + struct.pack("<q", count) + content


def zipped(compression: int = zipfile.ZIP_STORED, **records: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", compression) as archive:
        for key, content in records.items():
            archive.writestr("archive/" + key.replace("_", "/"), content)
    return kept.getvalue()


def zip_identifier(kind: str = "FloatStorage") -> bytes:
    parts = text("storage"), name("torch", kind), text("0"), text("cpu"), number(3)
    return pack(*parts) + b"Q."
