"""What every test shares: a cache of its own, and nothing from the user's home."""

from __future__ import annotations

import contextlib
import signal
import sys

import pytest
from hypothesis import settings

# A busy machine is slow; time is no property of the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# A shell that starts the tests in the background has interruptions ignored, and every process
# that a test starts and interrupts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
