"""Chromium for the tests: found, or installed where that is possible, or a failure that helps."""

from __future__ import annotations

import os
import shutil
import subprocess

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox", "--disable-dev-shm-usage", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--force-color-profile=srgb",
)  # fmt: skip


def find_browser():
    """Return the path of a Chromium, or None."""
    given = os.environ.get("CHORUS_BENCH_BROWSER")
    if given:
        return shutil.which(given)
    return next(filter(None, map(shutil.which, CANDIDATES)), None)


def browser_path():
    """Return the path of a Chromium, installing Debian's where that is possible."""
    found = find_browser()
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        for command in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
            subprocess.run(["apt-get", *command], check=False, capture_output=True, timeout=300)
        found = find_browser()
    if found is None:
        raise RuntimeError(
            "no Chromium found; install one (apt-get install chromium) or set "
            f"CHORUS_BENCH_BROWSER to its path; looked for {', '.join(CANDIDATES)}"
        )
    return found
