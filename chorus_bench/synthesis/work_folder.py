"""The work folder of a synthesis: stages of shards, each shard written atomically, once.

    <work>/prompts/<category>.txt
    <work>/<stage>/manifest.json          settings, inputs, shards
    <work>/<stage>/<shard>.parquet        rows, in the order of their addresses
    <work>/<stage>/<shard>.json           record of a finished shard: rows, SHA-256, seconds, counts
    <work>/dataset/...                    the dataset's files (`chorus_bench.synthesis.assembly`)

A shard is finished once its record exists, and the record is written after the rows. All stages
have the same shards: a stage reads those of the stages before it and writes its own. The images of
finished datasets are in the dataset's files (`chorus_bench.synthesis.moved_images`).
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.datasets.features import with_features
from chorus_bench.datasets.lengths import check_lengths
from chorus_bench.datasets.parquet import ROWS_A_GROUP, open_parquet, rows_of, unreadable
from chorus_bench.datasets.recipe import Row
from chorus_bench.datasets.schema import CAMERA_COLUMNS, TRAIN_SCHEMA
from chorus_bench.errors import InputError, list_some
from chorus_bench.io.files import WriteError, atomic_write_bytes, is_folder, remove_unfinished
from chorus_bench.io.leftovers import remove, unfinished_name
from chorus_bench.synthesis.moved_images import COLUMN, Moved, Rest, others_digest, with_images

FORMAT, MANIFEST = 1, "manifest.json"

#: The stages, in order.
STAGES = ("prompts", "images", "annotations", "filters", "cameras")
#: The stages with shards.
ROW_STAGES = STAGES[1:]

#: The columns that say which image it is and how it was made.
ADDRESS = ("sample_id", "category", "prompt", "view", "index", "seed", "source", "generator")


def _schema(*names: str) -> pa.Schema:
    return pa.schema([TRAIN_SCHEMA.field(name) for name in names])


#: The columns of a stage's rows. ``fault`` says why an image is unusable.
STAGE_SCHEMAS: dict[str, pa.Schema] = {
    "images": _schema(*ADDRESS, "height", "width", "image")
    .append(pa.field("attempt", pa.int32()))
    .append(pa.field("fault", pa.string())),
    "annotations": _schema("sample_id", "people", "objects"),
    "filters": _schema(
        *("sample_id", "verdict", "reason", "human_mask", "object_mask", "pose", "betas"),
        *CAMERA_COLUMNS,
    ),
    "cameras": _schema("sample_id", "verdict", "reason", *CAMERA_COLUMNS),
}


@dataclass(frozen=True)
class Shard:
    """Some rows of a category that are made together.

    Attributes:
        name: name of its files, without suffix.
        category: category of all its rows.
        begin: number of its first row among the category's addresses.
        end: one after the number of its last row.
    """

    name: str
    category: str
    begin: int
    end: int

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.end - self.begin


@dataclass(frozen=True)
class Record:
    """A finished shard.

    Attributes:
        rows: number of rows.
        size: size of the Parquet file in bytes.
        sha256: SHA-256 of the Parquet file, hex digits.
        seconds: time of making it, without loading models.
        counts: number of events by kind, for example of remade images.
        models: descriptions of the models that made the rows, by role.
        moved: where the images are, if they are no longer in the shard's file.
        others: of a shard with images, SHA-256 over its other columns, hex digits; None in records
            of earlier versions.
    """

    rows: int
    size: int
    sha256: str
    seconds: float
    counts: dict[str, int] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    moved: Moved | None = None
    others: str | None = None

    @classmethod
    def from_text(cls, text: str) -> Record:
        """Read what `to_text` wrote."""
        content = json.loads(text)
        moved = content.pop("moved", None)
        if moved is not None:
            moved = Moved(**{**moved, "groups": tuple(moved["groups"])})
        return cls(**content, moved=moved)

    def to_text(self) -> str:
        """Return it as JSON."""
        content = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(content, sort_keys=True) + "\n"


@dataclass(frozen=True)
class Manifest:
    """The inputs and settings of a stage.

    Attributes:
        stage: one of `STAGES`.
        settings: settings of the stage, as JSON values.
        inputs: the key of the stage before it; empty for the first.
        shards: all of them, finished or not.
    """

    stage: str
    settings: Mapping[str, Any]
    inputs: str = ""
    shards: tuple[Shard, ...] = ()

    @cached_property
    def key(self) -> str:
        """The first 12 hex digits of a SHA-256 over everything that determines the rows."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"format": FORMAT, **asdict(self)}


