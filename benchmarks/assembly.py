"""Time, disk and driver's bytes of putting a synthesised dataset together from its stages.

    python benchmarks/assembly.py --gigabytes 2 --workers 2
    python benchmarks/assembly.py --gigabytes 2 --export     # as one process copies it

The shards are made up: 256 rows each, pictures of random bytes of the mean size of a photograph
(102 kB), one person and one object with masks. Nothing else is on the disk, so its use is that of
stages and dataset.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from chorus_bench.datasets.export import export
from chorus_bench.datasets.masks import encode_mask
from chorus_bench.engines import EngineSettings
from chorus_bench.synthesis.assembly import Assembly
from chorus_bench.synthesis.recipe import synthesized_recipe
from chorus_bench.synthesis.work_folder import ROW_STAGES, Manifest, Shard, StageFolder

ROWS, IMAGE_BYTES, CATEGORY = 256, 102_000, "surfboard"


def rows_of(shard, rng, mask):
    """Return the rows of every stage of a shard."""
    names = [f"{CATEGORY}-{n:07d}" for n in range(shard.begin, shard.end)]
    camera = {
        "camera_rotation": np.eye(3).tolist(),
        "camera_translation": [0.0, 0.0, 4.0],
        "camera_intrinsics": [[500.0, 0, 256.0], [0, 500.0, 256.0], [0, 0, 1.0]],
        "reprojection_error": 1.0,
    }
    box, pose = [10.0, 20.0, 300.0, 400.0], rng.normal(size=72).tolist()
    person = {"box": box, "score": 0.9, "mask": mask, "pose": pose, "betas": [0.0] * 10,
              "keypoints": rng.uniform(0, 512, (17, 3)).tolist(), **camera}  # fmt: skip
    verdict = {"verdict": "kept", "reason": None, **camera}
    return {
        "images": [
            {"sample_id": name, "category": CATEGORY, "prompt": "a person rides a surfboard",
             "view": "plain", "index": n, "seed": n, "source": "synthesized", "generator": "none",
             "height": 512, "width": 512, "attempt": 0, "fault": None,
             "image": {"bytes": rng.bytes(IMAGE_BYTES), "path": None}}
            for n, name in enumerate(names)
        ],
        "annotations": [
            {"sample_id": name, "people": [person],
             "objects": [{"category": CATEGORY, "box": box, "score": 0.9, "mask": mask}]}
            for name in names
        ],
        "filters": [
            {"sample_id": name, "human_mask": mask, "object_mask": mask, "pose": pose,
             "betas": [0.0] * 10, **verdict}
            for name in names
        ],
        "cameras": [{"sample_id": name, **verdict} for name in names],
    }  # fmt: skip


def make_stages(work, count):
    """Write so many shards of all stages."""
    rng = np.random.default_rng(0)
    canvas = np.zeros((512, 512), np.uint8)
    canvas[100:400, 150:350] = 1
    mask = encode_mask(canvas)
    shards = tuple(Shard(f"{CATEGORY}-{n:05d}", CATEGORY, n * ROWS, (n + 1) * ROWS)
                   for n in range(count))  # fmt: skip
    before = ""
    for stage in ROW_STAGES:
        settings = {"body": "default@000000000000"} if stage == "cameras" else {}
        manifest = Manifest(stage, settings, before, shards)
        StageFolder(work, stage).save_manifest(manifest)
        before = manifest.key
    for shard in shards:
        for stage, rows in rows_of(shard, rng, mask).items():
            StageFolder(work, stage).write(shard, rows, seconds=1, counts={}, models={})


def disk(*folders):
    """Return the bytes on the disk below folders; a file with several names counts once."""
    files = {}
    for folder in folders:
        for file in folder.rglob("*"):
            try:
                status = file.stat()
            except FileNotFoundError:
                continue
            files[status.st_ino] = status.st_blocks * 512
    return sum(files.values())


def driver_bytes():
    """Return what this process has read and written so far, in bytes, cached or not."""
    lines = Path("/proc/self/io").read_text().splitlines()
    found = dict(line.split(": ") for line in lines)
    return int(found["rchar"]), int(found["wchar"])


def put_together(work, target, workers, watch):
    """Let workers make the dataset; return it."""
    recipe = synthesized_recipe(work)
    assembly = Assembly(recipe, work, target)
    assembly.make_files(EngineSettings(workers=workers), lambda done, total: watch())
    return assembly.publish(recipe)


def main():
    """Make stages, put the dataset together, print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--export", action="store_true", help="copy in one process instead")
    parser.add_argument("--place", help="a folder on the disk to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.place) as place:
        work, target = Path(place) / "set.work", Path(place) / "set"
        make_stages(work, max(round(arguments.gigabytes * 1e9 / ROWS / IMAGE_BYTES), 1))
        os.sync()
        stages, peaks = disk(Path(place)), []
        watch = lambda *_: peaks.append(disk(Path(place)))  # noqa: E731
        read, written = driver_bytes()
        start = time.perf_counter()
        if arguments.export:
            built = export(synthesized_recipe(work), target, progress=watch)
        else:
            built = put_together(work, target, arguments.workers, watch)
        seconds = time.perf_counter() - start
        peaks.append(disk(Path(place)))
        now = driver_bytes()
        size = sum(shard.size for shard in built.info.shards)
        print(
            f"rows {built.info.rows}, dataset {size / 1e9:.2f} GB, files {len(built.info.shards)}"
        )
        print(
            f"seconds {seconds:.1f}: {size / 1e6 / seconds:.0f} MB/s; load {os.getloadavg()[0]:.1f}"
        )
        print(f"disk: stages {stages / 1e9:.2f} GB, at most {max(peaks) / 1e9:.2f}, "
              f"in the end {peaks[-1] / 1e9:.2f}")  # fmt: skip
        print(f"driver: read {(now[0] - read) / 1e9:.2f} GB, wrote {(now[1] - written) / 1e9:.2f}")


if __name__ == "__main__":
    main()
