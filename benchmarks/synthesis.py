"""Cost of each stage of the synthesis on this machine: seconds, bytes, memory.

    OMP_NUM_THREADS=1 python benchmarks/synthesis.py
    OMP_NUM_THREADS=1 python benchmarks/synthesis.py --images FOLDER_OF_JPEGS --repeats 5

One worker, one thread. The real model classes are tiny and have random weights: their figures are
the cost of the pipeline around a model, not of a model. Speeds are medians over the repeats. Each
stage runs in a separate process, so that its peak memory is its own. Run it in a checkout: the tiny
models are those of the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tabulate import tabulate

ROOT = Path(__file__).parents[1]
CATEGORY = "surfboard"
VIEWS = ("plain", "side_view", "full_body", "back_view")
PROMPTS = 8
TINY_SIZE = 64
VOTED = 1000


def tree(folder, tiny):
    """Return the settings of a dataset of PROMPTS x VIEWS images in one shard."""
    from chorus_bench.synthesis.prompts import shipped_prompts, write_prompts
    from chorus_bench.synthesis.settings import read_settings

    write_prompts(folder / "prompts", {CATEGORY: shipped_prompts(CATEGORY)[:PROMPTS]})
    (folder / "views.yaml").write_text("".join(f"{v}: '{v.replace('_', ' ')}'\n" for v in VIEWS))
    changes = {
        "categories": [CATEGORY],
        "prompts.source": str(folder / "prompts"),
        "images.views": str(folder / "views.yaml"),
        **(tiny_models(folder) if tiny else {}),
    }
    return read_settings(None if tiny else "tiny", changes=changes)


def tiny_models(folder):
    """Save models of the real classes with random weights; return the settings that name them."""
    sys.path.insert(0, str(ROOT))
    from tests.synthesis.tiny_annotators import tiny_keypoints, tiny_segmenter
    from tests.synthesis.tiny_models import tiny_pipeline
    from tests.synthesis.tiny_nlf import Nlf, Person, saved

    size = (TINY_SIZE, TINY_SIZE)
    made = folder / "models"
    made.mkdir(exist_ok=True)
    if not (made / "nlf.torchscript").is_file():
        tiny_pipeline(made / "pipeline")
        tiny_segmenter(made / "segmenter", ("person", CATEGORY))
        tiny_keypoints(made / "keypoints")
        saved(Nlf([Person(0, (0, 0, 3.0), size=size, focal=80.0)]), made)
    return {
        "images.generator": {"name": "diffusers", "model": str(made / "pipeline"), "steps": 4,
                             "height": TINY_SIZE, "width": TINY_SIZE},
        "annotations.segmenter": {"name": "transformers", "model": str(made / "segmenter"),
                                  "threshold": 0.0},
        "annotations.keypoints": {"name": "transformers", "model": str(made / "keypoints")},
        "annotations.pose": {"name": "nlf", "model": str(made / "nlf.torchscript"),
                             "min_overlap": 0.01},
    }  # fmt: skip


def peak():
    """Return the peak memory of this process, MiB."""
    status = Path("/proc/self/status")
    if status.is_file():  # ru_maxrss of a child counts its parent's memory on Linux
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def run_stage(folder, tiny, stage, repeats):
    """Run a stage in this process a few times; return median images per second and peak MiB."""
    from chorus_bench.synthesis.annotators.oracle import _simulate
    from chorus_bench.synthesis.pipeline import synthesize

    settings = tree(folder, tiny)
    speeds = []
    for _ in range(repeats):
        _simulate.cache_clear()
        report = synthesize(settings, folder / "d", stage=stage, redo=stage).stages[0]
        speeds.append(report.rows / report.seconds if report.seconds else 0.0)
    return {"speed": statistics.median(speeds), "peak": peak()}


def run_aggregate(folder):
    """Count the votes of VOTED views of 512 x 512 in this process and save them."""
    from aggregation import make_rows

    from chorus_baselines.chorus import aggregate, save_aggregation
    from chorus_bench.selftest.data import golden_body

    found = aggregate(make_rows(VOTED), body=golden_body(), threads=1)
    save_aggregation(found, folder / "votes.npz")
    size = (folder / "votes.npz").stat().st_size
    return {"peak": peak(), "views": found.views, "size": size}


def in_a_process(*arguments):
    """Run this file with arguments in a separate process and return its output."""
    command = [sys.executable, __file__, *(str(a) for a in arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def stage_rows(folder, tiny, repeats):
    """Yield rows of the table for one kind of models."""
    label = "tiny models" if tiny else "simulated"
    for stage in ("prompts", "images", "annotations", "filters", "cameras"):
        found = in_a_process("--repeats", repeats, "--stage", stage, folder, label)
        if stage != "prompts":
            yield f"{stage}, {label}", f"{found['speed']:,.1f} images/s"
            yield f"{stage}, {label}: peak memory", f"{found['peak']:.0f} MiB"


def timed(function, repeats):
    """Return the median seconds of a call, and its last result."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), result


