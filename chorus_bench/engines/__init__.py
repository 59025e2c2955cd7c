"""Engines: the same jobs in this process, in several, or on a Ray cluster.

A job is a small picklable value. ``setup`` is called once in every worker (it loads the models)
and returns the function that does a job; the result of that function must be JSON. Jobs are
independent and can be repeated: each writes its own file, completely or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chorus_bench.boundary import checked
from chorus_bench.engines.jobs import ENGINES, EngineSettings, Job, Result, Setup, end_inner_run

__all__ = [
    "ENGINES",
    "EngineSettings",
    "Job",
    "Result",
    "Setup",
    "end_inner_run",
    "run_jobs",
]


@checked
def run_jobs(setup: Setup[Job], jobs: Sequence[Job], settings: EngineSettings) -> Iterator[Result]:
    """Do all jobs and yield their results as they finish, in any order.

    A worker that dies loses at most the job it was doing, which is done again.

    Args:
        setup: returns the function that does a job; picklable unless one local worker runs it.
        jobs: the jobs, picklable.
        settings: where they run.

    Raises:
        ChorusBenchError: an error of a job, or a job that killed its worker every time.
        InputError: workers cannot begin, because the main script has no main guard.
        MissingDependencyError: Ray is requested but not installed.
    """
    if not jobs:
        return iter(())
    if settings.name == "ray":
        from chorus_bench.engines.ray_data import run_on_ray

        return run_on_ray(setup, jobs, settings)
    from chorus_bench.engines.local import run_locally

    return run_locally(setup, jobs, settings.workers)
