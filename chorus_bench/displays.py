"""Values in a prompt and in a notebook: a short line, and a small table.

A class with the decorator `displayed` shows its facts: those that its method ``_facts`` returns
(label -> value), else its fields, arrays by their shapes and collections by their sizes. In a
notebook a table can follow, from its method ``_table``: the columns, then the rows.
"""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Any, TypeVar

from chorus_bench.errors import count_of

Kind = TypeVar("Kind", bound=type)
#: The columns of a table, and its rows.
Table = tuple[Sequence[object], Sequence[Sequence[object]]]
#: Longest text of one value, and the most rows of a table.
_LONGEST, _ROWS = 60, 50
_STYLE = 'style="text-align:left;border-collapse:collapse"'


def displayed(kind: Kind) -> Kind:
    """Give a class a short ``repr`` and a table for notebooks.

    Args:
        kind: a dataclass, or a class with ``_facts``.
    """

    def line(self: object) -> str:
        facts = facts_of(self).items()
        return f"{kind.__name__}({', '.join(f'{name}={short(value)}' for name, value in facts)})"

    def table(self: object) -> str:
        shown: Table = getattr(self, "_table", lambda: ((), ()))()
        return html_of(kind.__name__, facts_of(self), *shown)

    for name, method in (("__repr__", line), ("_repr_html_", table)):
        method.__name__, method.__qualname__ = name, f"{kind.__qualname__}.{name}"
        setattr(kind, name, method)
    return kind


def facts_of(value: Any) -> dict[str, object]:  # noqa: ANN401 - of any class that is displayed
    """Return what is shown of a value: label -> value."""
    own = getattr(value, "_facts", None)
    if own is not None:
        return dict(own())
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.repr}


def short(value: object) -> str:
    """Return a value as a text of one line: arrays by shape, collections by size."""
    shape = getattr(value, "shape", None)
    if shape is not None and len(tuple(shape)):
        return f"<{type(value).__name__} {'x'.join(map(str, shape))}>"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    if len(text) <= _LONGEST and "\n" not in text:
        return text
    if isinstance(value, str):
        return repr(value[: _LONGEST - 3] + "...")
    if isinstance(value, Sized):
        return f"<{type(value).__name__} of {count_of(len(value), 'item')}>"
    return f"<{type(value).__name__}>"


def html_of(
    title: str,
    facts: Mapping[str, object],
    columns: Sequence[object] = (),
    rows: Iterable[Sequence[object]] = (),
) -> str:
    """Return a small table for a notebook; texts are escaped.

    Args:
        title: what it is.
        facts: label -> value, in front.
        columns: headings of a table after the facts.
        rows: its rows, of which the first fifty are shown.
    """
    listed = [list(row) for row in rows]
    parts = [f"<b>{html.escape(title)}</b>"]
    known = {name: value for name, value in facts.items() if value is not None}
    parts.append(_html_table([[name, _text(value)] for name, value in known.items()]))
    if listed:
        parts.append(_html_table(listed[:_ROWS], columns))
    if len(listed) > _ROWS:
        parts.append(f"<i>and {count_of(len(listed) - _ROWS, 'more row')}</i>")
    return f"<div>{''.join(parts)}</div>"


def _text(value: object) -> str:
    return value if isinstance(value, str) else short(value)


def _html_table(rows: Sequence[Sequence[object]], columns: Sequence[object] = ()) -> str:
    head = f"<tr>{''.join(f'<th>{html.escape(str(name))}</th>' for name in columns)}</tr>"
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(_text(cell))}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return f"<table {_STYLE}>{head if columns else ''}{body}</table>"
