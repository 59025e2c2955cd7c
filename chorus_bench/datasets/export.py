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
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

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
    describe_data_file,
)
from chorus_bench.datasets.metadata import DataFile
from chorus_bench.datasets.parquet import RowWriter, TableWriter, open_parquet
from chorus_bench.datasets.recipe import Note, Piece, Recipe, count_reasons
from chorus_bench.datasets.samples import METADATA_FILE
from chorus_bench.engines import EngineSettings, Result, end_inner_run, run_jobs
from chorus_bench.errors import InputError
from chorus_bench.io.files import (
    FolderKind,
    WriteError,
    atomic_folder,
    is_folder,
)
from chorus_bench.io.locks import only_writer
from chorus_bench.io.workplaces import (
    is_empty,
    is_used,
    is_working_folder,
    mark_used,
    open_working_folder,
    remove_working_folder,
    working_folder,
    working_folders,
)
from chorus_bench.progress import Progress

log = logging.getLogger(__name__)


#: A shard is closed once it is larger than this (bytes).
SHARD_BYTES = 400_000_000

MADE_WITH = f"chorus-bench {__version__}"
#: The kind of folder that a build makes and may replace.
DATASET = FolderKind("a dataset", (METADATA_FILE,))
_ROWS_FOLDER, _PIECE_NOTES, _UNFINISHED = "rows", "notes.json", ".unfinished"


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

    Memory use is constant: rows are written as they are made. One run at a time builds an output.

    Args:
        recipe: how the rows are made.
        output: the folder to write.
        overwrite: replace an existing dataset.
        workers: number of processes that make pieces; with more than one, pieces must be
            picklable.
        shard_bytes: a Parquet file is closed once it is larger than this.
        progress: called with (done, total), in the units of the pieces' sizes.

    Raises:
        InputError: the folder already exists, another run is building it, no row is left, or a
            row is unusable.
        WriteError: the disk is full, the place is not writable, ... No folder that looks
            complete is left behind; finished pieces are kept for the next attempt.
    """
    end_inner_run(workers)
    target = Path(output)
    with only_writer(target):
        _discard_used(target)
        return _export(recipe, target, overwrite, workers, shard_bytes, progress)


def build_once(
    recipe: Recipe,
    output: str | Path,
    *,
    workers: int = 1,
    progress: Progress = lambda done, total: None,
) -> Path:
    """Return a folder with the rows of a recipe, built if it is not there.

    Of several runs that need it at once, one builds; the others wait for it and say so.

    Args:
        recipe: what to make.
        output: the folder, whose name stands for this recipe and no other.
        workers: as for `export`.
        progress: as for `export`.

    Raises:
        InputError: as for `export`.
        WriteError: as for `export`.
    """
    end_inner_run(workers)
    target = Path(output)
    if not is_folder(target):
        with only_writer(target, wait=True):
            if not is_folder(target):
                log.info("building %s, once, in %s", recipe.name, target)
                _export(recipe, target, False, workers, SHARD_BYTES, progress)
    return target


def _export(
    recipe: Recipe,
    target: Path,
    overwrite: bool,
    workers: int,
    shard_bytes: int,
    progress: Progress,
) -> Built:
    """Build what this process holds the lock of."""
    work = working_folder(target, recipe.key)
    with atomic_folder(target, overwrite, kind=DATASET) as folder:
        resumed = _make_pieces(recipe, work, workers, progress)
        notes = (*recipe.notes, *_piece_notes(recipe, work))
        info = _assemble(recipe, work, folder, notes, shard_bytes)
        mark_used(work)
    for old in working_folders(target):
        with contextlib.suppress(OSError):
            remove_working_folder(old)
    return Built(target, info, notes, resumed)


def _discard_used(target: Path) -> None:
    """Remove what a run left that was killed just after its output had taken its name."""
    if is_folder(target):
        for folder in filter(is_used, working_folders(target)):
            with contextlib.suppress(OSError):
                remove_working_folder(folder)


def _make_pieces(recipe: Recipe, work: Path, workers: int, progress: Progress) -> int:
    """Make the missing pieces; return how many were there."""
    places = [_piece_folder(work, number) for number in range(len(recipe.pieces))]
    todo = [n for n, place in enumerate(places) if not place.is_dir()]
    total = sum(piece.size for piece in recipe.pieces)
    done = total - sum(recipe.pieces[n].size for n in todo)
    jobs = [_PieceJob(recipe.pieces[n], places[n]) for n in todo]
    try:
        open_working_folder(work, {"name": recipe.name, "version": recipe.version})
        for result in run_jobs(_PieceWork(recipe.schema), jobs, EngineSettings(workers=workers)):
            done += result["size"]
            progress(done, total)
    except BaseException as error:
        with contextlib.suppress(OSError):
            _tidy(work)
        if isinstance(error, OSError):
            raise _write_error(error, work) from error
        raise
    return len(places) - len(todo)


def _tidy(work: Path) -> None:
    """Remove the pieces that were not finished, and the working folder if nothing is in it."""
    for path in work.iterdir():
        if path.name.endswith(_UNFINISHED):
            shutil.rmtree(path, ignore_errors=True)
    if is_working_folder(work) and is_empty(work):
        remove_working_folder(work)


def _write_error(error: OSError, work: Path) -> WriteError:
    then = f"run the same command again: it continues from what is finished in {work}"
    return WriteError.of(error.filename or work, error, then)


@dataclass(frozen=True)
class _PieceJob:
    """A piece, and the folder for its rows."""

    piece: Piece
    place: Path

    def __str__(self) -> str:
        return self.place.name


@dataclass(frozen=True)
class _PieceWork:
    """Sets a worker up that makes pieces with rows of a schema."""

    schema: pa.Schema

    def __call__(self) -> Callable[[_PieceJob], Result]:
        """Return the function that makes one piece."""
        return self._make

    def _make(self, job: _PieceJob) -> Result:
        _write_piece(job.piece, self.schema, job.place)
        return {"size": job.piece.size}


def _piece_folder(work: Path, number: int) -> Path:
    return work / f"piece-{number:05d}"


def _write_piece(piece: Piece, schema: pa.Schema, place: Path) -> None:
    """Write the rows of a piece, one file per category, and its notes; all or nothing."""
    temporary = place.with_name(f"{place.name}{_UNFINISHED}")
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
    shards: list[DataFile] = []
    for name in names:
        files = [piece / f"{name}.parquet" for piece in pieces]
        rows = _Rows([file for file in files if file.is_file()], recipe.split, fingerprint)
        place = folder / DATA_FOLDER / name
        shards += _write_files(rows, recipe, place, shard_bytes, folder)
    return describe(folder, recipe, shards, fingerprint.hexdigest(), notes)


@dataclass(frozen=True)
class _Rows:
    """Yield finished rows of one category in groups, and add them to the fingerprint."""

    files: list[Path]
    split: str
    fingerprint: Fingerprint

    def __iter__(self) -> Iterator[pa.Table]:
        for path in self.files:
            with open_parquet(path) as file:
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group)
                    columns = fingerprint_columns(self.split, table.column_names)
                    self.fingerprint.add(table.select(columns).to_pylist())
                    yield table


def _write_files(
    groups: _Rows, recipe: Recipe, place: Path, shard_bytes: int, root: Path
) -> list[DataFile]:
    """Write the rows of one category; the number of shards is known only at the end."""
    place.mkdir(parents=True)
    schema, facts = schema_with_facts(recipe.schema), Facts.of_recipe(recipe)
    metadata = file_metadata(recipe, MADE_WITH)
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
    return [describe_data_file(file, root, categories[0]) for file in named]


def describe(
    folder: Path,
    recipe: Recipe,
    shards: Sequence[DataFile],
    fingerprint: str,
    notes: tuple[Note, ...],
) -> DatasetInfo:
    """Write description, card and notes into a folder that has its Parquet files already.

    Args:
        folder: the dataset's folder.
        recipe: how the rows were made.
        shards: the Parquet files.
        fingerprint: fingerprint of the rows.
        notes: problems with single entries of the sources.
    """
    info = _info(recipe, shards, fingerprint, notes)
    if notes:
        lines = [json.dumps(asdict(note), ensure_ascii=False) + "\n" for note in notes]
        # half a character, which a source may have in a name, is written as JSON's escape
        (folder / NOTES_FILE).write_bytes("".join(lines).encode("utf-8", "backslashreplace"))
    info.save(folder)
    write_card(folder, info)
    return info


def _info(
    recipe: Recipe, shards: Sequence[DataFile], fingerprint: str, notes: tuple[Note, ...]
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
        made_with=MADE_WITH,
        card=recipe.card,
    )
