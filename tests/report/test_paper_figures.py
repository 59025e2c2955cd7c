"""Figures for papers: their formats, their width, and what they refuse."""

from __future__ import annotations

import re
import struct

import pytest
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate, split_from_rows
from chorus_bench.report import curves_figure, methods_figure, write_figure
from chorus_bench.submission import write_submission
from tests.evaluation.small_split import COARSE, blob_field, make_row

CATEGORIES = ("bench", "bicycle", "skis", "tie")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("paper")
    split = split_from_rows([make_row(name, n) for name in CATEGORIES for n in range(3)], "made")
    for name, width in (("wide", 0.5), ("narrow", 0.2)):
        fields = {category: blob_field(width=width) for category in CATEGORIES}
        write_submission(place / f"{name}-sub", method=name, fields=fields)
        evaluate(place / f"{name}-sub", split=split, protocol=COARSE, output=place / name)
    return [place / "wide", place / "narrow"]


def test_png_has_the_width_of_a_column_at_300_dots_per_inch(folders, tmp_path):
    path = write_figure("methods", folders, tmp_path / "a.png", width=3.3)
    width, _ = struct.unpack(">II", path.read_bytes()[16:24])
    assert width == pytest.approx(3.3 * 300, abs=2)


def test_svg_and_pdf_are_drawings_of_that_width(folders, tmp_path):
    svg = write_figure("curves", folders, tmp_path / "a.svg", width=3.3).read_text()
    assert float(re.search(r'width="([\d.]+)pt"', svg)[1]) == pytest.approx(3.3 * 72, abs=0.5)
    assert write_figure("curves", folders, tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_the_key_covers_no_panel_and_every_column_has_its_numbers(folders):
    from chorus_bench.evaluation.comparison import comparable_results

    figure = curves_figure(comparable_results(folders), width=3.3)
    figure.draw_without_rendering()
    key = figure.legends[0].get_window_extent()
    panels = [ax for ax in figure.axes if ax.get_visible()]
    assert len(panels) == 4
    assert not any(key.overlaps(ax.get_window_extent()) for ax in panels)
    labels = [ax.xaxis.label for ax in panels if ax.get_xlabel()]
    assert not any(key.overlaps(label.get_window_extent()) for label in labels)
    assert [bool(ax.get_xlabel()) for ax in panels] == [False, True, True, True]


def test_methods_are_drawn_best_first(folders):
    from chorus_bench.evaluation.comparison import comparable_results

    results = comparable_results(folders)
    figure = methods_figure(results, score="mPAP_strict")
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == sorted(results, key=lambda name: results[name].scores["mPAP_strict"])


@pytest.mark.parametrize(
    ("kind", "name", "score", "said"),
    [
        ("pie", "a.png", "mPAP", "kind of figure"),
        ("curves", "a.gif", "mPAP", ".gif"),
        ("methods", "a.png", "PAP", "score"),
        ("categories", "a.png", "mPAP", "2 results"),
    ],
)
def test_what_cannot_be_drawn_is_refused(folders, tmp_path, kind, name, score, said):
    with pytest.raises(InputError, match=said):
        write_figure(kind, folders, tmp_path / name, score=score)
    assert not list(tmp_path.iterdir())


def test_the_command_draws(folders, tmp_path):
    target = tmp_path / "figure.pdf"
    options = ["--output", str(target), "--width", "84"]
    done = CliRunner().invoke(app, ["plot", "categories", str(folders[0]), *options])
    assert done.exit_code == 0, done.output
    assert target.read_bytes().startswith(b"%PDF")
