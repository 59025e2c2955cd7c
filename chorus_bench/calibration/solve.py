"""Calibration of many people: check the input, run a solver, decide whom to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.boundary import checked
from chorus_bench.calibration.adam import solve_adam
from chorus_bench.calibration.lm import solve_lm
from chorus_bench.calibration.reprojection import Flags, Problem, Solution
from chorus_bench.calibration.settings import EFT, CalibrationSettings
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rotations import Floats, axis_angle_to_matrix

#: The solvers by name.
SOLVERS = {"adam": solve_adam, "lm": solve_lm}

#: People who are solved at once.
BATCH = 1024

#: A camera has 7 unknowns and every point gives 2 equations.
MIN_POINTS = 4


@checked
@displayed
@dataclass(frozen=True)
class Calibration:
    """Perspective cameras of P people.

    A pixel is ``K (R x + t)`` after division by depth, x in the zero-orientation body frame.
    A person who could not be solved has NaN in all parts of the camera, and a reason.

    Attributes:
        rotation: R, shape (P, 3, 3), float64.
        translation: t in metres, shape (P, 3), float64.
        intrinsics: K in pixels, shape (P, 3, 3), float64.
        reprojection_error: Frobenius norm of the reprojection residual over the number of
            points, in pixels, shape (P,).
        steps: updates that the solver made, shape (P,).
        converged: whether the solver ended by its own test and not by its last step, (P,).
        reasons: why a person is not kept, None for those who are.
        solver: name of the solver.
        settings: settings of the solver.
    """

    rotation: Floats
    translation: Floats
    intrinsics: Floats
    reprojection_error: Floats
    steps: NDArray[np.int64]
    converged: Flags
    reasons: tuple[str | None, ...]
    solver: str
    settings: CalibrationSettings

    def __len__(self) -> int:
        return len(self.reasons)

    @property
    def kept(self) -> Flags:
        """Whether each person has a camera that is good enough, shape (P,)."""
        return np.array([reason is None for reason in self.reasons], dtype=np.bool_)

    @checked
    def camera(self, person: int) -> PerspectiveCamera:
        """Return one person's camera, in float32.

        Raises:
            InputError: there is no such person.
        """
        if not 0 <= person < len(self):
            raise InputError(
                f"person {person} of {len(self)}", expected=f"a number from 0 to {len(self) - 1}"
            )
        return PerspectiveCamera(
            self.rotation[person],
            self.translation[person],
            self.intrinsics[person],
            float(self.reprojection_error[person]),
        )


@checked
def calibrate(
    points_3d: ArrayLike,
    targets_2d: ArrayLike,
    global_orient: ArrayLike,
    weak_camera: ArrayLike,
    image_size: ArrayLike,
    *,
    solver: str = "adam",
    settings: CalibrationSettings = EFT,
    progress: Callable[[int, int], None] | None = None,
) -> Calibration:
    """Find the perspective cameras that project body points to their places in the image.

    Rotation starts at the pose's global orientation, translation at ``(tx, ty, 2 f / s)``,
    the focal length at ``settings.fov_deg``; all three are free. This is the calibration of
    the paper's code for the extended COCO-EFT split and for synthesised images. A person's
    result does not depend on the others in the call. Everything is computed in float64.

    Args:
        points_3d: body points of zero global orientation and zero shape in metres, shape
            (P, J, 3), J at least 4.
        targets_2d: where they are in the image, in pixels (x, y), shape (P, J, 2).
        global_orient: axis-angle global orientations in radians, shape (P, 3).
        weak_camera: weak-perspective cameras (s, tx, ty), shape (P, 3).
        image_size: image heights and widths in pixels, shape (P, 2).
        solver: 'adam' follows the original's path; 'lm' finds the least-squares minimum.
        settings: when to stop and whom to keep; `EFT` or `SYNTHESIZED`.
        progress: called with (people done, people in all) whenever some finish.

    Returns:
        The cameras, with a reason for everyone who is not kept.

    Raises:
        InputError: a wrong shape or an unknown solver.
    """
    if solver not in SOLVERS:
        raise unknown_name("solver", solver, SOLVERS)
    inputs = _checked(points_3d, targets_2d, global_orient, weak_camera, image_size)
    reasons = _input_problems(inputs)
    usable = np.flatnonzero([reason is None for reason in reasons])
    counter = _Counter(len(reasons), progress)
    counter.add(len(reasons) - len(usable))
    solution = Solution.empty(len(reasons))
    for first in range(0, len(usable), BATCH):
        rows = usable[first : first + BATCH]
        # A person whose numbers diverge ends as NaN and gets a reason below.
        with np.errstate(all="ignore"):
            problem = _problem(inputs, rows, settings)
            _fill(solution, rows, SOLVERS[solver](problem, settings, counter.add))
    return _result(solution, reasons, inputs["image_size"], solver, settings)


class _Counter:
    """Counts people who are done and informs the caller."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self.done, self.total, self.progress = 0, total, progress

    def add(self, people: int) -> None:
        """Count some more people."""
        self.done += people
        if self.progress is not None and people:
            self.progress(self.done, self.total)


