"""Datasets, fields and scores are the same to the bit on processors of three kinds.

Three processes make the same things: one as this machine is, one whose BLAS uses the kernels of
another processor, and one as on an old processor, in which neither BLAS nor NumPy nor the JPEG
encoder may use wide registers or fused operations.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).parents[2] / "tools" / "reproducibility" / "digests.py"

#: Kernels of OpenBLAS for another and for an old processor, by machine.
_KERNELS = {"x86_64": ("Haswell", "Prescott"), "aarch64": ("NEOVERSEN1", "ARMV8")}


def wide_features() -> list[str]:
    """Return the features for which NumPy has code of its own and that this processor has.

    Their names differ between versions of NumPy, and it refuses those that are not its own.
    """
    core = "numpy._core" if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else "numpy.core"
    module = __import__(f"{core}._multiarray_umath", fromlist=["__cpu_features__"])
    return [name for name in module.__cpu_dispatch__ if module.__cpu_features__.get(name)]


def kinds() -> dict[str, dict[str, str]]:
    """Return environments, one for each kind of processor."""
    other, old = _KERNELS.get(platform.machine(), ("", ""))
    narrow = {"NPY_DISABLE_CPU_FEATURES": " ".join(wide_features()), "JSIMD_FORCENONE": "1"}
    return {
        "as it is": {},
        "another": {"OPENBLAS_CORETYPE": other},
        "old": {"OPENBLAS_CORETYPE": old, **narrow},
    }


def digests(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """Return the digests that one kind of processor gives: name -> digest."""
    run = subprocess.run(
        [sys.executable, SCRIPT, "--quick"],
        env={**os.environ, "CHORUS_BENCH_CACHE": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    machine, *lines = run.stdout.splitlines()
    assert "machine" in json.loads(machine)
    found: dict[str, str] = {}
    for line in lines:
        found |= json.loads(line)
    return found


def test_numpy_can_be_narrowed(tmp_path):
    """What is disabled is disabled: a name that NumPy does not know would only warn."""
    code = "from tests.project.test_same_bits import wide_features; print(wide_features())"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **kinds()["old"]},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr


def test_three_kinds_of_processor_give_the_same_bits(tmp_path):
    found = {
        kind: digests(environment, tmp_path / str(number))
        for number, (kind, environment) in enumerate(kinds().items())
    }
    assert len(found["as it is"]) == 7
    for kind, theirs in found.items():
        differ = [name for name, value in theirs.items() if value != found["as it is"][name]]
        assert not differ, f"a processor that is {kind} gives other bits: {differ}"
