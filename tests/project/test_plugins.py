"""Baselines as plug-ins: found by entry point, and broken ones that harm nobody."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chorus_baselines.specs import SPECS
from chorus_bench.cli.baseline import app
from chorus_bench.errors import InputError
from chorus_bench.option_types import meanings_of
from chorus_bench.plugins import GROUP, BaselineSpec, find_baselines, get_baseline

OURS = "chorus_baselines.specs:SPECS"


@pytest.fixture(autouse=True)
def _ours(install):
    """Our own baselines are there, whether the project is installed or only on the path."""
    install("chorus_bench_itself", "", GROUP, OURS)


MINE = """
from chorus_bench.plugins import BaselineSpec
SPEC = BaselineSpec("mine", "my method", "my_package:fit")
def fit(data, body, grid, *, seed, progress):
    return {}
"""


def test_the_project_registers_its_baselines():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert OURS in project["entry-points"][GROUP].values()
    commands = project["entry-points"]["chorus_bench.commands"].values()
    assert "chorus_baselines.cli:register" in commands


def test_all_baselines_of_the_issue_are_there():
    names = {
        "chorus", "chorus-no-keypoint-filter", "chorus-no-canonicalization", "chorus-10pct",
        "chorus-1pct", "uniform", "body-proximity", "mean-mask-extrusion", "oracle",
    }  # fmt: skip
    found = find_baselines()
    assert names <= set(found.specs)
    assert list(found.specs) == sorted(found.specs)
    for spec in SPECS:
        assert callable(spec.load())
        assert spec.summary
        assert spec.license


def test_published_figures_are_the_papers():
    scores = {spec.name: spec.expected[0].scores for spec in SPECS if spec.expected}
    assert scores["chorus"] == {
        "mPAP": 19.86, "mPAP_strict": 17.18, "mPAP_hoa": 20.28, "mPAP_strict_hoa": 16.80
    }  # fmt: skip
    assert scores["chorus-1pct"]["mPAP"] == 14.98
    assert scores["chorus-no-canonicalization"]["mPAP_hoa"] == 19.56


def test_another_package_adds_a_baseline(install):
    install("my_package", MINE, GROUP, "my_package:SPEC")
    assert get_baseline("mine").load().__name__ == "fit"
    assert get_baseline("chorus").name == "chorus"


@pytest.mark.parametrize(
    ("source", "value", "reason"),
    [
        ("raise RuntimeError('no GPU')", "broken:SPEC", "RuntimeError: no GPU"),
        ("", "broken:SPEC", "AttributeError"),
        ("import not_there_at_all", "broken:SPEC", "ModuleNotFoundError"),
        ("SPEC = 'mine'", "broken:SPEC", "expected BaselineSpec, found str"),
        ("SPEC = 3", "broken:SPEC", "expected BaselineSpec, found int"),
        (MINE + "\nSPEC = BaselineSpec('chorus', 'x', 'a:b')", "broken:SPEC", "'chorus' is taken"),
    ],
)
def test_a_broken_plugin_is_named_and_harms_no_other(install, source, value, reason):
    install("broken", source, GROUP, value)
    found = find_baselines()
    assert {spec.name for spec in SPECS} <= set(found.specs)
    (fault,) = (plugin for plugin in found.broken if plugin.package == "broken")
    assert reason in str(fault)
    done = CliRunner().invoke(app, ["list"])
    assert done.exit_code == 0
    assert "chorus-10pct" in done.stdout
    assert "broken" in done.output
    with pytest.raises(InputError, match="Plug-ins that cannot be used: broken") as caught:
        get_baseline("chorsu")
    assert "Did you mean 'chorus'?" in str(caught.value)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'body-proximity'") as caught:
        get_baseline("body-proximty")
    assert "mean-mask-extrusion" in str(caught.value)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("chorus_baselines.nothing:fit", "cannot be imported"),
        ("chorus_baselines.uniform:fits", "cannot be imported"),
        ("chorus_baselines.specs:PAPER", "is not a function"),
    ],
)
def test_a_spec_whose_function_is_not_there(function, message):
    with pytest.raises(InputError, match=message):
        BaselineSpec("mine", "", function).load()


def test_options_of_a_baseline(install):
    source = MINE.replace("seed, progress", "seed, progress, size: int, mood='calm', **rest")
    install("my_package", source, GROUP, "my_package:SPEC")
    spec = get_baseline("mine")
    table = [str(option) for option in spec.option_table()]
    assert table == ["size: int (must be given)", "mood = 'calm'"]
    assert spec.configured({"size": 3, "other": 1})(1, 2, 3, seed=0, progress=print) == {}
    with pytest.raises(InputError, match="baseline 'mine': option 'size' is 'big'"):
        spec.check_options({"size": "big"})
    ours = {option.name: option for option in get_baseline("chorus-1pct").option_table()}
    assert ours["ratio"].default == 0.01
    assert not {"data", "body", "grid", "seed", "progress"} & set(ours)
    with pytest.raises(InputError, match=r"'uniform': unknown option 'seed'"):
        get_baseline("uniform").check_options({"seed": 1})


def test_finding_baselines_imports_no_method():
    code = (
        "import sys, chorus_baselines.specs\n"
        "heavy = {'numpy', 'scipy', 'torch', 'cv2', 'pyarrow', 'chorus_baselines.uniform'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_show_prints_what_is_known():
    done = CliRunner().invoke(app, ["show", "chorus-1pct"])
    assert done.exit_code == 0, done.output
    assert re.search(r"^ratio +float +0\.01 +share of the kept views", done.stdout, re.MULTILINE)
    for text in ("ICCV 2023", "Apache-2.0", "14.98", "a training set"):
        assert text in done.stdout
    assert "a test split" in CliRunner().invoke(app, ["show", "oracle"]).stdout


def test_commands_of_other_packages(install, capsys):
    import typer

    from chorus_bench.cli.extensions import GROUP as COMMANDS
    from chorus_bench.cli.extensions import add_commands

    source = "def register(app):\n    app.command('hello')(lambda: print('hello you'))"
    install("greeting", source, COMMANDS, "greeting:register")
    install("faulty", "raise ValueError('out of order')", COMMANDS, "faulty:register")
    cli = typer.Typer()
    cli.command("other")(lambda: None)
    add_commands(cli)
    assert "hello you" in CliRunner().invoke(cli, ["hello"]).stdout
    warning = capsys.readouterr().err
    assert "faulty:register" in warning
    assert "out of order" in warning


def test_every_option_of_a_shipped_plug_in_has_a_meaning():
    for spec in find_baselines().specs.values():
        assert [one.name for one in spec.option_table() if not one.meaning] == [], spec.name
    shown = CliRunner().invoke(app, ["show", "oracle"]).output
    assert re.search(r"source +str +'mask' +mask, the extruded target", shown), shown
    none = CliRunner().invoke(app, ["show", "uniform"]).output
    assert "It has no options." in none


def test_meanings_of_a_docstring():
    def documented(first, *rest, **named):
        """Do something.

        Args:
            first: one thing,
                which goes on: ``here``.
            *rest: others.
            **named: see `that`.

        Returns:
            result: nothing.
        """

    assert meanings_of(documented) == {
        "first": "one thing, which goes on: here.",
        "rest": "others.",
        "named": "see that.",
    }
    assert meanings_of(lambda: None) == {}
