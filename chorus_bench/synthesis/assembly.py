"""The dataset of finished stages, made by the workers of an engine, one Parquet file at a time.

    <work>/dataset/<key>/data/<category>/train-00000-of-00002.parquet
    <work>/dataset/<key>/data/<category>/train-00000-of-00002.json     record of a finished file

A worker reads the shards of one file, writes it, and takes the images out of the stage `images`:
while a dataset is made, only the files in work are on the disk twice. A file's record has all that
the driver needs (size, SHA-256, digests of the rows, counts), so the driver reads no picture: it
links to the files in the dataset's folder and writes description and card.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from chorus_bench.datasets.export import DATASET, MADE_WITH, Built, describe
from chorus_bench.datasets.facts import Facts, file_metadata, schema_with_facts, table_with_facts
from chorus_bench.datasets.fingerprint import Fingerprint
from chorus_bench.datasets.folder import DATA_FOLDER, STATISTICS, category_folder
from chorus_bench.datasets.metadata import DataFile
from chorus_bench.datasets.parquet import (
    BYTES_A_GROUP,
    ROWS_A_GROUP,
    TableWriter,
    open_parquet,
    rows_of,
)
from chorus_bench.datasets.recipe import Note, Recipe
from chorus_bench.datasets.statistics import DatasetStatistics, RowCounts
from chorus_bench.engines import EngineSettings, Result, run_jobs
from chorus_bench.errors import InputError
from chorus_bench.io.files import atomic_file, atomic_folder, atomic_write_bytes
from chorus_bench.io.leftovers import remove
from chorus_bench.io.locks import only_writer
from chorus_bench.progress import Progress
from chorus_bench.synthesis.joined import joined_table
from chorus_bench.synthesis.moved_images import COLUMN, Rest
from chorus_bench.synthesis.recipe import unusable
from chorus_bench.synthesis.work_folder import (
    ROW_STAGES,
    STAGE_SCHEMAS,
    Manifest,
    Shard,
    StageFolder,
)

FOLDER = "dataset"
#: A file ends with the shard that makes it larger than this (bytes).
FILE_BYTES = 400_000_000


@dataclass(frozen=True)
class FilePlan:
    """A Parquet file of the dataset, and the shards whose rows it has.

    Attributes:
        path: relative to the dataset's folder.
        category: category of all its rows.
        shards: the shards in order.
    """

    path: str
    category: str
    shards: tuple[Shard, ...]

    def __str__(self) -> str:
        return self.path


def file_plans(
    manifest: Manifest, sizes: Mapping[str, int], split: str, limit: int = FILE_BYTES
) -> list[FilePlan]:
    """Return the dataset's files: consecutive shards of a category, up to a size.

    Args:
        manifest: the manifest of the stage `images`.
        sizes: name of a shard -> bytes of its images.
        split: split of the rows.
        limit: a file ends with the shard that makes it larger than this, bytes.
    """
    plans = []
    for category in dict.fromkeys(shard.category for shard in manifest.shards):
        groups: list[list[Shard]] = [[]]
        total = 0
        for shard in (s for s in manifest.shards if s.category == category):
            if total > limit:
                groups.append([])
                total = 0
            groups[-1].append(shard)
            total += sizes[shard.name]
        place = f"{DATA_FOLDER}/{category_folder(category)}/{split}"
        for number, group in enumerate(groups):
            path = f"{place}-{number:05d}-of-{len(groups):05d}.parquet"
            plans.append(FilePlan(path, category, tuple(group)))
    return plans


@dataclass(frozen=True)
class FileRecord:
    """A finished file.

    Attributes:
        file: path, category, rows, size and SHA-256.
        groups: shard -> first and number of the row groups with its rows.
        digests: the SHA-256 of all rows in order, 64 hex digits each.
        counts: counts of the rows, see `RowCounts`.
        notes: unusable images.
    """

    file: DataFile
    groups: dict[str, tuple[int, int]]
    digests: str
    counts: dict[str, Any]
    notes: list[Note]

    def to_text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"

    @classmethod
    def from_text(cls, text: str) -> FileRecord:
        """Read what `to_text` wrote."""
        content = json.loads(text)
        return cls(
            DataFile(**content["file"]),
            {name: (first, count) for name, (first, count) in content["groups"].items()},
            content["digests"],
            content["counts"],
            [Note(**note) for note in content["notes"]],
        )


@dataclass(frozen=True)
class FileWork:
    """Sets a worker up that makes one file of the dataset at a time; picklable.

    Attributes:
        work: the work folder.
        key: key of the stages' rows.
        split: split of the rows.
        schema: schema of the rows, without the facts.
        facts: the facts that every row carries.
        metadata: entries for the metadata of the files.
    """

    work: Path
    key: str
    split: str
    schema: pa.Schema
    facts: Facts
    metadata: Mapping[bytes, bytes]

    @classmethod
    def of(cls, recipe: Recipe, work: Path) -> FileWork:
        """Return the work of a recipe of finished stages."""
        known = {key: value for key, value in recipe.metadata.items() if key != STATISTICS}
        metadata = file_metadata(replace(recipe, metadata=known), MADE_WITH)
        facts = Facts.of_recipe(recipe)
        return cls(work, recipe.inputs["stages"], recipe.split, recipe.schema, facts, metadata)

    def __call__(self) -> Callable[[FilePlan], Result]:
        """Return the function that makes a file."""
        return self._make

    @property
    def root(self) -> Path:
        """The folder that holds the files as the dataset's folder does."""
        return self.work / FOLDER / self.key

    def record(self, plan: FilePlan) -> FileRecord | None:
        """Return the record of a file, or None if it is not finished or is damaged."""
        try:
            found = FileRecord.from_text(self._record_file(plan).read_text(encoding="utf-8"))
            size = (self.root / plan.path).stat().st_size
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        same = tuple(found.groups) == tuple(shard.name for shard in plan.shards)
        return found if size == found.file.size and same else None

    def is_done(self, plan: FilePlan) -> bool:
        """Whether a file is finished and has taken over the images of its shards."""
        images = StageFolder(self.work, ROW_STAGES[0])
        return self.record(plan) is not None and all(
            (record := images.record(shard)) is not None
            and record.moved is not None
            and record.moved.file == self._name(plan)
            and record.moved.size == images.shard_file(shard).stat().st_size
            for shard in plan.shards
        )

    def _name(self, plan: FilePlan) -> str:
        """Return the path of a file relative to the work folder."""
        return f"{FOLDER}/{self.key}/{plan.path}"

    def _record_file(self, plan: FilePlan) -> Path:
        return (self.root / plan.path).with_suffix(".json")

    def _make(self, plan: FilePlan) -> Result:
        made = _FileRows(self)
        record = self.record(plan) or self._write(plan, made)
        images = StageFolder(self.work, ROW_STAGES[0])
        for shard in plan.shards:
            rest = made.rests.get(shard.name) or Rest.of(images.table(shard))
            images.move_images(shard, rest, self._name(plan), record.groups[shard.name])
        return {"path": plan.path}

    def _write(self, plan: FilePlan, made: _FileRows) -> FileRecord:
        """Write a file and its record, each atomically."""
        file = self.root / plan.path
        with atomic_file(file) as temporary:
            writer = TableWriter(temporary, schema_with_facts(self.schema), self.metadata)
            try:
                for shard in plan.shards:
                    made.write(shard, writer)
            finally:
                writer.close()
            described = _described(temporary, plan)
        digests = b"".join(made.fingerprint.digests).hex()
        counts = made.counts.as_dict()
        record = FileRecord(described, made.groups, digests, counts, made.notes)
        atomic_write_bytes(self._record_file(plan), record.to_text().encode())
        return record


