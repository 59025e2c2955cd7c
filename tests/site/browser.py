"""Chromium for the tests: found, or installed where that is possible, or a failure that helps."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

#: The shell is Chromium without windows: the same pages for less than half the processor's time.
SHELL = "chromium-headless-shell"
CANDIDATES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox", "--disable-dev-shm-usage", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--force-color-profile=srgb", "--disable-gpu-compositing",
)  # fmt: skip
#: What Chromium itself says of a 3D view where no GPU puts the page together.
OF_THE_DRIVER = "GPU stall due to ReadPixels"
#: The longest that the download may take on a slow line, in seconds.
PATIENCE = 1800


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
        with Path(tempfile.gettempdir(), "chorus-bench-browser.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of two workers, one installs
            found = find_browser() or install_browser()
    if found is None:
        raise RuntimeError(
            "no Chromium found; install one (apt-get install chromium) or set "
            f"CHORUS_BENCH_BROWSER to its path; looked for {', '.join(CANDIDATES)}"
        )
    return found


def install_browser():
    """Install Debian's Chromium; return its path, or None."""
    for command in (["update"], ["install", "-y", SHELL], ["install", "-y", "chromium"]):
        if find_browser() is None:
            line = ["apt-get", "-qq", *command]
            subprocess.run(line, check=False, capture_output=True, timeout=PATIENCE)
    return find_browser()
