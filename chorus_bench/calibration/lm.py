"""Solver `lm`: the least-squares minimum by batched Levenberg-Marquardt.

It does not depend on a path that stops early, and it takes tens of steps instead of thousands.
The unknowns are chosen so that the projection is nearly linear in them: a turn, the image
position ``c = f (tx, ty) / tz``, the logarithm of the image scale ``k = f / tz`` and the
reciprocal ``q = 1 / f`` of the focal length, with which a point lands at
``W (k (x, y) + c) / (1 + k q z)``.

As in `reprojection`, the last axis is the person and the arithmetic is exact: a person's numbers
depend neither on the others nor on the processor.

Source: docs/method.md M13.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chorus_bench.calibration.reprojection import UNKNOWNS, Flags, Problem, Solution
from chorus_bench.calibration.settings import CalibrationSettings
from chorus_bench.geometry.exact import exp, total
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
        rotation: matrices, shape (3, 3, P).
        rest: c_x, c_y, k and q, shape (4, P).
    """

    rotation: Floats
    rest: Floats

    def moved(self, step: Floats, lowest_q: float) -> _State:
        """Return the state after a step of shape (7, P), with q not below its bound."""
        turn = np.moveaxis(axis_angle_to_matrix(step[:3].T), 0, -1)
        rotation = turn[:, 0, None] * self.rotation[0]
        for k in (1, 2):
            rotation += turn[:, k, None] * self.rotation[k]
        rest = self.rest + step[3:]
        rest[2] = self.rest[2] * exp(step[5])
        rest[3] = np.maximum(rest[3], lowest_q)
        return _State(rotation, rest)

    def take(self, people: Flags) -> _State:
        """Return the state of the people who are flagged."""
        return _State(self.rotation[..., people], self.rest[:, people])

    def put(self, people: Flags, other: _State) -> None:
        """Take over the flagged people of another state."""
        np.copyto(self.rotation, other.rotation, where=people)
        np.copyto(self.rest, other.rest, where=people)


