"""Made-up measures in 3D of made-up results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.evaluation.results import EvaluationResult
from chorus_bench.evaluation.truth_samples import MEASURES, mean_of_categories


def make_truth(result: EvaluationResult, skill: float) -> dict[str, Any]:
    """Return a `truth.json` of a result: every measure of a category is about ``skill``."""
    rows = {
        name: np.full(len(MEASURES), skill + 0.01 * number)
        for number, name in enumerate(result.categories)
    }
    rows[next(iter(rows))][MEASURES.index("contact_geodesic")] = np.nan
    means = _named(mean_of_categories(list(rows.values())))
    bounds = {name: [skill / 2, 2 * skill] for name in MEASURES}
    return {
        "sha256": result.submission["sha256"],
        "brier": means["brier"],
        "soft_iou": means["soft_iou"],
        "calibration_error": 0.02,
        "measures": means,
        "intervals": {**bounds, "calibration_error": [0.01, 0.03]},
        "categories": {
            name: {
                **_named(values),
                "samples": result.categories[name]["samples"],
                "surface_level": 0.3,
                "contact_level": None,
                "intervals": bounds,
            }
            for name, values in rows.items()
        },
        "calibration": [{"predicted": 0.1, "observed": 0.2, "voxels": 10}],
    }


def saved(result: EvaluationResult, folder: Path, skill: float) -> Path:
    """Save a result with its measures in 3D."""
    result.save(folder)
    (folder / "truth.json").write_text(json.dumps(make_truth(result, skill)))
    return folder


def _named(values: np.ndarray) -> dict[str, float | None]:
    return {
        name: float(value) if np.isfinite(value) else None
        for name, value in zip(MEASURES, values, strict=True)
    }
