"""What changed on the board, from its entries: a list for the page and a feed (Atom, RFC 4287)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_FEED = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>tag:chorus-bench,2026:leaderboard</id>
<title>CHORUS benchmark: changes of the leaderboard</title>
<author><name>The chorus-bench authors</name></author>
<link rel="alternate" href="index.html"/>
<updated>{updated}T00:00:00Z</updated>
{entries}</feed>
"""


@dataclass(frozen=True)
class Change:
    """An event.

    Attributes:
        date: ISO date.
        kind: ``entered``, ``verified`` or ``reproduced``.
        slug: name of the method's entry.
        method: the method.
        page: address of the method's page, from the board's folder.
        text: what happened.
    """

    date: str
    kind: str
    slug: str
    method: str
    page: str
    text: str


def changes(site: Mapping[str, Any]) -> list[Change]:
    """Return what happened to the entries, the newest first.

    Args:
        site: the board's JSON, from `board_json`.
    """
    found = [
        change
        for board in site["boards"]
        for method in board["methods"]
        if method["page"] is not None
        for change in _of(board, method)
    ]
    return sorted(found, key=lambda change: (change.date, change.slug, change.kind), reverse=True)


def _of(board: Mapping[str, Any], method: Mapping[str, Any]) -> list[Change]:
    named = (method["slug"], method["method"], method["page"])
    score = f"{100 * method['scores']['mPAP']:.2f} % mPAP on {board['title']}"
    found = [Change(method["date"], "entered", *named, f"entered with {score}")]
    done = method["verified"]
    if done is not None:
        with_ = ", ".join(
            [
                *([f"chorus-bench {done['version']}"] if done.get("version") else []),
                *([done["processor"]] if done.get("processor") else []),
            ]
        )
        text = f"{method['status']} by {done['by']}" + (f" with {with_}" if with_ else "")
        found.append(Change(done["date"], method["status"], *named, text))
    return found


def changes_feed(site: Mapping[str, Any]) -> str:
    """Return the changes as an Atom feed, for feed readers.

    Args:
        site: the board's JSON, from `board_json`.
    """
    events = changes(site)
    updated = events[0].date if events else site["built"]
    return _FEED.format(updated=updated, entries="".join(map(_feed_entry, events)))


def _feed_entry(change: Change) -> str:
    number = f"tag:chorus-bench,2026:{change.slug}/{change.kind}/{change.date}"
    return (
        f"<entry>\n<id>{escape(number)}</id>\n"
        f"<title>{escape(change.method)}: {escape(change.text)}</title>\n"
        f"<link href={quoteattr(change.page)}/>\n"
        f"<updated>{change.date}T00:00:00Z</updated>\n"
        f"<content>{escape(change.text)}</content>\n</entry>\n"
    )
