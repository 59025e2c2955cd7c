"""Overlays: a field's projection over a test image, as PAP compares it. No plotting library.

Photographs are shown only on request: most test images may be viewed but not republished. Without
one, the person is drawn in grey from the mask.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.samples import EvalSample
from chorus_bench.errors import InputError
from chorus_bench.evaluation.cache import GeometryCache
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.evaluation.results import EvaluationResult
from chorus_bench.geometry.body import BodyModel
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.pictures import decode_upright
from chorus_bench.metrics.protocol import OFFICIAL
from chorus_bench.report.drawing import tint
from chorus_bench.submission import Submission

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

#: Kinds of samples, in the order in which they are shown.
KINDS = ("best", "median", "worst")

_PAPER, _PERSON = 0.97, 0.72
_GREY, _OPACITY = 0.55, 0.85
_TARGET_COLOR = (26, 115, 232)
_LINE = 2


@dataclass(frozen=True)
class ChosenSample:
    """A selected sample of a result.

    Attributes:
        sample_id: its id.
        category: category of the object.
        kind: one of `KINDS`.
        score: its PAP, 0 to 1.
    """

    sample_id: str
    category: str
    kind: str
    score: float


def choose_samples(result: EvaluationResult, category: str, *, each: int = 1) -> list[ChosenSample]:
    """Return the best, median and worst samples of a category by PAP.

    Samples without target pixels are left out. Equal scores are in the order of their ids. If
    there are few samples, none is shown twice.

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
    for kind, group in zip(KINDS, groups, strict=True):
        for row in group:
            chosen = ChosenSample(row["sample_id"], category, kind, float(row["PAP"]))
            seen.setdefault(chosen.sample_id, chosen)
    return list(seen.values())


def occupancy_image(
    submission: Submission, sample: EvalSample, prepared: PreparedSample
) -> Float32:
    """Return the occupancy image that PAP compares, (h, w) of the small image.

    Args:
        submission: a submission of either track.
        sample: the test sample.
        prepared: its geometry, see `prepare_sample`.

    Returns:
        The largest probability on each pixel; minus infinity where nothing projects, and
        everywhere for a category that the submission lacks.
    """
    if sample.category not in submission.categories:
        return np.full((prepared.height, prepared.width), -np.inf, dtype=np.float32)
    if submission.track == "posed":
        field = submission.posed_field(sample.category, sample.sample_id)
        points = OFFICIAL.grid.centers()[prepared.voxels]
        return prepared.occupancy_image(field.at(points))
    return prepared.occupancy_image(submission.field(sample.category).at(prepared.points))


def overlay_picture(sample: EvalSample, projection: Float32, photo: UInt8 | None = None) -> UInt8:
    """Return a picture of a projected field: heat, the object's outline in blue, the person.

    The darkest colour stands for the largest probability in this picture.

    Args:
        sample: the sample, with size and masks.
        projection: (h, w) from `occupancy_image`.
        photo: (H, W, 3) RGB; without one, the person is drawn from the mask.

    Returns:
        (H, W, 3) RGB.

    Raises:
        InputError: the photo's size differs from the sample's.
    """
    height, width = sample.height, sample.width
    if photo is not None and photo.shape != (height, width, 3):
        raise InputError(
            f"the picture is {photo.shape[1]} x {photo.shape[0]} pixels",
            where=sample.sample_id,
            expected=f"{width} x {height}",
        )
    known = np.maximum(projection, 0).astype(np.float32)
    large = cv2.resize(known, (width, height), interpolation=cv2.INTER_NEAREST)
    heat = np.asarray(large, dtype=np.float32)
    ground = _drawn_person(sample) if photo is None else _faded(photo)
    colours = tint(ground, heat / max(float(heat.max()), 1e-6), _OPACITY)
    picture = np.ascontiguousarray(np.rint(255 * colours), dtype=np.uint8)
    outlines, _ = cv2.findContours(
        sample.decode_object_mask(), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    line = max(1, round(_LINE * min(height, width) / 320))
    cv2.drawContours(picture, outlines, -1, _TARGET_COLOR, line, cv2.LINE_AA)
    return picture


def _drawn_person(sample: EvalSample) -> Float64:
    mask = decode_mask(sample.human_mask).astype(bool)
    ground = np.full((sample.height, sample.width, 3), _PAPER)
    ground[mask] = _PERSON
    return ground


def _faded(photo: UInt8) -> Float64:
    grey = photo.astype(np.float64).mean(axis=2, keepdims=True) / 255
    return np.repeat(1 - _GREY * (1 - grey), 3, axis=2)


def write_sample_overlays(
    result: EvaluationResult,
    submission: Submission,
    split: str | Path,
    body: BodyModel,
    folder: str | Path,
    *,
    photos: bool = False,
    each: int = 1,
) -> list[dict[str, Any]]:
    """Write pictures of each category's best, median and worst samples.

    Args:
        result: result of the submission on the split.
        submission: the open submission.
        split: the test split; photographs, if any, are in a folder of Parquet files.
        body: body of the evaluation.
        folder: output folder for ``<sample_id>.png``.
        photos: show the photographs of the split; respect their licenses when publishing.
        each: number of samples of each kind and category.

    Returns:
        ``sample_id``, ``category``, ``kind``, ``file`` and ``score`` of each, category by
        category, best first.

    Raises:
        InputError: the split lacks samples of the result, or a photograph cannot be read.
    """
    chosen = {
        c.sample_id: c
        for name in result.categories
        for c in choose_samples(result, name, each=each)
    }
    samples = [s for s in load_split(split).samples if s.category in result.categories]
    missing = sorted(set(chosen) - {sample.sample_id for sample in samples})
    if missing:
        raise InputError(
            f"lacks {len(missing)} samples of the result, for example {missing[0]}",
            where=split,
            fix="give the split on which the result was made",
        )
    pictures = dict(_photos(split, set(chosen))) if photos else {}
    for sample, prepared in _prepared(samples, chosen, body):
        projection = occupancy_image(submission, sample, prepared)
        picture = overlay_picture(sample, projection, pictures.get(sample.sample_id))
        _, content = cv2.imencode(".png", picture[..., ::-1])
        atomic_write_bytes(Path(folder) / f"{sample.sample_id}.png", bytes(content))
    return [_entry(one) for one in chosen.values()]


def _prepared(
    samples: Sequence[EvalSample], wanted: Collection[str], body: BodyModel
) -> Iterator[tuple[EvalSample, PreparedSample]]:
    """Yield the wanted samples with their geometry from the evaluation's cache."""
    cache = GeometryCache(samples, body, OFFICIAL)
    for batch in cache.batches:
        if any(sample.sample_id in wanted for sample in batch.samples):
            for sample, prepared in zip(batch.samples, cache.prepared(batch), strict=True):
                if sample.sample_id in wanted:
                    yield sample, prepared


def _entry(chosen: ChosenSample) -> dict[str, Any]:
    return {
        "sample_id": chosen.sample_id,
        "category": chosen.category,
        "kind": chosen.kind,
        "file": f"{chosen.sample_id}.png",
        "score": chosen.score,
    }


def _photos(split: str | Path, wanted: set[str]) -> Iterator[tuple[str, UInt8]]:
    """Yield the photographs of some samples; those that the split lacks are left out."""
    data = DatasetRows.open(split)
    columns = ("sample_id", "image")
    rows: Sequence[Mapping[str, Any]]
    for category in data.categories if "image" in data.columns else ():
        rows = [row for row in data.rows(category, columns) if row["sample_id"] in wanted]
        for row in rows:
            if row["image"] is not None:
                yield row["sample_id"], _decoded(row)


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
