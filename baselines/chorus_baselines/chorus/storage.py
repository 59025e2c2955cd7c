"""Aggregations in .npz files: integers and a description."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_baselines.chorus.accumulate import GroupKey, Tally
from chorus_baselines.chorus.aggregation import Aggregation
from chorus_baselines.chorus.aggregation_settings import AggregationSettings, Skipped
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, reason
from chorus_bench.geometry.camera import AZIMUTH_BINS
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.limits import MAX_TOTAL_BYTES
from chorus_bench.io.npz_files import read_npz

Arrays = Mapping[str, NDArray[Any]]

_FORMAT = "chorus-aggregation-1"
_DESCRIPTION = "description"
_DAMAGE = (InputError, ValueError, KeyError, TypeError, OSError, AttributeError, OverflowError)
#: Arrays of a file: three for every prompt and part.
_MOST = 100_000


@checked
def save_aggregation(aggregation: Aggregation, path: str | Path) -> Path:
    """Write an aggregation, atomically. Equal aggregations give equal bytes."""
    keys = sorted(aggregation.tallies, key=lambda key: tuple(name or "" for name in key))
    description = {
        "format": _FORMAT,
        "settings": asdict(aggregation.settings),
        "groups": keys,
        "skipped": asdict(aggregation.skipped),
    }
    arrays: dict[str, NDArray[Any]] = {
        _DESCRIPTION: np.frombuffer(json.dumps(description, sort_keys=True).encode(), np.uint8)
    }
    for number, key in enumerate(keys):
        tally = aggregation.tallies[key]
        bins = sorted(tally.hits)
        arrays[f"{number}_views"] = tally.views
        arrays[f"{number}_hits"] = _stacked(tally.hits, bins, tally.voxels)
        arrays[f"{number}_seen"] = _stacked(tally.seen, bins, tally.voxels)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return atomic_write_bytes(path, buffer.getvalue())


@checked
def load_aggregation(path: str | Path) -> Aggregation:
    """Read a file that `save_aggregation` wrote.

    Raises:
        InputError: the file is missing, damaged, or something else.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError("no such aggregation", where=file)
    try:
        with file.open("rb") as stream:
            return _from_arrays(read_npz(stream, limit=MAX_TOTAL_BYTES, most=_MOST))
    except _DAMAGE as error:
        raise InputError(
            f"not an aggregation: {reason(error)}",
            where=file,
            expected="a file that `save_aggregation` wrote",
            fix="aggregate the rows again",
        ) from error


def _from_arrays(arrays: Arrays) -> Aggregation:
    description = json.loads(arrays[_DESCRIPTION].tobytes())
    if description["format"] != _FORMAT:
        raise ValueError(f"format '{description['format']}'")
    settings = _settings(description["settings"])
    tallies: dict[GroupKey, Tally] = {
        (prompt, part): _tally(arrays, str(number), settings.grid.voxels)
        for number, (prompt, part) in enumerate(description["groups"])
    }
    return Aggregation(settings, tallies, Skipped(**description["skipped"]))


def _settings(content: dict[str, Any]) -> AggregationSettings:
    grid = content.pop("grid")
    x, y, z = (float(c) for c in grid.pop("center"))
    clusters = tuple((str(name), str(label)) for name, label in content.pop("clusters"))
    return AggregationSettings(
        grid=GridSpec(center=(x, y, z), **grid), clusters=clusters, **content
    )


def _tally(arrays: Arrays, name: str, voxels: int) -> Tally:
    views, hits, seen = (arrays[f"{name}_{kind}"] for kind in ("views", "hits", "seen"))
    bins = np.flatnonzero(views)
    fits = views.shape == (AZIMUTH_BINS,) and hits.shape == seen.shape == (len(bins), voxels)
    if not fits or any(array.dtype.kind not in "ui" for array in (views, hits, seen)):
        raise ValueError(f"the arrays of group {name} do not match each other")
    if (hits > seen).any() or (seen > views[bins, None]).any():
        raise ValueError(f"group {name} has more hits than views")
    tally = Tally(voxels)
    for azimuth_bin, hit, saw in zip(bins.tolist(), hits, seen, strict=True):
        tally.add(azimuth_bin, hit, saw, int(views[azimuth_bin]))
    return tally


def _stacked(
    votes: Mapping[int, NDArray[np.unsignedinteger]], bins: list[int], voxels: int
) -> NDArray[np.unsignedinteger]:
    """Return the bins with views as one array (b, N**3)."""
    return np.stack([votes[b] for b in bins]) if bins else np.zeros((0, voxels), np.uint16)
