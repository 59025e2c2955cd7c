"""Statistics of a built dataset: counts, rejection rate, camera directions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.parquet import read_rows
from chorus_bench.datasets.schema import CAMERA_COLUMNS, KEPT
from chorus_bench.displays import displayed
from chorus_bench.geometry.camera import (
    AZIMUTH_BINS,
    PerspectiveCamera,
    azimuth_bins,
    azimuth_degrees,
)
from chorus_bench.metrics.camera_entropy import CameraEntropy, camera_entropy

COUNTED = ("category", "prompt", "view", "source", "verdict", "reason")
_CAMERA = CAMERA_COLUMNS[:3]


@displayed
@dataclass(frozen=True, eq=False)
class DatasetStatistics:
    """Statistics of a dataset.

    Attributes:
        rows: the number of rows.
        counts: per column (category, prompt, view, source, verdict, reason) the number of rows
            of each value; columns that the dataset lacks are left out.
        rejection_rate: 1 - kept / rows if the rows have verdicts, else None.
        azimuth_histogram: (12,) cameras per azimuth bin of 30 degrees, from +x toward +z.
        camera_centers: (n, 3) camera centres in the body frame, metres, of the rows that have
            a camera and were not rejected.
        entropy: entropy of these cameras; None if there are none.
    """

    rows: int
    counts: dict[str, dict[str, int]]
    rejection_rate: float | None
    azimuth_histogram: NDArray[np.int64]
    camera_centers: NDArray[np.float64] = field(repr=False)
    entropy: CameraEntropy | None

    def as_dict(self) -> dict[str, Any]:
        """Return everything except the individual cameras, for JSON."""
        entropy = self.entropy
        return {
            "rows": self.rows,
            "counts": self.counts,
            "rejection_rate": self.rejection_rate,
            "azimuth_histogram": self.azimuth_histogram.tolist(),
            "camera_entropy": None
            if entropy is None
            else {
                "bits": entropy.bits,
                "differential_bits": entropy.differential_bits,
                "cameras": entropy.cameras,
                "cells": entropy.cells,
                "sigma": entropy.sigma,
            },
        }


def folder_statistics(folder: str | Path) -> DatasetStatistics:
    """Return the statistics of a built dataset; pictures and masks are not read."""
    folder = Path(folder)
    files = [folder / shard.path for shard in DatasetInfo.load(folder).shards]
    return row_statistics(row for file in files for row in read_rows(file, (*COUNTED, *_CAMERA)))


def row_statistics(rows: Iterable[dict[str, Any]]) -> DatasetStatistics:
    """Return the statistics of rows, read one by one.

    Args:
        rows: dictionaries with those columns of `COUNTED` and of the camera that exist.
    """
    counts = RowCounts()
    counts.add(rows)
    return counts.statistics()


@dataclass
class RowCounts:
    """What is counted of rows; counts of parts of a dataset add up to those of the whole.

    Attributes:
        rows: the number of rows.
        counts: per column the number of rows of each value.
        centers: camera centres in the body frame, metres, rounded to float32.
    """

    rows: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    centers: list[list[float]] = field(default_factory=list)

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Count rows with those columns of `COUNTED` and of the camera that exist."""
        for row in rows:
            self.rows += 1
            for column in COUNTED:
                if row.get(column) is not None:
                    self.counts.setdefault(column, Counter())[str(row[column])] += 1
            used = row.get("verdict") in (None, KEPT)
            if used and all(row.get(key) is not None for key in _CAMERA):
                center = PerspectiveCamera(*(row[key] for key in _CAMERA)).center
                self.centers.append(center.astype(np.float32).tolist())

    def add_counts(self, content: dict[str, Any]) -> None:
        """Add the counts of other rows, as `as_dict` gave them."""
        self.rows += content["rows"]
        for column, counted in content["counts"].items():
            self.counts.setdefault(column, Counter()).update(counted)
        self.centers += content["centers"]

    def as_dict(self) -> dict[str, Any]:
        """Return them as JSON, for `add_counts`."""
        counts = {column: dict(counted) for column, counted in self.counts.items()}
        return {"rows": self.rows, "counts": counts, "centers": self.centers}

    def statistics(self) -> DatasetStatistics:
        """Return the statistics of all rows."""
        stacked = np.array(self.centers, dtype=np.float32).reshape(-1, 3)
        bins = azimuth_bins(azimuth_degrees(stacked[:, 0], stacked[:, 2]))
        verdicts = self.counts.get("verdict")
        return DatasetStatistics(
            rows=self.rows,
            counts={name: dict(counted.most_common()) for name, counted in self.counts.items()},
            rejection_rate=None if not verdicts else 1 - verdicts[KEPT] / verdicts.total(),
            azimuth_histogram=np.bincount(bins, minlength=AZIMUTH_BINS),
            camera_centers=stacked.astype(np.float64),
            entropy=camera_entropy(stacked) if len(stacked) else None,
        )
