"""The options of the baseline `chorus`; the defaults are the paper's method.

Source: docs/method.md M6 to M16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chorus_baselines.chorus.view_weights import AZIMUTH_12, check_weights
from chorus_bench.calibration import SOLVERS, SYNTHESIZED, CalibrationSettings
from chorus_bench.datasets.coco_eft.points import PointSet, point_set
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.skinning import SkinningSettings
from chorus_bench.option_types import changed
from chorus_bench.synthesis.filters import FilterSettings
from chorus_bench.synthesis.keypoint_filters import KeypointChoice, read_choice


@dataclass(frozen=True)
class ChorusOptions:
    """Options of the baseline; the defaults are the paper's method.

    Attributes:
        keypoints: the keypoint filter, see `read_choice`.
        keypoint_filter: false for the ablation: the same number of images, drawn from all that
            pass the other filters.
        canonicalize: false for the ablation: voxels do not follow the body.
        ratio: share of the kept views to use, drawn per prompt.
        mirror: count every view a second time in the mirror.
        solver: solver of the cameras, ``adam`` or ``lm``.
        device: device of the aggregation, ``cpu``, ``auto`` or a torch device.
        weights: view weights, see `VIEW_WEIGHTS`; ``equal`` for the ablation.
        filters: other settings of `FilterSettings`.
        cameras: other settings of `CalibrationSettings`.
        joint_regressor: SPIN's ``J_regressor_extra.npy``: cameras are fitted to its 24 points.
        skinning: other settings of `SkinningSettings`.

    Raises:
        InputError: a setting that does not exist, or a value that makes no sense.
    """

    keypoints: KeypointChoice = "torso"
    keypoint_filter: bool = True
    canonicalize: bool = True
    ratio: float = 1.0
    mirror: bool = False
    solver: str = "adam"
    device: str = "cpu"
    weights: str = AZIMUTH_12
    filters: Mapping[str, Any] = field(default_factory=dict)
    cameras: Mapping[str, Any] = field(default_factory=dict)
    joint_regressor: str | None = None
    skinning: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keypoints", read_choice(self.keypoints))
        if not 0 < self.ratio <= 1:
            raise InputError(f"data ratio {self.ratio}", expected="more than 0 and at most 1")
        check_weights(self.weights)
        if self.solver not in SOLVERS:
            raise unknown_name("solver", self.solver, SOLVERS)
        if "keypoints" in self.filters:
            raise InputError("'keypoints' among the filters", fix="give the option keypoints")
        _ = self.all_filters, self.calibration, self.voxels  # making them checks them

    @property
    def all_filters(self) -> FilterSettings:
        """The filters, that of the keypoints included."""
        return changed(FilterSettings(keypoints=self.keypoints), self.filters, "filters")

    @property
    def used_filters(self) -> FilterSettings:
        """The filters that the used views pass."""
        if self.keypoint_filter:
            return self.all_filters
        return changed(FilterSettings(keypoints="none"), self.filters, "filters")

    @property
    def calibration(self) -> CalibrationSettings:
        """How cameras are fitted to rows without one."""
        return changed(SYNTHESIZED, self.cameras, "cameras")

    @property
    def voxels(self) -> SkinningSettings:
        """How voxels follow the body."""
        return changed(SkinningSettings(), self.skinning, "skinning")

    @property
    def aggregation(self) -> dict[str, Any]:
        """The settings of `aggregate`."""
        return {
            "canonicalize": self.canonicalize,
            "mirror": self.mirror,
            "device": self.device,
            "skinning": self.voxels,
        }

    def points(self, body: BodyModel) -> PointSet:
        """Return the points of a body that cameras are fitted to."""
        return point_set(body, self.joint_regressor)
