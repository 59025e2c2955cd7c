"""What a card's header says of the rows for `datasets` and the hub: features, splits, sizes.

Written without `datasets`, in the form that all of its versions since 3 read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from chorus_bench.datasets.features import features_of
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.parquet import open_parquet

#: The config with all categories.
DEFAULT_CONFIG = "default"


def uncompressed_sizes(folder: Path, info: DatasetInfo) -> dict[str, int]:
    """Return the bytes of every Parquet file before compression; only footers are read."""
    return {shard.path: _uncompressed(folder / shard.path) for shard in info.shards}


def _uncompressed(file: Path) -> int:
    with open_parquet(file) as parquet:
        meta = parquet.metadata
        return sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))


def dataset_infos(
    info: DatasetInfo, schema: pa.Schema, sizes: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the entries of ``dataset_info``: one for all rows, one for each category.

    The features stand in the first entry; they are those of every category, and of every file.

    Args:
        info: description of the dataset.
        schema: schema of its rows.
        sizes: path of a Parquet file -> its bytes before compression.
    """
    everything = {
        "config_name": DEFAULT_CONFIG,
        "features": yaml_features(schema),
        **_sizes(info, sizes, info.categories),
    }
    each = [{"config_name": name, **_sizes(info, sizes, [name])} for name in info.categories]
    return [everything, *each]


def _sizes(
    info: DatasetInfo, sizes: Mapping[str, int], categories: Mapping[str, int] | list[str]
) -> dict[str, Any]:
    shards = [shard for shard in info.shards if shard.category in categories]
    size = sum(sizes[shard.path] for shard in shards)
    rows = sum(shard.rows for shard in shards)
    return {
        "splits": [{"name": info.split, "num_bytes": size, "num_examples": rows}],
        "download_size": sum(shard.size for shard in shards),
        "dataset_size": size,
    }


def yaml_features(schema: pa.Schema) -> list[dict[str, Any]]:
    """Return the features of a row schema in the form of a card's header."""
    return [{"name": name, **_entry(kind)} for name, kind in features_of(schema).items()]


def _entry(feature: Any) -> dict[str, Any]:  # noqa: ANN401 - nested JSON
    if isinstance(feature, list):
        return {"list": [{"name": name, **_entry(kind)} for name, kind in feature[0].items()]}
    kind = feature.get("_type")
    if kind == "Value":
        return {"dtype": feature["dtype"]}
    if kind == "Sequence":
        inner = _entry(feature["feature"])
        return {"sequence": inner.get("dtype", inner)}
    if kind is not None:
        return {"dtype": kind.lower()}
    return {"struct": [{"name": name, **_entry(inner)} for name, inner in feature.items()]}
