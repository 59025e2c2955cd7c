"""Test splits and submissions that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

#: Names that stand for a folder inside the package, relative to ``chorus_bench/data``.
NAMED_SPLITS = {"example": "example/split"}
NAMED_SUBMISSIONS = {"example": "example/submission"}


def packaged_folder(relative: str) -> Path:
    """Return a folder of the package's data (packages are always installed as plain files)."""
    return Path(str(resources.files("chorus_bench") / "data" / relative))
