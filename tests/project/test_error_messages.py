"""docs/errors.md quotes messages and exceptions that the code has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from chorus_bench import write_submission
from chorus_bench.cli.app import app

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "errors.md").read_text()
#: The first cell of every row of a table that begins with something quoted.
QUOTED = re.findall(r"^\| `([^`]+)` \|", TEXT, re.MULTILINE)
EXCEPTIONS = [quoted for quoted in QUOTED if quoted.endswith("Error")]
MESSAGES = [quoted for quoted in QUOTED if not quoted.endswith("Error")]


def test_hints_name_extras_in_one_form():
    """What an extra brings is installed by its name; what nothing brings, as itself."""
    hints = [text for tree in _trees() for text in _texts(tree) if "pip install" in text]
    assert len(hints) >= 4
    odd = [text for text in hints if re.search(r"pip install ('\.|-[a-zA-Z]\b|an? )", text)]
    assert odd == []
    assert len([text for text in hints if "chorus-bench[...]" in text]) == 1, "`install_command`"


def _trees() -> Iterator[ast.Module]:
    for folder in ("chorus_bench", "baselines"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(file.read_text())


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module but its docstrings, with ... for each value put into them."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values
            )
        elif isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield str(node.value)


@pytest.fixture(scope="module")
def code() -> tuple[set[str], set[str]]:
    """Return the texts and the names of the classes of the whole package."""
    texts, classes = set(), set()
    for tree in _trees():
        texts.update(_texts(tree))
        classes |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return texts, classes


@pytest.mark.parametrize("message", MESSAGES)
def test_every_quoted_message_is_in_the_code(code, message):
    pattern = re.compile(".+".join(map(re.escape, message.split("..."))))
    assert any(pattern.match(text) for text in code[0])


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_in_the_code(code, name):
    assert name in code[1]


def test_the_tables_are_found():
    assert len(MESSAGES) >= 10
    assert {"InputError", "WriteError"} < set(EXCEPTIONS)


def test_the_example_is_what_is_printed(tmp_path):
    folder = write_submission(
        tmp_path / "submission",
        method="A method",
        fields={"surfboard": np.zeros((48, 48, 48), np.float32)},
        format="npz",
    )
    (folder / "grids" / "surfboard.npz").unlink()
    np.save(folder / "grids" / "surfboard.npy", np.zeros((48, 48), np.float32))
    done = CliRunner().invoke(app, ["validate", str(folder)])
    assert done.exit_code == 2
    assert re.search(r"```\n(.*?)```", TEXT, re.DOTALL)[1] in done.output
