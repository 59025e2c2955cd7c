"""Pushing a built dataset to the Hugging Face hub."""

from __future__ import annotations

import re
from pathlib import Path

from chorus_bench.datasets.folder import DATA_FOLDER, NOTES_FILE, PICTURES_FOLDER
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.errors import ChorusBenchError, InputError, MissingDependencyError

_REPO = re.compile(r"[\w.-]+/[\w.-]+")


def push_dataset(
    folder: str | Path, repo: str, *, private: bool = True, token: str | None = None
) -> str:
    """Upload a dataset folder to the hub, after checking it.

    Files of an earlier push that the dataset no longer has are removed in the same commit.

    Args:
        folder: a built dataset.
        repo: ``organisation/name``; created if missing.
        private: whether a new repository is private.
        token: token of the hub; by default the one that ``hf auth login`` stored.

    Returns:
        The address of the commit.

    Raises:
        InputError: the folder does not verify, or the name is not one of a repository.
        MissingDependencyError: huggingface_hub is not installed.
        ChorusBenchError: the hub refused.
    """
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        raise MissingDependencyError(
            "huggingface_hub", extra="datasets", purpose="Pushing to the hub"
        ) from error
    if not _REPO.fullmatch(repo):
        raise InputError(f"'{repo}' is not a repository", expected="organisation/name")
    info = _verified(folder)
    api = HfApi(token=token)
    try:
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo,
            repo_type="dataset",
            folder_path=str(folder),
            commit_message=f"{info}",
            delete_patterns=[f"{DATA_FOLDER}/**", f"{PICTURES_FOLDER}/**", NOTES_FILE],
        )
    except HfHubHTTPError as error:
        raise ChorusBenchError(
            f"the hub refused to take {repo}: {error}\n"
            "  What to do: log in with `hf auth login`, with a token that may write there"
        ) from error
    return str(commit.commit_url)


def _verified(folder: str | Path) -> str:
    """Verify a dataset and return its label."""
    result = verify_dataset(folder)
    if not result.ok:
        raise InputError(
            "is not pushed because it does not verify: " + "; ".join(result.problems[:5]),
            where=folder,
            fix="build it again",
        )
    return result.info.label
