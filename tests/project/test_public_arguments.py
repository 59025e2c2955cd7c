"""Every public callable meets wrong arguments with the error of this project, and no other."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chorus_bench
from chorus_bench import ChorusBenchError, GridSpec, InputError
from chorus_bench.evaluation.torch_projection import projections
from chorus_bench.metrics.torch_metric import ProjectiveAveragePrecision
from chorus_bench.report import figures, type_figures
from tests.evaluation.small_split import COARSE, blob_field
from tests.project.public_arguments import ANYTHING, NOT_HERE, arguments_of
from tests.project.public_callables import Public, public_callables
from tests.project.public_values import grid, split, submission

NOTHING_OF_OURS = object()
WRONG: dict[str, Any] = {
    "object": NOTHING_OF_OURS,
    "None": None,
    "5": 5,
    "-1": -1,
    "1.5": 1.5,
    "NaN": float("nan"),
    "True": True,
    "text": "nonsense",
    "bytes": b"x",
    "empty list": [],
    "empty dictionary": {},
    "dictionary": {"a": 1},
    "numbers": [1, 2],
    "array under a number": {5: np.zeros((16, 16, 16))},
    "vector": np.zeros(3),
    "matrix": np.zeros((2, 2)),
    "texts": np.array(["a", "b"]),
    "stream": io.BytesIO(b"x"),
    "tensor with gradient": torch.zeros(3, requires_grad=True),
    "bfloat16": torch.zeros((2, 2, 2, 2), dtype=torch.bfloat16),
}


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Work in a folder of its own, and draw nothing: the tests of pictures do."""
    monkeypatch.chdir(tmp_path)
    for module in (figures, type_figures):
        monkeypatch.setattr(module, "draw_field", lambda *_: np.ones((2, 2, 3)))


def called(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Call a function; of a generator draw the first values."""
    found = function(**arguments)
    if hasattr(found, "__next__"):
        list(itertools.islice(found, 2))


@pytest.mark.parametrize("public", public_callables(), ids=lambda public: public.name)
def test_wrong_arguments_are_met_with_words(public: Public):
    function, good = public.made(), arguments_of(public.name)
    if public.name in NOT_HERE:
        with pytest.raises(InputError):
            called(function, good)
    else:
        called(function, good)
    for name in public.parameters:
        for kind, value in WRONG.items():
            try:
                called(function, {**good, name: value})
            except ChorusBenchError:
                pass
            except Exception as error:
                raise AssertionError(
                    f"{public.name}({name}: {kind}) ends with {error!r}"
                ) from error
            else:
                anything = f"{public.name}.{name}" in ANYTHING
                assert value is not NOTHING_OF_OURS or anything, f"{name} may be anything"


def test_the_walk_is_complete():
    names = {public.name for public in public_callables()}
    assert len(names) > 150
    assert {"evaluate", "GridSpec", "OccupancyGrid.at", "view_fields", "aggregate"} <= names


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: GridSpec("64"), "resolution is '64' (str)\n  Expected: a whole number"),
        (
            lambda: chorus_bench.report.view_fields({"a": blob_field(8)}, grid=48),
            "grid is 48 (int)\n  Expected: a GridSpec or None\n"
            "  What to do: for example chorus_bench.GridSpec(",
        ),
        (
            lambda: chorus_bench.evaluate(submission(), split=split(), workers=-1),
            "workers is -1\n  Expected: 1 or more",
        ),
        (
            lambda: chorus_bench.evaluate(blob_field(8)),
            "submission is of type ndarray, shape (8, 8, 8)\n  Expected: a text, a path, ",
        ),
        (lambda: chorus_bench.load_split({"test": []}), "a split of type dict"),
        (lambda: chorus_bench.load_split(io.BytesIO()), "a split of type BytesIO"),
        (
            lambda: submission().field(5),
            "Submission.field(): category is 5 (int)\n  Expected: a text",
        ),
        (
            lambda: chorus_bench.report.curves_figure({"mine": 5}),
            "results['mine'] is 5 (int)",
        ),
        (
            lambda: chorus_bench.report.bars_figure("nowhere"),
            "nowhere: no result here",
        ),
        (
            lambda: chorus_bench.evaluate(submission(), categories=["bench", 5]),
            "categories[1] is 5 (int)",
        ),
        (
            lambda: ProjectiveAveragePrecision(["bench"]).update(
                torch.zeros(2, 4, 4), torch.zeros(2, 4, 4), torch.zeros(2, 4, 4), ["bench"]
            ),
            "and 1 category\n  Expected: (B, H, W)",
        ),
        (
            lambda: chorus_bench.write_submission("s", method="m", fields={}, format="zip"),
            "unknown format 'zip'",
        ),
    ],
    ids=[
        "text for a number",
        "number for a grid",
        "negative workers",
        "bare array",
        "dictionary of splits",
        "stream",
        "number for a category",
        "no result",
        "no folder",
        "number among names",
        "too few categories",
        "unknown choice",
    ],
)
def test_the_message_says_what_was_found_and_what_was_expected(call, words):
    with pytest.raises(InputError) as caught:
        call()
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
def test_tensors_with_gradients_are_arrays(kind):
    field = torch.zeros((16, 16, 16), dtype=kind, requires_grad=True)
    own = chorus_bench.OccupancyGrid(field, GridSpec(16))
    assert own.values.dtype == np.float32
    points = torch.zeros((2, 3), requires_grad=True)
    assert own.at(points).tolist() == [0, 0]
    score = chorus_bench.projective_average_precision(
        torch.ones(2, 2, dtype=kind, requires_grad=True), torch.ones(2, 2), torch.zeros(2, 2)
    )
    assert score.target_area == 4


def test_a_letter_is_one_size_in_all_arguments():
    with pytest.raises(InputError, match=r"areas has shape \(2, 2\)\n.*S = 3"):
        chorus_bench.metrics.category_mean(np.zeros((3, 4)), np.zeros((2, 2)))
    with pytest.raises(InputError, match=r"shape \(2, 2, 3\)\n  Expected: shape \(N, N, N\)"):
        chorus_bench.submission.field_warnings(np.zeros((2, 2, 3)), GridSpec(8))


def test_an_empty_list_is_no_rows():
    assert grid().spec.indices([]).shape == (0,)
    assert chorus_bench.metrics.category_mean([], [])["PAP"] == 0
    assert chorus_bench.adapters.Ball((0, 0, 0), 0.5).distances([]).shape == (0,)


def test_whole_numbers_may_be_ids(tmp_path):
    fields = {"bench": {7: grid()}}
    folder = chorus_bench.write_posed_submission(tmp_path / "s", method="m", fields=fields)
    with chorus_bench.open_submission(folder) as opened:
        assert opened.posed_samples("bench") == ("7",)


def test_too_few_arguments_are_pythons_own_error():
    with pytest.raises(TypeError, match=r"evaluate\(\) missing 1 required positional argument"):
        chorus_bench.evaluate()


def test_projections_are_refused_when_they_are_asked_for():
    """Not at the first step through a generator."""
    with pytest.raises(InputError, match="grid is 48"):
        projections(split(), grid=48, protocol=COARSE)
