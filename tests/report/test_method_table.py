"""Saved results as a table of a paper."""

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

import chorus_bench
from chorus_bench.errors import InputError, count_of
from chorus_bench.report.method_table import Cell, MethodTable, method_table
from tests.cli.cli_tools import run_cli


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Three results of the shipped example: whole, and under two other names and scores."""
    folder = tmp_path_factory.mktemp("results")
    result, found = chorus_bench.evaluate("example"), {}
    for step, name in enumerate(("A & B", "second_best", "third")):
        scores = {k: v - step / 20 if k.startswith("m") else v for k, v in result.scores.items()}
        named = replace(result, submission=result.submission | {"method": name}, scores=scores)
        found[name] = named.save(folder / f"result-{step}")
    return found


def test_the_four_means(results):
    table = method_table(list(results.values()))
    assert table.columns == ("mPAP", "mPAP_strict", "mPAP_hoa", "mPAP_strict_hoa")
    first = chorus_bench.load_result(results["A & B"])
    for cell, name in zip(table.rows["A & B"], table.columns, strict=True):
        assert cell.value == first.scores[name]
        assert list(cell.interval) == first.intervals[name]
    assert [row[0].place for row in table.rows.values()] == [1, 2, 0]


def test_categories_and_their_mean(results):
    table = method_table(list(results.values()), categories=True, score="mPAP_hoa")
    first = chorus_bench.load_result(results["third"])
    assert table.columns == (*first.categories, "mean")
    assert table.rows["third"][0].value == next(iter(first.categories.values()))["PAP_hoa"]
    assert table.rows["third"][-1].value == first.scores["mPAP_hoa"]
    assert table.score == "PAP_hoa"


def _table():
    rows = {
        "a_b & c": (Cell(0.5, (0.4, 0.6), 1), Cell(0.25, None, 2)),
        "d": (Cell(0.125, (0.1, 0.2), 2), Cell(None)),
    }
    return MethodTable(("mPAP", "50 %"), rows, None, "PAP|v1")


def test_latex_in_full():
    assert _table().text("latex", intervals=True) == "\n".join(
        [
            "% PAP|v1",
            r"\begin{tabular}{lrr}",
            r"\toprule",
            r"Method & mPAP & 50 \% \\",
            r"\midrule",
            r"a\_b \& c & \textbf{50.00} {\scriptsize [40.00, 60.00]} & \underline{25.00} \\",
            r"d & \underline{12.50} {\scriptsize [10.00, 20.00]} & n/a \\",
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def test_markdown_and_plain():
    text = _table().text("markdown")
    assert "**50.00**" in text
    assert "<u>12.50</u>" in text
    assert "50.00 [40.00, 60.00]" in _table().text("table", intervals=True)
    assert "*" not in _table().text("table")


def test_data_is_exact():
    rows = list(csv.DictReader(io.StringIO(_table().text("csv"))))
    assert rows[0] == {
        "method": "a_b & c", "column": "mPAP", "value": "0.5", "low": "0.4", "high": "0.6"
    }  # fmt: skip
    assert rows[3]["value"] == ""
    methods = json.loads(_table().text("json"))["methods"]
    assert methods["d"]["mPAP"] == {"value": 0.125, "interval": [0.1, 0.2]}


def test_equal_as_printed_share_a_place(results):
    table = method_table([results["A & B"], results["A & B"], results["third"]])
    assert [row[0].place for row in table.rows.values()] == [1, 1, 2]
    alone = method_table([results["A & B"]])
    assert [cell.place for cell in alone.rows["A & B"]] == [0, 0, 0, 0]


def test_results_that_are_not_comparable_are_refused(results, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(results["third"], other)
    file = other / "results.json"
    file.write_text(file.read_text().replace("grid:48x3.0", "grid:64x3.0"))
    with pytest.raises(InputError, match="grid"):
        method_table([results["A & B"], other])
    with pytest.raises(InputError, match="unknown score 'PAP'"):
        method_table([results["A & B"]], score="PAP")


@pytest.mark.parametrize("style", ["table", "markdown", "latex", "csv", "json"])
def test_on_the_command_line(results, style):
    done = run_cli("table", *results.values(), "--by-category", "--format", style)
    assert done.returncode == 0
    assert done.stdout.rstrip("\n") == method_table(list(results.values()), categories=True).text(
        style
    )


def test_compare_as_data_and_to_a_baseline(results):
    found = [results["A & B"], results["third"]]
    rows = json.loads(run_cli("compare", *found, "--format", "json").stdout)
    assert [row["method"] for row in rows] == ["A & B", "third"]
    assert rows[0]["baseline"] == "A & B"
    assert rows[0]["difference"] == 0
    text = run_cli("compare", *found, "--baseline", "third", "--format", "csv").stdout
    data = list(csv.DictReader(io.StringIO(text)))
    assert {row["baseline"] for row in data} == {"third"}
    assert re.search(r"to third", run_cli("compare", *found, "--baseline", "third").stdout)
    done = run_cli("compare", *found, "--baseline", "thirt")
    assert done.returncode == 2
    assert "Did you mean 'third'" in done.stderr


def test_the_latex_compiles(results, tmp_path):
    """By LaTeX where it is installed; its structure is compared above."""
    text = method_table(list(results.values()), categories=True).text("latex", intervals=True)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1
    latex = shutil.which("pdflatex")
    if latex:
        head = r"\documentclass{article}\usepackage{booktabs}\begin{document}"
        page = f"{head}\n{text}\n" + r"\end{document}"
        (tmp_path / "page.tex").write_text(page)
        command = [latex, "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "row", "1 row"),
        (0, "row", "0 rows"),
        (2, "category", "2 categories"),
        (1, "category", "1 category"),
    ],
)
def test_numbers_with_their_nouns(number, noun, text):
    assert count_of(number, noun) == text
