"""Print digests of results that must be identical on every machine.

    python tools/reproducibility/digests.py            (minutes)
    python tools/reproducibility/digests.py --quick    (half a minute: fewer samples)

Run it on two machines, or on one under different conditions, and compare the output line by line;
docs/reproducibility.md says how to make one x86 processor behave like another, and how to run on
an emulated Arm processor. The first line, with the machine and the versions, may differ.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from chorus_bench.baseline import fit_baseline
from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.samples import EvalSplit
from chorus_bench.evaluation import evaluate
from chorus_bench.evaluation.prepare import prepare_sample
from chorus_bench.geometry.body_files import load_body
from chorus_bench.metrics.protocol import OFFICIAL

REAL_PEOPLE = Path(__file__).parents[2] / "tests" / "data" / "real_coco"
PREPARED = ("classes", "pixels", "starts", "voxels", "points")


def digest(parts: Iterable[bytes]) -> str:
    """Return the first 12 hex digits of a SHA-256."""
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


def real_people(folder: Path, solver: str) -> str:
    """Return the fingerprint of the COCO-EFT split of 13 real people."""
    sources = {"annotations": REAL_PEOPLE / "instances.json", "fits": REAL_PEOPLE / "fits.json"}
    return build_dataset("coco-eft", folder / solver, solver=solver, **sources).info.fingerprint


def simulated_test(folder: Path, samples: int) -> str:
    """Return the fingerprint of a simulated test split of one category."""
    options = {"categories": ["backpack"], "per_category": samples}
    return build_dataset("simulated", folder / "test", **options).info.fingerprint


def simulated_train(folder: Path, size: int) -> str:
    """Return the fingerprint of a simulated training set of one category, pictures included."""
    options = {"split": "train", "categories": ["surfboard"], "size": size}
    return build_dataset("simulated", folder / "train", **options).info.fingerprint


def learned_field(folder: Path) -> str:
    """Return the digest of the field that `chorus` learns from that training set."""
    fields = fit_baseline("chorus", folder / "train")
    return digest(np.asarray(fields[name]).tobytes() for name in sorted(fields))


def some_of_the_example(samples: int) -> EvalSplit:
    """Return the example split with a few samples of each category."""
    split = load_split("example")
    chosen = [
        sample
        for name in split.counts
        for sample in [s for s in split.samples if s.category == name][:samples]
    ]
    return replace(split, samples=tuple(chosen), min_samples=1)


def prepared_geometry(samples: int) -> str:
    """Return the digest of the prepared geometry of the example's samples."""
    body = load_body("default")
    prepared = [prepare_sample(s, body, OFFICIAL) for s in some_of_the_example(samples).samples]
    return digest(getattr(one, name).tobytes() for one in prepared for name in PREPARED)


def example_scores(folder: Path, samples: int) -> str:
    """Return the digest of the example submission's scores: four numbers and counts per sample."""
    split = some_of_the_example(samples)
    result = evaluate("example", split=split, cache=folder / "cache")
    return digest([str(result.samples.to_pylist()).encode()])


def main() -> None:
    """Print one line for each artefact."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    parser.add_argument("--samples", type=int, help="samples per category of the example")
    arguments = parser.parse_args()
    quick = arguments.quick
    samples = arguments.samples or (1 if quick else 15)
    packages = ("numpy", "scipy", "opencv-python-headless", "pyarrow")
    versions = {"python": platform.python_version(), **{name: version(name) for name in packages}}
    print(json.dumps({"machine": platform.machine(), **versions}), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        artefacts = {
            "real people, adam": lambda: real_people(folder, "adam"),
            "real people, lm": lambda: real_people(folder, "lm"),
            "simulated test split": lambda: simulated_test(folder, 2 if quick else 30),
            "simulated training set": lambda: simulated_train(folder, 64 if quick else 256),
            "learned field": lambda: learned_field(folder),
            f"prepared geometry, {4 * samples} samples": lambda: prepared_geometry(samples),
            f"example scores, {4 * samples} samples": lambda: example_scores(folder, samples),
        }
        for name, make in artefacts.items():
            print(json.dumps({name: make()}), flush=True)


if __name__ == "__main__":
    main()
