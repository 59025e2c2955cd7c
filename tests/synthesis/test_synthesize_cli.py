"""The command line of the synthesis: what a user types and reads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
import yaml
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.evaluation import load_result
from chorus_bench.submission import open_submission
from chorus_bench.synthesis import specs
from tests.cli.cli_tools import run_cli, run_process
from tests.synthesis.world import shard_bytes, small_changes, write_inputs

OFFLINE = os.environ | {"HF_HUB_OFFLINE": "1"}


def arguments_of(folder, output, **changes):
    """Return the arguments of a synthesis of 12 small pictures."""
    settings = small_changes(folder, **changes)
    pairs = [f"--set={name}={json.dumps(value)}" for name, value in settings.items()]
    return ["synthesize", "--preset", "tiny", "--output", output, *pairs]


@pytest.fixture
def place(tmp_path):
    """Give a folder with prompts and views."""
    write_inputs(tmp_path)
    return tmp_path


@pytest.fixture
def cli():
    """Return a function that runs a command in this process; it is to print or to fail."""

    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


def refused(cli, *arguments):
    """Return the message of a command that is to be refused as wrong input."""
    done = cli(*arguments)
    assert done.exception is not None, done.output
    code = getattr(done.exception, "exit_code", getattr(done.exception, "code", None))
    assert code == 2, (done.output, done.exception)
    return f"{done.output}\n{done.exception}"


def checked(*arguments, **options):
    done = run_cli(*arguments, **options)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_from_names_to_a_score(tmp_path):
    """Prompts, pictures, annotations, filters, cameras, votes, fields, PAP; and chance is worse."""
    write_inputs(tmp_path, category="backpack", prompts=["a person wears a backpack"])
    views = ("plain", "side_view", "back_view", "front_view", "full_body", "close")
    write_inputs(tmp_path, views=views)
    changes = {"categories": ["surfboard", "backpack"], "images.generator.size": 96}
    arguments = arguments_of(tmp_path, tmp_path / "d", **changes, shard_size=12)
    printed = checked(*arguments, "--images-per-prompt-view", 3)
    assert re.search(r"images: 54 images now, [\d.]+ per second and worker", printed)
    assert re.search(r"images +54\n", printed)
    assert re.search(r"rejection rate +\d+\.\d\d %", printed)
    assert "camera entropy" in printed
    assert "54 rows in 2 categories" in printed
    assert f"Next: chorus-bench baseline run chorus --data {tmp_path / 'd'}" in printed
    info = DatasetInfo.load(tmp_path / "d")
    assert "synthesize --preset tiny" in info.command

    run = ("--data", tmp_path / "d", "--output")
    checked("baseline", "run", "chorus", *run, tmp_path / "chorus")
    checked("baseline", "run", "uniform", *run, tmp_path / "uniform")
    checked("baseline", "run", "chorus", *run, tmp_path / "shared", "--workers", 2)
    with open_submission(tmp_path / "chorus") as one, open_submission(tmp_path / "shared") as two:
        assert one.sha256 == two.sha256

    split = tmp_path / "test"
    names = ("--category", "surfboard", "--category", "backpack")
    build = ("datasets", "build", "simulated", "--per-category", 3, "--no-images")
    checked(*build, *names, "--output", split)
    scores = {}
    for name in ("chorus", "uniform", "shared"):
        options = ("--split", split, "--min-samples", 3, "--output", tmp_path / f"r-{name}")
        checked("evaluate", tmp_path / name, *options)
        scores[name] = load_result(tmp_path / f"r-{name}").scores["mPAP"]
    assert scores["shared"] == scores["chorus"] > scores["uniform"] + 0.05


def test_stage_by_stage_is_the_same(place, cli):
    whole = cli(*arguments_of(place, place / "d"))
    assert whole.exit_code == 0, whole.output
    for stage in ("prompts", "images", "annotations", "filters", "cameras"):
        assert not (place / "e").exists()
        done = cli(*arguments_of(place, place / "e"), "--stage", stage)
        assert done.exit_code == 0, done.output
        assert f"{stage}: 12 images now" in done.stdout or stage == "prompts"
        assert "wrote" in done.stdout
    assert shard_bytes(place / "e.work") == shard_bytes(place / "d.work")
    assert DatasetInfo.load(place / "e").fingerprint == DatasetInfo.load(place / "d").fingerprint
    again = cli(*arguments_of(place, place / "e"))
    assert "images: 0 images now, 3 shards existed" in again.stdout
    redone = cli(*arguments_of(place, place / "e"), "--redo", "filters")
    assert "annotations: 0 images now" in redone.stdout
    assert "filters: 12 images now" in redone.stdout


def test_a_stage_wants_those_before_it(place, cli):
    text = refused(cli, *arguments_of(place, place / "d"), "--stage", "images")
    assert "the stage 'prompts' has not been run" in text
    assert cli(*arguments_of(place, place / "d"), "--stage", "prompts").exit_code == 0
    text = refused(cli, *arguments_of(place, place / "d"), "--stage", "cameras")
    assert "the stage 'filters' has not been run" in text
    assert "run the stage 'filters' first" in text


def test_other_settings_are_refused_with_the_differences(place, cli):
    assert cli(*arguments_of(place, place / "d"), "--stage", "prompts").exit_code == 0
    assert cli(*arguments_of(place, place / "d"), "--stage", "images").exit_code == 0
    text = refused(cli, *arguments_of(place, place / "d", seed=3, images__quality=50))
    assert "seed: 0 -> 3" in text
    text = refused(cli, *arguments_of(place, place / "d", images__quality=50))
    assert "images.quality: 95 -> 50" in text
    assert "--redo images" in text


def test_dry_run(place, cli):
    before = sorted(file for file in place.rglob("*"))
    done = cli(*arguments_of(place, place / "d"), "--dry-run", "--dry-run-images", 3)
    assert done.exit_code == 0, done.output
    assert re.search(r"surfboard +12\nin all +12\n\n3 shards", done.stdout)
    for stage in ("images", "annotations", "filters", "cameras"):
        assert re.search(rf"{stage} +\d+\.\d+ +\d+\.\d+ +\d+\.\d+", done.stdout)
    assert "hours of one worker" in done.stdout
    assert re.search(r"disk: \d+\.\d+ GiB \(\d+ kB per image", done.stdout)
    assert "Measured on 3 images" in done.stdout
    assert sorted(file for file in place.rglob("*")) == before


def test_dry_run_without_a_sample_needs_no_model(place, cli):
    changes = {"images.generator": {"name": "diffusers", "model": "no-such/model"}}
    changes |= {"annotations.segmenter": "transformers", "images.views": None}
    arguments = arguments_of(place, place / "d", **changes)
    done = cli(*arguments, "--dry-run", "--dry-run-images", 0)
    assert done.exit_code == 0, done.output
    assert done.stdout == (
        "category      images\n----------  --------\nsurfboard         88\n"
        "in all            88\n\n22 shards\n"
    )


def test_a_configuration_file(place, cli):
    """The file that a work folder keeps makes the same dataset again."""
    assert cli(*arguments_of(place, place / "d")).exit_code == 0
    stored = place / "d.work" / "settings.yaml"
    assert yaml.safe_load(stored.read_text())["images"]["generator"]["size"] == 64
    assert cli("synthesize", "--config", stored, "--output", place / "e").exit_code == 0
    assert shard_bytes(place / "e.work") == shard_bytes(place / "d.work")


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["--preset", "tinny"], ["unknown preset 'tinny'", "Did you mean 'tiny'"]),
        (["--preset", "tiny", "--stage", "imges"], ["imges"]),
        ([], ["no category is named", "add --category surfboard"]),
        (["--config", "none.yaml"], ["none.yaml: no such configuration"]),
        (["--set", "seed"], ["--set seed", "KEY=VALUE"]),
        (["--set", "=3"], ["--set =3"]),
        (["--set", "seed=[1"], ["--set seed:1: is not valid YAML"]),
        (["--set", "seeds=3"], ["unknown key 'seeds'", "Did you mean 'seed'"]),
        (["--set", "images.seeds=3"], ["images.seeds: unknown key 'seeds'"]),
        (
            ["--preset", "tiny", "--set", "images.generator.sice=3"],
            ["generator 'simulated': unknown option 'sice'", "Did you mean 'size'"],
        ),
        (
            ["--preset", "tiny", "--set", "annotations.pose=smulated"],
            ["unknown pose estimator 'smulated'", "Did you mean 'simulated'"],
        ),
        (
            ["--preset", "tiny", "--category", "surfbord"],
            ["unknown category 'surfbord'", "the prompts of chorus-bench", "'surfboard'"],
        ),
        (
            ["--preset", "tiny", "--category", "scarf"],
            ["unknown category 'scarf'", "the simulated world", "Available: "],
        ),
        (
            ["--preset", "tiny", "--prompts", "nowhere"],
            ["nowhere: no such folder or file of prompts"],
        ),
        (["--preset", "tiny", "--engine", "rey"], ["rey"]),
        (
            ["--preset", "tiny", "--address", "auto"],
            ["an address is given for the local engine", "--engine ray"],
        ),
    ],
)
def test_wrong_arguments(monkeypatch, tmp_path, cli, arguments, messages):
    monkeypatch.chdir(tmp_path)
    text = refused(cli, "synthesize", "--output", tmp_path / "d", *arguments)
    for message in messages:
        assert message in text


def test_a_category_that_the_segmenter_lacks_costs_no_image(place, cli, tmp_path):
    """A model of COCO's names knows no scarf; what does is named before an image is made."""
    from tests.synthesis.tiny_annotators import tiny_segmenter

    model = tiny_segmenter(tmp_path / "coco")
    write_inputs(place, prompts=["a person wears a scarf"], category="scarf")
    changes = {
        "categories": ["scarf"],
        "images.generator": {"name": "diffusers", "model": str(tmp_path / "none")},
        "annotations.segmenter": {"name": "transformers", "model": str(model)},
    }
    text = refused(cli, *arguments_of(place, place / "d", **changes))
    assert "the model has no category 'scarf'" in text
    assert "'open-vocabulary'" in text
    assert "object_segmenter" in text
    assert not list((place / "d.work" / "images").glob("*.parquet"))


