"""Aggregation of a large dataset: votes of each Parquet file on an engine, added up.

Votes are integers per azimuth bin, so the sum has the same bits however the rows are cut and
wherever they are counted. The votes of a file are written once; an interrupted run goes on
with the files that are missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chorus_baselines.chorus.aggregation import Aggregation, aggregate
from chorus_baselines.chorus.method import kept_rows_with_cameras
from chorus_bench.datasets.folder import DatasetInfo, Shard
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines import EngineSettings, Result, end_inner_run, run_jobs
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.locks import only_run

Progress = Callable[[int, int], None]

_HERE, _GRID = EngineSettings(), GridSpec()


@dataclass(frozen=True)
class VotesWork:
    """Sets a worker up that counts the votes of one Parquet file at a time.

    Attributes:
        dataset: the dataset's folder.
        votes: the folder for the votes.
        body: of the poses, see `BodyModel.load`.
        grid: the canonical grid.
        settings: of `aggregate`.
    """

    dataset: Path
    votes: Path
    body: str
    grid: GridSpec
    settings: Mapping[str, Any]

    def __call__(self) -> Callable[[Shard], Result]:
        """Load the body and return the function that counts a file."""
        body = BodyModel.load(self.body)

        def count(shard: Shard) -> Result:
            data = DatasetRows.open(self.dataset / shard.path)
            rows = kept_rows_with_cameras(data.rows(shard.category), body)
            aggregation = aggregate(rows, body=body, grid=self.grid, threads=1, **self.settings)
            aggregation.save(votes_file(self.votes, shard))
            return {"views": aggregation.views}

        return count


def votes_file(folder: Path, shard: Shard) -> Path:
    """Return the file of a shard's votes; its name changes with the shard's content."""
    return folder / f"{Path(shard.path).parent.name}-{shard.sha256[:16]}.npz"


def aggregate_dataset(
    dataset: str | Path,
    votes: str | Path,
    *,
    body: str = "default",
    grid: GridSpec = _GRID,
    categories: Sequence[str] | None = None,
    engine: EngineSettings = _HERE,
    progress: Progress = lambda done, total: None,
    **settings: Any,  # noqa: ANN401 - those of aggregate
) -> dict[str, Aggregation]:
    """Count the votes of a dataset's files on an engine and add them up.

    Args:
        dataset: a built dataset of training rows.
        votes: a folder for the votes of each file; those that are there are not counted again.
        body: of the poses, see `BodyModel.load`.
        grid: the canonical grid.
        categories: only these.
        engine: where files are counted.
        progress: called with the files that are done and all there are.
        **settings: of `aggregate`, for example ``parts`` or ``mirror``.

    Returns:
        Category -> its aggregation.

    Raises:
        InputError: no built dataset, an unknown category, another body, or votes in the folder
            that were counted with other settings.
    """
    end_inner_run(engine.workers)
    place, folder = Path(dataset), Path(votes)
    info = DatasetInfo.load(place)
    DatasetRows.open(place).select(categories)
    _check_body(info, body)
    shards = [s for s in info.shards if categories is None or s.category in categories]
    settings_folder = folder / _settings_key(body, grid, settings)
    with only_run(folder):
        todo = [shard for shard in shards if not votes_file(settings_folder, shard).is_file()]
        work = VotesWork(place, settings_folder, body, grid, settings)
        progress(len(shards) - len(todo), len(shards))
        for done, _ in enumerate(run_jobs(work, todo, engine), start=len(shards) - len(todo) + 1):
            progress(done, len(shards))
    return {
        category: add_votes(
            votes_file(settings_folder, shard) for shard in shards if shard.category == category
        )
        for category in dict.fromkeys(shard.category for shard in shards)
    }


def add_votes(files: Iterator[Path]) -> Aggregation:
    """Return the sum of saved aggregations; two are in memory at a time."""
    total = Aggregation.load(next(files))
    for file in files:
        total = total + Aggregation.load(file)
    return total


def _settings_key(body: str, grid: GridSpec, settings: Mapping[str, Any]) -> str:
    parts = [BodyModel.load(body).label, asdict(grid), {k: str(v) for k, v in settings.items()}]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _check_body(info: DatasetInfo, body: str) -> None:
    known, label = info.details.get("body"), BodyModel.load(body).label
    if known is not None and known != label:
        raise InputError(
            f"the poses are of the body {known}, not of {label}",
            where=info.name,
            fix="give that body with --body FILE",
        )
