"""The entries of a prepared sample, in an order in which the largest value of each pixel is cheap.

An entry is a probe voxel that projects to a pixel. Here they are sorted by *rank*: the first entry
of every pixel, then the second of every pixel that has two, and so on, the pixels with most entries
in front. So the entries of one rank belong to the first pixels, in their order, and the maximum
over each pixel's entries is that of a few contiguous blocks, whatever is kept for an entry: one
value, or the values of several readings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Bool, Float32, Int64, UInt8
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.metrics.pap import TARGET


@dataclass(frozen=True, eq=False)
class Rays:
    """A sample's entries, sorted by rank.

    Attributes:
        shape: height and width of the image of P pixels.
        classes: (P,) uint8 class of every pixel, see `pixel_classes`.
        pixels: (p,) the pixels that have entries, those with most entries first.
        counts: the number of entries of each rank.
        columns: (3, n) float32 canonical points, one row for each axis, metres; infinite where a
            point is not finite, which is outside every field.
    """

    shape: tuple[int, int]
    classes: UInt8
    pixels: Int64
    counts: tuple[int, ...]
    columns: Float32

    @classmethod
    def of(cls, sample: PreparedSample) -> Rays:
        """Sort the entries of a sample."""
        sizes = np.diff(sample.starts, append=len(sample.points))
        most_first = np.argsort(-sizes, kind="stable")
        slots = np.empty_like(most_first)
        slots[most_first] = np.arange(len(slots))
        rank = np.arange(len(sample.points)) - np.repeat(sample.starts, sizes)
        counts = np.bincount(rank)
        places = (np.cumsum(counts) - counts)[rank]
        places += np.repeat(slots, sizes)
        columns = np.empty((3, len(rank)), dtype=np.float32)
        for column, given in zip(columns, sample.points.T, strict=True):
            column[places] = given
        np.nan_to_num(columns, copy=False, nan=np.inf, posinf=np.inf, neginf=np.inf)
        pixels = sample.pixels[most_first].astype(np.int64)
        shape = (sample.height, sample.width)
        return cls(shape, sample.classes, pixels, tuple(counts.tolist()), columns)

    @property
    def on_target(self) -> Bool:
        """Which of ``pixels`` are on the target, (p,)."""
        return (self.classes[self.pixels] & TARGET) > 0

    def largest(self, values: NDArray[Any], width: int = 1) -> NDArray[Any]:
        """Return the largest value on each of ``pixels``, (..., p * width).

        Args:
            values: (..., n * width), ``width`` neighbouring values for each entry.
            width: the largest is found for each of them.
        """
        top = values[..., : len(self.pixels) * width].copy()
        begin = len(self.pixels) * width
        for count in self.counts[1:]:
            part, end = top[..., : count * width], begin + count * width
            np.maximum(part, values[..., begin:end], out=part)
            begin = end
        return top

    def image(self, values: NDArray[Any], nothing: float = -np.inf) -> NDArray[Any]:
        """Return the largest value on each pixel of the image, (P,).

        Args:
            values: (n,) a value for each entry.
            nothing: the value of a pixel without entries.
        """
        image = np.full(len(self.classes), nothing, dtype=values.dtype)
        image[self.pixels] = self.largest(values)
        return image