@pytest.mark.parametrize(
    ("run", "model", "messages"),
    [
        (run_cli, "empty", ["the folder of the model has no model_index.json", "save_pretrained"]),
        (run_cli, "./missing", ["there is no such folder", "owner/name"]),
        (
            run_process,
            "nobody/has-this",
            ["is not completely in the cache", "hf download nobody/has-this"],
        ),
    ],
)
def test_a_model_that_cannot_be_had(place, run, model, messages):
    """One message, exit code 2, no traceback; the hub's library is told in time that it is off."""
    (place / "empty").mkdir()
    changes = {"images.generator": {"name": "diffusers", "model": model}}
    done = run(*arguments_of(place, place / "d", **changes), cwd=place, env=OFFLINE)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    for message in messages:
        assert message in done.stderr


def test_errors_leave_with_2_and_no_traceback(tmp_path):
    done = run_cli("synthesize", "--output", tmp_path / "d", "--set", "seeds=3")
    assert done.returncode == 2
    assert "Did you mean 'seed'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_annotators_lists_everything_with_its_license(cli):
    done = cli("annotators")
    assert done.exit_code == 0, done.output
    words = " ".join(done.stdout.split())
    groups = (specs.GENERATORS, specs.SEGMENTERS, specs.KEYPOINT_DETECTORS, specs.POSE_ESTIMATORS)
    for spec in (spec for group in groups for spec in group):
        assert f"\n{spec.name} " in done.stdout
        assert spec.license.split()[0] in words
    for kind in ("generator", "segmenter", "keypoint detector", "pose estimator", "AGPL-3.0"):
        assert kind in words
    for license in ("BY-NC", "non-commercial", "Apache-2.0"):
        assert license in words


@pytest.mark.parametrize("command", ["synthesize", "annotators", "baseline", "datasets"])
def test_help_imports_no_heavy_library(command):
    code = (
        "import sys\n"
        "for name in ('torch', 'diffusers', 'transformers', 'ray', 'ultralytics', 'datasets'):\n"
        "    sys.modules[name] = None\n"
        "from chorus_bench.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'numpy', 'scipy', 'pyarrow', 'cv2', 'pandas', 'huggingface_hub'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command, "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert command in done.stdout
