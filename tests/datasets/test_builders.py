"""Builders as plug-ins: ours and those of other packages, found without importing them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.datasets import specs
from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.registry import GROUP, find_builders, get_builder
from chorus_bench.errors import InputError
from chorus_bench.simulation import specs as simulation_specs
from chorus_bench.synthesis import specs as synthesis_specs

MINE = """
from chorus_bench.datasets.registry import BuilderSpec
from tests.datasets.recipes import squares
BUILDERS = [
    BuilderSpec("my-squares", "squares on a canvas", "my_builder:make", license="MIT"),
    BuilderSpec("no-recipe", "gives a number", "my_builder:number"),
]
def make(count: int = 4, *, category: str, shift: float = 0.0):
    return squares(((category, count),), value=shift)
def number():
    return 3
"""


@pytest.fixture
def mine(install):
    install("my_builder", MINE, GROUP, "my_builder:BUILDERS")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_project_registers_its_builders():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    values = {value.partition(":")[0] for value in project["entry-points"][GROUP].values()}
    rooms = (specs, simulation_specs, synthesis_specs)
    assert values == {room.__name__ for room in rooms}
    for spec in (spec for room in rooms for spec in room.BUILDERS):
        assert get_builder(spec.name) == spec
        assert spec.summary
        assert spec.license
        assert callable(spec.load())


def test_finding_builders_imports_none():
    code = (
        "import sys\n"
        "from chorus_bench.datasets.registry import find_builders\n"
        "assert {'coco-eft', 'simulated', 'image-search'} <= set(find_builders().specs)\n"
        "heavy = {'numpy', 'scipy', 'torch', 'cv2', 'pyarrow'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("mine")
def test_a_builder_of_another_package(tmp_path):
    listed = run("datasets", "list")
    assert listed.exit_code == 0
    for text in ("my-squares", "squares on a canvas", "MIT", "simulated", "coco-eft"):
        assert text in listed.stdout
    built = build_dataset("my-squares", tmp_path / "a", category="kite", command="a b")
    assert built.info.categories == {"kite": 4}
    assert built.info.command == "a b"


@pytest.mark.usefixtures("mine")
def test_options_are_checked(tmp_path):
    with pytest.raises(InputError, match=r"'my-squares': unknown option 'cuont'\n.*'count'"):
        build_dataset("my-squares", tmp_path / "a", category="kite", cuont=3)
    with pytest.raises(InputError, match="option 'category' is missing"):
        build_dataset("my-squares", tmp_path / "a")
    with pytest.raises(InputError, match="builder 'no-recipe': gave a int\n  Expected: a Recipe"):
        build_dataset("no-recipe", tmp_path / "a")
    with pytest.raises(InputError, match="unknown option 'spilt'"):
        build_dataset("simulated", tmp_path / "a", spilt="train")
    assert not list(tmp_path.glob("a*"))


def test_a_broken_one_is_named_and_harms_no_other(install):
    install("bad_builder", "raise OSError('no disk')", GROUP, "bad_builder:BUILDERS")
    listed = run("datasets", "list")
    assert listed.exit_code == 0
    assert "simulated" in listed.stdout
    assert "cannot be used: bad_builder" in listed.stderr
    assert "no disk" in listed.stderr
    with pytest.raises(InputError, match=r"Did you mean 'simulated'(.|\n)*no disk"):
        get_builder("simulate")
    assert {"coco-eft", "simulated"} <= set(find_builders().specs)


def test_the_documented_builder_works_as_it_stands_there(install, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (source,) = (text for language, text in blocks if "BuilderSpec" in text)
    (entry,) = (tomllib.loads(text) for language, text in blocks if language == "toml")
    ((name, value),) = entry["project"]["entry-points"][GROUP].items()
    install(name, source, GROUP, value)
    done = run("datasets", "build", "my-rows", "--output", tmp_path / "out", "--option", "count=5")
    assert done.exit_code == 0, done.output
    assert "5 rows in 1 category" in done.stdout
    assert len(load_split(tmp_path / "out").samples) == 5
    assert run("datasets", "verify", tmp_path / "out").exit_code == 0
