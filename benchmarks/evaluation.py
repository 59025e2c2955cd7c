"""Time and memory of the evaluation: ``python benchmarks/evaluation.py [--samples 1500]``.

Each figure is measured in a separate process, so that memory is that process's peak:

* ``help``: wall time of ``chorus-bench --help``;
* ``prepare``: one sample prepared on 2 threads (V = 6,890, N = 48), and its peak memory;
* ``evaluate``: a submission of 14 categories, the first time (preparing the split) and again (on
  the prepared split), including reading split and submission, excluding imports.

The split is made up: random poses and cameras on a body of SMPL's size (the parity tests'
body), images of 640 x 480. ``--grid``, ``--vertices`` and ``--samples`` show how cost grows.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CATEGORIES = (
    "motorcycle", "bench", "backpack", "handbag", "tie", "frisbee", "skis", "snowboard",
    "sports ball", "baseball glove", "skateboard", "surfboard", "tennis racket", "cell phone",
)  # fmt: skip


def made_up_row(number: int, category: str) -> dict:
    from chorus_bench.datasets.masks import encode_mask

    rng = np.random.default_rng(number)
    height, width = [(480, 640), (640, 480), (480, 480)][number % 3]
    pose = np.zeros(72)
    pose[3:] = rng.normal(0, 0.25, 69)
    angle = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.diag([1, -1, -1]) @ [[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]
    focal = 1.1666 * width
    mask = np.zeros((height, width), np.uint8)
    top, left = rng.integers(0, height // 2), rng.integers(0, width // 2)
    mask[top : top + height // 3, left : left + width // 3] = 1
    return {
        "sample_id": f"made-{category}-{number:05d}",
        "category": category,
        "height": height,
        "width": width,
        "object_mask": encode_mask(mask),
        "human_mask": encode_mask(1 - mask),
        "pose": pose,
        "betas": np.zeros(10),
        "camera_rotation": np.asarray(rotation).tolist(),
        "camera_translation": [0.0, 0.0, rng.uniform(2.2, 4.5)],
        "camera_intrinsics": [[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]],
    }


def made_up_split(folder: Path, samples: int) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from chorus_bench.datasets.schema import TEST_COLUMNS, TEST_SCHEMA

    rows = [made_up_row(i, CATEGORIES[i % len(CATEGORIES)]) for i in range(samples)]
    schema = pa.schema([TEST_SCHEMA.field(name) for name in TEST_COLUMNS])
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "test.parquet")
    return folder


def made_up_submission(folder: Path, resolution: int) -> Path:
    from chorus_bench.geometry.grid import GridSpec
    from chorus_bench.submission import write_submission

    grid = GridSpec(resolution=resolution)
    fields = {}
    for number, name in enumerate(CATEGORIES):
        center = np.random.default_rng(number).normal(0, 0.3, 3)
        distance = ((grid.centers() - center) ** 2).sum(axis=1)
        fields[name] = np.exp(-distance / 0.2).reshape(grid.shape).astype(np.float32)
    return write_submission(folder, method="made up", fields=fields, grid=grid)


def body_of(vertices: int | None):
    from chorus_bench.geometry.body import BodyModel
    from chorus_bench.geometry.body_files import load_body
    from chorus_bench.selftest.data import golden_body

    if vertices is None:
        return golden_body()
    free = load_body("default")
    kept = np.sort(np.random.default_rng(0).choice(free.vertices, vertices, replace=False))
    regressor = free.joint_regressor[:, kept] + 1e-9
    return BodyModel(
        name=f"thinned{vertices}",
        template=free.template[kept],
        weights=free.weights[kept],
        joint_regressor=regressor / regressor.sum(axis=1, keepdims=True),
        faces=np.zeros((0, 3), np.int32),
    )


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_prepare(args: argparse.Namespace) -> None:
    from dataclasses import replace

    from chorus_bench.evaluation import load_split
    from chorus_bench.evaluation.prepare import prepare_sample
    from chorus_bench.evaluation.warping import forget
    from chorus_bench.geometry.grid import GridSpec
    from chorus_bench.metrics import OFFICIAL

    body = body_of(args.vertices)
    split = load_split(made_up_split(Path(args.folder) / "split8", 8))
    protocol = replace(OFFICIAL, grid=GridSpec(resolution=args.grid))
    seconds = []
    for sample in (*split.samples[:1], *split.samples):
        forget()
        started = time.perf_counter()
        prepare_sample(sample, body, protocol, threads=2)
        seconds.append(time.perf_counter() - started)
    median = sorted(seconds[1:])[len(seconds) // 2]
    print(
        f"prepare one sample (V={body.vertices}, N={args.grid}, 2 threads): median {median:.3f} s, "
        f"first {seconds[0]:.3f} s, peak {peak_mib():.0f} MiB"
    )


def measure_evaluate(args: argparse.Namespace) -> None:
    from chorus_bench.evaluation import evaluate

    folder, body = Path(args.folder), body_of(args.vertices)
    split = made_up_split(folder / f"split{args.samples}", args.samples)
    submission = folder / f"submission{args.resolution}"
    if not submission.is_dir():
        made_up_submission(submission, args.resolution)
    options = {"split": split, "body": body, "cache": folder / "cache"}
    options["min_samples"] = max(1, args.samples // len(CATEGORIES))
    started = time.perf_counter()
    evaluate(submission, **options)
    first = time.perf_counter() - started
    started = time.perf_counter()
    evaluate(submission, **options)
    again = time.perf_counter() - started
    files = [f for f in (folder / "cache").rglob("*") if f.is_file()]
    size = sum(f.stat().st_size for f in files) / args.samples / 1e6
    print(
        f"evaluate {args.samples} samples, 14 categories, grid {args.resolution}: "
        f"first {first:.1f} s ({first / args.samples:.3f} s per sample), prepared {again:.2f} s; "
        f"peak {peak_mib():.0f} MiB; cache {size:.2f} MB per sample"
    )


def measure_help() -> None:
    command = [sys.executable, "-c", "from chorus_bench.cli import main; main()", "--help"]
    seconds = []
    for _ in range(6):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    print(f"chorus-bench --help: median {sorted(seconds[1:])[2]:.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("help", "prepare", "evaluate"))
    parser.add_argument("--samples", type=int, default=1500)
    parser.add_argument("--grid", type=int, default=48, help="probe grid of `prepare`")
    parser.add_argument("--resolution", type=int, default=48, help="the submission's grid")
    parser.add_argument("--vertices", type=int, help="thin the default body to this many vertices")
    parser.add_argument("--folder", help="keep submission and cache here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        args.folder = args.folder or scratch
        if args.only == "help":
            measure_help()
        elif args.only == "prepare":
            measure_prepare(args)
        elif args.only == "evaluate":
            measure_evaluate(args)
        else:
            for part in ("help", "prepare", "evaluate"):
                subprocess.run(
                    [sys.executable, __file__, *sys.argv[1:], "--only", part], check=True
                )


if __name__ == "__main__":
    main()
