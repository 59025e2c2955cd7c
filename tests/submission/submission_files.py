"""Small submissions for the tests, well-formed until a test says otherwise."""

import io
import json
from pathlib import Path

import numpy as np

from chorus_bench.submission import SubmissionReport, check_submission

N = 8
MANIFEST = f"method: test\ntrack: canonical\ngrid: {{resolution: {N}}}\n"
POSED_MANIFEST = MANIFEST.replace("canonical", "posed")


def ramp(seed: int = 0) -> np.ndarray:
    """A field that spreads over all thresholds, different for each seed."""
    values = np.linspace(0, 1, N**3, dtype=np.float32)
    return np.random.default_rng(seed).permutation(values).reshape(N, N, N)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def safetensors(header: object, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def tensor(array: np.ndarray, name: str = "occupancy") -> bytes:
    dtype = {"float32": "F32", "float16": "F16", "uint8": "U8", "float64": "F64"}[array.dtype.name]
    entry = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [0, array.nbytes]}
    return safetensors({name: entry}, array.tobytes())


def fill(folder: Path, files: dict[str, bytes] | None = None, manifest: str = MANIFEST) -> Path:
    """Write a submission by hand; by default with the one category ``bench``."""
    files = {"grids/bench.safetensors": tensor(ramp())} if files is None else files
    for name, data in {"submission.yaml": manifest.encode(), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def problems(path: Path) -> str:
    """Everything that a check reports as an error, as one text."""
    report = check_submission(path)
    assert not report.ok
    return lines(report)


def lines(report: SubmissionReport) -> str:
    return "\n".join(str(finding) for finding in (*report.errors, *report.warnings))
