"""The examples of docs/python.md run as they stand, one after the other."""

from __future__ import annotations

import re

import chorus_bench
from tests.project.imports import ROOT

TEXT = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")


def test_the_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", TEXT, re.S)):
        exec(compile(code, f"docs/python.md, example {number}", "exec"), names)
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.S)
    printed = capsys.readouterr().out
    assert shown in printed
    assert "EvaluationResult(method='A ball', mPAP=" in printed
    assert (tmp_path / "page" / "report.html").is_file()


def test_the_table_names_what_is_there():
    table = "".join(line for line in TEXT.splitlines() if line.startswith("| `"))
    functions = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.split("\n"))))
    listed = set(re.findall(r"`(\w+)`", table)) & set(chorus_bench.__all__)
    assert functions <= set(chorus_bench.__all__)
    own = {n for n in chorus_bench.__all__ if callable(getattr(chorus_bench, n))}
    classes = {"BodyModel", "ChorusBenchError", "EvaluationResult", "InputError"}
    assert own - classes - {"projective_average_precision"} <= listed
