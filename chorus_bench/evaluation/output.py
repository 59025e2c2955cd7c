"""The output folder of an evaluation: its allowed contents, and resuming into it."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.errors import InputError
from chorus_bench.evaluation.cache import SampleBatch
from chorus_bench.evaluation.results import (
    PARTIAL_FOLDER,
    RESULT_FILE,
    SAMPLES_FILE,
    parquet_bytes,
    read_result_json,
)
from chorus_bench.evaluation.samples_file import SAMPLES_SCHEMA
from chorus_bench.evaluation.truth_file import TRUTH_FILE
from chorus_bench.io.files import atomic_write_bytes, remove_unfinished
from chorus_bench.io.leftovers import owner_of, remove_leftovers
from chorus_bench.io.locks import LOCK_FILE, only_run
from chorus_bench.metrics.protocol import signature_differences

_RUN_FILE = "run.json"
#: What other commands write beside a result, and what is worth nothing without it.
_BESIDE = (TRUTH_FILE, "diagnosis.json")


def discard_result(folder: Path) -> None:
    """Remove a result, finished or not, from a folder; anything else in it stays."""
    for name in (RESULT_FILE, SAMPLES_FILE, *_BESIDE):
        (folder / name).unlink(missing_ok=True)
    _remove_parts(folder / PARTIAL_FOLDER)
    for path in (folder / PARTIAL_FOLDER, folder):
        with contextlib.suppress(OSError):
            path.rmdir()


def _remove_parts(partial: Path) -> None:
    for file in partial.glob("*.parquet"):
        file.unlink(missing_ok=True)
    (partial / _RUN_FILE).unlink(missing_ok=True)


@dataclass(frozen=True)
class OutputFolder:
    """A folder for the result of one submission under one signature.

    Args:
        path: the folder.
        signature: signature of the evaluation.
        sha256: SHA-256 of the submission.
        schema: the columns of the table of samples.
    """

    path: Path
    signature: str
    sha256: str
    schema: pa.Schema = SAMPLES_SCHEMA

    @property
    def _partial(self) -> Path:
        return self.path / PARTIAL_FOLDER

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder, or check that its contents are of the same evaluation.

        One run at a time has it open. What is not finished when the block ends stays for the
        next run.

        Raises:
            InputError: it holds another result, or something that is not a result; or another
                run is writing it.
            WriteError: it cannot be written to.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError("not a folder", where=self.path, fix="give another --output")
        try:
            with only_run(self._partial, where=self.path):
                remove_leftovers(self.path)
                remove_unfinished(self._partial)
                self._check()
                run_file = json.dumps({"signature": self.signature, "sha256": self.sha256})
                atomic_write_bytes(self._partial / _RUN_FILE, run_file.encode())
                yield
        finally:
            with contextlib.suppress(OSError):
                self._partial.rmdir()

    def _check(self) -> None:
        """Refuse a folder that is not of this evaluation; the lock must be held."""
        if (self.path / RESULT_FILE).is_file():
            result = read_result_json(self.path)
            self._refuse_another(result["signature"], result["submission"]["sha256"])
        elif (self._partial / _RUN_FILE).is_file():
            self._take_up()
        elif any(map(self._is_foreign, self.path.iterdir())):
            raise InputError(
                "the output folder is not empty and contains no result",
                where=self.path,
                fix="give a new or empty folder with --output",
            )

    def _is_foreign(self, path: Path) -> bool:
        """Whether the folder has more than a run that has just begun leaves."""
        if path != self._partial:
            return owner_of(path.name) is None
        return any(file.name != LOCK_FILE for file in path.iterdir())

    def _take_up(self) -> None:
        """Keep what an interrupted run has left if it is of the very same evaluation."""
        signature, sha256 = self._run()
        self._refuse_another(signature, sha256)
        if signature != self.signature:  # another version of the software
            self.finish()

    def _run(self) -> tuple[str, str]:
        """Return the signature and the sha256 of an interrupted run's submission."""
        file = self._partial / _RUN_FILE
        try:
            run = json.loads(file.read_text(encoding="utf-8"))
            return str(run["signature"]), str(run["sha256"])
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise InputError(
                f"is damaged: {error}",
                where=file,
                expected="what an interrupted evaluation left",
                fix="remove the folder, or give another --output",
            ) from error

    def parts(self, batches: Sequence[SampleBatch]) -> dict[str, pa.Table]:
        """Return the rows of an interrupted run, by batch key."""
        tables = {}
        for batch in batches:
            table = self._read_part(batch)
            if table is not None:
                tables[batch.key] = table
        return tables

    def write_part(self, batch: SampleBatch, table: pa.Table) -> None:
        """Store the rows of one batch."""
        atomic_write_bytes(self._part(batch), parquet_bytes(table))

    def finish(self) -> None:
        """Remove what only a resumed run would need, and nothing else."""
        _remove_parts(self._partial)

    def _part(self, batch: SampleBatch) -> Path:
        return self._partial / f"{batch.key}.parquet"

    def _read_part(self, batch: SampleBatch) -> pa.Table | None:
        try:
            table = pq.read_table(io.BytesIO(self._part(batch).read_bytes()))
        except (OSError, pa.ArrowException):
            return None
        ids = [sample.sample_id for sample in batch.samples]
        same = table.schema.equals(self.schema) and table["sample_id"].to_pylist() == ids
        return table if same else None

    def _refuse_another(self, signature: str, sha256: str) -> None:
        differences = signature_differences(signature, self.signature)
        if sha256 != self.sha256:
            differences.append(f"submission: {sha256[:12]} against {self.sha256[:12]}")
        if differences:
            raise InputError(
                "the output folder contains the result of another evaluation: "
                + "; ".join(differences),
                where=self.path,
                fix="give another --output, or remove the folder if the result is not needed",
            )
