"""Export of a recipe to a folder of Parquet shards with a card.

The pieces of the recipe are made first, each in its own place in a working folder beside the
destination, and stay there if the build is interrupted: the same build then continues with the
next one. Once all are there, the folder is assembled and appears under its name, complete.

    data/<category>/test-00000-of-00002.parquet
    README.md              the card, with one config per category
    chorus_bench.json      the description of the dataset (`DatasetInfo`)
    notes.jsonl            problems with single entries of the sources
"""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench._version import __version__
from chorus_bench.datasets.card import write_card
from chorus_bench.datasets.facts import (
    Facts,
    file_metadata,
    schema_with_facts,
    table_with_facts,
)
from chorus_bench.datasets.fingerprint import Fingerprint, fingerprint_columns
from chorus_bench.datasets.folder import (
    DATA_FOLDER,
    NOTES_FILE,
    DatasetInfo,
    category_folder,
    describe_shard,
)
from chorus_bench.datasets.metadata import Shard
from chorus_bench.datasets.parquet import RowWriter, TableWriter
from chorus_bench.datasets.recipe import Note, Piece, Recipe, count_reasons
from chorus_bench.errors import InputError
from chorus_bench.io.files import atomic_folder, check_new_folder

Progress = Callable[[int, int], None]

#: A shard is closed once it is larger than this (bytes).
SHARD_BYTES = 400_000_000

_MADE_WITH = f"chorus-bench {__version__}"
_ROWS_FOLDER, _PIECE_NOTES = "rows", "notes.json"


@dataclass(frozen=True)
class Built:
    """A finished build.

    Attributes:
        path: the folder.
        info: description of the dataset.
        notes: problems with single entries of the sources.
        resumed: number of pieces taken over from an earlier, interrupted build.
    """

    path: Path
    info: DatasetInfo
    notes: tuple[Note, ...]
    resumed: int


def export(
    recipe: Recipe,
    output: str | Path,
    *,
    overwrite: bool = False,
    workers: int = 1,
    shard_bytes: int = SHARD_BYTES,
    progress: Progress = lambda done, total: None,
) -> Built:
    """Make the rows of a recipe and write them as a dataset folder.

    Memory use is constant: rows are written as they are made.

    Args:
        recipe: how the rows are made.
        output: the folder to write.
        overwrite: replace an existing folder.
        workers: number of processes that make pieces; with more than one, pieces must be
            picklable.
        shard_bytes: a Parquet file is closed once it is larger than this.
        progress: called with (done, total), in the units of the pieces' sizes.

    Raises:
        InputError: the folder already exists, no row is left, or a row is unusable.
        WriteError: the disk is full, the place is not writable, ... No folder that looks
            complete is left behind; finished pieces are kept for the next attempt.
    """
    target = Path(output)
    check_new_folder(target, overwrite=overwrite)
    work = target.parent / f".{target.resolve().name}.building-{recipe.key}"
    resumed = _make_pieces(recipe, work, workers, progress)
    notes = (*recipe.notes, *_piece_notes(recipe, work))
    with atomic_folder(target, overwrite=overwrite) as folder:
        info = _assemble(recipe, work, folder, notes, shard_bytes)
    for old in target.parent.glob(f".{target.resolve().name}.building-*"):
        shutil.rmtree(old, ignore_errors=True)
    return Built(target, info, notes, resumed)


def _make_pieces(recipe: Recipe, work: Path, workers: int, progress: Progress) -> int:
    """Make the missing pieces; return how many were there."""
    places = [_piece_folder(work, number) for number in range(len(recipe.pieces))]
    todo = [n for n, place in enumerate(places) if not place.is_dir()]
    total = sum(piece.size for piece in recipe.pieces)
    done = total - sum(recipe.pieces[n].size for n in todo)
    jobs = [(recipe.pieces[n], recipe.schema, places[n]) for n in todo]
    try:
        work.mkdir(parents=True, exist_ok=True)
        for size in _run(jobs, workers):
            done += size
            progress(done, total)
    except BaseException as error:
        _tidy(work)
        if isinstance(error, OSError):
            raise _write_error(error, work) from error
        raise
    return len(places) - len(todo)


def _tidy(work: Path) -> None:
    """Remove the unfinished piece, and the working folder if it is empty."""
    for unfinished in work.glob("*.unfinished"):
        shutil.rmtree(unfinished, ignore_errors=True)
    with contextlib.suppress(OSError):
        work.rmdir()


def _run(jobs: list[tuple[Piece, pa.Schema, Path]], workers: int) -> Iterator[int]:
    """Write pieces, here or in several processes; yield their sizes as they are finished."""
    if workers <= 1 or len(jobs) <= 1:
        yield from itertools.starmap(_write_piece, jobs)
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_write_piece, *zip(*jobs, strict=True))


def _piece_folder(work: Path, number: int) -> Path:
    return work / f"piece-{number:05d}"


