"""The results of an earlier state of a leaderboard: a git commit, or another folder."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from chorus_bench.errors import InputError
from chorus_bench.evaluation.results import RESULT_FILE
from chorus_bench.io.findings import printable
from chorus_bench.leaderboard.places import ENTRIES_FOLDER, entry_folders


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
    older = Path(against)
    if older.is_dir():
        files = {path.name: path / RESULT_FILE for path in entry_folders(older)}
        texts = {name: file.read_bytes() for name, file in files.items() if file.is_file()}
    else:
        texts = _from_git(Path(leaderboard), against)
    parsed = {name: _parsed(text) for name, text in texts.items()}
    return {name: content for name, content in parsed.items() if content is not None}


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _from_git(leaderboard: Path, revision: str) -> dict[str, bytes]:
    commit = _git(
        leaderboard, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"
    )
    name = commit.decode().strip()
    folder = f"./{ENTRIES_FOLDER}/"
    listed = _git(leaderboard, "ls-tree", "-r", "-z", "--name-only", name, "--", folder)
    paths = [path for path in listed.decode().split("\0") if path.endswith(f"/{RESULT_FILE}")]
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
