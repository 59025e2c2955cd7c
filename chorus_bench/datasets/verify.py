"""Verification of a built dataset: its files, its counts, and the fingerprint of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from chorus_bench.datasets.facts import read_facts
from chorus_bench.datasets.fingerprint import Fingerprint, fingerprint_columns
from chorus_bench.datasets.folder import (
    CARD_FILE,
    DATA_FOLDER,
    DatasetInfo,
    describe_data_file,
)
from chorus_bench.datasets.metadata import DataFile
from chorus_bench.datasets.parquet import read_batches, read_schema, rows_of
from chorus_bench.errors import InputError, count_of
from chorus_bench.io.untrusted_files import visible_files
from chorus_bench.io.yaml_files import yaml_value

#: Number of rows in memory at once.
_BATCH = 100


@dataclass(frozen=True)
class Verification:
    """The result of verifying a dataset.

    Attributes:
        info: the dataset's description of itself.
        rows: number of rows read.
        fingerprint: fingerprint of these rows.
        problems: what is wrong; empty if nothing is.
    """

    info: DatasetInfo
    rows: int
    fingerprint: str
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no problem was found."""
        return not self.problems


def verify_dataset(folder: str | Path) -> Verification:
    """Read a built dataset and compare it with its description.

    Args:
        folder: a folder that `chorus-bench datasets build` wrote.

    Raises:
        InputError: it is not a built dataset.
    """
    root = Path(folder)
    info = DatasetInfo.load(root)
    problems = [*_unknown_files(root, info), *_card_problems(root, info)]
    problems += _facts_problems(root, info)
    fingerprint = Fingerprint(info.split)
    rows = 0
    for shard in info.shards:
        try:
            problems += _file_problems(root, shard)
            rows += _read_rows(root, shard, info.split, fingerprint, problems)
        except (pa.ArrowException, OSError, InputError) as error:
            problems.append(f"{shard.path}: cannot be read: {error}")
    found = fingerprint.hexdigest()
    if found != info.fingerprint:
        problems.append(f"the rows have the fingerprint {found}, not {info.fingerprint}")
    if rows != info.rows:
        problems.append(f"there are {count_of(rows, 'row')}, not {info.rows}")
    return Verification(info, rows, found, tuple(problems))


def _unknown_files(root: Path, info: DatasetInfo) -> list[str]:
    known = {shard.path for shard in info.shards}
    found = visible_files(root / DATA_FOLDER, ".parquet")
    there = {file.relative_to(root).as_posix() for file in found}
    return [f"{path}: is not part of the dataset" for path in sorted(there - known)]


def _card_problems(root: Path, info: DatasetInfo) -> list[str]:
    """Report card configs that do not match these shards (`datasets` reads them)."""
    file = root / CARD_FILE
    if not file.is_file():
        return [f"{CARD_FILE}: is missing"]
    text = file.read_text(encoding="utf-8", errors="replace")
    parts = text.split("---\n", 2)
    try:
        header = yaml_value(parts[1], CARD_FILE) if len(parts) == 3 else None
    except InputError:
        header = None
    configs = header.get("configs") if isinstance(header, dict) else None
    if not isinstance(configs, list) or not all(isinstance(c, dict) for c in configs):
        return [f"{CARD_FILE}: has no header with configs; write it again with `datasets card`"]
    stale = [c for c in configs if info.content not in str(c.get("description"))]
    names = {c.get("config_name") for c in configs} - {"default"}
    if stale or names != set(info.categories):
        return [f"{CARD_FILE}: describes other rows; write it again with `datasets card`"]
    return []


def _facts_problems(root: Path, info: DatasetInfo) -> list[str]:
    """Say when a file or row carries other facts than the folder (old files carry none)."""
    files = [root / shard.path for shard in info.shards if (root / shard.path).is_file()]
    try:
        read_facts(root, files)
    except InputError as error:
        return [str(error).replace("\n", " ")]
    return []


def _file_problems(root: Path, shard: DataFile) -> list[str]:
    file = root / shard.path
    if not file.is_file():
        return [f"{shard.path}: is missing"]
    found = describe_data_file(file, root, shard.category)
    problems = []
    if found.rows != shard.rows:
        problems.append(f"{shard.path}: has {count_of(found.rows, 'row')}, not {shard.rows}")
    if found.sha256 != shard.sha256:
        problems.append(f"{shard.path}: its SHA-256 is {found.sha256[:12]}..., so it was changed")
    return problems


def _read_rows(
    root: Path, shard: DataFile, split: str, fingerprint: Fingerprint, problems: list[str]
) -> int:
    if not (root / shard.path).is_file():
        return 0
    rows = 0
    file = root / shard.path
    columns = fingerprint_columns(split, read_schema(file).names)
    for batch in read_batches(file, columns, _BATCH):
        content = list(rows_of(batch, file))
        fingerprint.add(content)
        rows += len(content)
        others = {str(row.get("category") or "no category") for row in content} - {shard.category}
        if others:
            problems.append(f"{shard.path}: has rows of {', '.join(sorted(others))}")
    return rows
