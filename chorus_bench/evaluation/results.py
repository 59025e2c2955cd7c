"""Results: their value, and the folder with ``results.json`` and ``samples.parquet``."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from chorus_bench.boundary import checked
from chorus_bench.displays import Table, displayed
from chorus_bench.errors import InputError, suggestion
from chorus_bench.evaluation.result_schema import SCHEMA_VERSION, checked_result, parse_result
from chorus_bench.evaluation.samples_file import COUNTS, SAMPLES_SCHEMA, read_samples
from chorus_bench.evaluation.truth_file import (
    TRUTH_FILE,
    TruthScores,
    load_truth,
    truth_differences,
)
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.limits import MIB
from chorus_bench.io.shipped import EXAMPLE, packaged_results
from chorus_bench.io.untrusted_files import read_limited
from chorus_bench.metrics.curves import MeanCurve, mean_curve
from chorus_bench.metrics.pap import (
    SCORE_NAMES,
    PixelCounts,
    available_mean,
    benchmark_mean,
    counted,
    four_scores,
    pixel_counts,
)
from chorus_bench.metrics.protocol import Protocol
from chorus_bench.metrics.resampling import CategoryTables, bootstrap_intervals

log = logging.getLogger(__name__)

_MAX_BYTES = 64 * MIB
#: The names of the four means over the categories.
MEANS = tuple(f"m{name}" for name in SCORE_NAMES)

RESULT_FILE, SAMPLES_FILE, PARTIAL_FOLDER = "results.json", "samples.parquet", "partial"


@checked
@displayed
@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """The result of an evaluation.

    Attributes:
        signature: states how the scores were computed.
        submission: method, sha256 and optional metadata of the submission.
        scores: ``mPAP, mPAP_strict, mPAP_hoa, mPAP_strict_hoa`` in [0, 1], ``categories`` and
            ``samples``.
        intervals: 95 % bootstrap intervals of the four means, ``[low, high]``.
        categories: per category the four means, their intervals, the number of samples, and
            whether the submission lacks it.
        beside: the scores under the other protocols, with their own signatures.
        unavailable: categories of the benchmark without any target pixel, with their number of
            samples; they have no score and are left out of the means.
        skipped: categories with too few samples to be scored, with their number.
        warnings: remarks for the reader.
        environment: software and machine.
        seconds: wall time.
        samples: one row per sample, see `SAMPLES_SCHEMA` and `CONDITIONED_SCHEMA`.
        conditioned: on the track `conditioned` the scores of all readings, else None.
        truth: the 3D scores, where they were asked for.
    """

    signature: str
    submission: dict[str, Any]
    scores: dict[str, float]
    intervals: dict[str, list[float]]
    categories: dict[str, dict[str, Any]]
    beside: dict[str, dict[str, Any]]
    skipped: dict[str, int]
    unavailable: dict[str, int]
    warnings: tuple[str, ...]
    environment: dict[str, Any]
    seconds: float
    samples: pa.Table = field(repr=False)
    conditioned: dict[str, Any] | None = None
    truth: TruthScores | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the contents of ``results.json``."""
        content = {
            "schema": SCHEMA_VERSION,
            "signature": self.signature,
            "submission": self.submission,
            "scores": self.scores,
            "intervals": self.intervals,
            "categories": self.categories,
            "beside": self.beside,
            "skipped": self.skipped,
            "unavailable": self.unavailable,
            "warnings": list(self.warnings),
            "environment": self.environment,
            "seconds": round(self.seconds, 3),
        }
        return content if self.conditioned is None else content | {"conditioned": self.conditioned}

    @checked
    def save(self, folder: str | Path) -> Path:
        """Write ``results.json``, ``samples.parquet`` and 3D scores into a folder, atomically."""
        folder = Path(folder)
        if self.truth is not None:
            self.truth.save(folder / TRUTH_FILE)
        atomic_write_bytes(folder / SAMPLES_FILE, parquet_bytes(self.samples))
        text = json.dumps(self.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        atomic_write_bytes(folder / RESULT_FILE, text.encode() + b"\n")
        return folder

    def _facts(self) -> dict[str, object]:
        return {
            "method": self.submission.get("method"),
            **{name: f"{100 * self.scores[name]:.2f}" for name in MEANS},
            "categories": len(self.categories),
            "samples": self.scores["samples"],
            "warnings": len(self.warnings),
        }

    def _table(self) -> Table:
        """Return the categories with their scores in percent."""
        known = (
            (name, (entry.get(s) for s in SCORE_NAMES)) for name, entry in self.categories.items()
        )
        rows = [
            [name, *("n/a" if value is None else f"{100 * value:.2f}" for value in values)]
            for name, values in known
        ]
        return ("category", *SCORE_NAMES), rows


@checked
def load_result(folder: str | Path) -> EvaluationResult:
    """Read a result folder, with the 3D scores that ``evaluate --truth`` wrote into it.

    Of a ``truth.json`` that is not of this result a warning is logged, and ``truth`` is None.

    Args:
        folder: the folder, or its ``results.json``.

    Raises:
        InputError: there is no result, or a file is not readable, or has another schema version.
    """
    path = Path(folder)
    path = path.parent if path.name == RESULT_FILE else path
    content = read_result_json(path)
    try:
        samples = read_samples(path / SAMPLES_FILE)
    except InputError as error:
        raise InputError(
            error.found,
            where=path / SAMPLES_FILE,
            expected=error.expected,
            fix="copy the folder again, or repeat the evaluation",
        ) from error
    values = {"unavailable": {}} | {k: v for k, v in content.items() if k != "schema"}
    values |= {"warnings": tuple(values["warnings"]), "truth": _truth_beside(path, content)}
    return EvaluationResult(**values, samples=samples)


def _truth_beside(folder: Path, content: Mapping[str, Any]) -> TruthScores | None:
    """Return the 3D scores in a result's folder, if there are any and they are of this result."""
    file = folder / TRUTH_FILE
    if not file.is_file():
        return None
    truth = load_truth(file)
    result = content["submission"]["sha256"], content["signature"]
    differences = truth_differences(truth.sha256, truth.signature, *result)
    if not differences:
        return truth
    log.warning("%s is left out, it is not of this result: %s", file, "; ".join(differences))
    return None


def read_result_json(folder: Path) -> dict[str, Any]:
    """Return the contents of a folder's ``results.json``, compared with its schema.

    Raises:
        InputError: there is none, or it is invalid; every problem is listed.
    """
    file = folder / RESULT_FILE
    try:
        document = parse_result(read_limited(file, _MAX_BYTES), str(file))
    except FileNotFoundError:
        raise InputError(
            "no result here",
            where=folder,
            expected=f"a folder with {RESULT_FILE}, as `chorus-bench evaluate --output` writes it",
            fix=suggestion(str(folder), [EXAMPLE, *packaged_results()]),
        ) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=file) from error
    return checked_result(document)