class StageFolder:
    """A stage's folder.

    Args:
        work: the work folder.
        stage: one of `STAGES`.
    """

    def __init__(self, work: str | Path, stage: str) -> None:
        self.stage = stage
        self.path = Path(work) / stage

    def load_manifest(self) -> Manifest | None:
        """Return the manifest, or None if the stage has not begun.

        Raises:
            InputError: it is damaged.
        """
        file = self.path / MANIFEST
        if not file.is_file():
            return None
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if content.pop("format") != FORMAT:
                raise ValueError("another format")
            shards = tuple(Shard(**shard) for shard in content.pop("shards"))
            return Manifest(shards=shards, **content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"is damaged: {error}", where=file, fix=f"make the stage again: --redo {self.stage}"
            ) from error

    def save_manifest(self, manifest: Manifest) -> None:
        """Write the manifest."""
        text = json.dumps(manifest.to_json(), indent=1, ensure_ascii=False) + "\n"
        atomic_write_bytes(self.path / MANIFEST, text.encode())

    def remove(self) -> None:
        """Remove everything that the stage has made.

        Raises:
            InputError: the folder is not of a stage.
            WriteError: it cannot be removed.
        """
        if not is_folder(self.path):
            return
        if not (self.path / MANIFEST).is_file() and any(self.path.iterdir()):
            raise InputError(
                "is in the way and is not of a synthesis, so it is not removed",
                where=self.path,
                expected=f"a folder with {MANIFEST}",
                fix="move it away, or choose another output",
            )
        gone = unfinished_name(self.path.parent)
        try:
            self.path.rename(gone)
            remove(gone)
        except OSError as error:
            raise WriteError.of(self.path, error) from error

    def tidy(self, manifest: Manifest) -> None:
        """Remove leftovers of killed runs that no run needs."""
        remove_unfinished(self.path)
        done = self.records(manifest)
        for shard in manifest.shards:
            if shard.name in done:
                shutil.rmtree(self.unfinished(shard), ignore_errors=True)

    def record(self, shard: Shard) -> Record | None:
        """Return a shard's record, or None if it is not finished or is damaged."""
        try:
            record = Record.from_text(self._record_file(shard).read_text(encoding="utf-8"))
            size = self.shard_file(shard).stat().st_size
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        moved = record.moved
        there = moved is not None and (self.path.parent / moved.file).is_file()
        sizes = {record.size, moved.size} if moved is not None and there else {record.size}
        return record if size in sizes and record.rows == shard.rows else None

    def records(self, manifest: Manifest) -> dict[str, Record]:
        """Return the records of all finished shards by name."""
        found = ((shard.name, self.record(shard)) for shard in manifest.shards)
        return {name: record for name, record in found if record is not None}

    def rows_key(self, manifest: Manifest) -> str:
        """Return a SHA-256 over the manifest and all finished shards: equal keys, equal rows."""
        digests = [record.sha256 for record in self.records(manifest).values()]
        return hashlib.sha256(" ".join([manifest.key, *digests]).encode()).hexdigest()

    def complete_manifest(self) -> Manifest:
        """Return the manifest of a stage whose shards are all finished.

        Raises:
            InputError: it has not begun, or shards are missing; the message says how many.
        """
        manifest = self.load_manifest()
        advice = f"run the stage '{self.stage}' first"
        if manifest is None:
            raise InputError(
                f"the stage '{self.stage}' has not been run", where=self.path, fix=advice
            )
        done = self.records(manifest)
        missing = [shard.name for shard in manifest.shards if shard.name not in done]
        if missing:
            raise InputError(
                f"{len(missing)} of {len(manifest.shards)} shards of the stage '{self.stage}' "
                f"are missing ({list_some(missing)})",
                where=self.path,
                fix=advice,
            )
        return manifest

    def write(
        self,
        shard: Shard,
        rows: Sequence[Row],
        *,
        seconds: float,
        counts: Mapping[str, int],
        models: Mapping[str, str],
    ) -> Record:
        """Write a shard and its record, each atomically.

        Equal rows give equal bytes, whoever writes them.

        Raises:
            WriteError: the disk is full, the place is not writable, ...
        """
        for row in rows:
            check_lengths(row)
        schema = with_features(STAGE_SCHEMAS[self.stage])
        table = pa.Table.from_pylist(list(rows), schema=schema)
        content = encoded(table)
        record = Record(
            len(rows),
            len(content),
            hashlib.sha256(content).hexdigest(),
            round(seconds, 3),
            {name: count for name, count in counts.items() if count},
            dict(models),
            others=others_digest(table) if COLUMN in table.column_names else None,
        )
        atomic_write_bytes(self.shard_file(shard), content)
        atomic_write_bytes(self._record_file(shard), record.to_text().encode())
        return record

    def move_images(self, shard: Shard, rest: Rest, file: str, groups: tuple[int, int]) -> None:
        """Take the images out of a shard's file, once a file of the dataset has them.

        Whenever this is interrupted, the shard is as before or as after it.

        Args:
            shard: a finished shard of the stage `images`.
            rest: what stays of its rows.
            file: the dataset's file, relative to the work folder.
            groups: first and number of the row groups with these rows.

        Raises:
            WriteError: the disk is full, the place is not writable, ...
        """
        record = self._finished(shard)
        content = encoded(rest.table.cast(with_features(STAGE_SCHEMAS[self.stage])))
        digest = hashlib.sha256(content).hexdigest()
        moved = Moved(file, groups, rest.images, len(content), digest)
        text = replace(record, moved=moved).to_text()
        atomic_write_bytes(self._record_file(shard), text.encode())
        atomic_write_bytes(self.shard_file(shard), content)

    def read(self, shard: Shard, columns: Sequence[str] | None = None) -> list[Row]:
        """Return a shard's rows, after checking its file against its record; see `table`.

        Raises:
            InputError: the shard is not finished or was changed.
        """
        return list(rows_of(self.table(shard, columns), self.shard_file(shard)))

    def table(self, shard: Shard, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a shard's rows as a table, after checking its file against its record.

        Columns of the stage `images` without the pictures are read and checked alone.

        Raises:
            InputError: the shard is not finished or was changed.
        """
        record, file = self._finished(shard), self.shard_file(shard)
        if record.others and columns and COLUMN not in columns:
            return self._without_images(file, record.others).select(list(columns))
        content = file.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        moved = record.moved if record.moved and digest == record.moved.sha256 else None
        if moved is None and digest != record.sha256:
            raise self._changed(file)
        try:
            table = pq.read_table(io.BytesIO(content), columns=columns and list(columns))
        except pa.ArrowException as error:
            raise unreadable(file, error) from error
        if moved is None or COLUMN not in table.column_names:
            return table
        return with_images(self.path.parent, moved, table)

    def _without_images(self, file: Path, digest: str) -> pa.Table:
        """Return the other columns of a shard with images; its images are not read."""
        names = [name for name in STAGE_SCHEMAS[self.stage].names if name != COLUMN]
        try:
            with open_parquet(file) as parquet:
                table = parquet.read(columns=names)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(file, error) from error
        if others_digest(table) != digest:
            raise self._changed(file)
        return table

    def _finished(self, shard: Shard) -> Record:
        record = self.record(shard)
        if record is None:
            found = "no such finished shard"
            raise InputError(found, where=self.shard_file(shard), fix=self._again)
        return record

    def _changed(self, file: Path) -> InputError:
        return InputError("was changed after it was written", where=file, fix=self._again)

    @property
    def _again(self) -> str:
        return f"remove it and run the stage '{self.stage}' again"

    def shard_file(self, shard: Shard) -> Path:
        """Return the Parquet file of a shard."""
        return self.path / f"{shard.name}.parquet"

    def unfinished(self, shard: Shard) -> Path:
        """Return the folder of a shard's parts before it is written."""
        return self.path / f"{shard.name}.unfinished"

    def _record_file(self, shard: Shard) -> Path:
        return self.path / f"{shard.name}.json"


def encoded(table: pa.Table) -> bytes:
    """Return a shard's rows as the content of a Parquet file; equal rows give equal bytes."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", row_group_size=ROWS_A_GROUP)
    return buffer.getvalue()
