"""`chorus-bench datasets`: what is printed, and the exit codes."""

import json

import pytest
from typer.testing import CliRunner

from chorus_bench.cli.datasets import app
from chorus_bench.datasets.export import export
from chorus_bench.errors import InputError
from tests.datasets.coco_eft_world import World
from tests.datasets.recipes import squares


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_list_names_every_builder():
    result = invoke("list")
    assert result.exit_code == 0
    for part in ("coco-eft", "CC BY-NC 4.0", "--fits: COCO2014-Val-ver10.json"):
        assert part in result.output


def test_build_info_verify_card(tmp_path):
    world = World()
    world.fits["data"][0]["parm_cam"] = [0, 0, 0]
    world.write(tmp_path)
    result = invoke(
        "build",
        "coco-eft",
        "--annotations",
        tmp_path / "instances_val2014.json",
        "--fits",
        tmp_path / "COCO2014-Val-ver10.json",
        "--fits-name",
        "eft",
        "--output",
        tmp_path / "out",
        "--solver",
        "lm",
        "--category",
        "skateboard",
    )
    assert result.exit_code == 0, result.output
    assert "note: annotId 30 (COCO_val2014_000000000003.jpg): its camera has" in result.stderr
    assert "left out: 1 x cameras without scale" in result.stderr
    assert "2 rows in 1 category" in result.stdout
    result = invoke("info", tmp_path / "out")
    assert "coco-eft+lm+smpl24@" in result.output
    assert "skateboard" in result.output
    content = json.loads(invoke("info", tmp_path / "out", "--format", "json").output)
    assert content["categories"] == {"skateboard": 2}
    assert content["left_out"] == {"cameras without scale": 1}
    before = (tmp_path / "out/README.md").read_bytes()
    (tmp_path / "out/README.md").unlink()
    assert invoke("verify", tmp_path / "out").exit_code == 2
    assert invoke("card", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out/README.md").read_bytes() == before
    result = invoke("verify", tmp_path / "out")
    assert result.exit_code == 0
    assert "2 rows, no problem found" in result.output


def test_verify_prints_every_problem(tmp_path):
    built = export(squares(), tmp_path / "out")
    for file in built.path.rglob("*.parquet"):
        file.unlink()
    result = invoke("verify", built.path)
    assert result.exit_code == 2
    assert result.stderr.count("is missing") == 2


def test_many_notes_are_cut(tmp_path):
    world = World()
    for number in range(40):
        world.fits["data"].append({"annotId": 1000 + number})
    world.write(tmp_path)
    result = invoke(
        "build",
        "coco-eft",
        "--annotations",
        tmp_path,
        "--fits",
        tmp_path,
        "--fits-name",
        "eft",
        "--output",
        tmp_path / "out",
    )
    assert result.stderr.count("note: annotId") == 20
    assert "and 20 more" in result.stderr
    assert len((tmp_path / "out/notes.jsonl").read_text().splitlines()) == 40


def test_a_missing_source_is_an_input_error(tmp_path):
    result = invoke("build", "coco-eft", "--output", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == 2
    assert "cocodataset.org" in str(result.exception)


@pytest.mark.parametrize("command", ["info", "verify", "card"])
def test_a_folder_that_is_no_dataset(tmp_path, command):
    result = invoke(command, tmp_path)
    assert isinstance(result.exception, InputError)
    assert "is not a built dataset" in str(result.exception)