def parquet_bytes(table: pa.Table) -> bytes:
    """Return a table as Parquet, the same bytes for the same table and library."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def samples_table(
    ids: Sequence[str], category: str, histograms: NDArray[np.int64], protocol: Protocol
) -> pa.Table:
    """Return the rows of some samples of one category.

    Args:
        ids: the S sample ids.
        category: their category.
        histograms: (S, 4, T + 1) pixels by class and level.
        protocol: determines whether the last recall step counts.
    """
    plain, hoa = pixel_counts(histograms), pixel_counts(histograms, without_human=True)
    scores = four_scores(plain, hoa, closed=protocol.closed)
    counts = (plain.predicted, plain.hit, hoa.predicted, hoa.hit)
    columns: dict[str, Any] = {"sample_id": list(ids), "category": [category] * len(ids)}
    columns |= dict(zip(SCORE_NAMES, scores.T, strict=True))
    columns |= {"target_area": plain.target, "target_area_hoa": hoa.target}
    columns |= {
        name: pa.FixedSizeListArray.from_arrays(pa.array(c.ravel(), pa.int32()), c.shape[1]).cast(
            pa.list_(pa.int32())
        )
        for name, c in zip(COUNTS, counts, strict=True)
    }
    return pa.table(columns, schema=SAMPLES_SCHEMA)


def counts_of(samples: pa.Table) -> tuple[PixelCounts, PixelCounts]:
    """Return the counts of every sample of a table, plain and human-occlusion-aware."""

    def matrix(name: str) -> NDArray[np.int64]:
        column = samples[name].combine_chunks()
        flat = column.flatten().to_numpy(zero_copy_only=False)
        return np.asarray(flat, dtype=np.int64).reshape(len(samples), -1)

    areas = areas_of(samples)
    return (
        PixelCounts(matrix("predicted"), matrix("hit"), areas[:, 0]),
        PixelCounts(matrix("predicted_hoa"), matrix("hit_hoa"), areas[:, 1]),
    )


def mean_curves(samples: pa.Table, *, without_human: bool = False) -> dict[str, MeanCurve]:
    """Return the mean precision-recall curve of every category of a table, see `mean_curve`.

    Args:
        samples: the table of a result.
        without_human: leave the person's pixels out (``hoa``).
    """
    return curves_of(counts_of(samples)[int(without_human)], rows_of(samples))


def curves_of(counts: PixelCounts, rows: Mapping[str, NDArray[np.intp]]) -> dict[str, MeanCurve]:
    """Return the mean precision-recall curve of every category, of counts and `rows_of`."""
    parts = (counts.predicted, counts.hit, counts.target)
    return {
        name: mean_curve(PixelCounts(*(part[chosen] for part in parts)))
        for name, chosen in rows.items()
    }


def rows_of(samples: pa.Table) -> dict[str, NDArray[np.intp]]:
    """Return the rows of each category of a table, by name."""
    column = samples["category"].combine_chunks().dictionary_encode()
    numbers = column.indices.to_numpy()
    names = {name: number for number, name in enumerate(column.dictionary.to_pylist())}
    return {name: np.flatnonzero(numbers == names[name]) for name in sorted(names)}


def scores_of(samples: pa.Table) -> NDArray[np.float64]:
    """Return the four numbers of every sample, (S, 4)."""
    return np.stack([samples[name].to_numpy() for name in SCORE_NAMES], axis=1)


def areas_of(samples: pa.Table) -> NDArray[np.int64]:
    """Return the two target areas of every sample, (S, 2)."""
    names = ("target_area", "target_area_hoa")
    return np.stack([samples[name].to_numpy() for name in names], axis=1).astype(np.int64)


def by_category(samples: pa.Table, scores: NDArray[np.float64]) -> CategoryTables:
    """Group scores (S, 4) and target areas by the table's categories."""
    areas = areas_of(samples)
    return {name: (scores[rows], areas[rows]) for name, rows in rows_of(samples).items()}


