"""Models from the hub or a folder: plain messages for loading errors.

Used for models of both diffusers and transformers. Both wrap the hub's errors in their own, so
the whole chain of causes is examined.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import xxhash

from chorus_bench.errors import ChorusBenchError, InputError, list_some
from chorus_bench.io.hub_messages import quiet_hub

#: Configuration files of which a model's folder has one: diffusers pipeline, transformers model.
CONFIGURATIONS = ("model_index.json", "config.json")

_HUB = "https://huggingface.co"
_PICKLED = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_BLOCK = 1 << 22


@contextlib.contextmanager
def loading(model: str, *, purpose: str, files: Sequence[str] = CONFIGURATIONS) -> Iterator[None]:
    """Turn a library's failure to load a model into an error that says what to do.

    Args:
        model: hub id or folder.
        purpose: its purpose, for messages, for example ``the image generator``.
        files: files of which a folder must have one.

    Raises:
        InputError: no such model, no access to it, no network, missing or damaged files.
        ChorusBenchError: the device has not enough memory for it.
    """
    check_model(model, purpose=purpose, files=files)
    try:
        with quiet_hub():
            yield
    except ChorusBenchError:
        raise
    except Exception as error:
        if _is_out_of_memory(error):
            raise ChorusBenchError(
                f"the device has not enough memory for the model '{model}' of {purpose}\n"
                "  What to do: choose a smaller model or number type, or another device"
            ) from error
        raise _explain(model, purpose, error) from error


def check_model(model: str, *, purpose: str, files: Sequence[str] = CONFIGURATIONS) -> None:
    """Raise an `InputError` for anything that is neither a hub id nor a folder with a model."""
    folder = Path(model)
    if folder.is_dir():
        if not any((folder / name).is_file() for name in files):
            raise InputError(
                f"the folder of the model has no {' and no '.join(files)}",
                where=folder,
                expected=f"a model for {purpose} as `save_pretrained` writes it",
                fix="give the folder that has this file, or fetch the model again with "
                "`hf download ID --local-dir FOLDER`",
            )
    elif _looks_like_path(model):
        raise InputError(
            "there is no such folder" if not folder.exists() else "is not a folder",
            where=model,
            expected=f"a folder with a model for {purpose}, or an id of {_HUB} (owner/name)",
            fix="correct the path",
        )


def check_device(device: str, *, where: object) -> None:
    """Raise an `InputError` for a device that this machine does not have.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ...
        where: its purpose, for messages.
    """
    import torch

    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise InputError(
            f"'{device}' is not a device", where=where, expected="cpu, cuda, cuda:1, mps, ..."
        ) from error
    count = 1 if wanted.type == "cpu" else _device_count(wanted.type)
    if (wanted.index or 0) >= count:
        raise InputError(
            f"torch finds no device '{device}' here",
            where=where,
            expected=f"a device of this machine; it has {count or 'none'} of this kind",
            fix="choose another, for example cpu, or install a torch built for this one",
        )


def _device_count(kind: str) -> int:
    import torch

    backend = getattr(torch, kind, None)
    return backend.device_count() if backend is not None else 0


def damaged_files(folder: Path) -> list[Path]:
    """Return the safetensors files below a folder that cannot be opened (truncated, say)."""
    from safetensors import SafetensorError, safe_open

    damaged = []
    for path in sorted(folder.rglob("*.safetensors")):
        try:
            with safe_open(path, framework="numpy"):
                pass
        except (SafetensorError, OSError):
            damaged.append(path)
    return damaged


def model_version(model: str, revision: str | None = None, *, file: str = CONFIGURATIONS[0]) -> str:
    """Return a model's name and version: the commit, or a hash of a folder's files.

    The path to a folder is left out, because it differs between machines with the same files.

    Args:
        model: hub id or folder.
        revision: revision on the hub, as requested.
        file: a loaded file, whose place in the cache gives the commit.
    """
    folder = Path(model)
    if folder.is_dir():
        return f"folder {folder.resolve().name} (xxh3 {_hash_files(folder)})"
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(model, file, revision=revision)
    if not isinstance(cached, str):
        return f"{model}@{revision}" if revision else model
    parts = Path(cached).parts
    return f"{model}@{parts[parts.index('snapshots') + 1]}"


def _hash_files(folder: Path) -> str:
    """Hash the names and contents of a model's files, except hidden files and documentation."""
    digest = xxhash.xxh3_64()
    for path in sorted(_model_files(folder)):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{len(name)} {name} {path.stat().st_size} ".encode())
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _model_files(folder: Path) -> Iterator[Path]:
    wanted = {".json", ".safetensors", ".txt", ".model", ".jinja"}
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in wanted and not hidden and path.is_file():
            yield path


def _looks_like_path(model: str) -> bool:
    """Whether this cannot be a hub id, which is ``name`` or ``owner/name``."""
    strange = model.startswith((".", "/", "~")) or "\\" in model or model.count("/") > 1
    return strange or Path(model).exists()


def _is_out_of_memory(error: Exception) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _explain(model: str, purpose: str, error: Exception) -> InputError:
    """Return the error of the first rule that recognises one of the causes."""
    causes = list(_causes(error))
    rules = (_no_access, _bad_answer, _offline, _no_package, _damaged, _not_safetensors)
    for rule in rules:
        if explained := rule(model, purpose, causes):
            return explained
    return InputError(
        f"the model '{model}' cannot be loaded: {_lines(error)[0]}",
        where=purpose,
        expected="a model of the right kind, with all its files",
        fix="check on the model's page how to load it, or fetch its files again",
    )


