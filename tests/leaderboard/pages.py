"""Reading the board and the files of its page in tests."""

from __future__ import annotations

import base64
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
