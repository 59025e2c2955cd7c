"""Data that comes with the package, and its names.

A name takes precedence over a folder of the same name, which can be given as ``./name``.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

#: Names that stand for a folder inside the package, relative to ``chorus_bench/data``.
EXAMPLE = "example"
PACKAGED_SPLITS = {EXAMPLE: "example/split"}
PACKAGED_SUBMISSIONS = {EXAMPLE: "example/submission"}


def packaged_leaderboard() -> Path:
    """Return the folder of the baselines' leaderboard.

    An installation carries it in the package, without fields and pictures (setup.py); a checkout
    has it beside the package.
    """
    carried = packaged_folder("leaderboard")
    repository = carried.parents[2]
    if (repository / "pyproject.toml").is_file():
        return repository / "leaderboard"
    return carried


def packaged_results() -> dict[str, Path]:
    """Return the folders of the baselines' results on the leaderboard, by the entries' names."""
    entries = packaged_leaderboard() / "entries"
    if not entries.is_dir():
        return {}
    return {folder.name: folder for folder in sorted(entries.iterdir()) if folder.is_dir()}


def packaged_folder(relative: str) -> Path:
    """Return a folder of the package's data (packages are always installed as plain files)."""
    return Path(str(resources.files("chorus_bench") / "data" / relative))


def submission_folder(submission: str | Path) -> Path:
    """Return the folder of a submission in the package; for anything else, the path."""
    named = PACKAGED_SUBMISSIONS.get(str(submission))
    return Path(submission) if named is None else packaged_folder(named)
