"""The best, median and worst samples of a result, with the images that PAP compared."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.annotations import Count
from chorus_bench.array_types import Float32, UInt8
from chorus_bench.boundary import checked
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.samples import EvalSample, EvalSplit
from chorus_bench.errors import InputError, count_of
from chorus_bench.evaluation.cache import GeometryCache
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.evaluation.results import EvaluationResult
from chorus_bench.evaluation.scoring import lookup_image
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.io.pictures import decode_upright
from chorus_bench.metrics.protocol import OFFICIAL
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.scored import check_digest, check_scored_body, scored_split
from chorus_bench.submission import Submission

#: Kinds of samples, in display order: three by score, and those that every method shows.
KINDS = ("best", "median", "worst", "shared")


@dataclass(frozen=True)
class ChosenSample:
    """A sample of a result that is shown in a picture.

    Attributes:
        sample_id: id of the sample.
        category: category of the object.
        kind: one of `KINDS`.
        score: its PAP, 0 to 1; None if unknown.
    """

    sample_id: str
    category: str
    kind: str
    score: float | None


def choose_samples(result: EvaluationResult, category: str, *, each: int = 1) -> list[ChosenSample]:
    """Return the best, median and worst samples of a category by PAP.

    Samples without a target pixel are left out. Equal scores are ordered by id. No sample is
    returned twice, even if there are few.

    Args:
        result: result of an evaluation.
        category: one of its categories.
        each: number of samples of each kind.
    """
    table = result.samples.select(["sample_id", "category", "PAP", "target_area"]).to_pylist()
    rows = [row for row in table if row["category"] == category and row["target_area"] > 0]
    rows.sort(key=lambda row: (-row["PAP"], row["sample_id"]))
    middle = max(0, (len(rows) - each) // 2)
    groups = (rows[:each], rows[middle : middle + each], rows[len(rows) - each :])
    seen: dict[str, ChosenSample] = {}
    for kind, group in zip(KINDS, groups, strict=False):
        for row in group:
            chosen = ChosenSample(row["sample_id"], category, kind, float(row["PAP"]))
            seen.setdefault(chosen.sample_id, chosen)
    return list(seen.values())


def choose_shared(result: EvaluationResult, category: str, each: int) -> list[ChosenSample]:
    """Return samples of a category that are the same for every method on the split.

    Those whose ids have the smallest SHA-256 are taken; samples without a target pixel are left
    out.

    Args:
        result: result of an evaluation.
        category: one of its categories.
        each: number of samples.
    """
    table = result.samples.select(["sample_id", "category", "PAP", "target_area"]).to_pylist()
    rows = [row for row in table if row["category"] == category and row["target_area"] > 0]
    rows.sort(key=lambda row: hashlib.sha256(row["sample_id"].encode()).hexdigest())
    return [
        ChosenSample(row["sample_id"], category, "shared", float(row["PAP"])) for row in rows[:each]
    ]


def occupancy_image(
    submission: Submission, sample: EvalSample, prepared: PreparedSample, interaction: str = ""
) -> Float32:
    """Return the projection of a submission's field that PAP compares, (h, w) of the small image.

    Args:
        submission: of either track.
        sample: the test sample.
        prepared: its geometry, see `prepare_sample`.
        interaction: the type of interaction whose field is projected; by default the category's.

    Returns:
        The largest probability in each pixel; minus infinity where nothing projects, and
        everywhere if the submission lacks the category.
    """
    field = _field(submission, sample, interaction)
    if field is None:
        return np.full((prepared.height, prepared.width), -np.inf, dtype=np.float32)
    posed = submission.track == "posed"
    points = OFFICIAL.grid.centers()[prepared.voxels] if posed else prepared.points
    return prepared.occupancy_image(field.at(points))


def _field(submission: Submission, sample: EvalSample, interaction: str) -> OccupancyGrid | None:
    """Return the field that a sample is scored with; None if the submission lacks the category."""
    if sample.category not in submission.categories:
        return None
    if submission.track == "posed":
        return submission.posed_field(sample.category, sample.sample_id)
    if interaction:
        return submission.interaction_field(sample.category, interaction)
    return submission.field(sample.category)


@checked
def sample_overlays(
    result: EvaluationResult,
    submission: Submission,
    split: str | Path | EvalSplit,
    body: BodyModel,
    *,
    each: Count = 1,
    shared: Count = 0,
) -> dict[ChosenSample, Overlay]:
    """Return overlays of each category's best, median and worst samples, in that order.

    Args:
        result: result of the submission on the split.
        submission: the open submission.
        split: the test split.
        body: body of the evaluation.
        each: number of samples of each kind and category.
        shared: number of further samples of each category, the same for every method, see
            `choose_shared`.

    Raises:
        InputError: submission, split or body is not the result's, or the result has samples
            that its split lacks.
    """
    check_digest(submission, result.submission["sha256"])
    check_scored_body(result, body)
    scored = scored_split(split, result)
    chosen: dict[str, ChosenSample] = {}
    for name in result.categories:
        for one in choose_samples(result, name, each=each) + choose_shared(result, name, shared):
            chosen.setdefault(one.sample_id, one)
    samples = [s for s in scored.samples if s.category in result.categories]
    missing = sorted(set(chosen) - {sample.sample_id for sample in samples})
    if missing:
        raise InputError(
            f"the result has {count_of(len(missing), 'sample')} not in its split, for example "
            f"{missing[0]}",
            where=f"split '{scored.name}'",
            fix="evaluate again; results.json and samples.parquet are of different evaluations",
        )
    own = _own_types(result)
    overlays = {
        sample.sample_id: Overlay.of(sample, image)
        for sample, image in _images(submission, samples, chosen, own, body)
    }
    return {one: overlays[sample_id] for sample_id, one in chosen.items()}


def _own_types(result: EvaluationResult) -> dict[str, str]:
    """Return the type whose field each sample was scored with, on the track `conditioned`."""
    table = result.samples
    if "own_type" not in table.column_names:
        return {}
    return dict(zip(table["sample_id"].to_pylist(), table["own_type"].to_pylist(), strict=True))


def _images(
    submission: Submission,
    samples: Sequence[EvalSample],
    wanted: Collection[str],
    types: Mapping[str, str],
    body: BodyModel,
) -> Iterator[tuple[EvalSample, Float32]]:
    """Yield some samples with their occupancy images, from the lookups that an evaluation leaves.

    Args:
        submission: the submission.
        samples: all samples of the evaluation, in its order.
        wanted: the ids of those to yield.
        types: for each sample scored with a type's field, the type.
        body: body of the evaluation.
    """
    cache = GeometryCache(samples, body, OFFICIAL)
    for batch in cache.batches:
        if not any(sample.sample_id in wanted for sample in batch.samples):
            continue
        lookup = cache.load(batch, submission.grid_of(batch.category), submission.track)
        for number, sample in enumerate(batch.samples):
            if sample.sample_id in wanted:
                field = _field(submission, sample, types.get(sample.sample_id, ""))
                yield sample, lookup_image(lookup, number, field)


@checked
def sample_photos(split: str | Path, wanted: Collection[str]) -> dict[str, UInt8]:
    """Return the photographs (H, W, 3) of some samples; missing ones are left out.

    Respect their licenses when publishing.

    Args:
        split: a folder of Parquet files; those with the column ``image`` have photographs.
        wanted: sample ids.

    Raises:
        InputError: a photograph cannot be decoded.
    """
    data = DatasetRows.open(split)
    columns = ("sample_id", "image")
    rows = (
        row
        for category in (data.categories if "image" in data.columns else ())
        for row in data.rows(category, columns)
    )
    return {
        row["sample_id"]: _decoded(row)
        for row in rows
        if row["sample_id"] in wanted and row["image"] is not None
    }


def _decoded(row: Mapping[str, Any]) -> UInt8:
    content = row["image"]["bytes"] or b""
    pixels = decode_upright(content)
    if pixels is None:
        raise InputError(
            f"the picture ({len(content)} bytes) cannot be decoded",
            where=row["sample_id"],
            fix="build the split again, or leave photographs out",
        )
    return pixels
