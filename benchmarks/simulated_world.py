"""Speed of the simulated world.

    OMP_NUM_THREADS=1 python benchmarks/simulated_world.py
    OMP_NUM_THREADS=1 python benchmarks/simulated_world.py --images 200 --workers 1

Use one thread per worker, or they slow each other down.
Makes training rows (256 x 256, shaded, annotated, with ground truth) over all categories and views
on worker processes, and times the parts of one picture. Exits with 1 if the rows take longer than
their budget of 60 ms per image (1,000 images in 60 s on two cores). The comparison of renderers
that led to our own rasterizer is in docs/simulated_world.md.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from chorus_bench.datasets.view_conditions import VIEWS
from chorus_bench.engines.memory import keep_freed_memory
from chorus_bench.geometry.body_files import load_body
from chorus_bench.seeds import Stream
from chorus_bench.simulation import (
    CATEGORIES,
    PROMPTS,
    simulate_test_row,
    simulate_train_row,
)
from chorus_bench.simulation.cameras import PHOTOGRAPH
from chorus_bench.simulation.framing import draw_camera
from chorus_bench.simulation.interactions import interactions, make_scene
from chorus_bench.simulation.occupancy import occupancy
from chorus_bench.simulation.scenes import render
from chorus_bench.simulation.shading import encode_jpeg, shade

BUDGET = 0.060


def make_row(number):
    """Make the row of a number and return the bytes of its picture."""
    category = CATEGORIES[number % len(CATEGORIES)]
    prompts = PROMPTS[category]
    view = VIEWS[number // len(CATEGORIES) % len(VIEWS)].name
    row = simulate_train_row(category, prompts[number % len(prompts)], view, number)
    return len(row["image"]["bytes"])


def time_rows(images, workers):
    """Return seconds for a number of training rows, including the start of the workers."""
    start = time.perf_counter()
    with ProcessPoolExecutor(workers, initializer=keep_freed_memory) as pool:
        sizes = list(pool.map(make_row, range(images), chunksize=8))
    seconds = time.perf_counter() - start
    print(
        f"{images} training rows, {workers} workers: {seconds:.1f} s, "
        f"{1000 * seconds / images:.1f} ms each, {np.mean(sizes) / 1000:.0f} kB per picture"
    )
    return seconds


def time_parts(repeats=5):
    """Print the median time of each part of one picture, over all interactions."""
    body, stream, spent = load_body("default"), Stream("benchmark"), {}

    def timed(part, work):
        start = time.perf_counter()
        result = work()
        spent.setdefault(part, []).append(1000 * (time.perf_counter() - start))
        return result

    for category in CATEGORIES:
        for interaction in interactions(category) * repeats:
            scene = timed("scene", lambda i=interaction: make_scene(i, body, stream))
            camera = scene.placement.camera(draw_camera(scene, PHOTOGRAPH, (256, 256), stream))
            drawn = timed("render", lambda s=scene, c=camera: render(s, c, (256, 256)))
            picture = timed("shade", lambda s=scene, d=drawn, c=camera: shade(s, d, c, stream))
            timed("jpeg", lambda p=picture: encode_jpeg(p))
            timed("occupancy", lambda s=scene: occupancy(s.instances[1].mesh))
        for index in range(repeats):
            timed(
                "test row, no image",
                lambda c=category, k=index: simulate_test_row(c, k, with_image=False),
            )
    for part, times in spent.items():
        print(f"{part}: {np.median(times):.1f} ms")


def main():
    """Run both and compare with the budget."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    keep_freed_memory()  # as the workers of a build do
    time_parts()
    seconds = time_rows(arguments.images, arguments.workers)
    raise SystemExit(int(seconds > BUDGET * arguments.images))


if __name__ == "__main__":
    main()
