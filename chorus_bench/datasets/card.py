"""Dataset cards: README.md with the configs for `load_dataset` and information for readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from tabulate import tabulate

from chorus_bench.datasets.dataset_info import (
    DEFAULT_CONFIG,
    dataset_infos,
    uncompressed_sizes,
)
from chorus_bench.datasets.folder import (
    CARD_FILE,
    DATA_FOLDER,
    NOTES_FILE,
    PICTURES_FOLDER,
    STATISTICS,
    DatasetInfo,
    category_folder,
)
from chorus_bench.datasets.lengths import lengths_of
from chorus_bench.datasets.meanings import decoding, meaning_of
from chorus_bench.datasets.parquet import read_schema
from chorus_bench.datasets.picture_sheet import write_pictures
from chorus_bench.datasets.samples import METADATA_FILE
from chorus_bench.datasets.schema import IMAGE, RLE
from chorus_bench.errors import count_of
from chorus_bench.io.files import atomic_write_bytes

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"),
          (10**7, "1M<n<10M"), (10**8, "10M<n<100M"))  # fmt: skip
_LARGEST = "100M<n<1B"


def write_card(folder: Path, info: DatasetInfo) -> None:
    """Write the card of a dataset into its folder, with a few pictures."""
    pictures = write_pictures(folder, info)
    schema = read_schema(folder / info.shards[0].path)
    infos = dataset_infos(info, schema, uncompressed_sizes(folder, info))
    atomic_write_bytes(folder / CARD_FILE, card_text(info, schema, infos, pictures).encode())


def card_text(
    info: DatasetInfo, schema: pa.Schema, infos: list[dict[str, Any]], pictures: list[str]
) -> str:
    """Return the card: a YAML header and Markdown.

    Args:
        info: description of the dataset.
        schema: schema of its rows.
        infos: its ``dataset_info``, see `dataset_infos`.
        pictures: file names of its pictures, in the folder `PICTURES_FOLDER`.
    """
    content = {**_header(info), "dataset_info": infos, "configs": _configs(info)}
    header = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{header}---\n\n{_body(info, schema, pictures)}"


def _header(info: DatasetInfo) -> dict[str, Any]:
    size = next((name for limit, name in _SIZES if info.rows < limit), _LARGEST)
    return {
        "pretty_name": info.card.title,
        "license": info.card.license,
        **info.card.header,
        "size_categories": [size],
        "tags": list(info.card.tags),
    }


def _configs(info: DatasetInfo) -> list[dict[str, Any]]:
    """Return the configs: all categories, and each of them.

    `datasets` keys its cache by the folder's name and these entries alone. The hash of the content
    in the description makes a rebuilt folder count as a new one.
    """
    description = f"{info.label}, content {info.content}"
    folders = {DEFAULT_CONFIG: "*"} | {name: category_folder(name) for name in info.categories}
    configs = [
        {
            "config_name": name,
            "description": description,
            "data_files": [
                {"split": info.split, "path": f"{DATA_FOLDER}/{place}/{info.split}-*.parquet"}
            ],
        }
        for name, place in folders.items()
    ]
    return [{**configs[0], "default": True}, *configs[1:]]


def _body(info: DatasetInfo, schema: pa.Schema, pictures: list[str]) -> str:
    card, rows = info.card, count_of(info.rows, "row")
    sections = [
        f"# {card.title}\n\n{card.summary}",
        f"`{info.label}`, version {info.version}, {rows}, split `{info.split}`",
        "\n\n".join(f"![{name}]({PICTURES_FOLDER}/{name})" for name in pictures),
        f"## Loading\n\n{_loading(info)}",
        f"## Rows per category\n\n{_counts(info)}",
        f"## Columns\n\n{_columns(schema)}",
        f"## How it was built\n\n{card.construction}\n\n{_built(info)}",
        f"## Sources\n\n{_sources(info)}",
        f"## Licenses\n\n{card.license_note}",
        f"## Citation\n\n```bibtex\n{card.citation}\n```" if card.citation else "",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _loading(info: DatasetInfo) -> str:
    example = next(iter(info.categories))
    return (
        "With `datasets` alone (and Pillow, to look at pictures):\n\n"
        "```python\n"
        "from datasets import load_dataset\n\n"
        f'everything = load_dataset("path/to/this/folder", split="{info.split}")\n'
        f'one = load_dataset("path/to/this/folder", "{example}", split="{info.split}")\n'
        "# row by row, without a copy in the cache:\n"
        f'rows = load_dataset("path/to/this/folder", split="{info.split}", streaming=True)\n'
        "```\n\n"
        f"`chorus-bench datasets verify path/to/this/folder` recomputes the fingerprint."
    )


def _counts(info: DatasetInfo) -> str:
    rows = sorted(info.categories.items(), key=lambda item: (-item[1], item[0]))
    return tabulate(rows, headers=("category", "rows"), tablefmt="github")


def _columns(schema: pa.Schema) -> str:
    rows = [(f"`{column.name}`", _type(column), meaning_of(column.name)) for column in schema]
    table = tabulate(rows, headers=("column", "type", "meaning"), tablefmt="github")
    code = "\n\n".join(f"```python\n{piece}\n```" for piece in decoding(schema.names))
    return f"{table}\n\nThe lines that decode a `row`:\n\n{code}" if code else table


def _type(column: pa.Field) -> str:
    """Return a column's type for readers; lists of lists as a shape."""
    kind, shape = column.type, []
    if kind == IMAGE:
        return "image"
    if pa.types.is_struct(kind) and [field.name for field in kind] == [f.name for f in RLE]:
        return "mask (COCO RLE)"
    while pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind):
        shape.append("any")
        kind = kind.value_type
    shape = [str(length) for length in lengths_of(column.name) or ()] or shape
    name = ", ".join(f.name for f in kind) if pa.types.is_struct(kind) else str(kind)
    return f"{name} ({', '.join(shape)})" if shape else name


def _built(info: DatasetInfo) -> str:
    parts = [f"```\n{info.command}\n```"] if info.command else []
    details = [(key, _short(value)) for key, value in info.details.items() if key != STATISTICS]
    parts.append(tabulate(details, headers=("", ""), tablefmt="github", disable_numparse=True))
    for title, counts in (("Left out", info.left_out), ("Used, but noted", info.noted)):
        if counts:
            table = tabulate(counts.items(), headers=("reason", "entries"), tablefmt="github")
            parts.append(f"{title} (each entry is named in `{NOTES_FILE}`):\n\n{table}")
    parts.append(f"Made with {info.made_with}; machine-readable: `{METADATA_FILE}`.")
    return "\n\n".join(parts)


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _sources(info: DatasetInfo) -> str:
    if not info.sources:
        return "No source files are recorded."
    rows = [(s.title, s.name, f"{s.size:,}", f"`{s.sha256}`") for s in info.sources]
    headers = ("source", "file", "bytes", "SHA-256")
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)
