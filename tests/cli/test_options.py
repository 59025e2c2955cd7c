"""One grammar of options for all commands, and names that stand for what comes along."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import typer
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.cli.options import key_values
from chorus_bench.datasets.export import export
from chorus_bench.datasets.registry import GROUP as BUILDERS
from chorus_bench.errors import InputError
from tests.datasets.recipes import squares
from tests.datasets.test_builders import MINE


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def commands(group, name=()):
    """Yield every command below a group, with its words."""
    for word in group.list_commands(None) if hasattr(group, "list_commands") else ():
        command = group.get_command(None, word)
        if hasattr(command, "list_commands"):
            yield from commands(command, (*name, word))
        else:
            yield (*name, word), command


ALL = dict(commands(typer.main.get_command(app)))


def options_of(command):
    return {name: p for p in command.params for name in getattr(p, "opts", ()) if name[0] == "-"}


def test_every_command_is_looked_at():
    assert {("evaluate",), ("baseline", "run"), ("datasets", "build", "simulated")} <= set(ALL)
    assert {("infer",), ("reproduce", "table2"), ("leaderboard", "add")} <= set(ALL)
    assert ("aggregate",) not in ALL


#: Of options with one meaning wherever they are: the texts that their help may have.
TEXTS = {
    "--body": 1,
    "--seed": 1,
    "--overwrite": 1,
    "--protocol": 1,
    "--min-samples": 1,
    "--format": 1,
    "--engine": 1,
    "--address": 1,
    "--score": 1,
    "--workers": 3,  # threads, processes, processes or actors
}


@pytest.mark.parametrize("option", TEXTS)
def test_an_option_has_one_meaning(option):
    found = [
        options_of(command)[option] for command in ALL.values() if option in options_of(command)
    ]
    assert found
    assert len({parameter.help for parameter in found}) == TEXTS[option]


def test_what_may_be_repeated_is_named_once():
    """No option is named in the plural; how something is printed is said by --format."""
    known = {name for command in ALL.values() for name in options_of(command)}
    assert "--category" in known
    assert not {"--categories", "--json", "--bodies", "--options"} & known


def test_categories_are_given_one_by_one():
    """--category may be repeated in every command; those that take one refuse a second."""
    assert all(
        options_of(command)["--category"].multiple
        for command in ALL.values()
        if "--category" in options_of(command)
    )
    done = run("infer", "example", "--category", "kite", "--category", "tie", "--output", "x.npz")
    assert done.exit_code != 0
    assert "2 categories: kite, tie" in str(done.exception)


#: Parameters that take a path to something that comes along, under a name.
NAMED = {"submission", "split", "dataset", "data", "fields", "result", "results", "body"} | {
    "image_search",
    "synthesized",
}
BODIES = {("body", "info", "file"), ("body", "convert", "source")}


def test_whatever_can_come_along_is_taken_by_name():
    """A parameter of type Path would have made a path of the name already."""
    taken = {
        (*words, name): hint
        for words, command in ALL.items()
        for name, hint in get_type_hints(inspect.unwrap(command.callback)).items()
        if name in NAMED or (*words, name) in BODIES
    }
    assert {words[-1] for words in taken} == {*NAMED, "file", "source"}
    assert len(taken) > 30
    assert not [words for words, hint in taken.items() if hint is Path or Path in get_args(hint)]


def test_scripts_that_say_categories_go_on_working(tmp_path):
    arguments = ("datasets", "build", "simulated", "--per-category", 1, "--no-images", "--output")
    for number, option in enumerate(("--category", "--categories")):
        done = run(*arguments, tmp_path / str(number), option, "tie", option, "bench")
        assert done.exit_code == 0, done.output
    first, second = (run("datasets", "info", tmp_path / name) for name in "01")
    assert "tie" in first.stdout
    assert first.stdout == second.stdout
    assert "--categories" not in run("datasets", "build", "simulated", "--help").output


def test_key_values():
    found = key_values(["a=1", "b=x=y", "c=[1, two]", "d=", "a=0.5"], "--set")
    assert found == {"a": 0.5, "b": "x=y", "c": [1, "two"], "d": None}
    assert key_values(None, "--set") == {}
    assert key_values(["a=1"], "--parameter", read=lambda text, where: where + text) == {
        "a": "--parameter a1"
    }
    for wrong in ("a", "=a", ""):
        with pytest.raises(InputError, match=f"--option {wrong}\n  Expected: KEY=VALUE"):
            key_values([wrong], "--option")
    with pytest.raises(InputError, match="--set a"):
        key_values(["a=[1"], "--set")


def test_names_stand_for_what_comes_along(tmp_path, monkeypatch):
    """Wherever a submission, a split or a dataset is asked for."""
    assert run("validate", "example").exit_code == 0
    built = export(squares(), tmp_path / "built")
    named = "chorus_bench.datasets.named.built_dataset"
    monkeypatch.setattr(named, lambda builder, **options: built.path)
    info = run("datasets", "info", "simulated", "--format", "json")
    assert info.exit_code == 0, info.output
    assert json.loads(info.stdout)["name"] == "squares"
    assert run("datasets", "verify", "simulated").exit_code == 0
    output = tmp_path / "posed.npz"
    sample = next(iter(_samples("example")))
    arguments = ("--category", sample["category"], "--split", "example", "--sample")
    done = run("infer", "example", *arguments, sample["sample_id"], "--output", output)
    assert done.exit_code == 0, done.output
    assert output.is_file()


def test_the_example_is_a_result_and_default_a_body(tmp_path):
    done = run("report", "example", "--output", tmp_path / "report")
    assert done.exit_code == 0, done.output
    assert "overlays" not in done.stderr, "its submission is known"
    ranked = run("compare", "example", "example", "--resamples", 100)
    assert ranked.exit_code == 0, ranked.output
    assert "example (2)" in ranked.stdout
    arguments = ("--submitted-by", "nobody", "--leaderboard", tmp_path / "board")
    added = run("leaderboard", "add", "example", *arguments)
    assert added.exit_code == 0, added.output
    assert run("body", "convert", "default", tmp_path / "body.npz").exit_code == 0
    assert run("body", "info", tmp_path / "body.npz").exit_code == 0
    same = [run("body", "info", name).stdout for name in ("default", tmp_path / "body.npz")]
    assert same[0].splitlines()[1] == same[1].splitlines()[1], "the fingerprint"


def _samples(name):
    from chorus_bench.datasets.rows import DatasetRows

    data = DatasetRows.open(name)
    return data.rows(data.categories[0])


def test_a_folder_of_the_same_name_has_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "example").mkdir()
    assert run("validate", "example").exit_code == 0
    assert run("validate", "./example").exit_code == 2


def test_a_builder_of_another_package_has_a_command(install, tmp_path):
    install("my_builder", MINE, BUILDERS, "my_builder:BUILDERS")
    install("bad_builder", "raise OSError('no disk')", BUILDERS, "bad_builder:BUILDERS")
    listed = run("datasets", "build", "--help")
    assert "my-squares" in listed.stdout
    assert "coco-eft" in listed.stdout
    assert "cannot be used: bad_builder" in listed.stderr
    told = run("datasets", "build", "my-squares", "--help").stdout
    assert "category: str (must be given)" in told
    assert "shift: float = 0.0" in told
    arguments = ("datasets", "build", "my-squares", "--output", tmp_path / "out", "--option")
    done = run(*arguments, "category=kite", "--option", "count=3")
    assert done.exit_code == 0, done.output
    assert "3 rows in 1 category" in done.stdout
    wrong = run(*arguments, "category=kite", "--option", "cuont=3")
    assert "Did you mean 'count'" in str(wrong.exception)
