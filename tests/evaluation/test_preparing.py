"""A split prepared by processes: the files of the threads, and a cache that all must see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from typer.testing import CliRunner

import chorus_bench.evaluation.cache as cache_module
import chorus_bench.evaluation.preparing as preparing
from chorus_bench.cli.app import app
from chorus_bench.cli.options import shared_engine
from chorus_bench.engines import EngineSettings
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from tests.evaluation.prepared import assert_same_preparation, cache_files
from tests.evaluation.small_split import COARSE

TWO = EngineSettings(workers=2)


@pytest.fixture
def options(tmp_path, split, submission):
    """Give the arguments of an evaluation, and count what it reports."""
    reports = []
    return {
        "submission": submission, "split": split, "protocol": COARSE, "cache": tmp_path / "cache",
        "progress": lambda done, total: reports.append((done, total)),
    }, reports  # fmt: skip


def test_processes_leave_the_files_of_the_threads(tmp_path, options):
    arguments, reports = options
    assert_same_preparation(arguments, TWO)
    assert reports[-1] == (9, 9)


def test_only_what_is_missing_is_given_to_workers(options, monkeypatch):
    arguments, _ = options
    first = evaluate(**arguments)
    lost = next(iter(cache_files(arguments["cache"], "lookup")))
    lost.unlink()
    given = []

    def run_here(setup, jobs, engine):
        given.extend(jobs)
        return map(setup(), jobs)

    monkeypatch.setattr(preparing, "run_jobs", run_here)
    again = evaluate(**arguments, engine=TWO)
    assert [lost.name.startswith(job.key) for job in given] == [True]
    assert again.samples.equals(first.samples)


def test_a_worker_with_another_cache_is_an_error(tmp_path, options, monkeypatch):
    def elsewhere(setup, jobs, engine):
        return map(replace(setup, cache=tmp_path / "other")(), jobs)

    monkeypatch.setattr(preparing, "run_jobs", elsewhere)
    with pytest.raises(InputError, match="prepared a batch of samples that is not here") as caught:
        evaluate(**options[0], engine=TWO)
    assert "CHORUS_BENCH_CACHE" in str(caught.value)
    assert "same path on all nodes" in str(caught.value)


def test_an_engine_needs_a_cache(options, monkeypatch):
    def no_home():
        raise cache_module.NoCacheError("no home")

    monkeypatch.setattr(cache_module, "cache_folder", no_home)
    with pytest.raises(InputError, match="there is no cache"):
        evaluate(**options[0] | {"cache": None}, engine=TWO)


IF_WORTH = EngineSettings(workers=2, if_worth=True)


@pytest.mark.parametrize(("worth", "jobs"), [(9, True), (10, False)])
def test_processes_are_started_if_there_is_enough_to_do(options, monkeypatch, worth, jobs):
    expected, given = evaluate(**options[0] | {"cache": None}), []

    def run_here(setup, jobs, engine):
        given.extend(jobs)
        return map(setup(), jobs)

    monkeypatch.setattr(preparing, "WORTH_PROCESSES", worth)
    monkeypatch.setattr(preparing, "run_jobs", run_here)
    found = evaluate(**options[0], engine=IF_WORTH)
    assert bool(given) == jobs
    assert found.samples.equals(expected.samples)


def test_threads_do_what_processes_cannot(options, tmp_path, monkeypatch):
    def elsewhere(setup, jobs, engine):
        return map(replace(setup, cache=tmp_path / "other")(), jobs)

    monkeypatch.setattr(preparing, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(preparing, "run_jobs", elsewhere)
    expected = evaluate(**options[0] | {"cache": tmp_path / "third"})
    assert evaluate(**options[0], engine=IF_WORTH).samples.equals(expected.samples)


@pytest.mark.parametrize(
    ("workers", "expected"),
    [(1, None), (2, IF_WORTH), (99, EngineSettings(workers=8, if_worth=True))],
)
def test_the_command_starts_processes_if_worth_it(workers, expected):
    assert shared_engine(None, workers, None) == expected
    assert shared_engine(None, workers, None, device="cuda") is None


def test_an_address_is_for_ray(tmp_path):
    done = CliRunner().invoke(
        app, ["evaluate", "--engine", "local", "--address", "auto", "--cache", str(tmp_path)]
    )
    assert done.exit_code != 0
    assert "--engine ray" in str(done.exception)
