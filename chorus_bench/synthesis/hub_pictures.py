"""Pictures of a Hugging Face dataset: any image column, streamed. Needs the package `datasets`."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from chorus_bench.datasets.image_folder import SOURCE, image_id, upright_size
from chorus_bench.datasets.recipe import Note, Row
from chorus_bench.errors import (
    ChorusBenchError,
    InputError,
    import_extra,
    list_some,
    unknown_name,
)
from chorus_bench.io.hub_messages import quiet_hub
from chorus_bench.io.json_files import read_json
from chorus_bench.io.untrusted_files import visible_files
from chorus_bench.synthesis.picture_source import PictureSource, SourceOptions, stage_row


def is_hub_id(text: str) -> bool:
    """Whether a text has the form of a dataset's id on the hub, ``owner/name``."""
    owner, _, name = text.partition("/")
    return bool(owner and name) and "/" not in name and not owner.startswith((".", "~"))


def open_hub_pictures(name: str, options: SourceOptions) -> PictureSource:
    """Open the pictures of a Hugging Face dataset; they are streamed, nothing is copied first.

    Args:
        name: the id of a dataset on the hub, a folder that `load_dataset` reads, or one that
            `save_to_disk` wrote.
        options: the category, and which revision, split, config and column.

    Raises:
        InputError: no such dataset, split or column of images.
        ChorusBenchError: the hub refused or is out of reach.
        MissingDependencyError: the package `datasets` is not installed.
    """
    category = options.category
    data, version = _load(name, options)
    column = _image_column(data, name, options.column)
    label = Path(name).name if Path(name).is_dir() else name
    prompt = options.prompt or category
    commit = version.get("revision")
    return PictureSource(
        name=f"column '{column}' of {label}{f'@{commit}' if commit else ''}, split {options.split}",
        categories=(category,),
        identity={
            "hub": label,
            "subset": options.subset,
            "split": options.split,
            "column": column,
            "category": category,
            "prompt": prompt,
            "files": _folder_digest(Path(name)),
            **version,
        },
        read=lambda skip: _read(data, column, category, prompt, label, skip),
    )


def _load(name: str, options: SourceOptions) -> tuple[Any, dict[str, str]]:
    """Return a streamed dataset of one split, and what is known of its version.

    That is the ``revision`` of a dataset on the hub, a commit that is the same for all of the run,
    or the ``fingerprint`` of one that `save_to_disk` wrote.
    """
    purpose = "Reading a Hugging Face dataset"
    datasets = import_extra("datasets", extra="datasets", purpose=purpose)
    with _errors(name), quiet_hub():
        if Path(name, "state.json").is_file() or Path(name, "dataset_dict.json").is_file():
            saved, folder = datasets.load_from_disk(name), Path(name)
            if isinstance(saved, Mapping):
                if options.split not in saved:
                    raise unknown_name("split", options.split, list(saved), where=name)
                saved, folder = saved[options.split], folder / options.split
            known = {"fingerprint": str(read_json(folder / "state.json")["_fingerprint"])}
            return saved.to_iterable_dataset(), known
        known = {} if Path(name).is_dir() else {"revision": _commit(name, options.revision)}
        found = datasets.load_dataset(
            name, options.subset, split=options.split, streaming=True, **known
        )
        return found, known


def _commit(name: str, revision: str | None) -> str:
    """Return the commit of a dataset on the hub that a revision names now."""
    hub: Any = import_module("huggingface_hub")
    errors: Any = import_module("huggingface_hub.errors")
    try:
        return str(hub.HfApi().dataset_info(name, revision=revision).sha)
    except errors.HfHubHTTPError as error:
        if getattr(error.response, "status_code", None) not in (401, 403, 404):
            raise ConnectionError(_first_line(error)) from error
        raise InputError(
            f"the hub gives no access to it: {_first_line(error)}",
            where=name,
            expected="the id of a dataset on the hub (owner/name) and one of its revisions",
            fix="check the name and --revision; for a private or gated one, accept its terms on "
            "its page, then `hf auth login`",
        ) from error
    except Exception as error:  # of the HTTP library, which differs between versions
        raise ConnectionError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return next((line for line in map(str.strip, str(error).splitlines()) if line), repr(error))


@contextlib.contextmanager
def _errors(name: str) -> Iterator[None]:
    """Turn what `datasets` raises into errors that say what to do."""
    try:
        yield
    except ChorusBenchError:
        raise
    except (ConnectionError, TimeoutError) as error:
        raise ChorusBenchError(
            f"{name} is out of reach: {error}\n  What to do: check the network, or give a folder"
        ) from error
    except (FileNotFoundError, ValueError, OSError, RuntimeError) as error:
        raise InputError(
            f"cannot be opened as a Hugging Face dataset: {error}",
            where=name,
            expected="a folder or an id that `datasets.load_dataset` reads, and one of its splits",
            fix="check the name, --split and --subset",
        ) from error


def _image_column(data: Any, name: str, wanted: str | None) -> str:  # noqa: ANN401
    """Return the column of images: the one asked for, or the only one."""
    import datasets

    features = data.features or data._resolve_features().features or {}
    images = [key for key, feature in features.items() if isinstance(feature, datasets.Image)]
    if wanted is not None:
        if wanted not in images:
            raise unknown_name("image column", wanted, images, where=name)
        return wanted
    if len(images) != 1:
        found = f"{len(images)} columns of images among {list_some(sorted(features))}"
        raise InputError(found, where=name, expected="one", fix="name it with --column")
    return images[0]


def _folder_digest(folder: Path) -> str | None:
    """Return a SHA-256 over the names and sizes of a folder's files; None for a dataset's id."""
    if not folder.is_dir():
        return None
    lines = [f"{f.relative_to(folder)} {f.stat().st_size}\n" for f in visible_files(folder)]
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def _read(
    data: Any,  # noqa: ANN401 - an untyped library
    column: str,
    category: str,
    prompt: str,
    label: str,
    skip: int,
) -> Iterator[Row | Note]:
    import datasets

    pictures = data.select_columns([column]).cast_column(column, datasets.Image(decode=False))
    with _errors(label):
        for number, entry in enumerate(itertools.islice(pictures, skip, None), start=skip):
            yield _row(entry[column], f"{label}, row {number}", category, prompt, number, label)


def _row(
    picture: Mapping[str, Any] | None,
    where: str,
    category: str,
    prompt: str,
    number: int,
    label: str,
) -> Row | Note:
    content = _content(picture)
    if content is None:
        return Note(where, "no picture", "the row has no picture")
    size = upright_size(content, where)
    if isinstance(size, Note):
        return size
    path = (picture or {}).get("path")
    return stage_row(
        {
            "sample_id": image_id(category, hashlib.sha256(content).hexdigest()),
            "category": category,
            "prompt": prompt,
            "index": number,
            "source": SOURCE,
            "generator": label,
            "height": size[0],
            "width": size[1],
            "image": {"bytes": content, "path": Path(path).name if path else None},
        }
    )


def _content(picture: Mapping[str, Any] | None) -> bytes | None:
    """Return the content of a picture: its own, or that of the file it names."""
    if picture is None:
        return None
    if picture.get("bytes") is not None:
        return bytes(picture["bytes"])
    if not picture.get("path"):
        return None
    with import_module("fsspec").open(picture["path"], "rb") as file:
        return bytes(file.read())