def rescored(samples: pa.Table, *, closed: bool) -> NDArray[np.float64]:
    """Return the four numbers (S, 4) of every sample, computed from the stored counts."""
    return four_scores(*counts_of(samples), closed=closed)


def summarize(tables: CategoryTables) -> dict[str, Any]:
    """Return ``scores``, ``intervals`` and ``categories`` of a benchmark."""
    means = {name: available_mean(*table) for name, table in tables.items()}
    overall, intervals = bootstrap_intervals(tables)
    used = {name: counted(areas).sum(axis=0) for name, (_, areas) in tables.items()}
    return {
        "scores": {
            **benchmark_mean(means.values()),
            "categories": len(means),
            "samples": sum(len(areas) for _, areas in tables.values()),
        },
        "intervals": {name: interval.as_list() for name, interval in overall.items()},
        "categories": {
            name: {
                **means[name],
                "intervals": {
                    score: intervals[name][score].as_list() if score in intervals[name] else None
                    for score in SCORE_NAMES
                },
                "samples": len(tables[name][1]),
                "counted": int(used[name][0]),
                "counted_hoa": int(used[name][2]),
            }
            for name in means
        },
    }


def scores_only(tables: CategoryTables) -> Mapping[str, Any]:
    """Return means without intervals, for the additional protocols."""
    means = {name: available_mean(*table) for name, table in tables.items()}
    return {"scores": benchmark_mean(means.values()), "categories": means}
