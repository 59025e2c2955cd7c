"""Generators and annotators by name: ours, a user's own, broken ones, missing packages."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.synthesis import specs
from chorus_bench.synthesis.interfaces import Context
from chorus_bench.synthesis.registry import (
    GROUPS,
    ComponentSpec,
    check_options,
    find_components,
    get_component,
    make_component,
)

OURS = {
    "generator": specs.GENERATORS,
    "segmenter": specs.SEGMENTERS,
    "keypoint detector": specs.KEYPOINT_DETECTORS,
    "pose estimator": specs.POSE_ESTIMATORS,
}
MODEL = "x.torchscript"
CONTEXT = Context(seed=0, body=load_body("default"))

MINE = """
from chorus_bench.synthesis.registry import ComponentSpec

SPECS = (
    ComponentSpec("mine", "my model", "{package}:make", license="MIT"),
    ComponentSpec("any-options", "takes anything", "{package}:make_any"),
)


class Mine:
    def __init__(self, context, colour):
        self.description = f"mine, {{colour}}, seed {{context.seed}}"


def make(context, *, colour="red"):
    return Mine(context, colour)


def make_any(context, **options):
    return options
"""


def test_the_project_registers_its_components():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for kind, group in GROUPS.items():
        (value,) = project["entry-points"][group].values()
        assert getattr(specs, value.partition(":")[2]) is OURS[kind]


@pytest.mark.parametrize("kind", OURS)
def test_ours_are_found_by_name(kind):
    found = find_components(kind).specs
    assert list(found) == sorted(found)
    for spec in OURS[kind]:
        assert found[spec.name] == get_component(kind, spec.name) == spec
        assert spec.summary
        assert spec.license
        assert callable(spec.load())


def test_ultralytics_is_named_with_its_license():
    """Whoever chooses it is told; nothing else may need it."""
    for kind in OURS:
        for name, spec in find_components(kind).specs.items():
            assert ("AGPL-3.0" in spec.license) == name.startswith("ultralytics")
            assert (spec.extra == "ultralytics") == name.startswith("ultralytics")


def test_finding_components_imports_no_library():
    code = (
        "import sys\n"
        "from chorus_bench.synthesis.registry import GROUPS, find_components\n"
        "assert all(find_components(kind).specs for kind in GROUPS)\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'ultralytics', 'ray', 'datasets'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("generator", "difusers", "diffusers"),
        ("segmenter", "open-vocab", "open-vocabulary"),
        ("keypoint detector", "transformer", "transformers"),
        ("pose estimator", "file", "files"),
    ],
)
def test_unknown_names(kind, name, near):
    with pytest.raises(InputError) as caught:
        get_component(kind, name)
    assert f"unknown {kind} '{name}'" in str(caught.value)
    assert f"Did you mean '{near}'? Available: " in str(caught.value)


def test_unknown_options():
    with pytest.raises(InputError) as caught:
        check_options("generator", "simulated", {"sise": 32})
    message = "generator 'simulated': unknown option 'sise'\n  What to do: Did you mean 'size'?"
    assert message in str(caught.value)
    with pytest.raises(InputError, match="Did you mean 'steps'"):
        check_options("generator", "diffusers", {"model": "x", "step": 3})
    with pytest.raises(InputError, match="unknown option 'context'"):
        check_options("generator", "simulated", {"context": 1})
    with pytest.raises(InputError, match="unknown option 'nose'"):
        make_component("segmenter", "simulated", CONTEXT, {"nose": 0.5})


def test_options_of_another_type_and_options_that_are_missing():
    with pytest.raises(InputError) as caught:
        check_options("generator", "simulated", {"size": "large"})
    message = "generator 'simulated': option 'size' is 'large'\n  Expected: int"
    assert message in str(caught.value)
    with pytest.raises(InputError, match="option 'size' is True"):
        check_options("generator", "simulated", {"size": True})
    with pytest.raises(InputError, match=r"'format' is 'jsn'(\n|.)*Did you mean 'json'"):
        check_options("pose estimator", "files", {"folder": "x", "format": "jsn"})
    check_options("segmenter", "simulated", {"noise": 1})  # a whole number is a number
    check_options("pose estimator", "nlf", {"threshold": None})
    with pytest.raises(InputError, match="pose estimator 'nlf': option 'model' is missing"):
        make_component("pose estimator", "nlf", CONTEXT, {"threshold": 0.5})
    with pytest.raises(InputError, match="option 'model' is missing"):
        check_options("pose estimator", "nlf", {}, complete=True)


@pytest.mark.parametrize("kind", OURS)
def test_a_users_own(install, kind):
    install("my_own_model", MINE.format(package="my_own_model"), GROUPS[kind], "my_own_model:SPECS")
    assert {spec.name for spec in OURS[kind]} | {"mine", "any-options"} == set(
        find_components(kind).specs
    )
    assert make_component(kind, "mine", CONTEXT, {}).description == "mine, red, seed 0"
    blue = make_component(kind, "mine", CONTEXT, {"colour": "blue"})
    assert blue.description == "mine, blue, seed 0"
    with pytest.raises(InputError, match=r"unknown option 'color'\n.*Did you mean 'colour'"):
        make_component(kind, "mine", CONTEXT, {"color": "blue"})
    check_options(kind, "any-options", {"whatever": 1})
    other = next(k for k in OURS if k != kind)
    with pytest.raises(InputError, match="unknown"):
        get_component(other, "mine")


def test_ours_cannot_be_replaced(install):
    source = MINE.replace('"mine"', '"simulated"').format(package="another_package")
    install("another_package", source, GROUPS["segmenter"], "another_package:SPECS")
    assert get_component("segmenter", "simulated") is specs.SEGMENTERS[-1]
    with pytest.raises(InputError, match="the name 'simulated' is taken"):
        get_component("segmenter", "smulated")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no GPU')", "RuntimeError: no GPU"),
        ("import not_there_at_all", "ModuleNotFoundError"),
        ("", "AttributeError"),
        ("SPECS = 'mine'", "expected ComponentSpec, found str"),
        ("SPECS = (1,)", "expected ComponentSpec"),
    ],
)
def test_a_broken_plugin_harms_no_other_and_is_named(install, source, reason):
    install("broken_models", source, GROUPS["segmenter"], "broken_models:SPECS")
    assert set(find_components("segmenter").specs) == {spec.name for spec in specs.SEGMENTERS}
    with pytest.raises(InputError) as caught:
        get_component("segmenter", "broken")
    assert "Plug-ins that cannot be used: broken_models" in str(caught.value)
    assert reason in str(caught.value)
    listed = CliRunner().invoke(app, ["annotators"])
    assert listed.exit_code == 0
    assert "open-vocabulary" in listed.stdout
    assert "cannot be used: broken_models" in listed.stderr
    assert reason in listed.stderr


@pytest.mark.parametrize("kind", OURS)
def test_a_plugin_whose_function_is_not_there_is_named_in_the_list(install, kind):
    mine = MINE.format(package="half_a_package")
    source = (
        f"from dataclasses import replace\n{mine}SPECS = [replace(SPECS[0], function='no:make')]"
    )
    install("half_a_package", source, GROUPS[kind], "half_a_package:SPECS")
    listed = CliRunner().invoke(app, ["annotators"])
    assert listed.exit_code == 0
    assert "cannot be used: no: mine: its function 'no:make' cannot be imported" in listed.stderr


@pytest.mark.parametrize(
    "factory", ["chorus_bench.nothing_here:make", "chorus_bench.errors:make_it", "json", ""]
)
def test_a_factory_that_is_not_there(factory):
    spec = ComponentSpec("mine", "my model", factory)
    message = r"component 'mine': its function '.*' cannot be imported"
    with pytest.raises(InputError, match=message) as caught:
        spec.load()
    assert "What to do: install what it needs, or correct its spec" in str(caught.value)
    with pytest.raises(InputError, match=r"pip install 'chorus-bench\[torch\]'"):
        replace(spec, extra="torch").load()


@pytest.mark.parametrize(
    ("kind", "name", "package", "options"),
    [
        ("generator", "diffusers", "diffusers", {"model": "a/b"}),
        ("segmenter", "transformers", "transformers", {}),
        ("segmenter", "open-vocabulary", "transformers", {}),
        ("keypoint detector", "transformers", "transformers", {}),
        ("pose estimator", "nlf", "torch", {"model": MODEL}),
        ("segmenter", "ultralytics", "ultralytics", {"model": MODEL}),
        ("keypoint detector", "ultralytics", "ultralytics", {"model": MODEL}),
    ],
)
def test_missing_extras(monkeypatch, tmp_path, kind, name, package, options):
    monkeypatch.chdir(tmp_path)
    Path(MODEL).touch()
    for module in [m for m in sys.modules if m.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError) as caught:
        make_component(kind, name, CONTEXT, options)
    extra = get_component(kind, name).extra
    asked = (package, "torchvision") if package == "ultralytics" else (package,)
    assert caught.value.package in asked  # ultralytics itself needs torchvision
    assert f"needs the package '{caught.value.package}', which is not" in str(caught.value)
    assert f"pip install 'chorus-bench[{extra}]'" in str(caught.value)
    assert caught.value.exit_code == 2
