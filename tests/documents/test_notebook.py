"""The notebook shows what its cells give today."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from tests.project.imports import ROOT

NOTEBOOK = ROOT / "docs" / "first_steps.ipynb"


def value_of(source: str, names: dict[str, Any]) -> object:
    """Run a cell and return the value of its last line, if that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, NOTEBOOK.name, "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names)


def without_places(text: str) -> str:
    """Return a text without names of temporary folders and sizes of pages."""
    return re.sub(r"'/[^']*/|\d+ kB", "", text)


def test_the_notebook_shows_what_its_cells_give() -> None:
    names: dict[str, Any] = {}
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    kinds = set()
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        value = value_of("".join(cell["source"]), names)
        shown = [output["data"] for output in cell["outputs"]]
        kinds.update(kind for data in shown for kind in data)
        texts = ["".join(data["text/plain"]) for data in shown]
        given = [] if value is None else [repr(value)]
        assert [*map(without_places, texts)] == [*map(without_places, given)]
    assert kinds == {"text/plain", "text/html", "image/png"}
    assert names["ranking"].methods[0] == "chorus"
