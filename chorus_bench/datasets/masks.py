"""Binary masks as COCO run-length encodings (RLE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pycocotools import mask as coco_mask

from chorus_bench.errors import InputError

RLE = dict[str, Any]
Int64 = NDArray[np.int64]

#: Groups of five bits in one run: 35 bits, more than any image has pixels.
_MAX_GROUPS = 7


def encode_mask(mask: ArrayLike) -> RLE:
    """Encode a mask (H, W), non-zero is on, as ``{"size": [H, W], "counts": str}``."""
    on = np.asarray(mask) != 0
    if on.ndim != 2:
        raise InputError(f"mask of shape {on.shape}", expected="(H, W)")
    rle = coco_mask.encode(np.asfortranarray(on, dtype=np.uint8))
    return {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")}


@dataclass(frozen=True, eq=False)
class MaskRuns:
    """A mask as runs of equal pixels, column by column; `decode` makes pixels of them.

    Attributes:
        height: height in pixels.
        width: width in pixels.
        lengths: lengths of the runs, the first one off; they add up to all pixels.
    """

    height: int
    width: int
    lengths: Int64

    @classmethod
    def of_mask(cls, mask: NDArray[np.uint8]) -> MaskRuns:
        """Return the runs of a mask (H, W) of 0 and 1."""
        height, width = mask.shape
        flat = mask.T.reshape(-1)
        bounds = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        lengths = np.diff(np.concatenate([[0], bounds, [flat.size]]))
        if flat[0]:
            lengths = np.concatenate([[0], lengths])
        return cls(height, width, lengths.astype(np.int64))

    def values(self, off: int = 0, on: int = 1) -> NDArray[np.uint8]:
        """Return the value of every run."""
        values = np.full(len(self.lengths), off, dtype=np.uint8)
        values[1::2] = on
        return values

    def columns(self, off: int = 0, on: int = 1) -> NDArray[np.uint8]:
        """Return the columns (W, H) of the mask, its pixels with two given values."""
        return np.repeat(self.values(off, on), self.lengths).reshape(self.width, self.height)

    def decode(self) -> NDArray[np.uint8]:
        """Return the mask (H, W) of 0 and 1."""
        return np.ascontiguousarray(self.columns().T)


def decode_mask(
    rle: Mapping[str, Any], *, size: tuple[int, int] | None = None, where: object | None = None
) -> NDArray[np.uint8]:
    """Decode an RLE into a mask (H, W) of 0 and 1; arguments and errors as for `mask_runs`."""
    return mask_runs(rle, size=size, where=where).decode()


def mask_runs(
    rle: Mapping[str, Any], *, size: tuple[int, int] | None = None, where: object | None = None
) -> MaskRuns:
    """Return the runs of an RLE, checked.

    Args:
        rle: ``{"size": [H, W], "counts": str or bytes}``.
        size: the required (height, width).
        where: place to name in the error.

    Raises:
        InputError: not an RLE, an unexpected size, or runs that do not fill the size.
    """
    height, width = _checked_size(rle, size, where)
    counts = rle["counts"].encode() if isinstance(rle["counts"], str) else rle["counts"]
    runs = _run_lengths(counts, where)
    if runs.sum(dtype=np.int64) != height * width:
        raise InputError(
            f"the runs of the mask do not add up to {height} x {width} pixels",
            where=where,
            fix="encode the mask again with pycocotools.mask.encode",
        )
    return MaskRuns(height, width, runs)


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


def _run_lengths(counts: object, where: object | None) -> Int64:
    """Return the run lengths of COCO's compressed string.

    pycocotools writes past its buffer if runs and size disagree; reading the runs here detects
    that. A run is stored in groups of five bits, lowest first, with a sign; from the third run
    on, as the difference from the run before the last (COCO's mask format).
    """
    damaged = InputError("the runs of the RLE are damaged", where=where, expected="COCO's string")
    if not isinstance(counts, bytes):
        raise damaged
    groups = np.frombuffer(counts, dtype=np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero((groups & 0x20) == 0)
    if ((groups < 0) | (groups > 63)).any():
        raise damaged
    if not len(groups):
        return np.zeros(0, dtype=np.int64)
    if not len(ends) or ends[-1] != len(groups) - 1:
        raise damaged
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _MAX_GROUPS:
        raise damaged
    shifts = 5 * (np.arange(len(groups)) - np.repeat(starts, lengths))
    runs = np.add.reduceat((groups & 0x1F) << shifts, starts)
    runs -= np.where(groups[ends] & 0x10, 1, 0) << (5 * lengths)
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    if (runs < 0).any():
        raise damaged
    return runs
