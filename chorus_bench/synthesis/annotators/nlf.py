"""Poses by a TorchScript file of the NLF kind, which detects people and fits SMPL to them.

Such a file has a method ``detect_smpl_batched``, which takes pictures (B, 3, H, W) as bytes and
returns a dictionary of lists with one entry per picture, of which these are used (P people):

* ``pose`` (P, 72), axis-angle in radians, the orientation toward the camera first;
* ``betas`` (P, 10);
* ``trans`` (P, 3): the body's vertices in the camera's frame are SMPL's plus ``trans``;
* ``joints2d`` (P, 24, 2) in pixels;
* ``joints3d`` (P, 24, 3) in the camera's frame, if present.

NLF's files give ``joints3d`` in millimetres (https://github.com/isarandi/nlf/issues/9) and
``trans`` in metres, early ones relative to the middle of the person. The pelvis position and its
unit are therefore those that explain ``joints2d`` with a plausible focal length. The model itself
assumes a field of view (55 degrees unless ``fov_degrees`` says otherwise); the focal length is
derived from the joints, so the camera agrees with what the model was told.

Source: Sárándi and Pons-Moll, Neural Localizer Fields, NeurIPS 2024.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float64
from chorus_bench.errors import InputError, import_extra
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.boxes import intersection_over_union
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.option_types import InputFile
from chorus_bench.synthesis.annotators.local_files import check_file, file_version
from chorus_bench.synthesis.annotators.matching import (
    boxes_of,
    match_one_to_one,
)
from chorus_bench.synthesis.annotators.nlf_output import METHOD, FoundPeople, read_output
from chorus_bench.synthesis.batching import device_memory, group_by_size
from chorus_bench.synthesis.interfaces import (
    BodyFit,
    Context,
    Detection,
    Picture,
)

#: A millimetre in metres.
_UNITS = (1.0, 1e-3)
#: Plausible focal lengths in image widths: fields of view of 3 to 140 degrees.
_FOCAL_RANGE = (0.18, 19.0)


def make_nlf(
    context: Context,
    *,
    model: InputFile,
    model_name: str = "smpl",
    fov_degrees: float | None = None,
    threshold: float | None = None,
    augmentations: int | None = None,
    max_error: float = 0.02,
    min_overlap: float = 0.3,
) -> NlfPoses:
    """Return the pose estimator of a TorchScript file.

    TorchScript is not a pickle: torch reads it without Python. It is nevertheless a program, whose
    operators can write files (``aten::save``), so load only files that you trust.

    Args:
        context: the run's context.
        model: the file, for example nlf_l_multi.torchscript.
        model_name: the body that the file should fit; it must have SMPL's 24 joints.
        fov_degrees: the field of view that the file should assume; None for its own default.
        threshold: smallest score of its person detector; None for its own default.
        augmentations: number of augmented copies of each person; None for its own default.
        max_error: largest reprojection error of a fit, as a share of the longer side of the
            person's box.
        min_overlap: smallest intersection over union between the box of a fit's joints and a
            person's box.

    Raises:
        InputError: no such file, a file of another kind, or an option that the file lacks.
        MissingDependencyError: torch is missing.
    """
    wanted = {
        "model_name": model_name,
        "default_fov_degrees": fov_degrees,
        "detector_threshold": threshold,
        "num_aug": augmentations,
    }
    script = _load(Path(model), context.device)
    arguments = _known_arguments(script, wanted, model)
    settings = ", ".join(f"{key}={value}" for key, value in arguments.items()) or "its defaults"
    name = f"NLF, {file_version(Path(model))}, {settings}, max_error={max_error}"
    return NlfPoses(context, script, arguments, name, Limits(max_error, min_overlap))


@dataclass(frozen=True)
class Limits:
    """Limits for accepting a fit.

    Attributes:
        error: largest reprojection error as a share of the longer side of the person's box.
        overlap: smallest intersection over union of the joints' box with the person's.
    """

    error: float
    overlap: float


class NlfPoses:
    """A `chorus_bench.synthesis.interfaces.PoseEstimator`; make one with `make_nlf`."""

    def __init__(
        self,
        context: Context,
        script: Any,  # noqa: ANN401 - a torch.jit.ScriptModule
        arguments: dict[str, Any],
        description: str,
        limits: Limits,
    ) -> None:
        self._body, self._device = context.body, context.device
        self._script, self._arguments = script, arguments
        self._limits = limits
        self._description = description

    @property
    def description(self) -> str:
        """The file and its settings."""
        return self._description

    def estimate(
        self, pictures: Sequence[Picture], people: Sequence[Sequence[Detection]]
    ) -> list[list[BodyFit | None]]:
        """Return the fits of each picture's people; None for a person without one.

        Raises:
            InputError: the file returns something unexpected.
            OutOfDeviceMemoryError: too many pictures for the device.
        """
        fits: list[list[BodyFit | None]] = [[None] * len(persons) for persons in people]
        for numbers in group_by_size(pictures):
            images = np.stack([pictures[number].pixels for number in numbers])
            for number, found in zip(numbers, self._detect(images), strict=True):
                fits[number] = self._fits(pictures[number].size, people[number], found)
        return fits

    def _detect(self, images: NDArray[np.uint8]) -> list[FoundPeople]:
        import torch

        batch = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
        with device_memory(), torch.inference_mode():
            output = getattr(self._script, METHOD)(batch.to(self._device), **self._arguments)
        return read_output(output, len(images), self._description)

    def _fits(
        self, size: tuple[int, int], people: Sequence[Detection], found: FoundPeople
    ) -> list[BodyFit | None]:
        boxes = boxes_of(people)
        overlaps = intersection_over_union(boxes, _joint_boxes(found.joints2d, size))
        inside = _shares_inside(boxes, found.joints2d)
        matches = match_one_to_one(overlaps, self._limits.overlap, ties=inside)
        return [
            None if match is None else self._fit(size, box, found, match)
            for box, match in zip(boxes, matches, strict=True)
        ]

    def _fit(
        self, size: tuple[int, int], box: Float64, found: FoundPeople, number: int
    ) -> BodyFit | None:
        pose, betas = found.pose[number], found.betas[number]
        if not (np.isfinite(pose).all() and np.isfinite(betas).all()):
            return None
        pelvises = pelvis_candidates(self._body, found, number)
        camera = fit_camera(self._body, pose, betas, pelvises, found.joints2d[number], size)
        most = self._limits.error * float((box[2:] - box[:2]).max())
        if camera is None or (camera.reprojection_error or 0.0) > most:
            return None
        return BodyFit(pose.astype(np.float32), betas.astype(np.float32), camera)


def pelvis_candidates(body: BodyModel, found: FoundPeople, number: int) -> list[Float64]:
    """Return the possible positions of a person's pelvis in the camera's frame, (3,) in metres.

    SMPL rotates about the pelvis, which therefore lies at ``J0(betas) + trans``.
    """
    rest = body.rest_joints(found.betas[number])[0]
    candidates = [rest + unit * found.trans[number] for unit in _UNITS]
    if found.joints3d is not None:
        candidates += [unit * found.joints3d[number, 0] for unit in _UNITS]
    return candidates


def fit_camera(
    body: BodyModel,
    pose: Float64,
    betas: Float64,
    pelvises: Sequence[Float64],
    joints2d: Float64,
    size: tuple[int, int],
) -> PerspectiveCamera | None:
    """Return the camera that explains a person's 2D joints best.

    Rotation and translation follow from the pose and the pelvis; the focal length is the
    least-squares one, with the principal point in the middle of the image. A zero-shape body seen
    through the camera has its pelvis in the same place as the shaped body.

    Args:
        body: the body.
        pose: (72,) global orientation first.
        betas: (10,) shape coefficients.
        pelvises: possible positions of its pelvis, each (3,) in the camera's frame, metres.
        joints2d: (24, 2) pixels.
        size: height and width of the image.

    Returns:
        The camera from the zero-orientation body frame, with the Frobenius norm of the shaped
        body's (24, 2) residual over 24 as its error; None if no focal length is plausible.
    """
    joints = body.bone_transforms(pose, betas)[1]
    best: tuple[float, float, Float64] | None = None
    for pelvis in pelvises:
        fitted = _fit_focal_length(joints - joints[0] + pelvis, joints2d, size)
        if fitted is not None and (best is None or fitted[0] < best[0]):
            best = (*fitted, pelvis)
    if best is None:
        return None
    error, focal, pelvis = best
    R = axis_angle_to_matrix(pose[:3])
    K = np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1]])
    t = pelvis - R @ body.rest_joints()[0]
    return PerspectiveCamera(R, t, K, error)


def _fit_focal_length(
    points: Float64, joints2d: Float64, size: tuple[int, int]
) -> tuple[float, float] | None:
    """Return the error and the focal length in pixels, or None if there is no plausible one."""
    if not (np.isfinite(points).all() and (points[:, 2] > 0).all()):
        return None
    rays = points[:, :2] / points[:, 2:]
    targets = joints2d - np.array([size[1], size[0]]) / 2
    focal = float(np.sum(rays * targets) / max(float(np.sum(rays * rays)), 1e-300))
    error = float(np.linalg.norm(focal * rays - targets)) / len(points)
    low, high = _FOCAL_RANGE
    # In this form of the comparison, a focal length or error that is NaN fails as well.
    sensible = low <= focal / size[1] <= high and error < np.inf
    return (error, focal) if sensible else None


def _joint_boxes(joints2d: Float64, size: tuple[int, int]) -> Float64:
    """Return the boxes (P, 4) of people's joints, clipped to the image."""
    limits = np.array([size[1], size[0]], dtype=np.float64)
    clipped = np.clip(joints2d, 0, limits)
    boxes: Float64 = np.concatenate([clipped.min(axis=1), clipped.max(axis=1)], axis=-1)
    return boxes