def _lines(error: BaseException) -> list[str]:
    """Return the lines of an error's message that are not empty, at least one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines or [type(error).__name__]


def _no_access(model: str, purpose: str, causes: Sequence[BaseException]) -> InputError | None:
    from huggingface_hub.errors import (
        DisabledRepoError,
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if _any(causes, GatedRepoError) or _status(causes) == 403:
        return InputError(
            f"the hub denies access to the model '{model}'",
            where=purpose,
            expected="an account that has accepted the model's license, where it asks for that",
            fix=f"accept the license on {_HUB}/{model}, then `hf auth login` with a token of "
            "that account that may read it",
        )
    if _any(causes, RepositoryNotFoundError, DisabledRepoError) or _status(causes) == 401:
        return InputError(
            f"the hub has no model '{model}', or it is private",
            where=purpose,
            expected=f"an id of {_HUB} (owner/name), or a folder",
            fix="correct the id; for a private model, `hf auth login`",
        )
    if _any(causes, RevisionNotFoundError):
        return InputError(
            f"the model '{model}' has no such revision",
            where=purpose,
            expected=f"a branch, tag or commit of {_HUB}/{model}/commits/main",
            fix="correct or leave out `revision`",
        )
    return None


def _bad_answer(model: str, purpose: str, causes: Sequence[BaseException]) -> InputError | None:
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    status = _status(causes)
    if status is not None and status >= 400 and status != 404:
        return InputError(
            f"the hub answered with status {status} when asked for the model '{model}'",
            where=purpose,
            fix="try again later (https://status.huggingface.co), or give a folder as `model`",
        )
    missing = [c for c in causes if isinstance(c, EntryNotFoundError)]
    if missing and not isinstance(missing[-1], LocalEntryNotFoundError):
        return InputError(
            f"the model '{model}' lacks a file: {_lines(missing[-1])[-1]}",
            where=purpose,
            expected=f"a model for {purpose} with {' or '.join(CONFIGURATIONS)}",
            fix="choose a model that the library can load; the model's page says so",
        )
    return None


def _offline(model: str, purpose: str, causes: Sequence[BaseException]) -> InputError | None:
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    # The base class is the HTTP library's, which is requests, httpx or httpx2.
    no_answer = (*HfHubHTTPError.__bases__, ConnectionError, TimeoutError)
    tried = _any(causes, *(kind for kind in no_answer if kind is not OSError))
    if not tried and not _any(causes, LocalEntryNotFoundError):
        return None
    not_asked = _any(causes, OfflineModeIsEnabled) or not tried
    reason = "was not asked (HF_HUB_OFFLINE, `local_files_only`)" if not_asked else "is unreachable"
    return InputError(
        f"the model '{model}' is not completely in the cache, and the hub {reason}",
        where=f"{purpose}, {HF_HUB_CACHE}",
        expected="all files of the model in the cache, or a network",
        fix=f"where there is a network, `hf download {model} --local-dir FOLDER`, and give the "
        "folder as `model`; or set HF_HOME to a cache that contains the model",
    )


def _not_safetensors(
    model: str, purpose: str, causes: Sequence[BaseException]
) -> InputError | None:
    texts = [_lines(c)[0] for c in causes if isinstance(c, OSError) and "safetensors" in str(c)]
    if not texts:
        return None
    folder = Path(model)
    pickled = [p for p in sorted(folder.rglob("*")) if p.suffix in _PICKLED]
    names = [path.relative_to(folder).as_posix() for path in pickled]
    return InputError(
        f"the model '{model}' lacks weights in the safetensors format"
        + (f"; it has pickled ones: {list_some(names)}" if names else ""),
        where=texts[0] if folder.is_dir() else purpose,
        expected="safetensors: pickled weights can run any code and are never loaded here",
        fix="choose a revision or a `variant` that has them, or save the model again with "
        "`save_pretrained(folder, safe_serialization=True)` where you trust it",
    )


def _no_package(model: str, purpose: str, causes: Sequence[BaseException]) -> InputError | None:
    missing = [cause for cause in causes if isinstance(cause, ImportError)]
    if not missing:
        return None
    return InputError(
        f"the model '{model}' needs a package that is not installed: {_lines(missing[-1])[0]}",
        where=purpose,
        fix=f"pip install {missing[-1].name or 'the package'}, or choose another model",
    )


def _damaged(model: str, purpose: str, causes: Sequence[BaseException]) -> InputError | None:
    from safetensors import SafetensorError

    files = damaged_files(Path(model)) if Path(model).is_dir() else []
    if not files and not _any(causes, SafetensorError):
        return None
    return InputError(
        f"a file of the model '{model}' is damaged: {_lines(causes[0])[0]}",
        where=list_some(files) if files else purpose,
        expected="complete safetensors files",
        fix="fetch the file again" if files else f"`hf cache rm model/{model}`, then try again",
    )


def _any(causes: Iterable[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def _status(causes: Iterable[BaseException]) -> int | None:
    """Return the status of the hub's failed answer, if there was one."""
    for cause in causes:
        response = getattr(cause, "response", None)
        if response is not None and hasattr(response, "status_code"):
            return int(response.status_code)
    return None
