"""Results and verified entries of an earlier state of a leaderboard: a commit, or a folder."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chorus_bench.errors import InputError
from chorus_bench.evaluation.results import RESULT_FILE, SAMPLES_FILE
from chorus_bench.io.findings import Findings, printable
from chorus_bench.leaderboard.manifest import REPEATED, EntryManifest, read_entry_yaml
from chorus_bench.leaderboard.places import ENTRIES_FOLDER, ENTRY_FILE, entry_folders

#: The files whose numbers a verification confirms.
CONFIRMED_FILES = (RESULT_FILE, SAMPLES_FILE)


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


@dataclass(frozen=True)
class VerifiedEntry:
    """An entry that an earlier state calls verified or reproduced.

    Attributes:
        manifest: its `entry.yaml`.
        digests: file -> SHA-256, for those of `CONFIRMED_FILES` that it has.
    """

    manifest: EntryManifest
    digests: Mapping[str, str]


def confirmed_digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of the files of an entry that a verification confirms."""
    found = {name: contents[name] for name in CONFIRMED_FILES if name in contents}
    return {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}


def earlier_verified(leaderboard: str | Path, against: str) -> dict[str, VerifiedEntry]:
    """Return the entries that are verified or reproduced in an earlier state, by folder name.

    Args:
        leaderboard: the current folder.
        against: see `earlier_results`.

    Raises:
        InputError: see `earlier_results`.
    """
    texts = _texts(Path(leaderboard), against, ENTRY_FILE)
    read = {name: read_entry_yaml(text, ENTRY_FILE, Findings()) for name, text in texts.items()}
    verified = {name: one for name, one in read.items() if one and one.status in REPEATED}
    if not verified:
        return {}
    files = {file: _texts(Path(leaderboard), against, file) for file in CONFIRMED_FILES}
    return {
        name: VerifiedEntry(
            manifest,
            confirmed_digests({f: texts[name] for f, texts in files.items() if name in texts}),
        )
        for name, manifest in verified.items()
    }


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