@dataclass(frozen=True)
class _View:
    """What the cameras of P people see of their J points.

    Attributes:
        turned: points after the rotation: x, y and z, each (J, P).
        depth: ``1 + k q z``, (J, P).
        residual: pixels, x and y, (2, J, P).
    """

    turned: tuple[Floats, Floats, Floats]
    depth: Floats
    residual: Floats


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
    """The people who are still being fitted, person last."""

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
        rotation = np.ascontiguousarray(np.moveaxis(axis_angle_to_matrix(theta.T), 0, -1))
        rest = np.stack([scale * shift[0], scale * shift[1], scale, 1 / focal])
        fit = cls(
            people=np.arange(len(problem)),
            points=np.ascontiguousarray(np.swapaxes(problem.points, 0, 1)),
            targets=np.swapaxes(problem.targets - problem.size / 2, 0, 1),
            width=problem.size[0],
            state=_State(rotation, rest),
            cost=np.empty(0),
            damping=np.full(len(problem), FIRST_DAMPING),
            lowest_q=1 / settings.max_focal,
        )
        fit.cost = fit.costs(fit.state)
        return fit

    def look(self, state: _State) -> _View:
        """Return what some cameras see."""
        x, y, z = (
            a * self.points[0] + b * self.points[1] + c * self.points[2]
            for a, b, c in state.rotation
        )
        cx, cy, k, q = state.rest
        depth = 1 + k * q * z
        landed = [self.width * (k * x + cx) / depth, self.width * (k * y + cy) / depth]
        return _View((x, y, z), depth, np.stack(landed) - self.targets)

    def costs(self, state: _State) -> Floats:
        """Return squared residuals (P,), infinite where a point is not in front."""
        view = self.look(state)
        cost = total(total(view.residual * view.residual))
        usable = (state.rest[2] > 0) & (view.depth > 0).all(axis=0) & np.isfinite(cost)
        return np.where(usable, cost, np.inf)

    def advance(self) -> Flags:
        """Try one step for everyone; return who is done."""
        jacobian, residual = self.jacobian()
        normal, slope = _normal_equations(jacobian, residual)
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
        """Take q out of the step where it is at its bound and wants to pass it."""
        held = (self.state.rest[3] <= self.lowest_q) & (slope[6] > 0)
        normal[6][:, held] = normal[:, 6][:, held] = slope[6, held] = 0
        normal[6, 6, held] = 1

    def jacobian(self) -> tuple[Floats, Floats]:
        """Return derivatives (7, 2 J, P) of the residuals (2 J, P) and the residuals."""
        view = self.look(self.state)
        x, y, z = view.turned
        cx, cy, k, q = self.state.rest
        share = self.width / view.depth
        zero = np.zeros_like(x)
        # Turning by a small vector w moves a point by w x point.
        by_turn = ((zero, z, -y), (-z, zero, x), (y, -x, zero))
        out = np.zeros((UNKNOWNS, 2, *x.shape))
        for axis, (flat, c) in enumerate(((x, cx), (y, cy))):
            pull = (k * flat + c) / view.depth
            for turn in range(3):
                moved = by_turn[axis][turn] - pull * q * by_turn[2][turn]
                out[turn, axis] = share * k * moved
            out[3 + axis, axis] = share
            out[5, axis] = share * k * (flat - pull * q * z)
            out[6, axis] = -share * k * pull * z
        people = x.shape[-1]
        return out.reshape(UNKNOWNS, -1, people), view.residual.reshape(-1, people)

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
            np.compress(rest, self.points, axis=-1),
            np.compress(rest, self.targets, axis=-1),
        )
        self.width, self.cost, self.damping = self.width[rest], self.cost[rest], self.damping[rest]
        self.state = self.state.take(rest)
        leave(int(np.count_nonzero(done)))

    def _write(self, people: Flags, steps: int, out: Solution, converged: bool) -> None:
        """Write some people's cameras into the solution."""
        rows, state = self.people[people], self.state.take(people)
        cx, cy, k, q = state.rest
        out.rotation[rows] = matrix_to_axis_angle(np.moveaxis(state.rotation, -1, 0))
        out.translation[rows] = np.stack([cx / k, cy / k, 1 / (k * q)], axis=1)
        out.focal[rows] = 1 / q
        out.loss[rows] = np.sqrt(self.cost[people]) / self.points.shape[1]
        out.steps[rows] = steps
        out.converged[rows] = converged


def _normal_equations(jacobian: Floats, residual: Floats) -> tuple[Floats, Floats]:
    """Return J^T J (7, 7, P) and J^T r (7, P) of J (7, n, P) and r (n, P)."""
    normal = np.empty((UNKNOWNS, UNKNOWNS, jacobian.shape[-1]))
    for i in range(UNKNOWNS):
        normal[i, i:] = normal[i:, i] = total(jacobian[i] * jacobian[i:], axis=1)
    return normal, total(jacobian * residual, axis=1)


def _damped_step(normal: Floats, slope: Floats, damping: Floats) -> Floats:
    """Solve the normal equations (7, 7, P), damped relative to their diagonal."""
    diagonal = np.arange(UNKNOWNS)
    unit = np.sqrt(normal[diagonal, diagonal])
    unit = np.where(unit > 0, unit, 1)
    scaled = normal / (unit[:, None] * unit[None])
    scaled[diagonal, diagonal] += damping
    return _solve_definite(scaled, -slope / unit) / unit


def _solve_definite(matrix: Floats, right: Floats) -> Floats:
    """Solve positive definite systems (n, n, P) for (n, P) by elimination; both are used up."""
    for k in range(len(matrix) - 1):
        factor = matrix[k + 1 :, k] / matrix[k, k]
        matrix[k + 1 :, k + 1 :] -= factor[:, None] * matrix[k, None, k + 1 :]
        right[k + 1 :] -= factor * right[k]
    for k in reversed(range(len(matrix))):
        right[k] /= matrix[k, k]
        right[:k] -= matrix[:k, k] * right[k]
    return right
