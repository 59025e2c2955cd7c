"""Binary masks as COCO run-length encodings (RLE)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pycocotools import mask as coco_mask

from chorus_bench.errors import InputError

RLE = dict[str, Any]


def encode_mask(mask: ArrayLike) -> RLE:
    """Encode a mask (H, W), non-zero is on, as ``{"size": [H, W], "counts": str}``."""
    on = np.asarray(mask) != 0
    if on.ndim != 2:
        raise InputError(f"mask of shape {on.shape}", expected="(H, W)")
    rle = coco_mask.encode(np.asfortranarray(on, dtype=np.uint8))
    return {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")}


def decode_mask(
    rle: Mapping[str, Any], *, size: tuple[int, int] | None = None, where: object | None = None
) -> NDArray[np.uint8]:
    """Decode an RLE into a mask (H, W) of 0 and 1.

    Args:
        rle: ``{"size": [H, W], "counts": str or bytes}``.
        size: the (height, width) that it must have.
        where: named in the error.

    Raises:
        InputError: not an RLE, another size than expected, or runs that do not fill the size.
    """
    height, width = _checked_size(rle, size, where)
    counts = rle["counts"].encode() if isinstance(rle["counts"], str) else rle["counts"]
    if _run_total(counts, where) != height * width:
        raise InputError(
            f"the runs of the mask do not add up to {height} x {width} pixels",
            where=where,
            fix="encode the mask again with pycocotools.mask.encode",
        )
    return np.ascontiguousarray(coco_mask.decode({"size": [height, width], "counts": counts}))


def _checked_size(
    rle: Mapping[str, Any], size: tuple[int, int] | None, where: object | None
) -> tuple[int, int]:
    if not isinstance(rle, Mapping) or not {"size", "counts"} <= set(rle):
        raise InputError(
            "not a COCO RLE", where=where, expected='{"size": [height, width], "counts": str}'
        )
    found = tuple(int(n) for n in rle["size"])
    if len(found) != 2 or min(found) < 1:
        raise InputError(f"RLE of size {list(found)}", where=where, expected="[height, width]")
    if size is not None and found != tuple(size):
        raise InputError(
            f"mask of {found[0]} x {found[1]} pixels (height x width)",
            where=where,
            expected=f"the image's {size[0]} x {size[1]}",
        )
    return found[0], found[1]


def _run_total(counts: bytes, where: object | None) -> int:
    """Return the number of pixels that compressed runs cover.

    pycocotools writes past its buffer when runs and size disagree, so they are added up first.
    A run is stored in groups of five bits, low first, with a sign, from the third run on as the
    difference to the run before last (COCO's mask format).
    """
    if not isinstance(counts, bytes) or any(not 48 <= c < 112 for c in counts):
        raise InputError("the runs of the RLE are damaged", where=where, expected="COCO's string")
    runs: list[int] = []
    value = shift = 0
    for character in counts:
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift or any(run < 0 for run in runs):
        raise InputError("the runs of the RLE are damaged", where=where, expected="COCO's string")
    return sum(runs)
