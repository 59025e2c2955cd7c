"""Row schemas as the features of `datasets`, without importing it.

`load_dataset` loads Parquet files that carry their features with the right types; in
particular, the column ``image`` becomes an image.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from chorus_bench.datasets.schema import IMAGE

#: Where `datasets` looks for the features in the metadata of a Parquet file.
METADATA_KEY = b"huggingface"


def features_of(schema: pa.Schema) -> dict[str, Any]:
    """Return the features of a row schema in the JSON form of `datasets`.

    Lists are written as ``Sequence``, which every version of `datasets` reads.
    """
    return {column.name: _feature(column.type) for column in schema}


def with_features(schema: pa.Schema) -> pa.Schema:
    """Return the schema of a file that every version of pyarrow reads, with its features.

    Lists of a fixed size become lists of variable length: versions of pyarrow disagree about
    those that are null. What a plug-in declares so is checked before it is written, see
    `chorus_bench.datasets.lengths.check_fixed_lists`.
    """
    text = json.dumps({"info": {"features": features_of(schema)}})
    stored = pa.schema([column.with_type(_stored(column.type)) for column in schema])
    return stored.with_metadata({METADATA_KEY: text.encode()})


def _stored(kind: pa.DataType) -> pa.DataType:
    """Return a type with its lists of a fixed size as lists of variable length."""
    if pa.types.is_struct(kind):
        return pa.struct([inner.with_type(_stored(inner.type)) for inner in kind])
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(_stored(kind.value_type)))
    return kind


def _feature(kind: pa.DataType) -> Any:  # noqa: ANN401 - nested JSON
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_struct(kind):
        return {inner.name: _feature(inner.type) for inner in kind}
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        item = _feature(kind.value_type)
        if pa.types.is_struct(kind.value_type):
            return [item]
        return {"feature": item, "length": -1, "_type": "Sequence"}
    names = {"float": "float32", "double": "float64"}
    return {"dtype": names.get(str(kind), str(kind)), "_type": "Value"}
