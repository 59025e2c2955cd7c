"""Short HTML of an object for notebooks: what it is, in a few lines. Needs no library."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

#: More rows than this are counted instead of shown.
_MOST = 30


def summary_html(
    title: str,
    facts: Mapping[str, object],
    head: Sequence[str] = (),
    rows: Iterable[Sequence[object]] = (),
) -> str:
    """Return a title, facts and a table as HTML; every text is escaped.

    Args:
        title: the first line.
        facts: name -> value; None is left out.
        head: names of the table's columns.
        rows: its rows, of which at most 30 are shown.
    """
    lines = "".join(
        f"<div>{_text(name)}: {_text(value)}</div>"
        for name, value in facts.items()
        if value is not None
    )
    every = list(rows)
    table = _table(head, every[:_MOST]) if every else ""
    more = f"<div>and {len(every) - _MOST} more</div>" if len(every) > _MOST else ""
    return f"<div><strong>{_text(title)}</strong>{lines}{table}{more}</div>"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    heads = "".join(f"<th>{_text(name)}</th>" for name in head)
    cells = ("".join(f"<td>{_text(cell)}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: object) -> str:
    return html.escape(str(value))


def percent_text(value: float | None, interval: Sequence[float] | None = None) -> str:
    """Return a fraction in percent with its interval: ``32.86 (31.29 to 34.36)``."""
    if value is None:
        return "\u2013"
    text = f"{100 * value:.2f}"
    return text if not interval else f"{text} ({100 * interval[0]:.2f} to {100 * interval[1]:.2f})"
