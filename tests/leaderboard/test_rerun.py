"""Rows that anybody can repeat: a recipe is run again, and everything must be the same."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from chorus_bench._version import __version__
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate, load_split
from chorus_bench.leaderboard.adding import add_entry, read_manifest
from chorus_bench.leaderboard.manifest import RunRecipe
from chorus_bench.leaderboard.rerun import check_recipe, read_recipe, repeat_command, run_recipe
from chorus_bench.leaderboard.verification import Verifier, reproduce_entry
from tests.cli.cli_tools import run_cli
from tests.leaderboard import world

RECIPE = """\
baseline: body-proximity
data: simulated
data_options: {categories: [surfboard, tie], per_category: 1, images: false}
seed: 3
"""


@pytest.fixture(scope="module")
def _repeatable(tmp_path_factory):
    """A board with an entry made by the recipe, as a user types it."""
    place = tmp_path_factory.mktemp("rerun")
    (place / "recipe.yaml").write_text(RECIPE)
    texts = {"method": "near", "license": "CC0-1.0", "description": "Near the body."}
    made = run_recipe(read_recipe(place / "recipe.yaml"), place / "submission", texts=texts)
    evaluate(made, output=place / "result")
    done = run_cli(
        *("leaderboard", "add", place / "result", "--leaderboard", place / "board"),
        *("--submitted-by", "me", "--recipe", place / "recipe.yaml"),
    )
    assert done.returncode == 0, done.stderr
    return place / "board"


@pytest.fixture
def entry(_repeatable, tmp_path):
    """Return that entry, to be spoilt."""
    return shutil.copytree(_repeatable, tmp_path / "mine") / "entries" / "near"


def test_a_row_is_made_again_and_marked(entry):
    assert read_manifest(entry).status == "self-reported"
    done = run_cli("leaderboard", "verify", entry, "--rerun", "--by", "the tests")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("reproduced: 'near' scores the same")
    manifest = read_manifest(entry)
    assert manifest.status == "reproduced"
    assert manifest.recipe is not None
    assert manifest.recipe.data_options["categories"] == ["surfboard", "tie"]
    assert manifest.verified is not None
    assert (manifest.verified.by, manifest.verified.version) == ("the tests", __version__)
    assert manifest.verified.processor
    assert world.problems(entry.parents[1]) == ""


def test_another_recipe_is_noticed_by_its_digest(entry):
    world.edit_text(entry / "entry.yaml", "baseline: body-proximity", "baseline: uniform")
    before = (entry / "entry.yaml").read_bytes()
    done = run_cli("leaderboard", "verify", entry, "--rerun")
    assert done.returncode == 2
    assert "is not the submission that was scored" in done.stderr
    assert (entry / "entry.yaml").read_bytes() == before


def test_what_verify_needs(entry, good):
    for flags in ((), ("--rerun", "--submission", "example")):
        done = run_cli("leaderboard", "verify", entry, *flags)
        assert done.returncode == 2
        assert "either --submission ARCHIVE or --rerun" in done.stderr
    done = run_cli("leaderboard", "verify", good, "--rerun")
    assert done.returncode == 2
    assert "the entry records no recipe" in done.stderr


def test_the_status_needs_a_recipe(entry):
    block = f"verified:\n  date: 2026-02-01\n  by: me\n  sha256: {read_manifest(entry).sha256}"
    world.edit_text(entry / "entry.yaml", "verified: null", block)
    world.edit_text(entry / "entry.yaml", "status: self-reported", "status: reproduced")
    assert world.problems(entry.parents[1]) == ""
    found = world.problems(entry.parents[1], verified={})
    assert "marks the entry as reproduced, but the base branch does not" in found
    text = (entry / "entry.yaml").read_text()
    start, end = text.index("recipe:"), text.index("description:")
    (entry / "entry.yaml").write_text(text[:start] + text[end:])
    assert "recipe: is missing although the status is reproduced" in world.problems(
        entry.parents[1]
    )


def test_a_posed_row_is_made_again(tmp_path, monkeypatch):
    """Its recipe poses the baseline's fields; here for two samples of the example."""
    example = load_split("example")
    few = replace(example, samples=example.select("surfboard")[:2])
    monkeypatch.setattr("chorus_bench.evaluation.posing.load_split", lambda name: few)
    (tmp_path / "recipe.yaml").write_text(RECIPE + "posed: example\n")
    recipe = read_recipe(tmp_path / "recipe.yaml")
    made = run_recipe(recipe, tmp_path / "made", texts={"method": "near"})
    result = evaluate(made, split=few, min_samples=1)
    assert "track:posed" in result.signature
    assert result.scores["samples"] == 2
    entry = add_entry(
        result, tmp_path, submitted_by="me", date=world.DATE, name="near-posed", recipe=recipe
    )
    assert "posed: example" in (entry / "entry.yaml").read_text()
    marked = reproduce_entry(entry, Verifier(by="me", date=world.DATE, split=few))
    assert (marked.status, marked.recipe.posed) == ("reproduced", "example")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"posed": "exampel"}, "unknown shipped split 'exampel'"),
        ({"posed": "example", "baseline": "oracle"}, "the fields of 'oracle' are posed already"),
        ({"baseline": "nothing"}, "unknown baseline 'nothing'"),
        ({"data": "nowhere"}, "unknown builder 'nowhere'"),
        ({"options": {"size": 3}}, "unknown option 'size'"),
        ({"data_options": {"per_category": "many"}}, "per_category"),
        ({"data": "coco-eft"}, "reads files that others must get first"),
    ],
)
def test_recipes_that_nobody_could_repeat(change, message):
    recipe = RunRecipe(**({"baseline": "uniform", "data": "simulated"} | change))
    with pytest.raises(InputError, match=message):
        check_recipe(recipe)


def test_a_recipe_names_no_files(tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE + "options: {body: ../secret}\n")
    with pytest.raises(InputError, match=r"options\.body"):
        read_recipe(tmp_path / "recipe.yaml")


def test_the_command_of_a_row():
    place = "chorus-bench leaderboard verify leaderboard/entries/x"
    assert repeat_command("x", recipe=True, url=None) == f"{place} --rerun"
    url = "https://example.org/a/b.zip"
    assert repeat_command("x", recipe=False, url=url) == f"{place} --submission b.zip"
    assert repeat_command("x", recipe=False, url=None) is None
