"""The cache folder: data kept between runs that can be recomputed."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of prepared geometry.

    ``$CHORUS_BENCH_CACHE``, or ``chorus-bench`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
    """
    if "CHORUS_BENCH_CACHE" in os.environ:
        return Path(os.environ["CHORUS_BENCH_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chorus-bench"
