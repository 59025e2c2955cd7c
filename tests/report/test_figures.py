"""Pictures: what is where in them, and that they are made without a window."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest

from chorus_bench.datasets.masks import encode_mask
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.evaluation import evaluate, split_from_rows
from chorus_bench.evaluation.truth_file import TruthScores
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics.volumetric import calibration_curve
from chorus_bench.report.canvas import require_matplotlib, save_figure
from chorus_bench.report.drawing import SIDES, Viewer, draw_field, tint
from chorus_bench.report.figures import (
    OverlayRow,
    calibration_figure,
    curves_figure,
    fields_figure,
    overlays_figure,
)
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.volumetric import render_truth
from chorus_bench.submission import write_submission
from tests.evaluation.small_split import COARSE, blob_field, make_row

BODY = load_body("default")


def blob(center) -> OccupancyGrid:
    return OccupancyGrid(blob_field(24, center, 0.15), GridSpec(24))


def heat_center(center, side: str) -> np.ndarray:
    """Return where a blob changes the picture: x right and y down from the middle, metres."""
    viewer = Viewer(SIDES[side], pixels=120)
    empty = OccupancyGrid(np.zeros((24, 24, 24), np.float32), GridSpec(24))
    change = np.abs(draw_field(blob(center), BODY, viewer) - draw_field(empty, BODY, viewer))
    rows, columns = np.nonzero(change.sum(axis=2) > 0.3)
    assert len(rows)
    middle = np.array([columns.mean(), rows.mean()]) + 0.5 - viewer.pixels / 2
    return middle * viewer.width / viewer.pixels


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ("front", (0.7, -0.5)),
        ("left", (-0.9, -0.5)),
        ("back", (-0.7, -0.5)),
        ("right", (0.9, -0.5)),
    ],
)
def test_a_blob_is_where_it_should_be(side, expected):
    """At the person's left (+x), high (+y), in front (+z)."""
    np.testing.assert_allclose(heat_center((0.7, 0.5, 0.9), side), expected, atol=0.08)


def test_the_body_hides_what_is_behind_it():
    viewer = Viewer(SIDES["front"], pixels=120)
    empty = OccupancyGrid(np.zeros((24, 24, 24), np.float32), GridSpec(24))
    clean = draw_field(empty, BODY, viewer)

    def change(z: float) -> float:
        return float(
            np.abs(draw_field(blob((0, 0.1, z)), BODY, viewer) - clean)[50:56, 58:62].sum()
        )

    assert change(0.5) > 2 * change(-0.5) > 0


def test_the_body_stands_upright_in_the_picture():
    picture = draw_field(blob((5, 5, 5)), BODY, Viewer(0.0, pixels=120))
    rows, columns = np.nonzero((picture < 1).any(axis=2))
    template = BODY.canonical_vertices
    height = np.ptp(template[:, 1]) * 120 / Viewer(0.0).width
    assert np.ptp(rows) == pytest.approx(height, abs=3)
    assert columns.mean() == pytest.approx(60, abs=3)
    assert np.ptp(picture) > 0.3


def test_little_heat_is_not_seen():
    white = np.ones((2, 2, 3))
    heated = tint(white, np.array([[0.0, 0.1], [0.6, 5.0]]))
    assert np.array_equal(heated[0], white[0])
    assert heated[1, 0].min() < 0.9
    assert heated[1, 1].max() < 0.7
    with pytest.raises(InputError, match="top 0"):
        draw_field(blob((0, 0, 0)), BODY, Viewer(0.0, pixels=60), top=0)


def read(path) -> np.ndarray:
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture


def test_fields_from_two_sides(tmp_path):
    fields = {"a": blob((0, 0, 0.5)), "b": blob((0, 0.5, 0))}
    path = save_figure(fields_figure(fields, BODY), tmp_path / "f.png")
    height, width = read(path).shape[:2]
    assert height == pytest.approx(width, rel=0.1)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    split = split_from_rows([make_row("bench", number) for number in range(3)], "made")
    found = {}
    for name, width in (("wide", 0.5), ("narrow", 0.2)):
        fields = {"bench": blob_field(width=width)}
        write_submission(folder / name, method=name, fields=fields)
        found[name] = evaluate(folder / name, split=split, protocol=COARSE)
    return found


def test_curves(tmp_path, results):
    picture = read(save_figure(curves_figure(results), tmp_path / "c.png"))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_overlays(tmp_path):
    photo = np.full((60, 80, 3), 128, np.uint8)
    target = np.zeros((60, 80), np.uint8)
    target[20:40, 30:60] = 1
    heat = np.zeros((24, 32), np.uint8)
    heat[8:16, 12:24] = 255
    overlay = Overlay(heat, 0.4, encode_mask(np.zeros_like(target)), encode_mask(target))
    row = OverlayRow("made", photo, {"m": overlay}, {"m": 0.5})
    picture = read(save_figure(overlays_figure([row, row]), tmp_path / "o.png"))
    blue, green, red = np.moveaxis(picture.astype(int), 2, 0)
    assert ((red > blue + 60) & (red > green)).mean() > 0.02, "the heat is seen"
    assert ((blue > red + 60) & (blue > 150)).sum() > 50, "the outline is seen"


def truth_scores_of(field, truth) -> TruthScores:
    return TruthScores(0.1, 0.5, {}, calibration_curve(field, truth))


def test_calibration_and_its_table(tmp_path, results):
    rng = np.random.default_rng(0)
    field = rng.random(1000)
    scores = {name: truth_scores_of(field, rng.random(1000) < field) for name in results}
    assert read(save_figure(calibration_figure(scores), tmp_path / "k.png")).size
    text = render_truth(scores, results)
    assert "50.00" in text
    assert "0.10000" in text
    assert text.index("wide") < text.index("narrow")


@pytest.mark.parametrize(
    ("draw", "nothing"), [(curves_figure, {}), (overlays_figure, []), (calibration_figure, {})]
)
def test_nothing_to_draw(draw, nothing):
    with pytest.raises(InputError, match="to draw"):
        draw(nothing)
    with pytest.raises(InputError, match="no field to draw"):
        fields_figure({}, BODY)


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'chorus-bench\[plots\]'"):
        require_matplotlib()