def picture_rows(images, repeats):
    """Return the size and cost of JPEG at 512 x 512, quality 95, of photographs in a folder."""
    import cv2

    from chorus_bench.synthesis.image_files import decode_picture, encode_picture

    files = sorted(f for f in Path(images).rglob("*") if f.suffix.lower() in (".jpg", ".jpeg"))
    pictures = [
        cv2.resize(decode_picture(f.read_bytes(), f), (512, 512), interpolation=cv2.INTER_AREA)
        for f in files
    ]
    if not pictures:
        return [], []
    seconds, coded = timed(lambda: [encode_picture(p, "jpeg", 95) for p in pictures], repeats)
    sizes = [len(content) for content in coded]
    return coded, [
        (f"JPEG of {len(files)} photographs at 512 x 512, quality 95",
         f"{np.mean(sizes) / 1000:.0f} kB mean, {np.percentile(sizes, 90) / 1000:.0f} kB at 90 %"),
        ("encoding one", f"{1000 * seconds / len(files):.1f} ms"),
    ]  # fmt: skip


def shard_rows(coded, repeats):
    """Return the cost of writing and reading a shard of 256 images of 512 x 512."""
    from chorus_bench.synthesis.work_folder import Shard, StageFolder

    shard = Shard("surfboard-00000", CATEGORY, 0, 256)
    rows = [
        {"sample_id": f"{n:05d}", "category": CATEGORY, "prompt": "p", "view": "plain", "index": n,
         "seed": n, "source": "synthesized", "generator": "g", "height": 512, "width": 512,
         "image": {"bytes": coded[n % len(coded)], "path": None}, "attempt": 0, "fault": None}
        for n in range(shard.rows)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        folder = StageFolder(place, "images")
        write, record = timed(
            lambda: folder.write(shard, rows, seconds=1, counts={}, models={}), repeats
        )
        read, _ = timed(lambda: folder.read(shard), repeats)
    size = record.size / 1e6
    return [
        ("shard of 256 such images", f"{size:.1f} MB"),
        ("writing it", f"{write:.2f} s, {size / write:.0f} MB/s"),
        ("reading it, with its checksum", f"{read:.2f} s, {size / read:.0f} MB/s"),
    ]


def annotation_rows(folder):
    """Return bytes of a row of annotations, filters and cameras, simulated at 512 x 512."""
    from chorus_bench.synthesis.pipeline import synthesize
    from chorus_bench.synthesis.settings import read_settings
    from chorus_bench.synthesis.work_folder import Shard, StageFolder

    changes = tree(folder, tiny=False).as_dict()
    changes["images.generator"] = {"name": "simulated", "size": 512}
    settings = read_settings(changes=changes)
    made = synthesize(settings, folder / "large")
    count = made.statistics.rows
    rows = []
    for stage in ("annotations", "filters", "cameras"):
        shard = Shard("surfboard-00000", CATEGORY, 0, count)
        record = StageFolder(made.work, stage).record(shard)
        rows.append((f"row of {stage} in Parquet, simulated at 512 x 512",
                     f"{record.size / record.rows / 1000:.1f} kB"))  # fmt: skip
    return rows


def vote_rows(folder, repeats):
    """Return the size of a category's votes, and the cost of loading and adding them."""
    from chorus_baselines.chorus.storage import load_aggregation

    found = [in_a_process("--stage", "aggregate", folder, "simulated")]
    file = folder / "votes.npz"
    load, votes = timed(lambda: load_aggregation(file), repeats)
    add, _ = timed(lambda: votes + votes, repeats)
    return [
        (
            f"votes of a category (npz, {found[0]['views']} views)",
            f"{found[0]['size'] / 1e6:.2f} MB",
        ),
        ("loading votes", f"{1000 * load:.0f} ms"),
        ("adding two", f"{1000 * add:.1f} ms"),
        ("aggregate: peak memory", f"{found[0]['peak']:.0f} MiB"),
    ]


def measure(base, images, repeats):
    """Yield all rows of the table."""
    simulated, tiny = base / "simulated", base / "tiny"
    for folder in (simulated, tiny):
        folder.mkdir()
    if images:
        coded, found = picture_rows(images, repeats)
        yield from found
        if coded:
            yield from shard_rows(coded, repeats)
    yield from stage_rows(simulated, False, repeats)
    yield from stage_rows(tiny, True, repeats)
    yield from annotation_rows(simulated)
    yield from vote_rows(simulated, repeats)


def main():
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", help="a folder of photographs for the JPEG figures")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stage", nargs=3, metavar=("STAGE", "FOLDER", "KIND"),
                        help=argparse.SUPPRESS)  # fmt: skip
    arguments = parser.parse_args()
    if arguments.stage:
        stage, folder, kind = arguments.stage
        place = Path(folder)
        found = (
            run_aggregate(place)
            if stage == "aggregate"
            else run_stage(place, kind == "tiny models", stage, arguments.repeats)
        )
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as base:
        rows = []
        for row in measure(Path(base), arguments.images, arguments.repeats):
            print("measured:", *row, file=sys.stderr, flush=True)
            rows.append(row)
    print(tabulate(rows, headers=("what", f"median of {arguments.repeats}"), disable_numparse=True))
    print(f"\n{PROMPTS * len(VIEWS)} images per stage, one worker; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
