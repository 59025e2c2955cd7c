"""Pushing to a stand-in hub, and loading from it with nothing of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chorus_bench.datasets.export import export
from chorus_bench.datasets.hub import push_dataset
from chorus_bench.errors import InputError
from chorus_bench.io.untrusted_files import visible_files
from tests.datasets.hub_stub import running_hub
from tests.datasets.recipes import squares

REPOSITORY = Path(__file__).parents[2]


def run(script, address, home, *, ours=True, **variables):
    """Run a script in a process that knows the hub at this address only."""
    environment = {
        "PATH": os.environ["PATH"],
        "HF_HOME": str(home),
        "HF_ENDPOINT": address,
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": "hf_dummy",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        **variables,
    }
    if ours:
        environment["PYTHONPATH"] = str(REPOSITORY)
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def push(folder, address, home, **variables):
    script = (
        "from chorus_bench.datasets.hub import push_dataset\n"
        f"print(push_dataset({str(folder)!r}, 'org/squares'))\n"
    )
    return run(script, address, home, **variables)


LOAD = (
    "import sys; from datasets import load_dataset\n"
    "one = load_dataset('org/squares', 'tennis racket', split='test')\n"
    "everything = load_dataset('org/squares', split='test')\n"
    "print(len(one), len(everything), everything[0]['pose'][0], 'chorus_bench' in sys.modules)\n"
)


def test_push_and_load(tmp_path):
    first = export(squares(), tmp_path / "first", shard_bytes=1)
    (first.path / "data" / ".ipynb_checkpoints").mkdir()
    (first.path / "data" / ".ipynb_checkpoints" / "test-checkpoint.parquet").write_text("")
    (first.path / ".DS_Store").write_text("")
    with running_hub() as (hub, address):
        done = push(first.path, address, tmp_path / "hf")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{address}/datasets/org/squares/commit/")
        assert hub.private == {"org/squares": True}
        assert hub.commits == [first.info.label]
        there = {p.relative_to(first.path).as_posix() for p in visible_files(first.path)}
        assert set(hub.files["org/squares"]) == there
        loaded = run(LOAD, address, tmp_path / "hf-reader", ours=False)
        assert loaded.stdout == "11 38 0.0 False\n", loaded.stderr

        second = export(squares(value=0.5), tmp_path / "second")
        done = push(second.path, address, tmp_path / "hf")
        assert done.returncode == 0, done.stderr
        there = {p.relative_to(second.path).as_posix() for p in second.path.rglob("*.*")}
        assert set(hub.files["org/squares"]) == there  # the first one's shards are gone
        loaded = run(LOAD, address, tmp_path / "hf-reader", ours=False)
        assert loaded.stdout == "11 38 0.5 False\n", loaded.stderr


def test_a_hub_that_refuses(tmp_path):
    built = export(squares(), tmp_path / "out")
    with running_hub() as (hub, address):
        hub.refuse = True
        done = push(built.path, address, tmp_path / "hf")
    assert done.returncode == 1
    assert "the hub refused to take org/squares" in done.stderr
    assert "hf auth login" in done.stderr


def test_a_broken_folder_is_not_pushed(tmp_path):
    built = export(squares(), tmp_path / "out")
    next(built.path.rglob("*.parquet")).unlink()
    with pytest.raises(InputError, match="does not verify"):
        push_dataset(built.path, "org/squares")


def test_a_name_that_is_none(tmp_path):
    with pytest.raises(InputError, match="is not a repository"):
        push_dataset(tmp_path, "squares")


def test_a_name_that_the_hub_does_not_take(tmp_path):
    built = export(squares(), tmp_path / "out")
    with pytest.raises(InputError, match="'me/--' is no repository"):
        push_dataset(built.path, "me/--")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "the hub is unreachable or the connection broke"),
        ({"HF_HUB_OFFLINE": "1"}, "unset HF_HUB_OFFLINE where there is a network"),
    ],
)
def test_no_network(tmp_path, variables, message):
    built = export(squares(), tmp_path / "out")
    done = push(built.path, "http://127.0.0.1:9", tmp_path / "hf", **variables)
    assert done.returncode == 1
    assert "ChorusBenchError: org/squares is not pushed: " in done.stderr
    assert message in done.stderr
