"""The track `conditioned`: each sample is scored with the field of its own type of interaction.

Beside that stand the category's field, and the best and the mean over all types, so that one can
see what knowing the interaction is worth.

Source: docs/protocol.md P35 to P40.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from chorus_bench.array_types import Int64
from chorus_bench.datasets.interaction_labels import NO_LABELS, InteractionLabel
from chorus_bench.evaluation.cache import GeometryCache, SampleBatch
from chorus_bench.evaluation.results import (
    MEANS,
    by_category,
    samples_table,
    scores_of,
)
from chorus_bench.evaluation.samples_file import CONDITIONED_SCHEMA, READINGS
from chorus_bench.evaluation.scoring import (
    FieldTables,
    level_table,
    load_lookups,
    lookup_histogram,
)
from chorus_bench.metrics.pap import SCORE_NAMES, available_mean, benchmark_mean, score_table
from chorus_bench.metrics.protocol import Protocol
from chorus_bench.metrics.resampling import CategoryTables, intervals_of, resampled_totals
from chorus_bench.progress import Progress
from chorus_bench.submission import InteractionType, Submission


def own_type(types: Sequence[InteractionType], label: InteractionLabel | None) -> int | None:
    """Return the number of a sample's own type, or None: then the category's field is its own.

    Args:
        types: the types of the sample's category.
        label: of the sample's interaction.

    Source: docs/protocol.md P36.
    """
    if label is None:
        return None
    interaction, prompt, part = map(_plain, (label.interaction, label.prompt, label.part))
    names = [_plain(kind.name) for kind in types]
    meanings = [(_plain(kind.prompt), _plain(kind.part)) for kind in types]
    if interaction in names and interaction is not None:
        return names.index(interaction)
    for meaning in ((prompt, part), (prompt, None), (None, part)):
        if meaning in meanings and meaning != (None, None):
            return meanings.index(meaning)
    return None


def _plain(text: str | None) -> str | None:
    """Return a text without case, repeated spaces and a final full stop."""
    return None if text is None else " ".join(text.split()).rstrip(".").casefold()


def conditioned_batches(
    submission: Submission,
    cache: GeometryCache,
    wanted: Sequence[SampleBatch],
    *,
    workers: int,
    progress: Progress,
) -> Generator[tuple[SampleBatch, pa.Table], None, None]:
    """Yield the rows (`CONDITIONED_SCHEMA`) of each batch, in the given order.

    Args:
        submission: of either track; a posed field is that of its sample's own type.
        cache: prepared geometry.
        wanted: the batches to score.
        workers: number of threads that prepare geometry.
        progress: called after every sample.

    Source: docs/protocol.md P37.
    """
    protocol = cache.protocol
    own = FieldTables(submission, protocol)
    more = _TypeTables(submission, protocol)
    loaded = load_lookups(cache, wanted, submission, workers=workers, progress=progress)
    with closing(loaded):
        for batch, lookup in loaded:
            types = more.of(batch.category)
            histograms = np.stack(
                [
                    lookup_histogram(lookup, table, len(protocol.thresholds))
                    for table in (own.of(batch), *types.values())
                ]
            )
            kinds = submission.interactions(batch.category) if types else ()
            numbers = [own_type(kinds, sample.label) for sample in batch.samples]
            yield batch, _rows(batch, list(types), numbers, histograms, protocol)


class _TypeTables:
    """The level tables of the interaction types of one category at a time."""

    def __init__(self, submission: Submission, protocol: Protocol) -> None:
        self._submission, self._protocol = submission, protocol
        self._category: str | None = None
        self._tables: dict[str, NDArray[np.uint8]] = {}

    def of(self, category: str) -> Mapping[str, NDArray[np.uint8]]:
        """Return the tables of a category's types by their names."""
        if category != self._category:
            self._category, self._tables = category, {}
            if category in self._submission.categories:
                for kind in self._submission.interactions(category):
                    field = self._submission.interaction_field(category, kind.name)
                    self._tables[kind.name] = level_table(field, self._protocol)
        return self._tables


