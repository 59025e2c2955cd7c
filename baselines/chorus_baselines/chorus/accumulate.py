"""Counting votes: integers per azimuth bin, for every prompt and semantic cluster.

Integers add up to the same bits in any order. The weights of the azimuth bins are applied last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chorus_baselines.chorus.projection import HIT, NumpyProjector, VoxelFeatures, view_matrices
from chorus_baselines.chorus.views import View
from chorus_bench.array_types import Int64, UInt8
from chorus_bench.boundary import checked
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.camera import AZIMUTH_BINS

Unsigned = NDArray[np.unsignedinteger[Any]]


@checked
class Counts(NamedTuple):
    """Votes per azimuth bin.

    Attributes:
        hits: (12, N**3) number of views of the bin with the voxel on the mask.
        seen: (12, N**3) number of views of the bin with the voxel inside the image.
        views: (12,) number of views of the bin.
    """

    hits: Unsigned
    seen: Unsigned
    views: Int64


@dataclass(eq=False)
class Tally:
    """Votes of one group of views. Only bins with views take space, in the smallest integers.

    Args:
        voxels: N**3.
        views: (12,) views per azimuth bin.
        hits: bin -> (N**3,) unsigned.
        seen: bin -> (N**3,) unsigned.
    """

    voxels: int
    views: Int64 = field(default_factory=lambda: np.zeros(AZIMUTH_BINS, dtype=np.int64))
    hits: dict[int, Unsigned] = field(default_factory=dict)
    seen: dict[int, Unsigned] = field(default_factory=dict)

    def add(self, azimuth_bin: int, hit: Unsigned, seen: Unsigned, views: int = 1) -> None:
        """Count views of one bin.

        Args:
            azimuth_bin: 0 to 11.
            hit: (N**3,) number of these views with the voxel on the mask.
            seen: (N**3,) number of these views with the voxel inside the image.
            views: number of these views.
        """
        self.views[azimuth_bin] += views
        dtype = np.min_scalar_type(max(int(self.views[azimuth_bin]), 1 << 8))
        for votes, new in ((self.hits, hit), (self.seen, seen)):
            old = votes.get(azimuth_bin)
            if old is None:
                votes[azimuth_bin] = new.astype(dtype)
            else:
                votes[azimuth_bin] = old = old.astype(dtype, copy=False)
                old += new

    def counts(self) -> Counts:
        """Return all bins as arrays."""
        arrays = np.zeros((2, AZIMUTH_BINS, self.voxels), dtype=np.uint32)
        for array, votes in zip(arrays, (self.hits, self.seen), strict=True):
            for azimuth_bin, values in votes.items():
                array[azimuth_bin] = values
        return Counts(arrays[0], arrays[1], self.views.copy())

    def __add__(self, other: Tally) -> Tally:
        total = Tally(self.voxels)
        for tally in (self, other):
            for azimuth_bin, hits in tally.hits.items():
                views = int(tally.views[azimuth_bin])
                total.add(azimuth_bin, hits, tally.seen[azimuth_bin], views)
        return total

    def reorder(self, order: Int64) -> None:
        """Move the votes from place n to voxel ``order[n]``, for all n."""
        for votes in (self.hits, self.seen):
            for azimuth_bin, values in votes.items():
                votes[azimuth_bin] = np.empty_like(values)
                votes[azimuth_bin][order] = values


class Region(NamedTuple):
    """A semantic cluster's interaction regions, as places in the voxel order."""

    passing: tuple[Int64, ...]
    blocking: tuple[Int64, ...]

    def holds(self, codes: UInt8) -> bool:
        """Whether a view with these codes (N**3,) belongs to the cluster."""
        return all((codes[voxels] == HIT).any() for voxels in self.passing) and not any(
            (codes[voxels] == HIT).any() for voxels in self.blocking
        )


#: (prompt, cluster): None stands for "not distinguished" and for "all views".
GroupKey = tuple[str | None, str | None]


@dataclass(eq=False)
class Accumulator:
    """Adds batches of views to tallies, on the processor.

    Args:
        body: the body.
        features: the voxels.
        regions: cluster name -> its regions.
        by_prompt: keep one tally per prompt.
    """

    body: BodyModel
    features: VoxelFeatures
    regions: Mapping[str, Region]
    by_prompt: bool

    def __post_init__(self) -> None:
        self._tallies: dict[GroupKey, Tally] = {}
        self._projector = NumpyProjector(self.features)

    def look_up(self, views: Sequence[View]) -> UInt8:
        """Return the code of every voxel in a batch of views, (B, N**3); for any thread."""
        return self._projector.look_up(self._matrices(views), views)

    def add(self, views: Sequence[View], codes: UInt8) -> None:
        """Count a batch of views."""
        for view, seen_by_view in zip(views, codes, strict=True):
            seen = seen_by_view & np.uint8(1)
            hit = seen_by_view >> np.uint8(1)
            inside = [name for name, region in self.regions.items() if region.holds(seen_by_view)]
            for key in self._keys(view, inside):
                self._tally(key).add(view.azimuth_bin, hit, seen)

    def finish(self) -> dict[GroupKey, Tally]:
        """Return the tallies, with the voxels in the order of the grid."""
        for tally in self._tallies.values():
            tally.reorder(self.features.order)
        return self._tallies

    def _matrices(self, views: Sequence[View]) -> NDArray[np.float64]:
        return view_matrices(views, self.body, self.features.grid)

    def _keys(self, view: View, clusters: Sequence[str]) -> list[GroupKey]:
        prompt = view.prompt if self.by_prompt else None
        return [(prompt, cluster) for cluster in (None, *clusters)]

    def _tally(self, key: GroupKey) -> Tally:
        return self._tallies.setdefault(key, Tally(self.features.grid.voxels))
