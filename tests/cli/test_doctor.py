"""`chorus-bench doctor`: what it says of this machine is so."""

import json
import os
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from chorus_bench import doctor
from chorus_bench.cli.app import app

ROOT = Path(__file__).parents[2]


def _run(*arguments):
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_everything_is_there():
    done = _run()
    assert done.exit_code == 0, done.output
    assert re.search(rf"^  numpy +{re.escape(np.__version__)}$", done.output, re.MULTILINE)
    assert "No problem found." in done.output
    assert re.search(
        r"^  mesh +reconstruct, convert meshes\n +installed$", done.output, re.MULTILINE
    )


def test_as_data():
    found = json.loads(_run("--format", "json").output)
    assert found["versions"]["pyarrow"] == version("pyarrow")
    extras = {extra["name"]: extra for extra in found["extras"]}
    assert extras["plots"]["missing"] == []
    assert extras["plots"]["installed"] == {"matplotlib": version("matplotlib")}


def test_what_is_missing_is_said_with_the_way_to_get_it(monkeypatch):
    asked = doctor.version

    def without(name):
        if name in ("matplotlib", "scipy"):
            raise doctor.PackageNotFoundError(name)
        return asked(name)

    monkeypatch.setattr(doctor, "version", without)
    done = _run()
    assert done.exit_code == 2
    assert "missing matplotlib: pip install 'chorus-bench[plots]'" in done.output
    assert "Problem: scipy is not installed" in done.output


def test_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CHORUS_BENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file").write_bytes(bytes(2_500_000))
    cache = doctor.examine().cache
    assert cache["folder"] == str(tmp_path / "cache")
    assert (cache["files"], cache["size"]) == ("1", "2.5 MB")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert any("cannot be written" in problem for problem in doctor.examine().problems)


def test_a_key_is_not_shown(monkeypatch):
    monkeypatch.setenv("CHORUS_BENCH_CHAT_KEY", "abc123")
    monkeypatch.setenv("CHORUS_BENCH_CHAT_MODEL", "a-model")
    output = _run().output
    assert "abc123" not in output
    assert "a-model" in output


def test_all_extras_and_variables_are_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(doctor.EXTRAS) == set(project["optional-dependencies"]) - {"test", "dev", "docs"}
    read = set()
    for folder in ("chorus_bench", "baselines"):
        for file in (ROOT / folder).rglob("*.py"):
            read |= set(re.findall(r"CHORUS_BENCH_[A-Z_]*[A-Z]", file.read_text()))
    assert read == set(doctor.VARIABLES)
    help_text = CliRunner().invoke(app, ["--help"]).output
    assert all(f"{name}  " in help_text for name in read)
    installing = (ROOT / "docs" / "installing.md").read_text()
    for name in (*doctor.EXTRAS, *doctor.VARIABLES):
        assert f"`{name}`" in installing


def test_one_table_has_every_variable():
    """Those of tests and tools, too; and no other."""
    folders = ("chorus_bench", "baselines", "tools", "benchmarks", "tests", "docs")
    texts = [f.read_text() for name in folders for f in (ROOT / name).rglob("*.py")]
    texts += [file.read_text() for file in (ROOT / "docs").glob("*.md")]
    read = {name for text in texts for name in re.findall(r"CHORUS_BENCH_[A-Z_]*[A-Z]", text)}
    installing = (ROOT / "docs" / "installing.md").read_text()
    table = re.findall(r"^\| `(CHORUS_BENCH_[A-Z_]+)` \|", installing, re.MULTILINE)
    assert len(table) == len(set(table))
    assert read - {"CHORUS_BENCH_CHAT"} == set(table)  # a prefix, in a test


@pytest.mark.parametrize("extra", doctor.EXTRAS)
def test_what_an_extra_brings_is_known(extra):
    state = doctor._extra(extra)
    assert {*state.installed, *state.missing}
