"""What every test shares: a cache of its own, and nothing from the user's home."""

from __future__ import annotations

import signal

import pytest

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
