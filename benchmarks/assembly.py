"""Time, disk and driver's bytes of putting a synthesised dataset together from its stages.

    python benchmarks/assembly.py --gigabytes 2 --workers 2
    python benchmarks/assembly.py --gigabytes 2 --export     # as one process copies it

The shards are made up: 256 rows each, pictures of random bytes of the mean size of a photograph
(102 kB), one person and one object with masks. Nothing else is on the disk, so its use is that of
stages and dataset.
"""

import argparse
import contextlib
import os
import resource
import tempfile
import threading
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


def disk(folder):
    """Return the bytes on the disk below a folder; a file with several names counts once."""
    files = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                status = Path(parent, name).stat()
                files[status.st_ino] = status.st_blocks * 512
    return sum(files.values())


def driver_bytes():
    """Return what this thread has read and written so far, in bytes, cached or not."""
    lines = Path("/proc/thread-self/io").read_text().splitlines()
    found = dict(line.split(": ") for line in lines)
    return int(found["rchar"]), int(found["wchar"])


def cpu_seconds():
    """Return the processor time of this process and of its ended workers."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def put_together(work, target, workers, limit):
    """Let workers make the dataset; return it."""
    recipe = synthesized_recipe(work)
    assembly = Assembly(recipe, work, target, limit)
    assembly.make_files(EngineSettings(workers=workers), lambda done, total: None)
    return assembly.publish(recipe)


@contextlib.contextmanager
def watched(folder):
    """Give a list that a thread fills with the bytes on the disk below a folder."""
    found, over = [disk(folder)], threading.Event()

    def watch():
        while not over.wait(0.2):
            found.append(disk(folder))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
        found.append(disk(folder))


def main():
    """Make stages, put the dataset together, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--file-megabytes", type=float, default=400, help="size of the files")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--export", action="store_true", help="copy in one process instead")
    parser.add_argument("--place", help="a folder on the disk to measure")
    arguments = parser.parse_args()
    limit = int(arguments.file_megabytes * 1e6)
    with tempfile.TemporaryDirectory(dir=arguments.place) as place:
        work, target = Path(place) / "set.work", Path(place) / "set"
        make_stages(work, max(round(arguments.gigabytes * 1e9 / ROWS / IMAGE_BYTES), 1))
        os.sync()
        with watched(Path(place)) as used:
            before, start, cpu = driver_bytes(), time.perf_counter(), cpu_seconds()
            if arguments.export:
                built = export(synthesized_recipe(work), target, shard_bytes=limit)
            else:
                built = put_together(work, target, arguments.workers, limit)
            seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
            after = driver_bytes()
    size = sum(shard.size for shard in built.info.shards)
    load, (read, written) = os.getloadavg()[0], np.subtract(after, before) / 1e9
    print(f"{built.info.rows} rows, {size / 1e9:.2f} GB in {len(built.info.shards)} files")
    print(f"{seconds:.1f} s, {size / 1e6 / seconds:.0f} MB/s, load {load:.1f}")
    print(f"{cpu:.1f} s of processor time, {cpu / size * 1e9:.1f} s a GB")
    disks = [f"{value / 1e9:.2f}" for value in (used[0], max(used), used[-1])]
    print(f"disk: stages {disks[0]} GB, at most {disks[1]}, in the end {disks[2]}")
    print(f"driver's thread: read {read:.3f} GB, wrote {written:.3f}")


if __name__ == "__main__":
    main()
