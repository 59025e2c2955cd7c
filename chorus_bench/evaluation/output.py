"""The output folder of an evaluation: its allowed contents, and resuming into it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.errors import InputError
from chorus_bench.evaluation.cache import SampleBatch
from chorus_bench.evaluation.results import (
    PARTIAL_FOLDER,
    RESULT_FILE,
    SAMPLES_SCHEMA,
    parquet_bytes,
    read_result_json,
)
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.metrics.protocol import signature_differences


@dataclass(frozen=True)
class OutputFolder:
    """A folder for the result of one submission under one signature.

    Args:
        path: the folder.
        signature: signature of the evaluation.
        sha256: SHA-256 of the submission.
    """

    path: Path
    signature: str
    sha256: str

    @property
    def _partial(self) -> Path:
        return self.path / PARTIAL_FOLDER

    def open(self) -> None:
        """Create the folder, or check that its contents are of the same evaluation.

        Raises:
            InputError: it holds another result, or something that is not a result.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError("not a folder", where=self.path, fix="give another --output")
        if (self.path / RESULT_FILE).is_file():
            result = read_result_json(self.path)
            self._refuse_another(result["signature"], result["submission"]["sha256"])
        elif (self._partial / "run.json").is_file():
            self._take_up()
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise InputError(
                "the output folder is not empty and contains no result",
                where=self.path,
                fix="give a new or empty folder with --output",
            )
        run_file = json.dumps({"signature": self.signature, "sha256": self.sha256})
        atomic_write_bytes(self._partial / "run.json", run_file.encode())

    def _take_up(self) -> None:
        """Keep the leftovers of an interrupted run if they are of exactly the same evaluation."""
        run = json.loads((self._partial / "run.json").read_text(encoding="utf-8"))
        self._refuse_another(run["signature"], run["sha256"])
        if run["signature"] != self.signature:  # another version of the software
            self.finish()

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
        """Remove files that only a resumed run would need."""
        shutil.rmtree(self._partial, ignore_errors=True)

    def _part(self, batch: SampleBatch) -> Path:
        return self._partial / f"{batch.key}.parquet"

    def _read_part(self, batch: SampleBatch) -> pa.Table | None:
        try:
            table = pq.read_table(self._part(batch))
        except (OSError, pa.ArrowInvalid):
            return None
        ids = [sample.sample_id for sample in batch.samples]
        same = table.schema.equals(SAMPLES_SCHEMA) and table["sample_id"].to_pylist() == ids
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
