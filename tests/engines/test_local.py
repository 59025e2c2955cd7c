"""Jobs in this process and in several: results, deaths, errors, orphans."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chorus_bench.engines import EngineSettings, run_jobs
from chorus_bench.errors import ChorusBenchError, InputError
from tests.engines.jobs import Deadly, NoModel, Refusing, Squares

TWO = EngineSettings(workers=2)


def squares(results):
    return sorted(result["square"] for result in results)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once(tmp_path, workers):
    results = list(run_jobs(Squares(tmp_path), range(7), EngineSettings(workers=workers)))
    assert squares(results) == [n**2 for n in range(7)]
    assert 1 <= len(list(tmp_path.glob("worker-*"))) <= workers
    inside = {result["process"] for result in results} == {os.getpid()}
    assert inside == (workers == 1)


def test_no_jobs(tmp_path):
    assert list(run_jobs(NoModel(tmp_path), [], TWO)) == []


def test_a_killed_worker_loses_its_job_only(tmp_path):
    results = list(run_jobs(Deadly(tmp_path), range(6), TWO))
    assert squares(results) == [n**2 for n in range(6)]
    assert len(list(tmp_path.glob("died-*"))) == 1
    assert len(list(tmp_path.glob("worker-*"))) >= 2  # the killed one, and another


def test_a_job_that_always_kills_its_worker(tmp_path):
    with pytest.raises(ChorusBenchError, match="died 3 times while it did 3") as caught:
        list(run_jobs(Deadly(tmp_path, deaths=9), range(4), TWO))
    assert "fewer workers" in str(caught.value)


def test_a_worker_killed_between_two_jobs_is_replaced(tmp_path):
    results = []
    for result in run_jobs(Squares(tmp_path), range(6), TWO):
        results.append(result)
        if len(results) == 1:
            os.kill(result["process"], signal.SIGKILL)
            # Its pool knows that it died before it has buried it.
            wait_for(lambda: not Path(f"/proc/{results[0]['process']}").exists())
    assert squares(results) == [n**2 for n in range(6)]
    assert len(list(tmp_path.glob("worker-*"))) >= 2


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_come_back(tmp_path, workers):
    settings = EngineSettings(workers=workers)
    with pytest.raises(InputError, match="job: three"):
        list(run_jobs(Refusing(tmp_path), range(5), settings))
    with pytest.raises(ChorusBenchError, match="bad"):
        list(run_jobs(Refusing(tmp_path, wrong_input=False), range(5), settings))


def test_a_setup_that_fails_here(tmp_path):
    with pytest.raises(InputError, match="no model"):
        list(run_jobs(NoModel(tmp_path), range(2), EngineSettings()))


def test_a_setup_that_fails_in_processes_tells_why(tmp_path):
    with pytest.raises(InputError, match="no model"):
        list(run_jobs(NoModel(tmp_path), range(2), TWO))


ORPHANS = """
import sys
from pathlib import Path
from chorus_bench.engines import EngineSettings, run_jobs
from tests.engines.test_local import Slow
if __name__ == "__main__":
    list(run_jobs(Slow(Path(sys.argv[1])), range(2), EngineSettings(workers=2)))
"""


class Slow(Squares):
    def square(self, number):
        (self.folder / f"begun-{number}").touch()
        time.sleep(120)


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_workers_end_with_their_parent(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS, str(tmp_path)])
    wait_for(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
    workers = [int(file.name.removeprefix("worker-")) for file in tmp_path.glob("worker-*")]
    assert len(workers) == 2
    parent.kill()
    parent.wait()
    wait_for(lambda: not any(map(alive, workers)), seconds=20)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "rey"}, "Did you mean 'ray'"),
        ({"workers": 0}, "0 workers"),
        ({"gpus": -1}, "GPUs"),
        ({"address": "auto"}, "--engine ray"),
    ],
)
def test_settings(settings, message):
    with pytest.raises(InputError, match=message):
        EngineSettings(**settings)
