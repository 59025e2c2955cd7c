"""Time, memory and size of a large leaderboard: ``python benchmarks/leaderboard.py``.

Makes entries of made-up methods that are consistent to the last bit (``--methods 200``,
``--categories 14``, ``--samples 1500``; ``--quick`` packs their tables less tightly, in a twentieth
of the time), then builds the page in a separate process, as
``chorus-bench leaderboard build`` does: every entry is read, every rule applied, and everything
ranked.
Prints seconds, peak memory and the sizes of what a browser loads first.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

SIGNATURE = "made-up@0123456789ab"
DATE = "2026-01-31"


def pictures(samples: int, seed: int) -> np.ndarray:
    """Return the pixels of each class, which are the same for all methods, (samples, 4)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(1024, [0.6, 0.15, 0.17, 0.08], size=samples)


def histograms(pixels: np.ndarray, skill: float, seed: int) -> np.ndarray:
    """Return (samples, 4, 100) pixels by class and level; on the target levels are higher."""
    rng = np.random.default_rng(seed)
    levels = np.arange(100)
    found = np.zeros((*pixels.shape, 100), dtype=np.int64)
    for kind in range(4):
        mean = 25 + 45 * skill * (kind & 1)
        shares = np.exp(-(((levels - mean) / 25) ** 2))
        shares[0] = shares.sum() * (0.4 if kind & 1 else 3.0)
        found[:, kind] = rng.multinomial(pixels[:, kind], shares / shares.sum())
    return found


def write_result(folder: Path, number: int, categories: int, samples: int) -> None:
    """Write the result of a made-up method."""
    import pyarrow as pa

    from chorus_bench.evaluation.results import (
        EvaluationResult,
        by_category,
        rescored,
        samples_table,
        scores_of,
        scores_only,
        summarize,
    )
    from chorus_bench.metrics.protocol import CLOSED, OFFICIAL

    tables = []
    for c in range(categories):
        name, count = f"category {c:02d}", samples // categories + (c < samples % categories)
        shape = histograms(pictures(count, c), 0.5 + number / 800, 1000 * number + c)
        ids = [f"made-up-{c:02d}-{i:06d}" for i in range(count)]
        tables.append(samples_table(ids, name, shape, OFFICIAL))
    table = pa.concat_tables(tables).combine_chunks()
    summary = summarize(by_category(table, scores_of(table)))
    for entry in summary["categories"].values():
        entry["missing"] = False
    closed = scores_only(by_category(table, rescored(table, closed=True)))
    result = EvaluationResult(
        signature=OFFICIAL.signature(SIGNATURE, "default@0123456789ab"),
        submission={
            "method": f"method {number:03d}",
            "track": "canonical",
            "sha256": f"{number:064x}",
        },
        **summary,
        beside={"closed": {"signature": CLOSED.signature(SIGNATURE, "d@0123456789ab"), **closed}},
        skipped={},
        unavailable={},
        warnings=(),
        environment={},
        seconds=0.0,
        samples=table,
    )
    result.save(folder)


def loosely_packed(samples: pa.Table) -> bytes:
    """Return the table of samples as entries have it, but 30 % larger, and 80 times as fast."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(samples, sink, use_dictionary=False, compression="brotli", compression_level=5)
    return sink.getvalue()


def make(folder: Path, methods: int, categories: int, samples: int, *, quick: bool = False) -> None:
    """Make a leaderboard with the entries of some made-up methods."""
    from chorus_bench.leaderboard import adding

    pack = loosely_packed if quick else adding.small_table
    with tempfile.TemporaryDirectory() as place, patch.object(adding, "small_table", pack):
        for number in range(methods):
            write_result(Path(place), number, categories, samples)
            adding.add_entry(place, folder, submitted_by="benchmark", date=DATE)


def build(folder: Path, output: Path) -> dict:
    from chorus_bench.leaderboard.site import build_site

    started = time.perf_counter()
    build_site(folder, output, date=DATE)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": time.perf_counter() - started, "peak": peak}


def report(output: Path, figures: dict) -> None:
    sizes = {
        str(file.relative_to(output)): file.stat().st_size
        for file in output.rglob("*")
        if file.is_file()
    }
    print(f"build       {figures['seconds']:8.1f} s (imports excluded)")
    print(f"peak memory {figures['peak'] / 2**20:8.0f} MiB")
    for name in ("index.html", "data/board.js", "data/samples-b0.js", "board.json", "board.csv"):
        print(f"{name:20s}{sizes[name] / 1e6:8.2f} MB")
    print(f"{'all files':20s}{sum(sizes.values()) / 1e6:8.2f} MB in {len(sizes)} files")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", type=int, default=200)
    parser.add_argument("--categories", type=int, default=14)
    parser.add_argument("--samples", type=int, default=1500)
    parser.add_argument("--quick", action="store_true", help="pack tables of entries less tightly")
    parser.add_argument("--keep", type=Path, help="folder that keeps entries and page")
    parser.add_argument("--build", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.build:
        print(json.dumps(build(*args.build)))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = args.keep or Path(place)
        if not (folder / "board").is_dir():
            make(folder / "board", args.methods, args.categories, args.samples, quick=args.quick)
        paths = [str(folder / "board"), str(folder / "page")]
        command = [sys.executable, __file__, "--build", *paths]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        report(folder / "page", json.loads(done.stdout))


if __name__ == "__main__":
    main()
