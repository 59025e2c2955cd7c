"""Time and memory to build the COCO-EFT split.

    python benchmarks/coco_eft.py                    # sources of the size of the real ones
    python benchmarks/coco_eft.py --real FOLDER      # real annotations, with our own fits

Without ``--real``, the sources are made up: 40,504 images, 291,875 annotations, 10,510 fits, of
which a quarter have a pair. With it, FOLDER has ``instances_val_subset.json`` (COCO's
annotations of some val images); the fits are those of tests/data/real_coco.
"""

import argparse
import json
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.coco_eft.annotations import image_name_2014
from chorus_bench.datasets.coco_eft.categories import CATEGORIES
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.geometry.rotations import axis_angle_to_matrix

FITS = Path(__file__).parents[1] / "tests" / "data" / "real_coco" / "all_fits.json.gz"
IMAGES, ANNOTATIONS, PEOPLE = 40_504, 291_875, 10_510
HEIGHT, WIDTH, POINTS = 480, 640, 30


def outline(rng, box):
    """Return a polygon of 30 points in a box."""
    x, y, width, height = box
    angle = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    radius = rng.uniform(0.6, 1.0, POINTS) / 2
    points = np.stack([x + width * (0.5 + radius * np.cos(angle)),
                       y + height * (0.5 + radius * np.sin(angle))], axis=1)  # fmt: skip
    return [np.round(points, 2).reshape(-1).tolist()]


def annotation(rng, number, image, category, box):
    """Return a COCO annotation."""
    return {"id": number, "image_id": image, "category_id": category, "bbox": list(box),
            "iscrowd": 0, "area": 1.0, "segmentation": outline(rng, box)}  # fmt: skip


def make_annotations(rng):
    """Return an annotation file; the first quarter of the people have one object each."""
    content = {
        "categories": [{"id": n, "name": c} for n, c in enumerate(("person", *CATEGORIES), 1)],
        "images": [
            {"id": n, "file_name": image_name_2014(n), "height": HEIGHT, "width": WIDTH}
            for n in range(1, IMAGES + 1)
        ],
    }
    person, below = (220.0, 60.0, 200.0, 380.0), (200.0, 380.0, 240.0, 60.0)
    annotations = [annotation(rng, n, n, 1, person) for n in range(1, PEOPLE + 1)]
    for number in range(PEOPLE + 1, ANNOTATIONS + 1):
        image = number - PEOPLE
        if image <= PEOPLE // 4:
            annotations.append(annotation(rng, number, image, 2 + image % 14, below))
        else:
            image = int(rng.integers(PEOPLE // 4 + 1, IMAGES + 1))
            annotations.append(annotation(rng, number, image, 1, below))
    return content | {"annotations": annotations}


def make_fits(rng):
    """Return a file of fits: people who stand, seen from all around."""
    entries = []
    for number in range(1, PEOPLE + 1):
        pose = rng.normal(0, 0.2, (24, 3))
        matrices = axis_angle_to_matrix(pose)
        heading = axis_angle_to_matrix(np.array([0.0, rng.uniform(-np.pi, np.pi), 0.0]))
        tilt = axis_angle_to_matrix(np.array([np.pi, 0.0, 0.0]) + rng.normal(0, 0.1, 3))
        matrices[0] = tilt @ heading
        entries.append(
            {
                "annotId": number,
                "imageName": image_name_2014(number),
                "parm_pose": matrices.tolist(),
                "parm_shape": rng.normal(0, 0.2, 10).tolist(),
                "parm_cam": [float(rng.uniform(0.7, 1.0)), *rng.normal(0, 0.03, 2).tolist()],
                "bbox_scale": 2.28,
                "bbox_center": [320.0, 250.0],
                "fitted_by": "nobody: random numbers of benchmarks/coco_eft.py",
            }
        )
    return {"ver": 1.0, "data": entries}


def make_sources(folder):
    """Write both files; return their paths."""
    rng = np.random.default_rng(0)
    paths = (folder / "instances_val2014.json", folder / "COCO2014-Val-ver10.json")
    for path, content in zip(paths, (make_annotations(rng), make_fits(rng)), strict=True):
        path.write_text(json.dumps(content))
    return paths


def main():
    """Build with both solvers and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, help="folder with instances_val_subset.json")
    parser.add_argument("--solver", choices=("adam", "lm"), action="append")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.real is None:
            # In a separate process, so that its memory does not count for the build.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                annotations, fits = pool.submit(make_sources, folder).result()
        else:
            annotations, fits = options.real / "instances_val_subset.json", FITS
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{annotations.stat().st_size / 1e6:.0f} MB of annotations, "
              f"{fits.stat().st_size / 1e6:.1f} MB of fits")  # fmt: skip
        for solver in options.solver or ("lm", "adam"):
            started = time.perf_counter()
            built = build_dataset(
                "coco-eft", folder / solver, annotations=annotations, fits=fits, solver=solver
            )
            seconds = time.perf_counter() - started
            people = built.info.details["people_with_pairs"]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(f"{solver}: {people} people, {built.info.rows} rows in {seconds:.1f} s; "
                  f"left out {dict(built.info.left_out)}; peak {peak:.2f} GB "
                  f"({before:.2f} GB before)")  # fmt: skip
            started = time.perf_counter()
            assert verify_dataset(built.path).ok
            print(f"  verified in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
