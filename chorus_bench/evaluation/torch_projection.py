"""From a field to the occupancy images that PAP compares, in torch, for training loops.

What does not depend on the field (posing, warp, camera, masks) is prepared once with NumPy, as for
an evaluation. What remains is a gather and a maximum per pixel: the same values as the evaluation's
to the last bit, and differentiable in the field. The gradient of a pixel goes to the voxel that is
its maximum, in equal parts if there are several; masks and pixels have none.

Needs the extra ``torch``.

Source: docs/protocol.md P12 to P18 and P20.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from chorus_bench.boundary import checked
from chorus_bench.datasets.bodies import BodySource, body_for
from chorus_bench.datasets.eval_split import EvalSample, EvalSplit, load_split
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.evaluation.cache import GeometryCache
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.metrics.protocol import OFFICIAL, Protocol

try:
    import torch
    from torch import Tensor
except ImportError as error:
    raise MissingDependencyError(
        "torch", extra="torch", purpose="occupancy images of fields in a training loop"
    ) from error

_GRID = GridSpec()


@checked
@displayed
@dataclass(frozen=True, eq=False)
class Projection:
    """How a field appears in the small image of one sample.

    Attributes:
        sample_id: id of the sample.
        category: category of its object.
        grid: the grid of the fields.
        voxels: (n,) int64 flat voxel that each entry reads; ``grid.voxels`` is outside: 0.
        pixels: (n,) int64 flat pixel of each entry, ascending.
        target: (h, w) uint8 small object mask.
        human: (h, w) uint8 small human mask.
    """

    sample_id: str
    category: str
    grid: GridSpec
    voxels: Tensor
    pixels: Tensor
    target: Tensor
    human: Tensor

    @classmethod
    @checked
    def of(
        cls,
        sample: EvalSample,
        prepared: PreparedSample,
        grid: GridSpec = _GRID,
        *,
        posed: bool = False,
        protocol: Protocol = OFFICIAL,
    ) -> Projection:
        """Return the projection of one sample.

        Args:
            sample: the test sample.
            prepared: its geometry, see `chorus_bench.evaluation.prepare.prepare_sample`.
            grid: the grid of the fields.
            posed: the fields are in the posed space of the sample, not the canonical one.
            protocol: gives the probe grid.
        """
        probes = protocol.grid.centers()[prepared.voxels]
        read = grid.indices(probes if posed else prepared.points)
        counts = np.diff(np.append(prepared.starts, len(prepared.voxels)))
        pixels = np.repeat(prepared.pixels.astype(np.int64), counts)
        return cls(
            sample_id=sample.sample_id,
            category=sample.category,
            grid=grid,
            voxels=torch.from_numpy(read.astype(np.int64)),
            pixels=torch.from_numpy(pixels),
            target=torch.from_numpy(prepared.target.copy()),
            human=torch.from_numpy(prepared.human.copy()),
        )

    @checked
    def to(self, device: str | torch.device) -> Projection:
        """Return the same on a torch device.

        Raises:
            InputError: no such device.
        """
        try:
            torch.zeros(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise InputError(
                f"device {device!s}: {str(error).splitlines()[0]}", expected="cpu or cuda"
            ) from error
        names = ("voxels", "pixels", "target", "human")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    @checked
    def image(self, field: Tensor) -> Tensor:
        """Return the occupancy image of a field.

        Args:
            field: (N, N, N) probabilities on ``grid``, on the device of the projection.

        Returns:
            (h, w) the largest probability among the voxels that project to each pixel, of the
            field's type; minus infinity where none does.

        Raises:
            InputError: a field of another shape.
        """
        if tuple(field.shape) != self.grid.shape:
            raise InputError(
                f"a field of shape {tuple(field.shape)}",
                expected=f"{self.grid.shape}, as the projection was made for",
                fix="make the projections with grid=GridSpec(resolution=...)",
            )
        values = torch.cat([field.reshape(-1), field.new_zeros(1)])[self.voxels]
        empty = field.new_full((self.target.numel(),), -torch.inf)
        image = empty.scatter_reduce(0, self.pixels, values, "amax", include_self=False)
        return image.reshape(self.target.shape)


@checked
def projections(
    split: str | Path | EvalSplit,
    *,
    grid: GridSpec = _GRID,
    posed: bool = False,
    categories: str | Sequence[str] | None = None,
    body: BodySource = None,
    protocol: Protocol = OFFICIAL,
    cache: str | Path | None = None,
    device: str | torch.device = "cpu",
) -> Iterator[Projection]:
    """Yield the projection of every sample of a split, by category and sample id.

    The geometry is taken from the cache, where an evaluation leaves it, or prepared and left there.

    Args:
        split: the split; see `load_split`.
        grid: the grid of the fields.
        posed: the fields are in the posed space of each sample.
        categories: only these.
        body: the body of the split's poses; by default the free body.
        protocol: gives probe grid, skinning and image size.
        cache: folder for prepared geometry; by default the user's cache.
        device: where the tensors are put.

    Raises:
        InputError: anything wrong with the split or the body.
    """
    loaded = load_split(split)
    model = body_for(loaded.body, body, f"split '{loaded.name}'")
    folder = None if cache is None else Path(cache)
    prepared = GeometryCache(loaded.select(categories), model, protocol, folder)
    for batch in prepared.batches:
        for sample, geometry in zip(batch.samples, prepared.prepared(batch), strict=True):
            one = Projection.of(sample, geometry, grid, posed=posed, protocol=protocol)
            yield one.to(device)
