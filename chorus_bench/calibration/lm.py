"""Solver `lm`: the least-squares minimum by batched Levenberg-Marquardt.

It does not depend on a path that stops early, so two machines agree, and it takes tens of
steps instead of thousands. The unknowns are chosen so that the projection is nearly linear
in them: a rotation, the image position ``c = f (tx, ty) / tz``, the logarithm of the image scale
``k = f / tz`` and the reciprocal ``q = 1 / f`` of the focal length, with which a point lands
at ``W (k (x, y) + c) / (1 + k q z)``.

Source: docs/method.md M13.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chorus_bench.calibration.reprojection import UNKNOWNS, Flags, Problem, Solution
from chorus_bench.calibration.settings import CalibrationSettings
from chorus_bench.geometry.rotations import (
    Floats,
    axis_angle_to_matrix,
    matrix_to_axis_angle,
)

#: Largest number of steps, accepted or not.
MAX_STEPS = 300

#: A person is done when an accepted step lowers the squared residual by less than this share.
TOLERANCE = 1e-10

#: Initial damping; the least damping, so that no system is singular; and the damping beyond
#: which no step can help.
FIRST_DAMPING, LEAST_DAMPING, LAST_DAMPING = 1e-3, 1e-12, 1e12


@dataclass
class _State:
    """Cameras of P people, in the solver's own unknowns.

    Attributes:
        rotation: matrices, shape (P, 3, 3).
        rest: c_x, c_y, log k and q, shape (P, 4).
    """

    rotation: Floats
    rest: Floats

    def moved(self, step: Floats, lowest_q: float) -> _State:
        """Return the state after a step of shape (P, 7), with q not below its bound."""
        rest = self.rest + step[:, 3:]
        rest[:, 3] = np.maximum(rest[:, 3], lowest_q)
        return _State(axis_angle_to_matrix(step[:, :3]) @ self.rotation, rest)

    def take(self, people: Flags) -> _State:
        """Return the state of the people who are flagged."""
        return _State(self.rotation[people], self.rest[people])

    def put(self, people: Flags, other: _State) -> None:
        """Take over the flagged people of another state."""
        self.rotation[people] = other.rotation[people]
        self.rest[people] = other.rest[people]


def solve_lm(
    problem: Problem, settings: CalibrationSettings, leave: Callable[[int], None]
) -> Solution:
    """Fit every person's camera to the minimum of the squared residual.

    The focal length stays below ``settings.max_focal``; see `CalibrationSettings`. A person
    whose start has a point behind the camera is not solved.

    Args:
        problem: P people, float64.
        settings: the settings; those of steps and early stopping are not used.
        leave: called with the number of people who just finished.

    Returns:
        The solution for P people; NaN where the start is unusable.
    """
    solution = Solution.empty(len(problem))
    fit = _Fit.start(problem, settings)
    fit.finish(~np.isfinite(fit.cost), 0, solution, leave, converged=False)
    for step in range(1, MAX_STEPS + 1):
        if len(fit.people) == 0:
            break
        fit.finish(fit.advance(), step, solution, leave, converged=True)
    fit.finish(np.ones(len(fit.people), np.bool_), MAX_STEPS, solution, leave, converged=False)
    return solution


@dataclass
class _Fit:
    """The people who are still being fitted, person first."""

    people: NDArray[np.int64]
    points: Floats
    targets: Floats
    width: Floats
    state: _State
    cost: Floats
    damping: Floats
    lowest_q: float

    @classmethod
    def start(cls, problem: Problem, settings: CalibrationSettings) -> _Fit:
        """Return the fit before its first step."""
        theta, shift, focal = problem.start[:3], problem.start[3:6], problem.start[6]
        scale = focal / shift[2]
        rest = np.stack(
            [scale * shift[0], scale * shift[1], np.log(scale), 1 / focal],
            axis=-1,
        )
        centre = problem.size.T[:, None, :] / 2
        fit = cls(
            people=np.arange(len(problem)),
            points=np.ascontiguousarray(np.moveaxis(problem.points, -1, 0)),
            targets=np.ascontiguousarray(np.moveaxis(problem.targets, -1, 0)) - centre,
            width=problem.size[0],
            state=_State(axis_angle_to_matrix(theta.T), rest),
            cost=np.empty(0),
            damping=np.full(len(problem), FIRST_DAMPING),
            lowest_q=1 / settings.max_focal,
        )
        fit.cost = fit.costs(fit.state)
        return fit

    def residual(self, state: _State) -> tuple[Floats, Floats, Floats]:
        """Return rotated points (P, J, 3), ``1 + k q z`` (P, J) and residuals (P, J, 2)."""
        turned = self.points @ state.rotation.swapaxes(1, 2)
        scale = np.exp(state.rest[:, 2])[:, None]
        depth = 1 + scale * state.rest[:, 3, None] * turned[..., 2]
        plane = scale[..., None] * turned[..., :2] + state.rest[:, None, :2]
        landed = self.width[:, None, None] * plane / depth[..., None]
        return turned, depth, landed - self.targets

    def costs(self, state: _State) -> Floats:
        """Return squared residuals (P,), infinite where a point is not in front of the camera."""
        _, depth, residual = self.residual(state)
        cost = np.sum((residual * residual).reshape(len(residual), -1), axis=1)
        return np.where((depth > 0).all(axis=1) & np.isfinite(cost), cost, np.inf)

    def advance(self) -> Flags:
        """Try one step for everyone; return who is done."""
        jacobian, residual = self.jacobian()
        normal = jacobian.swapaxes(1, 2) @ jacobian
        slope = (jacobian.swapaxes(1, 2) @ residual[..., None])[..., 0]
        self._hold_at_bound(normal, slope)
        tried = self.state.moved(_damped_step(normal, slope, self.damping), self.lowest_q)
        cost = self.costs(tried)
        better = cost < self.cost
        small = better & (self.damping <= 1) & (self.cost - cost <= TOLERANCE * self.cost)
        self.state.put(better, tried)
        self.cost = np.where(better, cost, self.cost)
        self.damping = np.where(better, self.damping / 10, self.damping * 10)
        self.damping = np.maximum(self.damping, LEAST_DAMPING)
        done: Flags = small | (self.cost == 0) | (self.damping > LAST_DAMPING)
        return done

    def _hold_at_bound(self, normal: Floats, slope: Floats) -> None:
        """Exclude q from the step where it is at its bound and would pass it."""
        held = (self.state.rest[:, 3] <= self.lowest_q) & (slope[:, 6] > 0)
        normal[held, 6, :] = normal[held, :, 6] = slope[held, 6] = 0
        normal[held, 6, 6] = 1

    def jacobian(self) -> tuple[Floats, Floats]:
        """Return derivatives (P, 2 J, 7) of the residuals (P, 2 J) and the residuals."""
        turned, depth, residual = self.residual(self.state)
        scale, q = np.exp(self.state.rest[:, 2])[:, None, None], self.state.rest[:, 3, None, None]
        share = self.width[:, None, None] / depth[..., None]
        pull = (scale * turned[..., :2] + self.state.rest[:, None, :2]) / depth[..., None]
        out = np.zeros((*residual.shape, UNKNOWNS))
        x, y, z = np.moveaxis(turned, -1, 0)
        zero = np.zeros_like(x)
        # A rotation by a small vector w moves a point by w x point.
        by_turn = np.stack(
            [
                np.stack([zero, z, -y], axis=-1),
                np.stack([-z, zero, x], axis=-1),
                np.stack([y, -x, zero], axis=-1),
            ],
            axis=-2,
        )
        out[..., :3] = (share * scale)[..., None] * (
            by_turn[..., :2, :] - (pull * q)[..., None] * by_turn[..., 2:, :]
        )
        out[..., 0, 3] = out[..., 1, 4] = share[..., 0]
        out[..., 5] = share * scale * (turned[..., :2] - pull * q * z[..., None])
        out[..., 6] = -share * scale * pull * z[..., None]
        people = len(out)
        return out.reshape(people, -1, UNKNOWNS), residual.reshape(people, -1)

    def finish(
        self,
        done: Flags,
        steps: int,
        out: Solution,
        leave: Callable[[int], None],
        *,
        converged: bool,
    ) -> None:
        """Write the people who are done and continue with the others."""
        if not done.any():
            return
        self._write(done & np.isfinite(self.cost), steps, out, converged)
        rest = ~done
        self.people, self.points, self.targets = (
            self.people[rest],
            self.points[rest],
            self.targets[rest],
        )
        self.width, self.cost, self.damping = self.width[rest], self.cost[rest], self.damping[rest]
        self.state = self.state.take(rest)
        leave(int(done.sum()))

    def _write(self, people: Flags, steps: int, out: Solution, converged: bool) -> None:
        """Write some people's cameras into the solution."""
        rows, state = self.people[people], self.state.take(people)
        scale, q = np.exp(state.rest[:, 2]), state.rest[:, 3]
        out.rotation[rows] = matrix_to_axis_angle(state.rotation)
        out.translation[rows, :2] = state.rest[:, :2] / scale[:, None]
        out.translation[rows, 2] = 1 / (scale * q)
        out.focal[rows] = 1 / q
        out.loss[rows] = np.sqrt(self.cost[people]) / self.points.shape[1]
        out.steps[rows] = steps
        out.converged[rows] = converged


def _damped_step(normal: Floats, slope: Floats, damping: Floats) -> Floats:
    """Solve the normal equations (P, 7, 7), damped relative to their diagonal."""
    unit = np.sqrt(np.einsum("pii->pi", normal))
    unit = np.where(unit > 0, unit, 1)
    scaled = normal / (unit[:, :, None] * unit[:, None, :])
    scaled += damping[:, None, None] * np.eye(UNKNOWNS)
    step: Floats = -np.linalg.solve(scaled, (slope / unit)[..., None])[..., 0] / unit
    return step
