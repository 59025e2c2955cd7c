"""Calibration: from weak-perspective to perspective cameras, many people at once.

Body fits come with a weak-perspective camera of a crop; the benchmark needs a perspective
camera of the whole image. `weak_perspective_to_image` puts the body's joints into the image
through the crop; `calibrate` finds the rotation, translation and focal length that bring the
joints there.

Source: docs/method.md M9 to M13.
"""

from chorus_bench.calibration.settings import (
    EFT,
    PRESETS,
    SYNTHESIZED,
    CalibrationSettings,
    calibration_settings,
)
from chorus_bench.calibration.solve import SOLVERS, Calibration, calibrate
from chorus_bench.calibration.weak_perspective import (
    CropBox,
    crop_box,
    crop_problem,
    weak_perspective_to_image,
)

__all__ = [
    "EFT",
    "PRESETS",
    "SOLVERS",
    "SYNTHESIZED",
    "Calibration",
    "CalibrationSettings",
    "CropBox",
    "calibrate",
    "calibration_settings",
    "crop_box",
    "crop_problem",
    "weak_perspective_to_image",
]
