"""Reading the board and the files of its page in tests."""

from __future__ import annotations

import base64
import html.parser
import json

import numpy as np

from chorus_bench.leaderboard.board import board_json, make_board
from chorus_bench.leaderboard.checking import check_leaderboard
from tests.leaderboard import world


def site_of(board):
    checked = check_leaderboard(board)
    checked.raise_problems()
    return board_json(make_board(checked.entries, checked.published), world.DATE)


def script(file, start):
    """Return the value that a data file assigns."""
    text = file.read_text()
    place = text.index(start) + len(start)
    return json.JSONDecoder().raw_decode(text[place:])[0]


def numbers(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype)


class Nesting(html.parser.HTMLParser):
    """Finds elements of a page that are not closed, or closed where they are not open."""

    EMPTY = ("br", "col", "hr", "img", "input", "link", "meta", "option")

    def __init__(self):
        super().__init__()
        self.open, self.faults = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag in self.EMPTY:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def badly_nested(folder):
    """Return the faults of every page of a folder, by its name."""
    found = {}
    for file in sorted(folder.rglob("*.html")):
        page = Nesting()
        page.feed(file.read_text())
        if page.faults or page.open:
            found[file.name] = [*page.faults[:1], *page.open]
    return found
