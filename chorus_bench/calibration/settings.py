"""Calibration settings, and the two sets of them that the paper's data were made with.

Source: docs/method.md M12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.camera import DEFAULT_FOV_DEGREES, focal_from_fov


@checked
@dataclass(frozen=True)
class CalibrationSettings:
    """How cameras are fitted, and which are kept.

    Attributes:
        name: what the settings are called in a split's signature.
        max_steps: largest number of updates of the solver `adam`.
        stop_below: `adam` stops before the update of a step whose loss is below this (pixels).
        drop_above: a person whose loss stays above this is not kept (pixels); None keeps all.
        fov_deg: horizontal field of view that the fit starts from (degrees).
        learning_rate: step size of `adam`.
        min_fov_deg: the narrowest field of view that the solver `lm` may reach (degrees). The
            targets come from a camera without perspective, so the least-squares minimum
            usually lies at an infinite focal length; this bound keeps it finite.

    Raises:
        InputError: a number is out of its range.
    """

    name: str
    max_steps: int
    stop_below: float
    drop_above: float | None
    fov_deg: float = DEFAULT_FOV_DEGREES
    learning_rate: float = 0.01
    min_fov_deg: float = 5.0

    def __post_init__(self) -> None:
        positive = {
            "max_steps": self.max_steps,
            "stop_below": self.stop_below,
            "learning_rate": self.learning_rate,
            "drop_above": 1.0 if self.drop_above is None else self.drop_above,
            "min_fov_deg": self.min_fov_deg,
        }
        for key, value in positive.items():
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{key} is {value}", where=self.name, expected="more than 0")
        if not self.min_fov_deg < self.fov_deg < 180:
            raise InputError(
                f"fov_deg is {self.fov_deg}",
                where=self.name,
                expected=f"between min_fov_deg ({self.min_fov_deg}) and 180",
            )

    @property
    def start_focal(self) -> float:
        """The initial focal length, in image widths."""
        return focal_from_fov(self.fov_deg)

    @property
    def max_focal(self) -> float:
        """The longest focal length that the solver `lm` may reach, in image widths."""
        return focal_from_fov(self.min_fov_deg)


#: The extended COCO-EFT test split.
EFT = CalibrationSettings("eft", max_steps=3000, stop_below=0.5, drop_above=1.0)

#: Synthesised images.
SYNTHESIZED = CalibrationSettings("synthesized", max_steps=2400, stop_below=0.7, drop_above=None)

#: The named settings.
PRESETS = {settings.name: settings for settings in (EFT, SYNTHESIZED)}


@checked
def calibration_settings(name: str) -> CalibrationSettings:
    """Return the settings of that name.

    Args:
        name: 'eft' or 'synthesized'.

    Returns:
        The settings.

    Raises:
        InputError: there are no settings of that name.
    """
    if name not in PRESETS:
        raise unknown_name("calibration settings", name, PRESETS)
    return PRESETS[name]
