"""Stage `cameras`: perspective cameras of the kept images of a shard.

Source: docs/method.md M9 to M13.
"""

from __future__ import annotations

from collections.abc import Callable

from chorus_bench.geometry.body_files import load_body
from chorus_bench.synthesis.cameras import add_cameras
from chorus_bench.synthesis.jobs import Made, StageWork
from chorus_bench.synthesis.joined import read_joined
from chorus_bench.synthesis.work_folder import Shard


def load_cameras(work: StageWork) -> Callable[[Shard], Made]:
    """Load the body; return the function that adds cameras to the kept rows of a shard."""
    body = load_body(work.settings.body)
    chosen = work.settings.cameras.arguments(body)

    def make(shard: Shard) -> Made:
        sizes = work.folder("images").read(shard, ("height", "width"))
        found = read_joined(work.work, shard, ("annotations", "filters"))
        rows = [{**row, **size} for row, size in zip(found, sizes, strict=True)]
        solved = add_cameras(rows, body, **chosen)
        return Made.with_verdicts(list(solved), "cameras")

    return make
