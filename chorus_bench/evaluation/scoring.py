"""Scoring: from a submission's fields and prepared geometry to pixel histograms."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np

from chorus_bench.array_types import Float32, Int64, UInt8
from chorus_bench.engines.threads import in_order
from chorus_bench.errors import InputError
from chorus_bench.evaluation.cache import GeometryCache, Lookup, SampleBatch
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.metrics.pap import occupancy_levels
from chorus_bench.metrics.protocol import Protocol
from chorus_bench.progress import Progress
from chorus_bench.submission import Submission


class Cancelled(Exception):  # noqa: N818 - not an error: somebody pressed Ctrl-C
    """The evaluation was stopped; prepared geometry is kept."""


def level_table(field: OccupancyGrid, protocol: Protocol) -> UInt8:
    """Return the number of thresholds that each voxel reaches, (N**3 + 1,) uint8.

    The last entry is read for points outside the grid: probability 0. The level of a maximum is
    the maximum of the levels, so an evaluation gathers one byte per voxel.

    Args:
        field: a submission's field.
        protocol: gives the thresholds, at most 255.
    """
    if len(protocol.thresholds) > 255:
        raise InputError(f"{len(protocol.thresholds)} thresholds", expected="at most 255")
    values = np.append(field.values.reshape(-1), np.float32(0))
    levels = occupancy_levels(values, protocol.thresholds)
    return levels.astype(np.uint8)


def lookup_histogram(lookup: Lookup, tables: UInt8 | Sequence[UInt8], thresholds: int) -> Int64:
    """Return the pixels of each sample by class and level, (S, 4, T + 1).

    Args:
        lookup: prepared geometry.
        tables: one level table for all samples (canonical track) or one per sample (posed).
        thresholds: T.
    """
    levels = _read_levels(lookup, tables)
    image = np.zeros(len(lookup.classes), dtype=np.uint8)
    if len(lookup.starts):
        image[lookup.pixels] = np.maximum.reduceat(levels, lookup.starts)
    samples = len(lookup.sizes)
    sample = np.repeat(np.arange(samples), np.diff(lookup.images))
    codes = (sample * 4 + lookup.classes) * (thresholds + 1) + image
    histogram = np.bincount(codes, minlength=samples * 4 * (thresholds + 1))
    return histogram.reshape(samples, 4, thresholds + 1)


def lookup_image(lookup: Lookup, number: int, field: OccupancyGrid | None) -> Float32:
    """Return a sample's occupancy image, (h, w); minus infinity where nothing projects.

    Args:
        lookup: prepared geometry for the field's grid.
        number: the sample's place in it.
        field: the field; without one nothing projects.
    """
    height, width = lookup.sizes[number].tolist()
    image = np.full(height * width, -np.inf, dtype=np.float32)
    begin, end = lookup.bounds[number : number + 2].tolist()
    if field is not None and end > begin:
        first, last = np.searchsorted(lookup.starts, (begin, end))
        values = np.append(field.values.reshape(-1), np.float32(0)).take(lookup.index[begin:end])
        places = lookup.pixels[first:last] - lookup.images[number]
        image[places] = np.maximum.reduceat(values, lookup.starts[first:last] - begin)
    return image.reshape(height, width)


def _read_levels(lookup: Lookup, tables: UInt8 | Sequence[UInt8]) -> UInt8:
    if isinstance(tables, np.ndarray):
        table: UInt8 = tables
        return table.take(lookup.index)
    parts = [
        table.take(lookup.index[begin:end])
        for table, begin, end in zip(tables, lookup.bounds[:-1], lookup.bounds[1:], strict=True)
    ]
    return np.concatenate(parts)


def score_batches(
    submission: Submission,
    cache: GeometryCache,
    wanted: Sequence[SampleBatch],
    *,
    workers: int,
    progress: Progress,
) -> Generator[tuple[SampleBatch, Int64], None, None]:
    """Yield the histograms of each batch, in the given order.

    Args:
        submission: the submission with the fields.
        cache: prepared geometry.
        wanted: the batches to score.
        workers: number of threads that prepare geometry.
        progress: called after every sample.
    """
    tables = FieldTables(submission, cache.protocol)
    thresholds = len(cache.protocol.thresholds)
    loaded = load_lookups(cache, wanted, submission, workers=workers, progress=progress)
    with closing(loaded):
        for batch, lookup in loaded:
            yield batch, lookup_histogram(lookup, tables.of(batch), thresholds)


def load_lookups(
    cache: GeometryCache,
    wanted: Sequence[SampleBatch],
    submission: Submission,
    *,
    workers: int,
    progress: Progress,
) -> Generator[tuple[SampleBatch, Lookup], None, None]:
    """Yield each batch with its lookup, in the given order; few are in memory at once.

    Geometry that is not in the cache is prepared by ``workers`` threads (the nearest-neighbour
    search and the sparse products run outside Python's lock).

    Args:
        cache: prepared geometry.
        wanted: the batches.
        submission: gives the grids, and where its fields are read.
        workers: number of threads.
        progress: called after every sample.
    """
    stop = threading.Event()
    done = _Counter(progress, sum(len(batch.samples) for batch in wanted))

    def load(batch: SampleBatch) -> Lookup:
        prepared = 0

        def on_sample() -> None:
            nonlocal prepared
            if stop.is_set():
                raise Cancelled
            done.add(1 if prepared else 0)
            prepared += 1

        lookup = cache.load(batch, submission.grid_of(batch.category), submission.track, on_sample)
        done.add(len(batch.samples) - max(0, prepared - 1))
        return lookup

    yield from in_order(load, wanted, workers, stop=stop.set)


class FieldTables:
    """The level tables of a submission, one category in memory at a time."""

    def __init__(self, submission: Submission, protocol: Protocol) -> None:
        self._submission, self._protocol = submission, protocol
        self._category: str | None = None
        self._table = np.zeros(0, dtype=np.uint8)

    def of(self, batch: SampleBatch) -> UInt8 | list[UInt8]:
        """Return the table of a batch's category; on the posed track one for each sample."""
        if self._submission.track == "posed" and batch.category in self._submission.categories:
            fields = (
                self._submission.posed_field(batch.category, sample.sample_id)
                for sample in batch.samples
            )
            return [level_table(field, self._protocol) for field in fields]
        if batch.category != self._category:
            self._category, self._table = batch.category, self._canonical(batch.category)
        return self._table

    def _canonical(self, category: str) -> UInt8:
        if category not in self._submission.categories:
            return np.zeros(self._submission.grid.voxels + 1, dtype=np.uint8)
        return level_table(self._submission.field(category), self._protocol)


class _Counter:
    """Counts samples from several threads."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._done = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self._done += count
            self._progress(self._done, self._total)
