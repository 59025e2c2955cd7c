"""The lengths of the lists in a row, checked whenever rows are read or written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from chorus_bench.datasets.schema import LENGTHS
from chorus_bench.errors import InputError, count_of


def lengths_of(name: str) -> tuple[int, ...] | None:
    """Return the lengths of the list in a column or field, outermost first; None for no list."""
    return LENGTHS.get(name.removeprefix("true_"))


def check_lengths(row: Mapping[str, Any]) -> None:
    """Raise an `InputError` if a list in a row has a wrong length.

    Args:
        row: a row with any of the schemas' columns; values that are None are ignored.

    Raises:
        InputError: it names the column, for example ``people[0].pose``.
    """
    name = row.get("sample_id") or "a row"
    for column, value in row.items():
        _check(column, value, column, name)


def fixed_lists(schema: pa.Schema) -> pa.Schema:
    """Return the columns of a schema that have lists of a fixed size in them."""
    return pa.schema([column for column in schema if "fixed_size_list" in str(column.type)])


def check_fixed_lists(schema: pa.Schema, row: Mapping[str, Any]) -> None:
    """Raise an `InputError` if a list in a row has another length than its type says.

    Args:
        schema: the columns to check, see `fixed_lists`.
        row: a row; values that are None or missing are ignored.

    Raises:
        InputError: it names the column, for example ``corners[0]``.
    """
    name = row.get("sample_id") or "a row"
    for column in schema:
        _check_type(column.type, row.get(column.name), column.name, name)


def _check_type(kind: pa.DataType, value: Any, path: str, where: object) -> None:  # noqa: ANN401
    if value is None:
        return
    if pa.types.is_struct(kind):
        for field in kind:
            _check_type(field.type, value.get(field.name), f"{path}.{field.name}", where)
    elif pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        if pa.types.is_fixed_size_list(kind):
            _check_list(value, (kind.list_size,), path, where)
        for number, part in enumerate(value):
            _check_type(kind.value_type, part, f"{path}[{number}]", where)


def _check(field: str, value: object, path: str, where: object) -> None:
    lengths = lengths_of(field)
    if value is None:
        return
    if lengths is not None:
        _check_list(value, lengths, path, where)
    elif isinstance(value, dict):
        for key, part in value.items():
            _check(key, part, f"{path}.{key}", where)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, part in enumerate(value):
            _check("", part, f"{path}[{number}]", where)


def _check_list(value: Any, lengths: tuple[int, ...], path: str, where: object) -> None:  # noqa: ANN401
    found = len(value) if hasattr(value, "__len__") else None
    if found != lengths[0]:
        shown = f"a {type(value).__name__}" if found is None else count_of(found, "entry")
        raise InputError(f"{path} has {shown}", where=where, expected=count_of(lengths[0], "entry"))
    for number, part in enumerate(value) if len(lengths) > 1 else ():
        _check_list(part, lengths[1:], f"{path}[{number}]", where)
