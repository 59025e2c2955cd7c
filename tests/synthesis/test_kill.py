"""Runs that are killed, interrupted, doubled, or have no room left; and what the next one does."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.synthesis.pipeline import synthesize
from chorus_bench.synthesis.work_folder import StageFolder
from tests.cli.cli_tools import run_cli
from tests.synthesis.world import shard_bytes, small_settings

SHARDS = 6
#: Seconds after which something hangs; a busy machine is slow.
PATIENCE = 300
PROGRAM = (sys.executable, "-c", "from chorus_bench.cli import main; main()")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Give the folder of a run of 24 images that nothing happened to, with its configuration."""
    folder = tmp_path_factory.mktemp("undisturbed")
    settings = small_settings(folder, images__per_prompt_view=4)
    (folder / "run.yaml").write_text(settings.to_yaml())
    synthesize(settings, folder / "d")
    return folder


@pytest.fixture
def prompts(undisturbed, tmp_path):
    """Give a folder with the first stage finished."""
    shutil.copytree(undisturbed / "d.work" / "prompts", tmp_path / "d.work" / "prompts")
    return tmp_path


def arguments(undisturbed, folder, *options):
    file = undisturbed / "run.yaml"
    return ["synthesize", "--config", str(file), "--output", str(folder / "d"), *options]


@contextlib.contextmanager
def started(undisturbed, folder, *options):
    """Start a run in a process group of its own; what is left of it in the end is killed."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments(undisturbed, folder, *options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def run(undisturbed, folder, *options):
    return run_cli(*arguments(undisturbed, folder, *options))


def finished_images(folder):
    return sorted(folder.glob("d.work/images/surfboard-*.json"))


def wait_for_images(process, folder, shards=1):
    """Wait until some shards of images are finished."""
    end = time.monotonic() + PATIENCE
    while len(finished_images(folder)) < shards:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def made(folder, shards):
    """Return what was written and how long it took: another making would take another time."""
    records = [json.loads((folder / f"d.work/images/{name}.json").read_text()) for name in shards]
    return [(record["sha256"], record["seconds"]) for record in records]


def same_images(folder, undisturbed):
    own, other = (shard_bytes(place / "d.work", ["images"]) for place in (folder, undisturbed))
    return len(own) == SHARDS and own == other


def workers_of(parent):
    """Return the process ids of the workers that a process has started."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            after_name = (place / "stat").read_text().rpartition(")")[2].split()
            if after_name[1] == str(parent) and b"spawn_main" in (place / "cmdline").read_bytes():
                found.append(int(place.name))
    return found


def test_a_killed_run_goes_on(undisturbed, tmp_path):
    with started(undisturbed, tmp_path) as process:
        wait_for_images(process, tmp_path, 2)
        process.kill()
        process.wait()
    there = [file.stem for file in finished_images(tmp_path)]
    assert 2 <= len(there) < SHARDS
    before = made(tmp_path, there)
    done = run(undisturbed, tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{len(there)} shards existed" in done.stdout
    assert made(tmp_path, there) == before
    assert shard_bytes(tmp_path / "d.work") == shard_bytes(undisturbed / "d.work")
    own, other = (DatasetInfo.load(place / "d") for place in (tmp_path, undisturbed))
    assert own.fingerprint == other.fingerprint
    assert verify_dataset(tmp_path / "d").ok
    left = [f for f in tmp_path.rglob("*") if f.name.endswith((".unfinished", ".tmp", ".old"))]
    assert left == []
    assert {file.name for file in tmp_path.iterdir()} == {"d", "d.work"}


def test_images_of_an_unfinished_shard_are_not_made_again(undisturbed, prompts):
    with started(undisturbed, prompts, "--stage", "images") as process:
        end = time.monotonic() + PATIENCE
        while not list(prompts.glob("d.work/images/*.unfinished/0000001.0.jpg")):
            assert time.monotonic() < end
            time.sleep(0.002)
        process.kill()
        process.wait()
    there = len(list(prompts.glob("d.work/images/*.unfinished/*.jpg")))
    shards = len(finished_images(prompts))
    assert run(undisturbed, prompts, "--stage", "images").returncode == 0
    folder = StageFolder(prompts / "d.work", "images")
    records = folder.records(folder.load_manifest())
    made = sum(record.counts.get("images made", 0) for record in records.values())
    assert made == 4 * SHARDS - (0 if shards else there)
    assert same_images(prompts, undisturbed)


def test_a_killed_worker_is_replaced(undisturbed, prompts):
    with started(undisturbed, prompts, "--stage", "images", "--workers", "2") as process:
        wait_for_images(process, prompts)
        workers = workers_of(process.pid)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "24 images now" in out
    assert same_images(prompts, undisturbed)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_run_goes_on(undisturbed, prompts, workers):
    options = ("--stage", "images", "--workers", workers)
    with started(undisturbed, prompts, *options) as process:
        wait_for_images(process, prompts)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "interrupted; run the same command again to continue" in err
    assert len(finished_images(prompts)) < SHARDS
    assert not (prompts / "d.work" / ".lock").exists()
    assert run(undisturbed, prompts, "--stage", "images").returncode == 0
    assert same_images(prompts, undisturbed)


def test_of_two_runs_at_once_the_second_is_refused(undisturbed, prompts):
    with started(undisturbed, prompts, "--stage", "images") as process:
        wait_for_images(process, prompts)
        process.send_signal(signal.SIGSTOP)  # however slow the machine, it is still there
        second = run(undisturbed, prompts, "--stage", "images", "--overwrite")
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=PATIENCE)
    assert second.returncode == 2
    assert f"another run is working here: process {process.pid}" in second.stderr
    assert process.returncode == 0, err
    assert same_images(prompts, undisturbed)


def run_without_room(undisturbed, folder, *options):
    """Run where no file may have more than 20 kB: images fit, shards of them do not."""
    line = [*PROGRAM, *arguments(undisturbed, folder, "--stage", "images", *options)]
    full = subprocess.run(
        ["sh", "-c", f"ulimit -f 40; exec {shlex.join(line)}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert "cannot be written: File too large" in full.stderr
    assert ".parquet" in full.stderr
    return folder / "d.work" / "images"


def test_no_room_for_a_shard(undisturbed, prompts):
    images = run_without_room(undisturbed, prompts)
    assert [file.name for file in images.iterdir() if file.is_file()] == ["manifest.json"]
    assert not list(prompts.rglob(".chorus-bench-*"))
    assert len(list(images.glob("surfboard-00000.unfinished/*.jpg"))) == 4
    assert run(undisturbed, prompts, "--stage", "images").returncode == 0
    assert same_images(prompts, undisturbed)
    folder = StageFolder(prompts / "d.work", "images")
    first = folder.record(folder.load_manifest().shards[0])
    assert "images made" not in first.counts


def test_no_room_for_shards_of_workers(undisturbed, prompts):
    images = run_without_room(undisturbed, prompts, "--workers", "2")
    assert not list(images.glob("*.parquet"))
    assert not finished_images(prompts)
    assert run(undisturbed, prompts, "--stage", "images").returncode == 0
    assert same_images(prompts, undisturbed)
