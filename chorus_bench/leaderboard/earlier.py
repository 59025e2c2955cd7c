"""Results and manifests of an earlier state of a leaderboard: a git commit, or another folder."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from chorus_bench.errors import InputError
from chorus_bench.evaluation.results import RESULT_FILE
from chorus_bench.io.findings import Findings, printable
from chorus_bench.leaderboard.manifest import EntryManifest, read_entry_yaml
from chorus_bench.leaderboard.places import ENTRIES_FOLDER, ENTRY_FILE, entry_folders


def earlier_results(leaderboard: str | Path, against: str) -> dict[str, dict[str, Any]]:
    """Return every `results.json` of an earlier state, by folder name.

    Files that cannot be read as JSON are left out: they never were accepted entries.

    Args:
        leaderboard: the current folder.
        against: a leaderboard folder, or a git revision of the repository that contains
            ``leaderboard``.

    Raises:
        InputError: neither a folder nor a revision, or no git.
    """
    texts = _texts(Path(leaderboard), against, RESULT_FILE)
    parsed = {name: _parsed(text) for name, text in texts.items()}
    return {name: content for name, content in parsed.items() if content is not None}


def earlier_manifests(leaderboard: str | Path, against: str) -> dict[str, EntryManifest]:
    """Return every readable `entry.yaml` of an earlier state, by folder name.

    Args:
        leaderboard: the current folder.
        against: see `earlier_results`.

    Raises:
        InputError: see `earlier_results`.
    """
    texts = _texts(Path(leaderboard), against, ENTRY_FILE)
    read = {name: read_entry_yaml(text, ENTRY_FILE, Findings()) for name, text in texts.items()}
    return {name: manifest for name, manifest in read.items() if manifest is not None}


def _texts(leaderboard: Path, against: str, wanted: str) -> dict[str, bytes]:
    """Return one file of every entry of an earlier state."""
    older = Path(against)
    if not older.is_dir():
        return _from_git(leaderboard, against, wanted)
    files = {path.name: path / wanted for path in entry_folders(older)}
    return {name: file.read_bytes() for name, file in files.items() if file.is_file()}


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _from_git(leaderboard: Path, revision: str, wanted: str) -> dict[str, bytes]:
    commit = _git(
        leaderboard, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"
    )
    name = commit.decode().strip()
    folder = f"./{ENTRIES_FOLDER}/"
    listed = _git(leaderboard, "ls-tree", "-r", "-z", "--name-only", name, "--", folder)
    paths = [path for path in listed.decode().split("\0") if path.endswith(f"/{wanted}")]
    parts = {path: Path(path).parts for path in paths}
    return {
        parts[path][1]: _git(leaderboard, "show", f"{name}:./{path}")
        for path in paths
        if len(parts[path]) == 3
    }


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, check=False
        )
    except OSError as error:
        raise InputError(f"git cannot be run: {error}", fix="install git") from error
    if done.returncode:
        reason = printable(done.stderr.decode(errors="replace").strip())
        raise InputError(
            f"git cannot read the earlier state: {reason}",
            where=folder,
            expected="a revision of the repository with the leaderboard, or a folder",
            fix="check the revision; in CI, fetch the base branch first",
        )
    return done.stdout