class _FileRows:
    """Writes the rows of shards to a file, and keeps what its record says of them."""

    def __init__(self, work: FileWork) -> None:
        self._work = work
        self._written = 0
        self.fingerprint = Fingerprint(work.split)
        self.counts = RowCounts()
        self.groups: dict[str, tuple[int, int]] = {}
        self.notes: list[Note] = []
        self.rests: dict[str, Rest] = {}

    def write(self, shard: Shard, writer: TableWriter) -> None:
        """Write the rows of a shard as row groups of their own."""
        joined = joined_table(self._work.work, shard, ROW_STAGES)
        table = joined.select(self._work.schema.names).cast(self._work.schema)
        rows = list(rows_of(table, shard.name))
        self.fingerprint.add(rows)
        self.counts.add(rows)
        self.notes += unusable(rows, joined["fault"].to_pylist())
        first = self._written
        for part in _groups(table_with_facts(table, self._work.facts)):
            writer.write(part)
            self._written += 1
        self.groups[shard.name] = (first, self._written - first)
        self.rests[shard.name] = Rest.of(joined.select(STAGE_SCHEMAS[ROW_STAGES[0]].names))


def _groups(table: pa.Table) -> Iterator[pa.Table]:
    """Yield a table in groups of moderate size, by the mean size of its rows' pictures."""
    mean = max(table[COLUMN].nbytes // max(len(table), 1), 1)
    rows = max(1, min(ROWS_A_GROUP, BYTES_A_GROUP // mean))
    for begin in range(0, len(table), rows):
        yield table.slice(begin, rows)


def _described(file: Path, plan: FilePlan) -> DataFile:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with open_parquet(file) as parquet:
        rows = parquet.metadata.num_rows
    return DataFile(plan.path, plan.category, rows, file.stat().st_size, digest)


@dataclass(frozen=True)
class Assembly:
    """A dataset that is made of finished stages.

    Attributes:
        recipe: the recipe of the stages.
        work: the work folder.
        target: the dataset's folder.
        limit: as in `file_plans`.
    """

    recipe: Recipe
    work: Path
    target: Path
    limit: int = FILE_BYTES

    @cached_property
    def files(self) -> FileWork:
        """What workers do."""
        return FileWork.of(self.recipe, self.work)

    @cached_property
    def plans(self) -> list[FilePlan]:
        """The files of the dataset."""
        folder = StageFolder(self.work, ROW_STAGES[0])
        manifest = folder.complete_manifest()
        sizes = {name: record.size for name, record in folder.records(manifest).items()}
        return file_plans(manifest, sizes, self.recipe.split, self.limit)

    @cached_property
    def records(self) -> list[FileRecord]:
        """The records of all files, once they are made.

        Raises:
            InputError: a file is not there, or not as it was made.
        """
        return [self._record(plan) for plan in self.plans]

    def _record(self, plan: FilePlan) -> FileRecord:
        record = self.files.record(plan)
        if record is None:
            raise InputError(
                "was removed or changed before the dataset was finished",
                where=self.files.root / plan.path,
                expected="the files of the dataset as the run has made them",
                fix="run the same command again",
            )
        return record

    def make_files(self, engine: EngineSettings, progress: Progress) -> None:
        """Make the files that are not there on an engine."""
        todo = [plan for plan in self.plans if not self.files.is_done(plan)]
        there = len(self.plans) - len(todo)
        progress(there, len(self.plans))
        for done, _ in enumerate(run_jobs(self.files, todo, engine), start=there + 1):
            progress(done, len(self.plans))

    def statistics(self) -> DatasetStatistics:
        """Return the statistics of all rows, from the counts of the files."""
        counts = RowCounts()
        for record in self.records:
            counts.add_counts(record.counts)
        return counts.statistics()

    def publish(self, recipe: Recipe) -> Built:
        """Make the dataset's folder from the finished files, and remove files of earlier rows.

        Args:
            recipe: the recipe with the texts of the card and all metadata.
        """
        fingerprint = Fingerprint(recipe.split)
        for record in self.records:
            fingerprint.add_digests(bytes.fromhex(record.digests))
        notes = (*recipe.notes, *(note for record in self.records for note in record.notes))
        shards = [record.file for record in self.records]
        old = self.target.exists()
        with only_writer(self.target), atomic_folder(self.target, old, DATASET) as folder:
            for shard in shards:
                _link(self.files.root / shard.path, folder / shard.path)
            info = describe(folder, recipe, shards, fingerprint.hexdigest(), notes)
        self._remove_others()
        return Built(self.target, info, notes, 0)

    def _remove_others(self) -> None:
        root = self.files.root
        wanted = {(root / plan.path).with_suffix("") for plan in self.plans}
        for place in [*root.parent.iterdir(), *root.glob(f"{DATA_FOLDER}/*/*")]:
            if place != root and place.with_suffix("") not in wanted:
                remove(place)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system has no such links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
