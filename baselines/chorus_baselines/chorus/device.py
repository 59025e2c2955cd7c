"""Votes on a device: masks, look-ups and counting stay there, the processor gets the sums.

The processor sends numbers of views and runs of masks, a few kilobytes a view. The device makes
pixels of the runs, looks every voxel up and adds the votes of a batch to its tallies. All of it is
exact (see `chorus_baselines.chorus.projection`; counts are integers), so the votes have the same
bits as the processor's. Tallies that would take too much memory go to the processor in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chorus_baselines.chorus.accumulate import Accumulator, GroupKey, Tally
from chorus_baselines.chorus.projection import HIT
from chorus_baselines.chorus.views import View
from chorus_bench.engines.devices import PROCESSOR, torch_device

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch


_PURPOSE = f"aggregating on a device other than '{PROCESSOR}'"
_VOXELS_AT_ONCE = 1 << 18
#: Most bytes of tallies on the device, and of sums of one step.
TALLY_BYTES, STEP_BYTES = 1 << 31, 1 << 28
#: Bytes of a voxel in a tally: hits and seen, 32 bits each.
_VOXEL_BYTES = 8

#: A tally's group and azimuth bin.
_Slot = tuple[GroupKey, int]


def make_accumulator(device: str) -> Callable[..., Accumulator]:
    """Return what makes the accumulator of a device: takes the arguments of `Accumulator`.

    Args:
        device: ``cpu`` for NumPy; ``auto`` for CUDA if torch and a device are available, else
            NumPy; anything else is a torch device, for example ``cuda``.

    Raises:
        InputError: an unknown or missing device.
        MissingDependencyError: torch is requested but not installed.
    """
    if device == "auto":
        device = "cuda" if _cuda_is_there() else PROCESSOR
    if device == PROCESSOR:
        return Accumulator
    return partial(DeviceAccumulator, device=torch_device(device, _PURPOSE))


class _Masks(NamedTuple):
    """The masks of a batch on the device, pixels column by column.

    Attributes:
        values: (P,) the pixels of all masks, 0 or 1.
        first: (B, 1) position of each mask's first pixel.
        height: (B, 1) in pixels.
        width: (B, 1) in pixels.
    """

    values: torch.Tensor
    first: torch.Tensor
    height: torch.Tensor
    width: torch.Tensor


@dataclass(eq=False)
class DeviceAccumulator(Accumulator):
    """Adds batches of views to tallies, on a device of torch.

    Args:
        body: the body.
        features: the voxels.
        regions: cluster name -> its regions.
        by_prompt: keep one tally per prompt.
        device: the device; it computes in float64.
    """

    device: torch.device

    def __post_init__(self) -> None:
        super().__post_init__()
        self._torch, features = import_module("torch"), self.features
        rest = features.grid.voxels - features.moving_count
        groups = ((features.moving, features.moving_count), (features.still, rest))
        self._groups = tuple((self._put(blocks), count) for blocks, count in groups)
        self._places = {
            name: [[self._put(voxels) for voxels in some] for some in region]
            for name, region in self.regions.items()
        }
        self._sums = _DeviceTallies(self._torch, self.device, features.grid.voxels)

    def look_up(self, views: Sequence[View]) -> Any:  # noqa: ANN401 - a tensor of the device
        """Return the code of every voxel in a batch of views, (B, N**3), on the device."""
        torch, matrices = self._torch, self._matrices(views)
        masks = self._masks(views)
        parts = []
        for blocks, count in self._groups:
            _, used, size = blocks.shape
            M = self._put(np.ascontiguousarray(matrices[..., :used]).reshape(-1, used))
            codes = [
                self._read_pixels(M @ some.double(), masks)
                for some in torch.split(blocks, max(_VOXELS_AT_ONCE // size, 1))
            ]
            parts += [torch.cat(codes, dim=1)[:, :count]] if codes else []
        return torch.cat(parts, dim=1)

    def add(self, views: Sequence[View], codes: Any) -> None:  # noqa: ANN401 - a tensor
        """Count a batch of views."""
        groups: dict[_Slot, list[int]] = {}
        for number, (view, inside) in enumerate(zip(views, self._clusters(codes), strict=True)):
            for key in self._keys(view, inside):
                groups.setdefault((key, view.azimuth_bin), []).append(number)
        for full in self._sums.add(groups, codes):
            self._collect(full)

    def finish(self) -> dict[GroupKey, Tally]:
        """Return the tallies, with the voxels in the order of the grid."""
        self._collect(self._sums.take())
        return super().finish()

    def _collect(self, sums: _Sums) -> None:
        for (key, azimuth_bin), hits, seen, views in sums:
            self._tally(key).add(azimuth_bin, hits, seen, views)

    def _clusters(self, codes: torch.Tensor) -> list[list[str]]:
        """Return the clusters of every view of a batch; one transfer for all of them."""
        if not self._places:
            return [[] for _ in codes]
        hit = codes == HIT
        held = self._torch.stack([self._holds(hit, *some) for some in self._places.values()])
        names = list(self._places)
        return [[names[n] for n in np.flatnonzero(column)] for column in held.cpu().numpy().T]

    def _holds(
        self, hit: torch.Tensor, passing: list[torch.Tensor], blocking: list[torch.Tensor]
    ) -> torch.Tensor:
        """Return which views of a batch belong to a cluster, (B,); see `Region.holds`."""
        held = self._torch.ones(len(hit), dtype=self._torch.bool, device=self.device)
        for voxels in passing:
            held &= hit[:, voxels].any(1)
        for voxels in blocking:
            held &= ~hit[:, voxels].any(1)
        return held

    def _masks(self, views: Sequence[View]) -> _Masks:
        """Return the masks of views, decoded on the device."""
        values = self._put(np.concatenate([view.runs.values() for view in views]))
        lengths = self._put(np.concatenate([view.runs.lengths for view in views]))
        sizes = np.array([view.size for view in views], dtype=np.int64)
        pixels = sizes[:, 0] * sizes[:, 1]
        first = self._put((np.cumsum(pixels) - pixels)[:, None])
        height, width = (self._put(side[:, None]) for side in sizes.T.copy())
        total = int(pixels.sum(dtype=np.int64))
        flat = self._torch.repeat_interleave(values, lengths, output_size=total)
        return _Masks(flat, first, height, width)

    def _read_pixels(self, pixels: torch.Tensor, masks: _Masks) -> torch.Tensor:
        """Return the codes (B, n) of homogeneous pixels (blocks, 3 B, size), truncated to zero.

        Points behind the camera are read like all others; depth zero is outside.
        """
        blocks, rows, size = pixels.shape
        views = rows // 3
        x, y, z = pixels.reshape(blocks, 3, views, size).permute(1, 2, 0, 3).reshape(3, views, -1)
        u, v = (
            self._torch.minimum((axis / z).clamp(min=-1), limit).where(z != 0, -1.0).long()
            for axis, limit in ((x, masks.width), (y, masks.height))
        )
        inside = (u >= 0) & (u < masks.width) & (v >= 0) & (v < masks.height)
        place = (masks.first + u * masks.height + v).where(inside, 0)
        code = masks.values[place] * 2 + 1
        return code * inside

    def _put(self, array: NDArray[Any]) -> torch.Tensor:
        return self._torch.from_numpy(array).to(self.device)


#: (group and bin, hits (N**3,), seen (N**3,), views) of tallies that were on a device.
_Sums = list[tuple[_Slot, NDArray[Any], NDArray[Any], int]]


class _DeviceTallies:
    """Tallies on a device, up to `TALLY_BYTES` of them."""

    def __init__(self, torch: Any, device: torch.device, voxels: int) -> None:  # noqa: ANN401
        self._torch, self._device, self._voxels = torch, device, voxels
        self._most = max(TALLY_BYTES // (_VOXEL_BYTES * voxels), 1)
        self._at_once = min(self._most, max(STEP_BYTES // (_VOXEL_BYTES * voxels), 1))
        self._slots: dict[_Slot, int] = {}
        self._views: list[int] = []
        self._tallies = self._empty(0)

    def add(self, groups: Mapping[_Slot, Sequence[int]], codes: torch.Tensor) -> Iterator[_Sums]:
        """Add votes, and yield the tallies whenever they have to make room.

        Args:
            groups: group and bin -> its views in the batch.
            codes: (B, N**3) the codes of the batch.
        """
        votes = self._torch.stack([codes >> 1, codes & 1]).float()
        names = list(groups)
        for begin in range(0, len(names), self._at_once):
            some = names[begin : begin + self._at_once]
            if len(self._slots.keys() | some) > self._most:
                yield self.take()
            chosen = np.zeros((len(some), len(codes)), dtype=np.float32)
            for row, name in enumerate(some):
                chosen[row, groups[name]] = 1
            sums = self._torch.from_numpy(chosen).to(self._device) @ votes  # (2, G, N**3), exact
            places = [self._place(name, len(groups[name])) for name in some]
            index = self._torch.tensor(places, device=self._device)
            self._tallies.index_add_(1, index, sums.int())

    def take(self) -> _Sums:
        """Return all tallies, and begin anew."""
        hits, seen = self._tallies[:, : len(self._slots)].cpu().numpy().astype(np.uint32)
        found = [(slot, hits[n], seen[n], self._views[n]) for slot, n in self._slots.items()]
        self._slots, self._views, self._tallies = {}, [], self._empty(0)
        return found

    def _place(self, slot: _Slot, views: int) -> int:
        """Return the place of a tally, and count its views."""
        place = self._slots.setdefault(slot, len(self._slots))
        if place == len(self._views):
            self._views.append(0)
        self._views[place] += views
        room = self._tallies.shape[1]
        if place >= room:
            more = self._empty(min(max(room, 8), max(self._most - room, 1)))
            self._tallies = self._torch.cat([self._tallies, more], dim=1)
        return place

    def _empty(self, count: int) -> torch.Tensor:
        shape = (2, count, self._voxels)
        return self._torch.zeros(shape, dtype=self._torch.int32, device=self._device)


def _cuda_is_there() -> bool:
    return find_spec("torch") is not None and bool(import_module("torch").cuda.is_available())
