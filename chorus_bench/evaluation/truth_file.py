"""3D scores as a value, and their file ``truth.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.displays import Table, displayed
from chorus_bench.errors import InputError
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.json_files import read_json
from chorus_bench.metrics.protocol import signature_differences
from chorus_bench.metrics.volumetric import CalibrationCurve

TRUTH_FILE = "truth.json"
#: Keys that files of earlier versions lack.
_LATER = ("measures", "intervals", "sha256", "signature")


@displayed
@dataclass(frozen=True)
class TruthScores:
    """3D scores of one submission.

    Attributes:
        brier: mean over the categories of their samples' mean Brier score; None where only contact
            was compared.
        soft_iou: the same for the soft intersection over union.
        categories: category -> its measures (those of ``measures``, None where no sample has it),
            their ``intervals``, ``samples``, and the best levels ``surface_level`` and
            ``contact_level``.
        calibration: calibration over all voxels of all samples; without voxels where only contact
            was compared.
        measures: means over the categories of all of `truth_samples.MEASURES`; lengths in metres.
        intervals: measure -> [low, high], 95 %; also of ``calibration_error``.
        sha256: digest of the submission.
        signature: that of the result beside which the scores stand, with split and body; None in
            files of earlier versions, and for scores without a result.
    """

    brier: float | None
    soft_iou: float | None
    categories: Mapping[str, Mapping[str, Any]]
    calibration: CalibrationCurve
    measures: Mapping[str, float | None] = field(default_factory=dict)
    intervals: Mapping[str, Sequence[float]] = field(default_factory=dict)
    sha256: str | None = None
    signature: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; empty bins of the curve are left out."""
        curve = self.calibration
        used = np.flatnonzero(curve.voxels)
        return {
            "sha256": self.sha256,
            "signature": self.signature,
            "brier": self.brier,
            "soft_iou": self.soft_iou,
            "calibration_error": curve.error if len(used) else None,
            "measures": dict(self.measures),
            "intervals": {name: list(bounds) for name, bounds in self.intervals.items()},
            "categories": {name: dict(entry) for name, entry in self.categories.items()},
            "calibration": [
                {
                    "predicted": float(curve.predicted[i]),
                    "observed": float(curve.observed[i]),
                    "voxels": int(curve.voxels[i]),
                }
                for i in used
            ],
        }

    def save(self, path: str | Path) -> Path:
        """Write everything as a JSON file."""
        return atomic_write_bytes(path, json.dumps(self.as_dict(), indent=1).encode() + b"\n")

    def _facts(self) -> dict[str, object]:
        return {
            "soft_iou": self.soft_iou,
            "brier": self.brier,
            "categories": len(self.categories),
        }

    def _table(self) -> Table:
        names = tuple(self.measures)
        rows = [[name, *(entry.get(m) for m in names)] for name, entry in self.categories.items()]
        return ("category", *names), rows


def load_truth(file: str | Path) -> TruthScores:
    """Read 3D scores.

    Args:
        file: what `TruthScores.save` wrote, in this version or an earlier one.

    Raises:
        InputError: it is not that.
    """
    if not Path(file).is_file():
        raise InputError("no 3D scores here", where=file, fix="run evaluate --truth with --output")
    content = read_json(Path(file))
    try:
        bins = content["calibration"]
        voxels = np.array([each["voxels"] for each in bins], dtype=np.int64)
        shares = np.array([(each["observed"], each["predicted"]) for each in bins]).reshape(-1, 2)
        occupied, total = shares.T * voxels
        values = {name: content[name] for name in ("brier", "soft_iou", "categories")}
        values |= {name: content[name] for name in _LATER if name in content}
        return TruthScores(**values, calibration=CalibrationCurve(voxels, occupied, total))
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"is not a file of 3D scores: {error!r}", where=file, fix="run evaluate --truth again"
        ) from error


def truth_differences(
    sha256: str | None, signature: str | None, submission: str, result: str
) -> list[str]:
    """Return why 3D scores are not of a result; empty if they are.

    Args:
        sha256: digest of the submission that was compared in 3D; None if it is not known.
        signature: what the scores state, see `TruthScores`; None if they do not.
        submission: digest of the result's submission.
        result: signature of the result.
    """
    if sha256 != submission:
        return ["is of another submission"]
    return [] if signature is None else signature_differences(signature, result)
