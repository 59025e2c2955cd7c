"""What every test shares: a cache of its own, and nothing from the user's home."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow; time is no property of the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# Every process that a test starts imports the package: without compiled modules it compiles them.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# There are as many workers as processors, and torch has a thread of each worker on each processor.
# Threads that wait for one another are to sleep: by default they spin, and a picture of a tiny
# network took ten times its time. OpenMP reads this when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

#: What takes longest begins first, so that at the end no worker waits for the other.
LONGEST = (
    "engines/test_ray.py",
    "synthesis/test_kill.py",
    "project/test_crash.py",
    "project/test_same_bits.py",
    "synthesis/test_synthesize_cli.py",
    "synthesis/test_real_models.py",
    "synthesis/test_yolo.py",
    "evaluation/test_harness.py",
    "cli/test_demo.py",
    "cli/test_cli.py",
    "site",
    "report",
    "documents",
    "leaderboard",
    "synthesis",
    "evaluation",
    "baselines",
    "project/test_packaging.py",
)

# A shell that starts the tests in the background has interruptions ignored, and every process
# that a test starts and interrupts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Put `LONGEST` first; the other tests stay in their order."""
    here = Path(__file__).parent
    assert all((here / start).exists() for start in LONGEST)

    def place(item):
        name = item.path.relative_to(here).as_posix()
        found = (n for n, start in enumerate(LONGEST) if f"{name}/".startswith(f"{start}/"))
        return next(found, len(LONGEST))

    items.sort(key=place)


def pytest_collection_finish():
    """Leave the modules of all tests, which stay, to no garbage collection: each takes a second."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep prepared geometry in one folder a run, shared by the workers (they must agree)."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "chorus-bench-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHORUS_BENCH_CACHE", str(folder))
        yield


@pytest.fixture
def bars(monkeypatch):
    """Return the texts of the bars that are drawn, with their steps."""
    drawn: dict[str, list[tuple[int, int]]] = {}

    @contextlib.contextmanager
    def bar(label):
        steps = drawn.setdefault(label, [])
        yield lambda done, total: steps.append((done, total))

    monkeypatch.setattr("chorus_bench.progress.progress_bar", bar)
    return drawn


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package with one module and one entry point."""

    def install(package: str, source: str, group: str, value: str) -> None:
        folder = tmp_path / package
        info = folder / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{package}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{package} = {value}\n")
        monkeypatch.delitem(sys.modules, package, raising=False)
        monkeypatch.syspath_prepend(folder)

    return install
