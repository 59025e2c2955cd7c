"""The shape of the code: short functions, files of one reading, and nothing defined for nobody."""

from __future__ import annotations

import ast
import statistics
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Lines of functions, decorators and docstrings included, and of files.
MEDIAN, NINE_OF_TEN, LONGEST, LONGEST_FILE = 9, 24, 74, 400


@cache
def library() -> dict[str, str]:
    """The texts of all modules, by name."""
    folders = (ROOT / "chorus_bench", ROOT / "baselines")
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def function_lengths() -> dict[str, int]:
    """The lines of every function and method."""
    return {
        f"{name}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for name, text in library().items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_functions_are_short():
    lengths = function_lengths()
    assert len(lengths) > 2000
    assert statistics.median(lengths.values()) <= MEDIAN
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= NINE_OF_TEN
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_files_can_be_read_at_one_go():
    lengths = {name: len(text.splitlines()) for name, text in library().items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}
