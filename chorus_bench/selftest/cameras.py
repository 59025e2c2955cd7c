"""Golden comparisons of the camera calibration."""

from __future__ import annotations

from numpy.typing import ArrayLike

from chorus_bench.calibration import calibrate, calibration_settings, weak_perspective_to_image
from chorus_bench.selftest.comparison import Comparison, differing, largest
from chorus_bench.selftest.data import golden

#: Solves of at most this many steps agree in every number. Longer ones drift by rounding, in the
#: original as well; for them, the loss and the decision are compared.
SHORT = 500

_INPUTS = ("points", "targets", "orient", "weak", "size")


def compare_cameras() -> list[Comparison]:
    """Project four people's joints into the image and fit their cameras."""
    file = golden("cameras")
    crops = [
        weak_perspective_to_image(
            joints,
            file["people_weak"][i],
            file["people_center"][i],
            float(file["people_scale"][i]),
            tuple(file["people_size"][i].tolist()),
        )
        for i, joints in enumerate(file["people_posed"])
    ]
    return [
        _largest("joints through the crop", "px", crops, file["people_targets"], 1e-4),
        *_compare_solves("eft"),
        *_compare_solves("synthesized"),
    ]


def _compare_solves(name: str) -> list[Comparison]:
    file = golden("cameras")
    people = [file[f"people_{key}"] for key in _INPUTS]
    ours = calibrate(*people, settings=calibration_settings(name))
    theirs = {key: file[f"{name}_{key}"] for key in ("R", "t", "K", "loss", "stopped", "steps")}
    short = theirs["steps"] <= SHORT
    label = f"cameras '{name}'"
    return [
        _largest(f"{label}, short solves, R", "", ours.rotation[short], theirs["R"][short], 1e-5),
        _largest(
            f"{label}, short solves, t", "m", ours.translation[short], theirs["t"][short], 1e-5
        ),
        _largest(
            f"{label}, short solves, K", "px", ours.intrinsics[short], theirs["K"][short], 0.01
        ),
        _largest(f"{label}, loss", "px", ours.reprojection_error, theirs["loss"], 5e-3),
        differing(label, "decisions that differ", "people", ours.converged, theirs["stopped"], 0),
    ]


def _largest(
    name: str, unit: str, ours: ArrayLike, theirs: ArrayLike, tolerance: float
) -> Comparison:
    return largest(name, "largest difference", unit, ours, theirs, tolerance)
