"""The files that the documents speak of, made small."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from chorus_bench.geometry.body_files import load_body, save_body
from chorus_bench.io.shipped import EXAMPLE, submission_folder

SUBMISSION = submission_folder(EXAMPLE)


def write_model_file(path: Path) -> None:
    """Write the default body as SMPL's model files are: a pickled mapping of arrays."""
    arrays = dict(np.load(save_body(load_body("default"), path.with_suffix(".npz"))))
    path.write_bytes(pickle.dumps(arrays))
