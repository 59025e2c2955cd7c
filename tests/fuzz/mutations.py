"""How a valid file is broken: its bytes, the values of its JSON or YAML, its columns."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from hypothesis import strategies as st

#: Values that no reader expects: too large, not finite, nested, of another kind, half a character.
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 2**31, 2**63, 10**30, -(2**70), 1e308, float("inf"), float("nan"), "",
    "x" * 5000, "a\x00b", "\x1b[31m", "\u202eabc", "../../etc/passwd", "/dev/zero", "9" * 400, [],
    "a\ud800", {}, [[[[[]]]]], [None], {"": ""}, ["a", 1], "2026-13-45", "https://x\n", "|", "@",
    "*", "~",
)  # fmt: skip

Draw = Callable[[st.SearchStrategy[Any]], Any]


def break_bytes(data: bytes, draw: Draw) -> bytes:
    """Flip, cut, repeat or insert a few bytes."""
    content = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.sampled_from(("flip", "cut", "drop", "insert", "repeat", "zero"))):
            case "flip" if content:
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del content[place:]
            case "drop":
                del content[place : place + draw(st.integers(1, 64))]
            case "insert":
                content[place:place] = draw(st.binary(min_size=1, max_size=16))
            case "repeat":
                content[place:place] = content[place : place + 64] * 3
            case "zero":
                content[place : place + 8] = bytes(8)
    return bytes(content)


def break_tree(tree: Any, draw: Draw) -> Any:
    """Replace, remove or add values in a tree of mappings and lists."""
    broken = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(broken)) if isinstance(broken, dict | list) else []
        if not places:
            return draw(st.sampled_from(ODD))
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(("odd", "remove", "add", "swap"))):
            case "odd":
                holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "remove":
                del holder[key]
            case "add" if isinstance(holder, dict):
                holder[draw(st.text(max_size=12))] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "add":
                holder.append(copy.deepcopy(draw(st.sampled_from(ODD))))
            case "swap":
                holder[key] = [holder[key]] if draw(st.booleans()) else {"x": holder[key]}
    return broken


def _places(tree: Any) -> Any:
    """Yield every (container, key) of a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(items):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def break_file(file: Path, draw: Draw) -> None:
    """Break one file in a way that fits its kind."""
    by_content = {
        ".json": lambda: json.dumps(break_tree(json.loads(file.read_text()), draw)).encode(),
        ".yaml": lambda: _yaml(break_tree(yaml.safe_load(file.read_text()), draw)),
        ".parquet": lambda: _parquet(file, draw),
        ".npz": lambda: _npz(file, draw),
    }
    structured = by_content.get(file.suffix)
    content = None
    if structured is not None and draw(st.booleans()):
        with contextlib.suppress(Exception):  # it is broken already: its bytes are broken again
            content = structured()
    file.write_bytes(break_bytes(file.read_bytes(), draw) if content is None else content)


def _yaml(tree: Any) -> bytes:
    return yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass")


def _npz(file: Path, draw: Draw) -> bytes:
    """Drop, rename, empty, cut, turn or retype an array; or make it odd."""
    with np.load(io.BytesIO(file.read_bytes())) as stored:
        arrays = dict(stored)
    name = draw(st.sampled_from(sorted(arrays)))
    array = arrays.pop(name)
    match draw(st.sampled_from(("drop", "rename", "shape", "type", "values", "odd"))):
        case "rename":
            arrays[draw(st.text(st.characters(codec="utf-8"), max_size=8))] = array
        case "shape":
            shapes = (array.ravel(), array[None], array.T, array[..., None], array[:0])
            arrays[name] = shapes[draw(st.integers(0, len(shapes) - 1))]
        case "type":
            kind = draw(st.sampled_from(("U4", "S3", "c16", "?", "f2", "u8", "i1", "V4", "M8[D]")))
            arrays[name] = np.zeros(array.shape, kind)
        case "values":
            worst = draw(st.sampled_from((np.nan, np.inf, -1e300, 1e300, -1, 0, 2**40)))
            arrays[name] = np.full(array.shape, worst, np.float64)
        case "odd":
            odd = (np.array(3), np.array(["a"]), np.zeros((0, 0)), np.zeros(3, [("a", "f4")]))
            arrays[name] = odd[draw(st.integers(0, len(odd) - 1))]
    sink = io.BytesIO()
    np.savez_compressed(sink, **arrays)
    return sink.getvalue()


def _parquet(file: Path, draw: Draw) -> bytes:
    """Drop, double, rename, empty or retype a column; or change values within it."""
    table = pq.read_table(file)
    number = draw(st.integers(0, table.num_columns - 1))
    name = table.column_names[number]
    match draw(st.sampled_from(("drop", "twice", "rename", "null", "text", "no rows", "metadata"))):
        case "drop":
            table = table.drop_columns([name])
        case "twice":
            table = table.append_column(name, table.column(number))
        case "rename":
            table = table.rename_columns(
                [draw(st.text(max_size=8)) if n == name else n for n in table.column_names]
            )
        case "null":
            nulls = pa.nulls(len(table), table.schema.field(number).type)
            table = table.set_column(number, name, nulls)
        case "text":
            texts = pa.array([str(draw(st.sampled_from(ODD)))] * len(table), pa.string())
            table = table.set_column(number, name, texts)
        case "no rows":
            table = table.slice(0, 0)
        case "metadata":
            table = table.replace_schema_metadata({"chorus_bench": draw(st.text(max_size=40))})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())
