"""Progress: a bar where somebody sees it, the caller's own function, or nothing."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from chorus_bench import progress
from chorus_bench.progress import (
    TerminalBar,
    bar_text,
    in_notebook,
    progress_bar,
    reported,
    silent,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that begins to show what is written to a terminal, from the first step on.

    Called in the test itself: pytest sets standard error anew before it.
    """

    def begin() -> Terminal:
        stream = Terminal()
        monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", -1.0)
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return begin


def test_a_terminal_sees_a_bar(terminal):
    shown = terminal()
    with reported(None, "Scoring") as report:
        report(1, 4)
        report(4, 4)
    assert "Scoring" in shown.getvalue()


def test_a_file_sees_nothing(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", -1.0)
    with reported(True, "Scoring") as report:
        report(1, 4)
    assert stream.getvalue() == ""


def test_a_notebook_sees_a_line_that_goes_away(terminal, monkeypatch):
    shell = SimpleNamespace(kernel=object())
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    notebook = terminal()
    assert in_notebook()
    with reported(None, "Scoring") as report:
        report(1, 4)
    text = notebook.getvalue()
    assert "\rScoring [#######" in text
    assert "1 of 4" in text
    assert text.endswith("\r")
    assert "\x1b" not in text


def test_one_bar_at_a_time(terminal):
    terminal()
    with progress_bar("outer") as outer:
        outer(1, 2)
        with progress_bar("inner") as inner:
            assert inner is silent
    with progress_bar("next") as update:
        assert update is not silent


def test_the_callers_own_function_is_called(terminal):
    shown = terminal()
    calls = []
    with reported(lambda *step: calls.append(step), "Scoring") as report:
        report(2, 3)
    with reported(False, "Scoring") as report:
        report(2, 3)
    assert calls == [(2, 3)]
    assert shown.getvalue() == ""


def test_a_bar_that_fails_makes_room_for_the_next(terminal):
    terminal()
    with pytest.raises(RuntimeError), progress_bar("one"):
        raise RuntimeError
    with progress_bar("two") as update:
        assert update is not silent


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [
        (0, 4, f"Work [{' ' * 30}] 0 of 4"),
        (2, 4, f"Work [{'#' * 15}{' ' * 15}] 2 of 4, 1:05 left"),
        (4, 4, f"Work [{'#' * 30}] 4 of 4, 0:00 left"),
        (3, 0, "Work: 3"),
    ],
)
def test_the_line_says_how_far_it_is(done, total, text):
    assert bar_text("Work", done, total, 65.0) == text


@pytest.mark.parametrize("seed", range(5))
def test_the_remaining_time_is_right_within_a_fifth_after_a_twentieth(seed):
    """400 samples that take 0.2 to 0.4 s, two at a time, as `evaluate` reports them."""
    rng = np.random.default_rng(seed)
    seconds = rng.uniform(0.2, 0.4, (2, 200)).cumsum(axis=1)
    times, bar = np.sort(seconds.ravel()), TerminalBar("Preparing")
    now = 0.0
    bar._bar.get_time = lambda: now
    task = bar._bar.tasks[0]
    task._get_time = bar._bar.get_time
    bar._bar.reset(bar._task)
    bar(0, 400)
    for done, now in enumerate(times, start=1):
        bar(done, 400)
        if done == 20:
            assert task.time_remaining == pytest.approx(times[-1] - now, rel=0.2)
            text = bar_text("Preparing", done, 400, now).rpartition(", ")[2]
            minutes, left = text.removesuffix(" left").split(":")
            assert 60 * int(minutes) + int(left) == pytest.approx(times[-1] - now, rel=0.2)
