"""How cost grows: ``python benchmarks/growth.py [--only grid,methods]``.

Measures each of these at three sizes, every one in a process of its own, and fits a sum of powers
of the size N: a constant and the powers in `POWERS`, by the least relative errors. How far the
curve is from what was measured is printed as well:

* ``grid``: one test sample prepared, by voxels along a side of the probe grid;
* ``vertices``: the same, by vertices of the body;
* ``first``: a first evaluation, which prepares the geometry, by test samples;
* ``samples``: an evaluation on prepared geometry, by test samples;
* ``resolution``: one field read at a sample's points, by voxels along a side of the field;
* ``methods``: a leaderboard built, by methods of 14 categories and 1,500 samples;
* ``images``: votes of views of 512 x 512 counted, three body parts, by views.

Seconds are those of processors, the least of three runs (one of ``first``), so that other work on
the machine counts less; imports are not in them. Bytes are those on the disk: the cache, or the
page without its copies of the entries.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import evaluation as scored
import numpy as np

SIZES = {
    "grid": (24, 48, 96),
    "vertices": (1700, 3400, 6002),
    "first": (14, 28, 56),
    "samples": (56, 112, 224),
    "resolution": (48, 96, 192),
    "methods": (50, 100, 200),
    "images": (40, 80, 160),
}
#: Powers of the size in each curve, besides a constant; else its first. A grid has N**3 voxels, and
#: every pair of methods is compared.
POWERS = {"grid": (3,), "methods": (1, 2)}


def least(job: Callable[[], object], runs: int = 3) -> float:
    """Return the least processor time of a job, all threads together."""
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        job()
        seconds.append(time.process_time() - started)
    return min(seconds)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def prepared(place: Path, resolution: int, vertices: int | None) -> tuple[float, int]:
    from chorus_bench.evaluation import load_split
    from chorus_bench.evaluation.prepare import prepare_sample
    from chorus_bench.evaluation.warping import forget
    from chorus_bench.geometry.grid import GridSpec
    from chorus_bench.metrics import OFFICIAL

    def prepare() -> None:
        forget()
        prepare_sample(sample, body, protocol)

    body = scored.body_of(vertices)
    sample = load_split(scored.made_up_split(place / "split", 1)).samples[0]
    protocol = replace(OFFICIAL, grid=GridSpec(resolution=resolution))
    return least(prepare), 0


def grid(place: Path, size: int) -> tuple[float, int]:
    return prepared(place, size, None)


def vertices(place: Path, size: int) -> tuple[float, int]:
    return prepared(place, 48, size)


def first(place: Path, size: int) -> tuple[float, int]:
    job = evaluation(place, size)
    return least(job, 1), size_of(place / "cache")


def samples(place: Path, size: int) -> tuple[float, int]:
    job = evaluation(place, size)
    job()
    return least(job), size_of(place / "cache")


def evaluation(place: Path, size: int) -> Callable[[], object]:
    """Return an evaluation of a made-up submission on a split with some samples."""
    from chorus_bench.evaluation import evaluate

    split = scored.made_up_split(place / "split", size)
    submission = scored.made_up_submission(place / "submission", 48)
    options = {"split": split, "body": scored.body_of(None), "cache": place / "cache"}
    return lambda: evaluate(submission, min_samples=1, **options)


def resolution(place: Path, size: int) -> tuple[float, int]:
    import numpy as np

    from chorus_bench.geometry.grid import GridSpec, OccupancyGrid

    spec = GridSpec(resolution=size)
    field = OccupancyGrid(np.zeros(spec.shape, np.float32), spec)
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (90_000, 3)).astype(np.float32)
    return least(lambda: field.at(points), 9), field.values.nbytes


def methods(place: Path, size: int) -> tuple[float, int]:
    import leaderboard

    leaderboard.make(place / "board", size, 14, 1500, quick=True)
    page = place / "page"
    seconds = least(lambda: leaderboard.build(place / "board", page))
    return seconds, size_of(page) - size_of(page / "entries")


def images(place: Path, size: int) -> tuple[float, int]:
    import aggregation

    options = {"body": aggregation.golden_body(), "parts": aggregation.DEMO_PARTS}
    rows = list(aggregation.make_rows(size))
    aggregation.aggregate(rows[:1], **options)  # the voxels' weights, once per body and grid
    return least(lambda: aggregation.aggregate(iter(rows), **options)), 0


def fitted(name: str, sizes: tuple[int, ...], seconds: list[float]) -> str:
    """Return the curve of least relative errors, and the largest of these errors."""
    powers = (0, *POWERS.get(name, (1,)))
    columns = np.power.outer(np.array(sizes, dtype=float), powers) / np.array(seconds)[:, None]
    factors = np.linalg.lstsq(columns, np.ones(len(sizes)), rcond=None)[0]
    error = np.abs(columns @ factors - 1).max()
    terms = (f"{factor:+.3g} * N**{power}" for factor, power in zip(factors, powers, strict=True))
    return f"{' '.join(terms)}, at most {100 * error:.0f} % off"


def measure(name: str) -> None:
    figures = []
    for size in SIZES[name]:
        command = [sys.executable, __file__, "--measure", name, str(size)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        figures.append(json.loads(done.stdout))
        row = figures[-1]
        print(f"{name:10s} {size:6d} {row['seconds']:9.4f} s {row['peak'] / 2**20:7.0f} MiB "
              f"{row['bytes'] / 1e6:9.2f} MB", flush=True)  # fmt: skip
    curve = fitted(name, SIZES[name], [row["seconds"] for row in figures])
    print(f"{name:10s} seconds = {curve}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(SIZES), help="some of these, with commas")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure is None:
        for name in args.only.split(","):
            measure(name)
        return
    with tempfile.TemporaryDirectory() as place:
        seconds, size = globals()[args.measure[0]](Path(place), int(args.measure[1]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "bytes": size, "peak": peak}))


if __name__ == "__main__":
    main()
