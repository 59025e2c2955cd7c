"""The cache of prepared test geometry.

A split is divided into batches of a few samples. Each batch has two kinds of files, both written
atomically and marked with the key of their inputs:

* ``geometry``: for each probe voxel in the image whether it moves, and then its canonical point;
* ``lookup-<grid>``: for each entry the index of the voxel to read in a submission's grid.

An entry is one probe voxel that projects into the image of one sample; entries are sorted by
sample and pixel. Scoring a submission needs only the lookup; for a new grid, the lookup is derived
from the geometry, without posing. `chorus_bench.evaluation.packing` says how they are kept small.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.samples import EvalSample
from chorus_bench.errors import InputError
from chorus_bench.evaluation.packing import (
    join_entries,
    pack_geometry,
    pack_lookup,
    unpack_geometry,
    unpack_lookup,
)
from chorus_bench.evaluation.prepare import PreparedSample, prepare_sample
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.cache import (
    GEOMETRY_FOLDER,
    NoCacheError,
    cache_folder,
    make_cache_folder,
    without_cache,
)
from chorus_bench.io.files import WriteError
from chorus_bench.io.mapped_arrays import Arrays, DamagedFileError, read_arrays, write_arrays
from chorus_bench.metrics.protocol import Protocol

log = logging.getLogger(__name__)

#: Version of how files are packed; those of another one are prepared again and replaced.
_FORMAT = "3"

Track = Literal["canonical", "posed"]

BATCH_SIZE = 16
#: What a progress bar says while geometry is computed that later runs find in the cache.
PREPARING = "Preparing test geometry, once for this split"
#: Changes whenever the computation of the files' contents changes; then no old file is found.
CACHE_VERSION = 1


@dataclass(frozen=True, eq=False)
class Lookup:
    """The lookup of a few samples: everything that scoring them needs.

    Attributes:
        index: (n,) int32 voxel of the submission's grid that each entry reads; one past the
            last voxel for "outside".
        bounds: (S + 1,) int64 where each sample's entries begin.
        starts: (p,) int64 where each pixel's entries begin; every pixel has entries.
        pixels: (p,) int64 position of each pixel in ``classes``.
        classes: (q,) uint8 class of every pixel of every sample, 1 for target plus 2 for human.
        images: (S + 1,) int64 where each sample's pixels begin in ``classes``.
        sizes: (S, 2) int32 height and width of the small images.
    """

    index: NDArray[np.int32]
    bounds: NDArray[np.int64]
    starts: NDArray[np.int64]
    pixels: NDArray[np.int64]
    classes: NDArray[np.uint8]
    images: NDArray[np.int64]
    sizes: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class SampleBatch:
    """A few samples of one category, prepared and kept together.

    Attributes:
        category: category of every sample.
        samples: at most `BATCH_SIZE` samples, in the order of scoring.
        key: fingerprint of samples, body and protocol.
    """

    category: str
    samples: tuple[EvalSample, ...]
    key: str


class GeometryCache:
    """Prepared geometry of some samples with one body under one protocol.

    Args:
        samples: the samples; batches do not mix categories, so an evaluation of some categories
            can use what one of all categories has prepared.
        body: the body that is posed.
        protocol: grid, skinning and image size.
        folder: where files are kept; the user's cache by default. Where it cannot be used, the
            log says so once, nothing is kept, and everything goes on.
        stage: called with what is being done when the first sample must be prepared.
        device: where samples are prepared, see `warp_backward`; the same bits.
    """

    def __init__(
        self,
        samples: Sequence[EvalSample],
        body: BodyModel,
        protocol: Protocol,
        folder: Path | None = None,
        stage: Callable[[str], None] = lambda name: None,
        device: str = "cpu",
    ) -> None:
        self.body, self.protocol, self._device = body, protocol, device
        self._stage, self._preparing = stage, False
        self._giving_up = Lock()
        self.folder = self._find_folder(folder)
        self.batches = tuple(self._cut(samples))

    def _find_folder(self, folder: Path | None) -> Path | None:
        try:
            return (cache_folder() if folder is None else folder) / GEOMETRY_FOLDER
        except NoCacheError as error:
            self._go_on_without(error)
            return None

    def _go_on_without(self, error: InputError) -> None:
        log.warning("Prepared geometry is not kept for the next run: %s", without_cache(error))
        self.folder = None

    def _cut(self, samples: Sequence[EvalSample]) -> Iterator[SampleBatch]:
        p = self.protocol
        settings = f"{self.body.fingerprint};{p.grid.label};{p.skinning.label};{p.image_side}"
        for category, group in itertools.groupby(samples, key=lambda s: s.category):
            members = tuple(group)
            for begin in range(0, len(members), BATCH_SIZE):
                chosen = members[begin : begin + BATCH_SIZE]
                sha = hashlib.sha256(f"{CACHE_VERSION};{settings};".encode())
                for sample in chosen:
                    sha.update(sample.digest())
                yield SampleBatch(category, chosen, sha.hexdigest()[:32])

    def load(
        self,
        batch: SampleBatch,
        grid: GridSpec,
        track: Track,
        on_sample: Callable[[], None] = lambda: None,
    ) -> Lookup:
        """Return the lookup of a batch; compute what is missing or damaged.

        Args:
            batch: one of `batches`.
            grid: the submission's grid.
            track: ``canonical`` reads at the canonical points, ``posed`` at the voxel centres.
            on_sample: called before each sample that must be prepared; it may raise.
        """
        kind = _lookup_kind(grid, track)
        stored = self._read(batch, kind)
        if stored is not None:
            return Lookup(**unpack_lookup(stored))
        arrays = self._make_lookup(self._geometry(batch, on_sample), grid, track)
        self._keep(batch, kind, pack_lookup(arrays))
        return Lookup(**arrays)

    def holds(self, batch: SampleBatch, grid: GridSpec, track: Track) -> bool:
        """Whether there is a file with the lookup of a batch; for arguments see `load`."""
        return self._read(batch, _lookup_kind(grid, track)) is not None

    def ensure(self, batch: SampleBatch, on_sample: Callable[[], None] = lambda: None) -> None:
        """Compute the geometry of a batch if it is missing or damaged; for arguments see `load`."""
        if self._read(batch, "geometry") is None:
            self._geometry(batch, on_sample)

    def prepared(self, batch: SampleBatch) -> tuple[PreparedSample, ...]:
        """Return the prepared samples of a batch; compute what is missing or damaged."""
        return _split(self._geometry(batch, lambda: None), self.protocol.grid)

    def _make_lookup(self, geometry: Arrays, grid: GridSpec, track: Track) -> Arrays:
        probes = self.protocol.grid
        if track == "canonical":
            points = _canonical_points(geometry, probes)
        else:
            points = probes.centers()[geometry["voxels"]].astype(np.float32)
        index = grid.indices(points)
        shared = ("bounds", "starts", "pixels", "classes", "images", "sizes")
        return {"index": index, **{key: geometry[key] for key in shared}}

    def _geometry(self, batch: SampleBatch, on_sample: Callable[[], None]) -> Arrays:
        stored = self._read(batch, "geometry")
        if stored is not None:
            return unpack_geometry(stored, batch.samples, self.protocol)
        arrays = self._prepare(batch, on_sample)
        self._keep(batch, "geometry", pack_geometry(arrays, self.protocol.grid.voxels))
        return arrays

    def _prepare(self, batch: SampleBatch, on_sample: Callable[[], None]) -> Arrays:
        if not self._preparing:
            self._preparing = True
            self._stage(PREPARING)
        prepared = []
        for sample in batch.samples:
            on_sample()
            prepared.append(prepare_sample(sample, self.body, self.protocol, device=self._device))
        return _join(prepared, self.protocol.grid)

    def _keep(self, batch: SampleBatch, kind: str, arrays: Arrays) -> None:
        """Write a file of the cache; after the first that cannot be, none is tried any more."""
        folder = self.folder
        if folder is None:
            return
        try:
            make_cache_folder(folder)
            write_arrays(_path(folder, batch, kind), arrays, _metadata(batch, kind))
        except WriteError as error:
            with self._giving_up:
                if self.folder is not None:
                    self._go_on_without(error)

    def _read(self, batch: SampleBatch, kind: str) -> Arrays | None:
        folder = self.folder
        if folder is None:
            return None
        path = _path(folder, batch, kind)
        try:
            arrays, metadata = read_arrays(path)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None  # where that is a fault, writing says so
        except (DamagedFileError, OSError) as error:
            log.warning("Recomputing a damaged cache file: %s", error)
            return None
        if metadata.get("format") != _FORMAT:
            return None  # of another version: replaced
        if (metadata.get("key"), metadata.get("kind")) != (batch.key, kind):
            log.warning("Recomputing a cache file with other contents: %s", path)
            return None
        return arrays


def _path(folder: Path, batch: SampleBatch, kind: str) -> Path:
    return folder / batch.key[:2] / f"{batch.key}-{kind}.bin"


def _metadata(batch: SampleBatch, kind: str) -> dict[str, str]:
    return {"key": batch.key, "kind": kind, "format": _FORMAT}


def _lookup_kind(grid: GridSpec, track: Track) -> str:
    name = f"lookup-{track}-{grid.label}"
    return name if len(name) < 60 else f"lookup-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _join(prepared: Sequence[PreparedSample], probes: GridSpec) -> Arrays:
    """Concatenate prepared samples, with shifted indices."""
    joined = join_entries(prepared)
    points = np.concatenate([p.points for p in prepared])
    still = probes.centers()[joined["voxels"]].astype(np.float32)
    moving = np.flatnonzero((points != still).any(axis=1))
    return {
        **joined,
        "moving": moving.astype(np.int32),
        "points": points[moving],
        "classes": np.concatenate([p.classes for p in prepared]),
    }


def _canonical_points(geometry: Arrays, probes: GridSpec) -> NDArray[np.float32]:
    """Return the canonical point of every entry, (n, 3) metres."""
    points = probes.centers().astype(np.float32).take(geometry["voxels"], axis=0)
    points[geometry["moving"]] = geometry["points"]
    return points


def _split(geometry: Arrays, probes: GridSpec) -> tuple[PreparedSample, ...]:
    """Undo `_join`."""
    points = _canonical_points(geometry, probes)
    bounds, images = geometry["bounds"], geometry["images"]
    first = np.searchsorted(geometry["pixels"], images)  # each sample's first pixel
    samples = []
    for i, (height, width) in enumerate(geometry["sizes"].tolist()):
        pixels = slice(first[i], first[i + 1])
        entries = slice(bounds[i], bounds[i + 1])
        samples.append(
            PreparedSample(
                height=height,
                width=width,
                classes=geometry["classes"][images[i] : images[i + 1]],
                pixels=(geometry["pixels"][pixels] - images[i]).astype(np.int32),
                starts=geometry["starts"][pixels] - bounds[i],
                voxels=geometry["voxels"][entries],
                points=points[entries],
            )
        )
    return tuple(samples)
