"""Processor time of a diagnosis and of a report, beside those of an earlier version.

``python benchmarks/diagnosis.py SUBMISSION RESULT [--before FOLDER] [--repeats 3]``

RESULT is the submission's result on the simulated split. FOLDER has an earlier version of the
package (``git archive COMMIT chorus_bench | tar -x -C FOLDER``); both run in turns, each time in a
new process with one thread, and both must give the same numbers and the same page. The geometry is
prepared before, and reading the split is measured as well.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

JOBS = ("diagnose", "report")


def measure(args: argparse.Namespace) -> None:
    """Print the processor time of one job, and a digest of what it gives."""
    import matplotlib.figure  # noqa: F401 - not to be measured

    from chorus_bench.datasets.eval_split import load_split
    from chorus_bench.evaluation.diagnosis import diagnose
    from chorus_bench.report import write_report

    started = time.process_time()
    load_split("simulated")
    reading = time.process_time() - started
    started = time.process_time()
    if args.job == "diagnose":
        found = diagnose(
            args.submission,
            split="simulated",
            categories=args.category,
            workers=1,
            progress=False,
        )
        content = json.dumps(_numbers(found.as_dict())).encode()
    else:
        with tempfile.TemporaryDirectory() as scratch:
            report = write_report(args.result, Path(scratch) / "r", submission=args.submission)
            files = (report.page, *report.pictures)
            content = b"".join(file.read_bytes() for file in files)
    seconds = time.process_time() - started
    print(json.dumps([seconds, reading, hashlib.sha256(content).hexdigest()[:16]]))


def _numbers(content: object) -> object:
    """Leave out what an earlier version does not give, and the time."""
    if isinstance(content, dict):
        return {
            name: _numbers(value)
            for name, value in content.items()
            if name not in ("seconds", "gain_interval")
        }
    return content


def run(args: argparse.Namespace, job: str, before: Path | None) -> list:
    paths = {} if before is None else {"PYTHONPATH": str(before)}
    command = [sys.executable, __file__, *sys.argv[1:], "--job", job]
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | paths
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("submission")
    parser.add_argument("result")
    parser.add_argument("--before", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--category", action="append", help="for the diagnosis; repeatable")
    parser.add_argument("--only", choices=JOBS)
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        measure(args)
        return
    for job in JOBS if args.only is None else (args.only,):
        versions = {"now": None} | ({"before": args.before} if args.before else {})
        rounds = [
            {name: run(args, job, place) for name, place in versions.items()}
            for _ in range(args.repeats)
        ]
        medians = {}
        for name in versions:
            medians[name] = statistics.median(one[name][0] for one in rounds)
            reading = statistics.median(one[name][1] for one in rounds)
            digests = {one[name][2] for one in rounds}
            print(f"{job}, {name}: {medians[name]:.2f} s (split {reading:.2f} s), {digests}")
        if args.before:
            print(f"{job}: {medians['before'] / medians['now']:.2f} times")


if __name__ == "__main__":
    main()
