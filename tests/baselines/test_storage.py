"""Aggregations from and to files."""

import numpy as np
import pytest

from chorus_baselines.chorus import load_aggregation, save_aggregation
from chorus_bench.errors import InputError
from tests.baselines.aggregations import run, same
from tests.baselines.views import make_row


def test_saved_and_loaded(tmp_path, rows, whole):
    with_skipped = whole + run([make_row(99, pose=None)], allow_empty=True)
    path = save_aggregation(with_skipped, tmp_path / "board.npz")
    assert same(load_aggregation(path), with_skipped)
    again = load_aggregation(path) + run(rows[:3])
    assert same(again, with_skipped + run(rows[:3]))
    shuffled = save_aggregation(
        run([make_row(99, pose=None), *rows[::-1]]), tmp_path / "shuffled.npz"
    )
    assert shuffled.read_bytes() == path.read_bytes()
    nothing = run([], allow_empty=True)
    assert same(load_aggregation(save_aggregation(nothing, tmp_path / "nothing.npz")), nothing)


@pytest.mark.parametrize("kind", ["missing", "text", "cut", "other", "votes", "shape"])
def test_files_that_are_no_aggregations(tmp_path, whole, kind):
    path = tmp_path / "board.npz"
    if kind == "text":
        path.write_text("hello")
    elif kind == "other":
        np.savez(path, a=np.zeros(3))
    elif kind != "missing":
        save_aggregation(whole, path)
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    if kind in ("votes", "shape"):
        with np.load(path) as archive:
            arrays = dict(archive)
        arrays["0_hits"] = arrays["0_hits"] + 9 if kind == "votes" else arrays["0_hits"][:, :5]
        np.savez(path, **arrays)
    with pytest.raises(InputError, match=r"board\.npz: (not an|no such) aggregation"):
        load_aggregation(path)