def _write_piece(piece: Piece, schema: pa.Schema, place: Path) -> int:
    """Write the rows of a piece, one file per category, and its notes; all or nothing."""
    temporary = place.with_name(f"{place.name}.unfinished")
    shutil.rmtree(temporary, ignore_errors=True)
    (temporary / _ROWS_FOLDER).mkdir(parents=True)
    notes: list[Note] = []
    writers: dict[str, RowWriter] = {}
    try:
        for row in piece.make(notes):
            name = category_folder(row["category"])
            if name not in writers:
                path = temporary / _ROWS_FOLDER / f"{name}.parquet"
                writers[name] = RowWriter(path, schema)
            writers[name].add(row)
    finally:
        for writer in writers.values():
            writer.close()
    content = json.dumps([asdict(note) for note in notes])
    (temporary / _PIECE_NOTES).write_text(content, encoding="utf-8")
    temporary.rename(place)
    return piece.size


def _piece_notes(recipe: Recipe, work: Path) -> list[Note]:
    files = [_piece_folder(work, n) / _PIECE_NOTES for n in range(len(recipe.pieces))]
    texts = [file.read_text(encoding="utf-8") for file in files]
    return [Note(**note) for text in texts for note in json.loads(text)]


def _assemble(
    recipe: Recipe, work: Path, folder: Path, notes: tuple[Note, ...], shard_bytes: int
) -> DatasetInfo:
    """Assemble the pieces: shards per category, description, card."""
    pieces = [_piece_folder(work, n) / _ROWS_FOLDER for n in range(len(recipe.pieces))]
    names = sorted({file.stem for piece in pieces for file in piece.glob("*.parquet")})
    if not names:
        raise InputError(
            f"no row is left of all {len(recipe.pieces)} pieces",
            where=recipe.name,
            fix="; ".join(str(note) for note in notes[:5]) or None,
        )
    fingerprint = Fingerprint(recipe.split)
    shards: list[Shard] = []
    for name in names:
        files = [piece / f"{name}.parquet" for piece in pieces]
        rows = _Rows([file for file in files if file.is_file()], recipe.split, fingerprint)
        place = folder / DATA_FOLDER / name
        shards += _write_shards(rows, recipe, place, shard_bytes, folder)
    info = _info(recipe, shards, fingerprint.hexdigest(), notes)
    if notes:
        lines = [json.dumps(asdict(note), ensure_ascii=False) + "\n" for note in notes]
        (folder / NOTES_FILE).write_text("".join(lines), encoding="utf-8")
    info.save(folder)
    write_card(folder, info)
    return info


@dataclass(frozen=True)
class _Rows:
    """Yield finished rows of one category in groups, and add them to the fingerprint."""

    files: list[Path]
    split: str
    fingerprint: Fingerprint

    def __iter__(self) -> Iterator[pa.Table]:
        for path in self.files:
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group)
                    columns = fingerprint_columns(self.split, table.column_names)
                    self.fingerprint.add(table.select(columns).to_pylist())
                    yield table


def _write_shards(
    groups: _Rows, recipe: Recipe, place: Path, shard_bytes: int, root: Path
) -> list[Shard]:
    """Write the rows of one category; the number of shards is known only at the end."""
    place.mkdir(parents=True)
    schema, facts = schema_with_facts(recipe.schema), Facts.of_recipe(recipe)
    metadata = file_metadata(recipe, _MADE_WITH)
    writer: TableWriter | None = None
    files: list[Path] = []
    categories: list[str] = []
    try:
        for table in groups:
            if writer is None:
                files.append(place / f"{recipe.split}-{len(files):05d}")
                categories.append(table.column("category")[0].as_py())
                writer = TableWriter(files[-1], schema, metadata)
            writer.write(table_with_facts(table, facts))
            if writer.size > shard_bytes:
                writer.close()
                writer = None
    finally:
        if writer is not None:
            writer.close()
    named = [f.rename(f.with_name(f"{f.name}-of-{len(files):05d}.parquet")) for f in files]
    return [describe_shard(file, root, categories[0]) for file in named]


def _info(
    recipe: Recipe, shards: list[Shard], fingerprint: str, notes: tuple[Note, ...]
) -> DatasetInfo:
    details: dict[str, Any] = dict(recipe.metadata)
    return DatasetInfo(
        name=recipe.name,
        version=recipe.version,
        split=recipe.split,
        fingerprint=fingerprint,
        shards=tuple(shards),
        sources=recipe.sources,
        details=details,
        left_out=count_reasons(notes, left_out=True),
        noted=count_reasons(notes, left_out=False),
        command=recipe.command,
        made_with=_MADE_WITH,
        card=recipe.card,
    )


def _write_error(error: OSError, work: Path) -> InputError:
    return InputError(
        f"the build stopped: {error.strerror or error}",
        where=error.filename or work,
        expected="a place with enough room that you may write to",
        fix=f"free some space and run the same command again: it continues from what is finished "
        f"in {work}",
    )
