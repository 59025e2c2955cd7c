"""Aggregation of a large dataset: the votes of each Parquet file, counted on an engine and added.

Votes are integers per azimuth bin, so the sum has the same bits however the rows are cut and
wherever they are counted. The votes of a file are written once; an interrupted run goes on
with the files that are missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chorus_baselines.chorus.aggregation import Aggregation, aggregate
from chorus_baselines.chorus.category import aggregate_category, draw_views, used_views
from chorus_baselines.chorus.options import ChorusOptions
from chorus_baselines.chorus.storage import load_aggregation, save_aggregation
from chorus_bench.datasets.bodies import BodySource, body_for
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.metadata import DataFile
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines import EngineSettings, Result, end_inner_run, run_jobs
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.locks import only_run
from chorus_bench.progress import Progress

#: Options that do not change the votes of a file, or not by their name.
_AFTERWARDS = ("weights", "device", "joint_regressor")

_HERE, _GRID, _OPTIONS = EngineSettings(), GridSpec(), ChorusOptions()


@dataclass(frozen=True)
class VotesWork:
    """Sets a worker up that counts the votes of one Parquet file at a time.

    Attributes:
        dataset: the dataset's folder.
        votes: the folder for the votes.
        body: body of the poses.
        grid: the canonical grid.
        options: options of the method.
        drawn: category -> the drawn views, see `draw_views`.
        settings: more settings of `aggregate`.
    """

    dataset: Path
    votes: Path
    body: BodyModel
    grid: GridSpec
    options: ChorusOptions
    drawn: Mapping[str, frozenset[str] | None]
    settings: Mapping[str, Any]

    def __call__(self) -> Callable[[DataFile], Result]:
        """Return the function that counts a file."""
        return self._count

    def _count(self, shard: DataFile) -> Result:
        rows = DatasetRows.open(self.dataset / shard.path).rows(shard.category)
        views = used_views(rows, self.body, self.options, self.drawn[shard.category])
        settings = {**self.options.aggregation, **self.settings, "allow_empty": True}
        aggregation = aggregate(views, body=self.body, grid=self.grid, threads=1, **settings)
        save_aggregation(aggregation, votes_file(self.votes, shard))
        return {"views": aggregation.views}


def votes_file(folder: Path, shard: DataFile) -> Path:
    """Return the file of a shard's votes; its name changes with the shard's content."""
    return folder / f"{Path(shard.path).parent.name}-{shard.sha256[:16]}.npz"


def aggregate_dataset(
    data: str | Path | DatasetRows,
    votes: str | Path,
    *,
    body: BodySource = "default",
    grid: GridSpec = _GRID,
    options: ChorusOptions = _OPTIONS,
    seed: int = 0,
    engine: EngineSettings = _HERE,
    progress: Progress = lambda done, total: None,
    **settings: Any,  # noqa: ANN401 - those of aggregate
) -> dict[str, Aggregation]:
    """Count the votes of a dataset's files on an engine and add them up.

    Args:
        data: a built dataset of training rows, or some categories of one.
        votes: a folder for the votes of each file; those that are there are not counted again.
        body: body of the poses, see `load_body`.
        grid: the canonical grid.
        options: options of the method.
        seed: random seed of the draws.
        engine: where files are counted.
        progress: called with the files that are done and all there are.
        **settings: more settings of `aggregate`, for example ``parts``.

    Returns:
        Category -> its aggregation.

    Raises:
        InputError: no built dataset, another body, or a category of which no view is left.
    """
    end_inner_run(engine.workers)
    rows = DatasetRows.open(data)
    model = body_for(rows.body, body, rows.name)
    place, shards = _shards(rows)
    drawn = {name: draw_views(rows, name, options, seed) for name in rows.categories}
    folder = Path(votes) / _settings_key(model, grid, options, seed, settings)
    with only_run(votes):
        todo = [shard for shard in shards if not votes_file(folder, shard).is_file()]
        work = VotesWork(place, folder, model, grid, options, drawn, settings)
        progress(len(shards) - len(todo), len(shards))
        for done, _ in enumerate(run_jobs(work, todo, engine), start=len(shards) - len(todo) + 1):
            progress(done, len(shards))
    totals = {name: _add_votes(folder, shards, name) for name in rows.categories}
    for name, total in totals.items():
        if not total.views:  # counted once more, for the error that says why
            aggregate_category(rows, name, model, grid, options=options, seed=seed)
    return totals


def _shards(rows: DatasetRows) -> tuple[Path, list[DataFile]]:
    """Return the dataset's folder and the files of the categories."""
    if rows.place is None:
        raise InputError("rows in memory cannot be counted on an engine", where=rows.name)
    info = DatasetInfo.load(rows.place)
    return rows.place, [shard for shard in info.shards if shard.category in rows.counts]


def _add_votes(folder: Path, shards: list[DataFile], category: str) -> Aggregation:
    """Return the sum of a category's votes; two files are in memory at a time."""
    files: Iterator[Path] = (votes_file(folder, s) for s in shards if s.category == category)
    total = load_aggregation(next(files))
    for file in files:
        total = total + load_aggregation(file)
    return total


def _settings_key(
    body: BodyModel, grid: GridSpec, options: ChorusOptions, seed: int, settings: Mapping[str, Any]
) -> str:
    named = {name: _label(value) for name, value in settings.items()}
    chosen = {name: value for name, value in asdict(options).items() if name not in _AFTERWARDS}
    regressor = options.joint_regressor
    content = "" if regressor is None else _digest(Path(regressor))
    parts = [body.label, asdict(grid), chosen, content, seed, named]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _label(value: object) -> str:
    """Return a text that changes with a setting; arrays in a mapping are not shortened."""
    if isinstance(value, Mapping):
        return str({name: getattr(v, "tolist", lambda v=v: v)() for name, v in value.items()})
    return str(value)
