"""Aggregation: from views to a probability of occupancy on the canonical grid.

Every voxel is warped with the body of every view and projected into its image. Its probability is
the share of views that see it on the object mask, weighted so that all directions around the body
count equally.

Source: docs/method.md M14 to M17; the paper, section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chorus_baselines.chorus.accumulate import Counts, GroupKey, Region, Tally
from chorus_baselines.chorus.aggregation_settings import AggregationSettings, Skipped
from chorus_baselines.chorus.clusters import (
    BodyPart,
    Cluster,
    Segments,
    cluster_label,
    dominant_segments,
    interaction_region,
    make_clusters,
    part_vertices,
)
from chorus_baselines.chorus.device import make_accumulator
from chorus_baselines.chorus.mirror import mirror_view
from chorus_baselines.chorus.projection import (
    VIEWS_AT_ONCE,
    VoxelFeatures,
    voxel_features,
)
from chorus_baselines.chorus.view_weights import AZIMUTH_12, divisors
from chorus_baselines.chorus.views import UnusableViewError, View, read_view
from chorus_bench.array_types import Float32, Float64, Int64
from chorus_bench.boundary import checked
from chorus_bench.datasets.schema import AnyRow
from chorus_bench.engines.threads import in_order, thread_count
from chorus_bench.errors import InputError, count_of, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import AZIMUTH_BINS
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import SkinningSettings

#: Denominators below this are replaced by it.
SMALLEST_SEEN = 1e-7

_DEFAULT_GRID, _DEFAULT_SKINNING = GridSpec(), SkinningSettings()
_PIXELS_AT_ONCE = 1 << 24


@checked
class Aggregation:
    """Votes of any number of views. `aggregate` makes one, `load_aggregation` reads one.

    Args:
        settings: settings of the aggregation.
        tallies: (prompt, cluster) -> votes; None for all prompts, and for all views.
        skipped: the rows that could not be used.
    """

    def __init__(
        self,
        settings: AggregationSettings,
        tallies: Mapping[GroupKey, Tally],
        skipped: Skipped | None = None,
    ) -> None:
        self.settings = settings
        self.tallies = dict(tallies)
        self.skipped = skipped or Skipped()

    @property
    def grid(self) -> GridSpec:
        """The canonical grid."""
        return self.settings.grid

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the clusters."""
        return tuple(name for name, _ in self.settings.clusters)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The distinguished prompts, sorted."""
        return tuple(sorted({prompt for prompt, _ in self.tallies if prompt is not None}))

    @property
    def counts(self) -> Counts:
        """The integer votes of all views per azimuth bin."""
        return self.counts_of()

    @property
    def views(self) -> int:
        """The number of counted views."""
        return self.views_of()

    @checked
    def counts_of(self, part: str | None = None, prompt: str | None = None) -> Counts:
        """Return the integer votes of a cluster, of a prompt, or of both; None for all."""
        return self._tally(part, prompt).counts()

    @checked
    def views_of(self, part: str | None = None, prompt: str | None = None) -> int:
        """Return how many views belong to a cluster, to a prompt, or to both."""
        return int(self._views(part, prompt).sum(dtype=np.int64))

    @checked
    def has_field(self, part: str | None = None, prompt: str | None = None) -> bool:
        """Whether some voxel is on a mask, so that there is a field; for arguments see `field`."""
        tallies = self._tallies(part, prompt)
        return any(hits.any() for tally in tallies for hits in tally.hits.values())

    @checked
    def field(
        self, part: str | None = None, prompt: str | None = None, *, weights: str = AZIMUTH_12
    ) -> Float32:
        """Return the probability of occupancy.

        A view's weight is 1 over the number of views in its azimuth bin; views of a cluster have
        the weight that they have among all views (of the prompt).

        Args:
            part: the name of a cluster; None for all views.
            prompt: one of ``prompts``; None for all of them.
            weights: one of `VIEW_WEIGHTS`.

        Returns:
            (N, N, N) float32, axes x, y, z.

        Raises:
            InputError: an unknown name, no view, or no voxel on any mask.
        """
        tally, by = self._tally(part, prompt), divisors(self._views(None, prompt), weights)
        hits, seen = (_weighted(votes, by, tally.voxels) for votes in (tally.hits, tally.seen))
        if not hits.any():
            raise self._empty(part, prompt)
        values: Float64 = hits / np.maximum(seen, SMALLEST_SEEN)
        return values.astype(np.float32).reshape(self.grid.shape)

    def __add__(self, other: Aggregation) -> Aggregation:
        """Add the votes of other views.

        Raises:
            InputError: they were aggregated with other settings.
        """
        if not isinstance(other, Aggregation):
            return NotImplemented
        self.settings.check_same(other.settings)
        tallies = dict(self.tallies)
        for key, tally in other.tallies.items():
            tallies[key] = tallies[key] + tally if key in tallies else tally
        return Aggregation(self.settings, tallies, self.skipped + other.skipped)

    def _tally(self, part: str | None, prompt: str | None) -> Tally:
        """Return the votes of a cluster and a prompt, or of all prompts if none is named."""
        return sum(self._tallies(part, prompt), start=Tally(self.grid.voxels))

    def _views(self, part: str | None, prompt: str | None) -> Int64:
        """Return the views (12,) of a cluster and a prompt."""
        none = np.zeros(AZIMUTH_BINS, dtype=np.int64)
        return sum((tally.views for tally in self._tallies(part, prompt)), start=none)

    def _tallies(self, part: str | None, prompt: str | None) -> list[Tally]:
        if part is not None and part not in self.parts:
            raise unknown_name("cluster", part, self.parts)
        if prompt is not None and prompt not in self.prompts:
            raise unknown_name("prompt", prompt, self.prompts)
        return [
            tally
            for (its_prompt, its_part), tally in self.tallies.items()
            if its_part == part and prompt in (None, its_prompt)
        ]

    def without_view(self) -> InputError:
        """Return the error that says why no view was counted."""
        found = f"no view could be counted: {count_of(self.skipped.total, 'row')} skipped"
        if not self.skipped.total:
            return InputError("there is no row to count", fix="make more images")
        return InputError(f"{found}: {self.skipped}", fix=self.skipped.advice)

    def _empty(self, part: str | None, prompt: str | None) -> InputError:
        views = self.views_of(part, prompt)
        where = ", ".join(
            f"{kind} '{name}'" for kind, name in (("part", part), ("prompt", prompt)) if name
        )
        found = "the field would be empty: " + (
            f"no voxel is on a mask in any of the {views} views" if views else "there is no view"
        )
        if self.skipped.total:
            found += f" ({count_of(self.skipped.total, 'row')} skipped: {self.skipped})"
        fix = "check that masks, poses and cameras belong together"
        if not views:
            fix = self.skipped.advice
        return InputError(found, where=where or None, fix=fix)


def _weighted(votes: Mapping[int, NDArray[np.unsignedinteger]], by: Float64, n: int) -> Float64:
    """Return the sum over the azimuth bins of votes / by, (n,)."""
    total = np.zeros(n)
    for azimuth_bin in sorted(votes):
        total += votes[azimuth_bin] / by[azimuth_bin]
    return total


@checked
def aggregate(
    rows: Iterable[AnyRow],
    *,
    body: BodyModel | str | Path = "default",
    grid: GridSpec = _DEFAULT_GRID,
    parts: Iterable[str | BodyPart | Cluster] = (),
    segments: Segments | None = None,
    by_prompt: bool = False,
    canonicalize: bool = True,
    mirror: bool = False,
    skinning: SkinningSettings = _DEFAULT_SKINNING,
    device: str = "cpu",
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    allow_empty: bool = False,
) -> Aggregation:
    """Aggregate views into votes, in one pass and in constant memory.

    Rows may come in any order and in any number of parts: the sum of the parts' aggregations
    has the same bits as one over all rows.

    Args:
        rows: kept views of one category: ``height``, ``width``, ``object_mask`` (RLE), ``pose``,
            ``camera_rotation``, ``camera_translation``, ``camera_intrinsics``; ``prompt`` when
            prompts are distinguished; ``sample_id`` for messages.
        body: the body of the poses.
        grid: the canonical grid.
        parts: body parts or semantic clusters to count separately as well.
        segments: segment name -> vertex ids, from `read_segments`; by default every vertex
            belongs to the joint that moves it most.
        by_prompt: count the prompts separately as well.
        canonicalize: false for the paper's ablation: voxels do not follow the body.
        mirror: count every view a second time, mirrored.
        skinning: how voxels follow the body.
        device: ``cpu`` for NumPy; ``auto`` for CUDA if present; else a torch device such as
            ``cuda``. The votes are the same.
        threads: number of batches processed at once; by default one per processor.
        progress: called now and then with the number of rows read.
        allow_empty: return an aggregation without views where no row is usable.

    Returns:
        The votes. Unusable rows are counted in ``skipped``, by reason.

    Raises:
        InputError: no usable row, rows of several categories, an unknown body part, a region
            without voxels, or an unusable device.
    """
    model = load_body(body)
    segments = dominant_segments(model) if segments is None else segments
    clusters = make_clusters(parts)
    labels = tuple((cluster.name, cluster_label(cluster, segments)) for cluster in clusters)
    warp = skinning.label if canonicalize else "none"
    settings = AggregationSettings(model.label, grid, warp, labels, by_prompt, mirror)
    features = voxel_features(model, grid, skinning, canonicalize)
    regions = _regions(clusters, segments, model, features)
    accumulator = make_accumulator(device)(model, features, regions, by_prompt)
    skipped = Skipped()
    views = _read_views(rows, settings, skipped, progress)
    for batch, codes in in_order(accumulator.look_up, _batches(views), thread_count(threads)):
        accumulator.add(batch, codes)
    found = Aggregation(settings, accumulator.finish(), skipped)
    if not found.tallies and not allow_empty:
        raise found.without_view()
    return found


def _regions(
    clusters: Sequence[Cluster], segments: Segments, body: BodyModel, features: VoxelFeatures
) -> dict[str, Region]:
    place = features.place

    def region(part: BodyPart) -> Int64:
        voxels = interaction_region(part_vertices(part, segments), body, features.grid)
        if not len(voxels):
            raise InputError(
                f"no voxel is near body part '{part.name}'", fix="use a finer or larger grid"
            )
        return place[voxels]

    return {
        cluster.name: Region(
            tuple(map(region, cluster.passing)), tuple(map(region, cluster.blocking))
        )
        for cluster in clusters
    }


def _read_views(
    rows: Iterable[AnyRow],
    settings: AggregationSettings,
    skipped: Skipped,
    progress: Callable[[int], None] | None,
) -> Iterator[View]:
    """Yield the views of usable rows; the others are added to ``skipped``."""
    number, category = 0, None
    for number, row in enumerate(rows, start=1):
        category = _same_category(category, row)
        try:
            view = read_view(row)
            if settings.by_prompt and view.prompt is None:
                raise UnusableViewError("no prompt")
        except UnusableViewError as error:
            skipped.add(error.reason, str(row.get("sample_id") or f"row {number - 1}"))
            continue
        yield view
        if settings.mirror:
            yield mirror_view(view)
        if progress is not None and number % VIEWS_AT_ONCE == 0:
            progress(number)
    if progress is not None:
        progress(number)


def _same_category(category: str | None, row: AnyRow) -> str | None:
    """Return the category of the rows so far, and refuse a row of another one."""
    mine: str | None = row.get("category")
    if None not in (category, mine) and category != mine:
        raise InputError(
            f"rows of several categories: '{category}' and '{mine}'",
            where=row.get("sample_id"),
            expected="rows of one category",
            fix="aggregate each category by itself, for example DatasetRows.open(data).rows(name)",
        )
    return category if mine is None else mine


def _batches(views: Iterator[View]) -> Iterator[list[View]]:
    """Group views into batches, smaller ones for large images."""
    batch: list[View] = []
    pixels = 0
    for view in views:
        if batch and (len(batch) == VIEWS_AT_ONCE or pixels + _pixels(view) > _PIXELS_AT_ONCE):
            yield batch
            batch, pixels = [], 0
        batch.append(view)
        pixels += _pixels(view)
    if batch:
        yield batch


def _pixels(view: View) -> int:
    height, width = view.size
    return height * width
