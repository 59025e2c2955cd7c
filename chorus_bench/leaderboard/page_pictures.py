"""The pictures of single samples, as the page reads them: masks and occupancy images, packed.

The browser draws them; only the pictures of entries of earlier versions are files.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chorus_bench.leaderboard.entries import Entry
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.samples import ChosenSample


def drawn(entry: Entry) -> dict[ChosenSample, Overlay]:
    """Return the pictures of an entry that the browser draws."""
    return {s: one for s, one in entry.pictures.items() if isinstance(one, Overlay)}


def picture_files(entry: Entry) -> dict[str, Path]:
    """Return the pictures of an entry of an earlier version: name in the page -> file."""
    return {
        f"pictures/{entry.slug}/{number:03d}.png": picture
        for number, picture in enumerate(entry.pictures.values())
        if isinstance(picture, Path)
    }


def listed(entry: Entry) -> list[dict[str, Any]]:
    """Return the pictures of a method's own page.

    Returns:
        For each the keys of `ChosenSample`, ``file`` in the page, or None, and ``size`` (height,
        width), or None.
    """
    rows = []
    for number, (sample, picture) in enumerate(entry.pictures.items()):
        own = isinstance(picture, Overlay)
        file = None if own else f"pictures/{entry.slug}/{number:03d}.png"
        size = picture.target["size"] if isinstance(picture, Overlay) else None
        rows.append({**asdict(sample), "file": file, "size": size})
    return rows


def masks_data(entries: Iterable[Entry]) -> str:
    """Return the masks of all samples that one of some entries has a picture of, packed.

    Returns:
        sample id -> ``category``, ``size`` (height, width), and the counts of the COCO RLEs
        ``person`` and ``target``.
    """
    masks: dict[str, dict[str, Any]] = {}
    for entry in entries:
        for sample, overlay in drawn(entry).items():
            masks[sample.sample_id] = {
                "category": sample.category,
                "size": list(overlay.target["size"]),
                "person": _text(overlay.person["counts"]),
                "target": _text(overlay.target["counts"]),
            }
    return _packed_json(dict(sorted(masks.items())))


def heats_data(entry: Entry) -> dict[str, str]:
    """Return the occupancy images of an entry's pictures.

    Returns:
        ``index``: sample id -> ``size`` and ``top``, packed; ``heat``: the images one after
        another in that order, uint8, row by row, 255 for the picture's ``top``, packed.
    """
    heats = {sample.sample_id: overlay for sample, overlay in drawn(entry).items()}
    index = {
        name: {"size": list(overlay.heat.shape), "top": round(overlay.top, 4)}
        for name, overlay in heats.items()
    }
    return {
        "index": _packed_json(index),
        "heat": _packed(b"".join(overlay.heat.tobytes() for overlay in heats.values())),
    }


def _text(counts: str | bytes) -> str:
    return counts.decode("ascii") if isinstance(counts, bytes) else counts


def _packed_json(value: Mapping[str, Any]) -> str:
    return _packed(json.dumps(value, separators=(",", ":")).encode())


def _packed(content: bytes) -> str:
    """Return zlib-compressed content as base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")
