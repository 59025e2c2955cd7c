"""Pushing a built dataset to the Hugging Face hub."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from chorus_bench.datasets.folder import DATA_FOLDER, NOTES_FILE, PICTURES_FOLDER
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.errors import ChorusBenchError, InputError, import_extra

_REPO = re.compile(r"[\w.-]+/[\w.-]+")


def push_dataset(
    folder: str | Path, repo: str, *, private: bool = True, token: str | None = None
) -> str:
    """Upload a dataset folder to the hub, after checking it.

    Files of an earlier push that the dataset no longer has are removed in the same commit;
    hidden files stay here.

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
        ChorusBenchError: the hub refused, or is out of reach.
    """
    hub = import_extra("huggingface_hub", extra="datasets", purpose="Pushing to the hub")
    if not _REPO.fullmatch(repo):
        raise InputError(f"'{repo}' is not a repository", expected="organisation/name")
    info = _verified(folder)
    api = hub.HfApi(token=token)
    with _hub_errors(repo):
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo,
            repo_type="dataset",
            folder_path=str(folder),
            commit_message=f"{info}",
            ignore_patterns=[".*", "*/.*"],
            delete_patterns=[f"{DATA_FOLDER}/**", f"{PICTURES_FOLDER}/**", NOTES_FILE],
        )
    return str(commit.commit_url)


@contextlib.contextmanager
def _hub_errors(repo: str) -> Iterator[None]:
    """Turn what the hub's library raises into errors that say what to do."""
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalTokenNotFoundError,
        OfflineModeIsEnabled,
    )

    # The base is the HTTP library's, which is requests, httpx or httpx2.
    bases = cast("tuple[type[Exception], ...]", HfHubHTTPError.__bases__)
    broken_off: tuple[type[Exception], ...] = (
        *(base for base in bases if base is not OSError),
        ConnectionError,
        TimeoutError,
        RuntimeError,
    )
    try:
        yield
    except HFValidationError as error:
        raise InputError(
            f"'{repo}' is no repository: {error}", fix="choose another name"
        ) from error
    except (HfHubHTTPError, LocalTokenNotFoundError) as error:
        raise ChorusBenchError(
            f"the hub refused to take {repo}: {error}\n"
            "  What to do: log in with `hf auth login`, with a token that may write there"
        ) from error
    except OfflineModeIsEnabled as error:
        raise ChorusBenchError(
            f"{repo} is not pushed: huggingface_hub is told to stay offline\n"
            "  What to do: unset HF_HUB_OFFLINE where there is a network"
        ) from error
    except broken_off as error:
        raise ChorusBenchError(
            f"{repo} is not pushed: the hub is unreachable or the connection broke: {error}\n"
            "  What to do: check the network and HF_ENDPOINT, and run the same command again; "
            "files that have arrived are not sent again"
        ) from error


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