def _shares_inside(boxes: Float64, joints2d: Float64) -> Float64:
    """Return the share of each detected person's joints in each box, (boxes, people)."""
    points, corners = joints2d[None], boxes[:, None, None]
    inside = (points >= corners[..., :2]) & (points <= corners[..., 2:])
    shares: Float64 = inside.all(axis=-1).mean(axis=-1)
    return shares


def _load(path: Path, device: str) -> Any:  # noqa: ANN401 - a torch.jit.ScriptModule
    """Load a TorchScript file.

    `torch.jit.load` runs no pickle: its own reader, in C++, creates tensors and TorchScript objects
    from the archive, and the code in it is compiled, not imported. That code runs as soon as the
    method is called, though, and operators such as ``aten::save`` and ``aten::from_file`` write
    files.
    """
    torch = import_extra("torch", extra="torch", purpose="pose by NLF")
    check_file(
        path,
        expected="a TorchScript file of the NLF kind",
        fix="fetch nlf_l_multi_*.torchscript from https://github.com/isarandi/nlf/releases",
    )
    try:
        script = _load_script(torch, path, device)
    except (RuntimeError, ValueError, OSError) as error:
        raise _not_loaded(path, error) from error
    if not hasattr(script, METHOD):
        raise InputError(
            f"has no method '{METHOD}'",
            where=path,
            expected="a TorchScript file of the NLF kind that detects people itself",
            fix="use one of nlf_*_multi.torchscript, not nlf_*_crop",
        )
    return script.eval()


