"""Time to calibrate the cameras of 1,000 people.

    python benchmarks/calibration.py
    python benchmarks/calibration.py --people 5000 --solver lm

The people are those of the golden cameras, randomly varied: heading, pose, box, camera and image
size. Exits with 1 if `adam` takes longer than its budget of 60 ms per person on two cores (1,000
people in 60 s).
"""

import argparse
import time
from pathlib import Path

import numpy as np

from chorus_bench.calibration import (
    PRESETS,
    SOLVERS,
    calibrate,
    calibration_settings,
    weak_perspective_to_image,
)
from chorus_bench.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle

GOLDEN = Path(__file__).parents[1] / "chorus_bench" / "golden" / "cameras.npz"
BUDGET = 0.060


def make_people(count, seed=0):
    """Return the inputs of `calibrate` for ``count`` varied golden people."""
    rng = np.random.default_rng(seed)
    with np.load(GOLDEN) as golden:
        people = {key: golden[f"people_{key}"] for key in ("points", "posed", "orient", "weak")}
    who = rng.integers(0, len(people["points"]), count)
    sizes = np.array([[480, 640], [640, 427], [500, 500], [427, 640], [375, 500]])
    size = sizes[rng.integers(0, len(sizes), count)]
    yaw = axis_angle_to_matrix(rng.uniform(-np.pi, np.pi, (count, 1)) * [0, 1, 0])
    turn = yaw @ axis_angle_to_matrix(people["orient"][who].astype(np.float64))
    noise = rng.normal(0, 0.02, (count, 24, 3))
    points = people["points"][who] + noise
    posed = (people["posed"][who] @ yaw.swapaxes(1, 2)) + noise @ turn.swapaxes(1, 2)
    weak = people["weak"][who] * rng.uniform(0.8, 1.25, (count, 1)) + rng.normal(
        0, 0.03, (count, 3)
    )
    center = size[:, ::-1] * rng.uniform(0.3, 0.7, (count, 2))
    scale = size.min(axis=1) / 200 * rng.uniform(0.4, 1.1, count)
    targets = [
        weak_perspective_to_image(*person)
        for person in zip(posed, weak, center, scale, map(tuple, size), strict=True)
    ]
    return points, np.array(targets), matrix_to_axis_angle(turn), weak, size


def main():
    """Run the solvers and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--solver", choices=sorted(SOLVERS), action="append")
    parser.add_argument("--settings", choices=sorted(PRESETS), default="eft")
    arguments = parser.parse_args()
    people = make_people(arguments.people)
    late = False
    print("solver    people  seconds  ms/person  median steps  median loss  kept")
    for solver in arguments.solver or sorted(SOLVERS):
        start = time.perf_counter()
        result = calibrate(
            *people, solver=solver, settings=calibration_settings(arguments.settings)
        )
        seconds = time.perf_counter() - start
        late |= solver == "adam" and seconds > BUDGET * arguments.people
        print(
            f"{solver:8s} {len(result):7d} {seconds:8.2f} {1000 * seconds / len(result):10.2f} "
            f"{np.median(result.steps):13.0f} {np.nanmedian(result.reprojection_error):12.3f} "
            f"{result.kept.mean():5.1%}"
        )
    return int(late)


if __name__ == "__main__":
    raise SystemExit(main())
