"""Time per aggregated view, and memory for any number of views.

    python benchmarks/aggregation.py
    python benchmarks/aggregation.py --views 10000 --by-prompt

The views are those of the golden aggregation (512 x 512) with randomly rotated cameras, on the
48^3 grid, with the three body parts of the paper's demo. Exits with 1 if a view takes longer than
5 ms on two cores, or the process more than 1 GiB.
"""

import argparse
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

from chorus_baselines.chorus import DEMO_PARTS, aggregate
from chorus_bench.datasets.masks import encode_mask
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.selftest.data import golden_body

GOLDEN = Path(__file__).parents[1] / "chorus_bench" / "golden" / "aggregation.npz"
MILLISECONDS, GIBIBYTES = 5.0, 1.0


def make_rows(count, seed=0):
    """Yield ``count`` rows: golden views, each rotated randomly about the vertical axis."""
    rng = np.random.default_rng(seed)
    with np.load(GOLDEN) as file:
        golden = {key: file[key] for key in ("R", "t", "K", "pose", "masks")}
    masks = np.unpackbits(golden["masks"]).reshape(-1, 512, 512)
    rles = [encode_mask(mask) for mask in masks]
    for number in range(count):
        which = number % len(rles)
        turn = axis_angle_to_matrix(np.array([0, rng.uniform(-np.pi, np.pi), 0]))
        yield {
            "sample_id": f"{number:06d}",
            "prompt": f"prompt {number % 20}",
            "height": 512,
            "width": 512,
            "object_mask": rles[which],
            "pose": golden["pose"][which].tolist(),
            "camera_rotation": (golden["R"][which] @ turn).tolist(),
            "camera_translation": golden["t"][which].tolist(),
            "camera_intrinsics": golden["K"][which].tolist(),
        }


def peak_gibibytes():
    """Return the peak memory of this process."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def main():
    """Aggregate the views and print one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--views", type=int, default=1000)
    parser.add_argument("--by-prompt", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    options = {
        "body": golden_body(),
        "parts": DEMO_PARTS,
        "by_prompt": arguments.by_prompt,
        "device": arguments.device,
        "threads": arguments.threads,
    }
    start = time.perf_counter()
    aggregate(make_rows(1), **options)  # the voxels' weights, once per body and grid
    warm, cpu = time.perf_counter(), time.process_time()
    found = aggregate(make_rows(arguments.views), **options)
    seconds, cpu = time.perf_counter() - warm, time.process_time() - cpu
    each, memory = 1000 * seconds / found.views, peak_gibibytes()
    print("views   setup s  seconds  ms/view  cpu ms/view  peak GiB  load  views per part")
    print(
        f"{found.views:5d}  {warm - start:8.2f} {seconds:8.2f} {each:8.2f} "
        f"{1000 * cpu / found.views:12.2f} {memory:9.2f} {os.getloadavg()[0]:5.1f}  "
        + ", ".join(f"{part} {found.views_of(part)}" for part in found.parts)
    )
    return int(each > MILLISECONDS or memory > GIBIBYTES)


if __name__ == "__main__":
    raise SystemExit(main())
