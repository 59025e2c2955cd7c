"""Names that packages export: imported when they are first used, and known to type checkers."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from chorus_bench.lazy import lazy_exports

PACKAGES = (
    "chorus_bench",
    "chorus_bench.report",
    "chorus_bench.simulation",
    "chorus_bench.synthesis",
    "chorus_baselines.chorus",
)


def exports(package):
    """Return the names under ``TYPE_CHECKING`` and those of `lazy_exports`, with their homes.

    Modules have the package as their home.
    """
    tree = ast.parse(Path(import_module(package).__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    checked = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    (call,) = (n for n in ast.walk(block) if isinstance(n, ast.Call))
    lazy = {
        name: f"{package}.{home}"
        for home, names in ast.literal_eval(call.args[1]).items()
        for name in names
    }
    lazy |= {name: package for word in call.keywords for name in ast.literal_eval(word.value)}
    return checked, lazy


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_there_for_people_and_for_type_checkers(package):
    module = import_module(package)
    checked, lazy = exports(package)
    assert checked == lazy
    assert set(module.__all__) - {"__version__"} == set(lazy)
    for name, home in lazy.items():
        assert getattr(module, name) is getattr(import_module(home), name)
        assert name in dir(module)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_is_that_of_a_module(package):
    """An imported module would take the place of the name."""
    folder = Path(import_module(package).__file__).parent
    modules = {file.stem for file in folder.iterdir()}
    assert not modules & {name for name, home in exports(package)[1].items() if home != package}


def test_packages_are_attributes_before_they_are_imported():
    code = (
        "import sys, chorus_bench\n"
        "assert 'chorus_bench.report' not in sys.modules\n"
        "assert 'numpy' not in sys.modules\n"
        "assert chorus_bench.report.view_fields.__name__ == 'view_fields'\n"
        "assert chorus_bench.adapters.points_field and chorus_bench.metrics.THRESHOLDS\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_is_imported_before_it_is_used():
    code = (
        "import sys\n"
        + "".join(f"import {package}\n" for package in PACKAGES)
        + "heavy = {'numpy', 'scipy', 'torch', 'cv2', 'pyarrow', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "from chorus_bench import GridSpec\n"
        "assert GridSpec(8).resolution == 8 and 'numpy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_is_looked_up_once(monkeypatch):
    module = type(sys)("made_up")
    monkeypatch.setitem(sys.modules, "made_up", module)
    home = type(sys)("made_up.home")
    home.thing = object()
    monkeypatch.setitem(sys.modules, "made_up.home", home)
    get, names = lazy_exports("made_up", {"home": ["thing"]})
    assert "thing" in names()
    assert get("thing") is home.thing is module.thing