def _checked(
    points_3d: ArrayLike,
    targets_2d: ArrayLike,
    global_orient: ArrayLike,
    weak_camera: ArrayLike,
    image_size: ArrayLike,
) -> dict[str, Floats]:
    """Return the inputs as float64, by name; raise an `InputError` for a wrong shape."""
    points = np.asarray(points_3d, dtype=np.float64)
    if points.ndim != 3 or points.shape[2] != 3 or points.shape[1] < MIN_POINTS:
        raise InputError(
            f"shape {points.shape}",
            where="points_3d",
            expected=f"(P, J, 3) with J at least {MIN_POINTS}",
        )
    people, joints = points.shape[:2]
    inputs: dict[str, Floats] = {"points_3d": points}
    for name, value, shape in (
        ("targets_2d", targets_2d, (people, joints, 2)),
        ("global_orient", global_orient, (people, 3)),
        ("weak_camera", weak_camera, (people, 3)),
        ("image_size", image_size, (people, 2)),
    ):
        inputs[name] = np.asarray(value, dtype=np.float64)
        if inputs[name].shape != shape:
            raise InputError(f"shape {inputs[name].shape}", where=name, expected=str(shape))
    return inputs


def _input_problems(inputs: dict[str, Floats]) -> list[str | None]:
    """Return, for every person, why the fit cannot start; None if it can."""
    reasons: list[str | None] = [None] * len(inputs["points_3d"])
    for name, values in inputs.items():
        finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        for row in np.flatnonzero(~finite):
            reasons[row] = reasons[row] or f"{name} has a number that is not finite"
    for row in np.flatnonzero(inputs["weak_camera"][:, 0] == 0):
        reasons[row] = reasons[row] or "the weak-perspective camera's scale is 0"
    for row in np.flatnonzero((inputs["image_size"] <= 0).any(axis=1)):
        reasons[row] = reasons[row] or "the image has no pixels"
    return reasons


def _problem(
    inputs: dict[str, Floats], rows: NDArray[np.intp], settings: CalibrationSettings
) -> Problem:
    """Return the problem of some people, person last, with its initial values."""
    scale, tx, ty = inputs["weak_camera"][rows].T
    focal = settings.start_focal
    theta = inputs["global_orient"][rows].T
    start = [*theta, tx, ty, 2 * focal / scale, np.full(len(rows), focal)]
    return Problem(
        points=np.ascontiguousarray(inputs["points_3d"][rows].transpose(1, 2, 0)),
        targets=np.ascontiguousarray(inputs["targets_2d"][rows].transpose(1, 2, 0)),
        size=np.ascontiguousarray(inputs["image_size"][rows, ::-1].T),
        start=np.stack(start),
    )


def _fill(solution: Solution, rows: NDArray[np.intp], part: Solution) -> None:
    """Copy the solution of some people into the solution of all."""
    solution.rotation[rows] = part.rotation
    solution.translation[rows] = part.translation
    solution.focal[rows] = part.focal
    solution.loss[rows] = part.loss
    solution.steps[rows] = part.steps
    solution.converged[rows] = part.converged


def _result(
    solution: Solution,
    reasons: list[str | None],
    image_size: Floats,
    solver: str,
    settings: CalibrationSettings,
) -> Calibration:
    """Turn a solution into cameras, and give the reason for everyone who is not kept."""
    height, width = image_size.T
    K = np.zeros((len(reasons), 3, 3))
    K[:, 0, 0] = K[:, 1, 1] = solution.focal * width
    K[:, 0, 2], K[:, 1, 2], K[:, 2, 2] = width / 2, height / 2, 1
    cameras = np.concatenate([solution.rotation, solution.translation, K[:, 0, :1]], axis=1)
    solved = np.isfinite(cameras).all(axis=1) & np.isfinite(solution.loss)
    drop = np.inf if settings.drop_above is None else settings.drop_above
    for row in np.flatnonzero(~solved):
        reasons[row] = reasons[row] or "the fit found no camera: its loss is not a number"
    for row in np.flatnonzero(solved & (solution.loss > drop)):
        reasons[row] = f"the reprojection loss {solution.loss[row]:.4g} px is above {drop:g} px"
    R = axis_angle_to_matrix(solution.rotation)
    R[~solved], K[~solved] = np.nan, np.nan
    return Calibration(
        rotation=R,
        translation=np.where(solved[:, None], solution.translation, np.nan),
        intrinsics=K,
        reprojection_error=np.where(solved, solution.loss, np.nan),
        steps=solution.steps,
        converged=solution.converged & solved,
        reasons=tuple(reasons),
        solver=solver,
        settings=settings,
    )
