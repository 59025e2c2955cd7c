"""Stage `images` of pictures that exist already: they are read from their source into shards.

An interrupted run goes on after its last finished shard. The manifest names the shards made so
far; only that of a finished stage has no `UNFINISHED` in its place for inputs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

from chorus_bench.datasets.folder import category_folder
from chorus_bench.datasets.recipe import Note, Row, count_reasons
from chorus_bench.errors import InputError
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.synthesis.picture_source import PictureSource
from chorus_bench.synthesis.work_folder import Manifest, Record, Shard, StageFolder

UNFINISHED = "unfinished"
_DUPLICATE = "a duplicate"
_REST = "rest"


def pictures_manifest(
    source: PictureSource, shard_size: int, shards: tuple[Shard, ...] = (), inputs: str = UNFINISHED
) -> Manifest:
    """Return the manifest of the stage `images` for pictures of a source.

    Args:
        source: the pictures.
        shard_size: rows of a shard at most.
        shards: the shards that are there.
        inputs: empty once these are all.
    """
    settings = {"source": dict(source.identity), "shard_size": shard_size}
    return Manifest("images", settings, inputs, shards)


def is_read(manifest: Manifest | None) -> bool:
    """Whether all pictures of a source have been read."""
    return manifest is not None and manifest.inputs != UNFINISHED


@dataclass
class PictureReader:
    """Reads pictures into the shards of a stage.

    Args:
        source: the pictures.
        folder: the folder of the stage `images`.
        size: rows of a shard at most.
        report: called with the number of rows after each shard.
    """

    source: PictureSource
    folder: StageFolder
    size: int
    report: Callable[[int], None]
    _shards: list[Shard] = field(default_factory=list)
    _rows: list[Row] = field(default_factory=list)
    _notes: list[Note] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _started: float = field(default_factory=time.perf_counter)

    def read(self) -> dict[str, Record]:
        """Read what is missing; return the records of the shards that were made.

        Raises:
            InputError: no picture is left.
            WriteError: the disk is full, ...
        """
        there = len(self._resume())
        for found in self._unique(self.source.read(self._skipped())):
            if isinstance(found, Note):
                self._notes.append(found)
                continue
            if self._rows and self._is_full(found["category"]):
                self._write()
            self._rows.append(found)
        if self._rows:
            self._write()
        self._write_notes(_REST)
        self._check_some()
        self.folder.save_manifest(
            pictures_manifest(self.source, self.size, tuple(self._shards), inputs="")
        )
        return {shard.name: self._record(shard) for shard in self._shards[there:]}

    def _is_full(self, category: str) -> bool:
        return len(self._rows) == self.size or self._rows[0]["category"] != category

    def _resume(self) -> list[Shard]:
        """Take over the shards of an interrupted run, up to the first that is missing."""
        manifest = self.folder.load_manifest()
        for shard in manifest.shards if manifest else ():
            if self.folder.record(shard) is None:
                break
            rows = self.folder.read(shard, ("sample_id",))
            self._seen.update(row["sample_id"] for row in rows)
            self._shards.append(shard)
        return list(self._shards)

    def _skipped(self) -> int:
        """Return the number of entries of the source that the finished shards stand for."""
        return sum(
            record.rows + sum(record.counts.values()) for record in map(self._record, self._shards)
        )

    def _record(self, shard: Shard) -> Record:
        record = self.folder.record(shard)
        if record is None:
            raise InputError("no such finished shard", where=self.folder.shard_file(shard))
        return record

    def _unique(self, found: Iterator[Row | Note]) -> Iterator[Row | Note]:
        """Yield the entries of a source; of rows with equal ids only the first is a row."""
        for entry in found:
            if isinstance(entry, dict) and entry["sample_id"] in self._seen:
                yield Note(entry["sample_id"], _DUPLICATE, "the same picture was there before")
                continue
            if isinstance(entry, dict):
                self._seen.add(entry["sample_id"])
            yield entry

    def _write(self) -> None:
        category = self._rows[0]["category"]
        same = [shard for shard in self._shards if shard.category == category]
        begin = same[-1].end if same else 0
        name = f"{category_folder(category)}-{len(same):05d}"
        shard = Shard(name, category, begin, begin + len(self._rows))
        self._write_notes(name)
        self.folder.write(
            shard,
            self._rows,
            seconds=time.perf_counter() - self._started,
            counts=count_reasons(self._notes, left_out=True),
            models={"pictures": self.source.name},
        )
        self._shards.append(shard)
        shards = tuple(self._shards)
        self.folder.save_manifest(pictures_manifest(self.source, self.size, shards))
        self._rows, self._notes, self._started = [], [], time.perf_counter()
        self.report(sum(shard.rows for shard in self._shards))

    def _write_notes(self, name: str) -> None:
        if self._notes:
            text = json.dumps([asdict(note) for note in self._notes], ensure_ascii=False)
            atomic_write_bytes(self.folder.path / f"{name}.notes", text.encode())

    def _check_some(self) -> None:
        if self._shards:
            return
        notes = [*self.source.notes, *self._notes]
        reasons = ", ".join(f"{r}: {n}" for r, n in count_reasons(notes, left_out=True).items())
        raise InputError(
            f"no picture is left{f' ({reasons})' if reasons else ''}",
            where=self.source.name,
            expected="at least one JPEG, PNG, WebP or BMP",
        )


def read_notes(folder: StageFolder, manifest: Manifest) -> list[Note]:
    """Return the notes on pictures that were left out while the shards were read."""
    names = [*(shard.name for shard in manifest.shards), _REST]
    files = [folder.path / f"{name}.notes" for name in names]
    texts = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
    return [Note(**note) for text in texts for note in json.loads(text)]