def _rows(
    batch: SampleBatch,
    types: Sequence[str],
    numbers: Sequence[int | None],
    histograms: Int64,
    protocol: Protocol,
) -> pa.Table:
    """Return the rows of a batch.

    Args:
        batch: S samples.
        types: the names of the category's T types.
        numbers: each sample's own type, or None for the category's field.
        histograms: (1 + T, S, 4, levels) of the category's field and of each type's.
        protocol: determines whether the last recall step counts.
    """
    fields = np.array([0 if number is None else 1 + number for number in numbers])
    ids = [sample.sample_id for sample in batch.samples]
    own = histograms[fields, np.arange(len(ids))]
    table = samples_table(ids, batch.category, own, protocol)
    scores, _ = score_table(histograms, closed=protocol.closed)  # (1 + T, S, 4)
    readings = {
        "total": scores[0],
        "best": scores.max(axis=0),
        "mean": (scores[1:] if types else scores).mean(axis=0),
    }
    columns: dict[str, Any] = {name: table[name] for name in table.column_names}
    columns["own_type"] = ["" if number is None else types[number] for number in numbers]
    for reading, values in readings.items():
        columns |= {f"{reading}_{name}": values[:, i] for i, name in enumerate(SCORE_NAMES)}
    return pa.table(columns, schema=CONDITIONED_SCHEMA)


def reading_tables(samples: pa.Table) -> dict[str, CategoryTables]:
    """Return the scores by category of every reading: own, total, best, mean.

    Args:
        samples: rows of `CONDITIONED_SCHEMA`.
    """
    tables = {"own": by_category(samples, scores_of(samples))}
    for reading in READINGS:
        scores = [samples[f"{reading}_{name}"].to_numpy() for name in SCORE_NAMES]
        tables[reading] = by_category(samples, np.stack(scores, axis=1))
    return tables


def conditioned_summary(samples: pa.Table, labels: str) -> dict[str, Any]:
    """Return the block ``conditioned`` of a result.

    Args:
        samples: rows of `CONDITIONED_SCHEMA`.
        labels: of the signature. Without labels, only the category's field and the best over all
            types are given.

    Source: docs/protocol.md P38 and P39.
    """
    tables = reading_tables(samples)
    kept = ("total", "best") if labels == NO_LABELS else tuple(tables)
    tables = {name: tables[name] for name in kept}
    means = {
        name: {category: available_mean(*table) for category, table in by_name.items()}
        for name, by_name in tables.items()
    }
    matched = _matched(samples)
    return {
        "labels": labels,
        "scores": {name: benchmark_mean(by_name.values()) for name, by_name in means.items()},
        "gain": None if labels == NO_LABELS else _gain(tables["own"], tables["total"]),
        "categories": {
            category: {
                "matched": matched[category],
                **{name: by_name[category] for name, by_name in means.items()},
            }
            for category in sorted(tables["total"])
        },
    }


def _matched(samples: pa.Table) -> dict[str, int]:
    """Return the number of samples of each category whose own type has a field."""
    found = dict.fromkeys(samples["category"].to_pylist(), 0)
    names = samples["own_type"].to_pylist()
    for category, name in zip(samples["category"].to_pylist(), names, strict=True):
        found[category] += bool(name)
    return found


def _gain(own: CategoryTables, total: CategoryTables) -> dict[str, list[float]]:
    """Return the four means' gains by the own type over the category's field, with intervals."""
    totals = resampled_totals([own, total])
    values = [
        benchmark_mean(available_mean(*table) for table in tables.values())
        for tables in (own, total)
    ]
    bounds = intervals_of(totals[0] - totals[1])
    return {
        mean: [values[0][mean] - values[1][mean], interval.low, interval.high]
        for mean, interval in zip(MEANS, bounds, strict=True)
    }
