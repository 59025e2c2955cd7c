"""`evaluate`, `diagnose` and `infer` with a device of torch: the same bits; refused before work."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch  # noqa: F401 - all of this needs it
from typer.testing import CliRunner

from chorus_baselines.chorus.inference import posed_field
from chorus_bench.cli.app import app
from chorus_bench.engines import EngineSettings
from chorus_bench.engines.threads import torch_threads
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.evaluation import evaluate, split_from_rows
from chorus_bench.evaluation.diagnosis import diagnose
from chorus_bench.evaluation.posing import pose_submission
from chorus_bench.geometry.grid import GridSpec
from tests.evaluation.prepared import assert_same_preparation
from tests.evaluation.small_split import COARSE, blob_field

TORCH = "cpu:0"


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Many threads would wait for each other here."""
    with torch_threads(1):
        yield


@pytest.fixture
def arguments(tmp_path, rows, submission):
    """Give the arguments of an evaluation of three samples."""
    return {
        "submission": submission, "split": split_from_rows(rows[:3], "few"), "protocol": COARSE,
        "cache": tmp_path / "cache", "progress": False,
    }  # fmt: skip


def test_prepared_geometry_has_the_same_bits(arguments):
    assert_same_preparation(arguments, device=TORCH)


def test_workers_of_an_engine_use_the_device(arguments):
    assert_same_preparation(arguments, EngineSettings(), device=TORCH)
    with pytest.raises(InputError, match="device 'warp9' cannot be used"):
        evaluate(
            **arguments | {"cache": arguments["cache"] / "b"},
            engine=EngineSettings(),
            device="warp9",
        )


def test_a_diagnosis_is_the_same(arguments, tmp_path):
    plain = diagnose(**arguments).as_dict()
    other = diagnose(**arguments | {"cache": tmp_path / "other"}, device=TORCH).as_dict()
    assert other | {"seconds": 0} == plain | {"seconds": 0}


def test_posed_fields_are_the_same(rows):
    field, pose, grid = blob_field(16), np.asarray(rows[0]["pose"]), GridSpec(16)
    one, other = (posed_field(field, pose, grid=grid, device=name) for name in ("cpu", TORCH))
    np.testing.assert_array_equal(one, other, strict=True)
    assert (one > 0).any()


CALLS = {
    "evaluate": lambda device: evaluate("nowhere", device=device),
    "diagnose": lambda device: diagnose("nowhere", device=device),
    "pose_submission": lambda device: pose_submission("nowhere", "no", "out", device=device),
    "posed_field": lambda device: posed_field(np.zeros(3), np.zeros(3), device=device),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_device_that_is_not_there_is_refused_before_anything_is_read(name, monkeypatch):
    with pytest.raises(InputError, match="device 'warp9' cannot be used") as caught:
        CALLS[name]("warp9")
    assert "use the device 'cpu'" in str(caught.value)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'chorus-bench\[torch\]'"):
        CALLS[name]("cuda")


@pytest.mark.parametrize(
    "command",
    [
        ("evaluate", "nowhere"),
        ("diagnose", "nowhere"),
        ("infer", "nowhere", "--split", "no", "--output", "x"),
        (
            "infer",
            "nowhere",
            "--split",
            "no",
            "--sample",
            "1",
            "--category",
            "tie",
            "--output",
            "x",
        ),
    ],
)
def test_commands_take_a_device(command):
    done = CliRunner().invoke(app, [*command, "--device", "warp9"])
    assert "device 'warp9' cannot be used" in str(done.exception)


def test_gpus_are_for_actors():
    done = CliRunner().invoke(app, ["evaluate", "nowhere", "--gpus", "1"])
    assert "add --engine ray" in str(done.exception)