def _load_script(torch: Any, path: Path, device: str) -> Any:  # noqa: ANN401 - the module torch
    """Load a file; torchvision is imported only for files that use its operators."""
    try:
        return _read_script(torch, path, device)
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        try:
            importlib.import_module("torchvision")
        except (ImportError, RuntimeError) as problem:
            raise InputError(
                f"needs torchvision's operators, and torchvision cannot be imported: {problem}",
                where=path,
                fix="install a torchvision that was built for your torch "
                "(https://pytorch.org/get-started/locally)",
            ) from error
    return _read_script(torch, path, device)


def _read_script(torch: Any, path: Path, device: str) -> Any:  # noqa: ANN401 - the module torch
    with warnings.catch_warnings():
        # Newer releases of torch advise writing other formats, but these files come from others.
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(str(path), map_location=device)


def _not_loaded(path: Path, error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return InputError(
        f"cannot be loaded: {lines[-1] if lines else type(error).__name__}",
        where=path,
        expected="a complete TorchScript file (`torch.jit.save`), and a device that torch knows",
        fix="fetch the file again and compare its size; check the run's device",
    )


def _known_arguments(script: Any, wanted: dict[str, Any], model: str) -> dict[str, Any]:  # noqa: ANN401 - a torch.jit.ScriptModule
    """Return the settings to pass on; a file for SMPL may lack ``model_name``."""
    known = {argument.name for argument in getattr(script, METHOD).schema.arguments}
    arguments = {key: value for key, value in wanted.items() if value is not None}
    if arguments["model_name"] == "smpl" and "model_name" not in known:
        del arguments["model_name"]
    if unknown := sorted(set(arguments) - known):
        raise InputError(
            f"its {METHOD} does not accept {', '.join(unknown)}",
            where=model,
            expected=f"among {', '.join(sorted(known - {'self'}))}",
            fix="leave out the option that sets it",
        )
    return arguments
