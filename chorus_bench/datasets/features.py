"""Row schemas as the features of `datasets`, without importing it.

`load_dataset` loads Parquet files that carry their features with the right types; in
particular, the column ``image`` becomes an image.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from chorus_bench.datasets.schema import IMAGE
from chorus_bench.errors import InputError

#: Where `datasets` looks for the features in the metadata of a Parquet file.
METADATA_KEY = b"huggingface"


def features_of(schema: pa.Schema) -> dict[str, Any]:
    """Return the features of a row schema in the JSON form of `datasets`.

    Lists are written as ``Sequence``, which every version of `datasets` reads.
    """
    return {column.name: _feature(column.type) for column in schema}


def with_features(schema: pa.Schema) -> pa.Schema:
    """Return the schema with its features in the metadata."""
    text = json.dumps({"info": {"features": features_of(schema)}})
    return schema.with_metadata({METADATA_KEY: text.encode()})


def _feature(kind: pa.DataType) -> Any:  # noqa: ANN401 - nested JSON
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_struct(kind):
        return {inner.name: _feature(inner.type) for inner in kind}
    if pa.types.is_fixed_size_list(kind):
        raise InputError(
            f"a column of type {kind}",
            expected="lists of variable length, pyarrow.list_(type): not every version of pyarrow "
            "reads and writes lists of a fixed size that are null",
        )
    if pa.types.is_list(kind):
        item = _feature(kind.value_type)
        if pa.types.is_struct(kind.value_type):
            return [item]
        return {"feature": item, "length": -1, "_type": "Sequence"}
    names = {"float": "float32", "double": "float64"}
    return {"dtype": names.get(str(kind), str(kind)), "_type": "Value"}
