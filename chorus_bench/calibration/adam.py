"""Solver `adam`: the original's path, batched over people.

The paper's code fits one person after the other with Adam and stops early, so its result
depends on the path. Here many people take the same steps at once and leave the batch when
they are done. The arithmetic is float64: on the golden cameras it follows the float32 original
as closely as float32 does. Thousands of steps amplify a difference in the last bit by 1e5, so
every step is made in exact arithmetic (`chorus_bench.geometry.exact`): the same path, to the
last bit, on every machine.

Source: docs/method.md M12.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chorus_bench.calibration.reprojection import (
    UNKNOWNS,
    Flags,
    Problem,
    Solution,
    loss_and_gradient,
)
from chorus_bench.calibration.settings import CalibrationSettings
from chorus_bench.geometry.rotations import Floats

#: Decay rates, and the term that keeps the denominator from zero (Adam's usual values).
BETAS = (0.9, 0.999)
EPSILON = 1e-8


def solve_adam(
    problem: Problem, settings: CalibrationSettings, leave: Callable[[int], None]
) -> Solution:
    """Fit every person's camera along the original's path.

    A person stops before the update of a step whose loss is below ``settings.stop_below``
    and keeps all of that iterate. Until then the best one is kept: when a step improves the loss,
    rotation and translation from after its update, focal length and loss from before it. A person
    whose loss becomes NaN leaves with the best seen so far.

    Args:
        problem: P people, float64.
        settings: the settings.
        leave: called with the number of people who just finished.

    Returns:
        The solution for P people; NaN where every loss was NaN.
    """
    solution = Solution.empty(len(problem))
    batch = _Batch.start(problem)
    decay1 = decay2 = 1.0
    for step in range(settings.max_steps):
        if len(batch) == 0:
            break
        loss, gradient = loss_and_gradient(batch.problem, batch.unknowns)
        stopped = loss < settings.stop_below
        gone = stopped | np.isnan(loss)
        if gone.any():
            batch.keep_best(stopped, loss, batch.unknowns)
            batch.write(gone, stopped, step, solution)
            leave(int(np.count_nonzero(gone)))
            batch, loss = batch.without(gone), loss[~gone]
            gradient = np.compress(~gone, gradient, axis=-1)
        decay1, decay2 = decay1 * BETAS[0], decay2 * BETAS[1]
        batch.update((decay1, decay2), loss, gradient, settings.learning_rate)
    if len(batch):
        everyone = np.ones(len(batch), dtype=np.bool_)
        batch.write(everyone, ~everyone, settings.max_steps, solution)
        leave(len(batch))
    return solution


@dataclass
class _Batch:
    """The people who are still being fitted; the last axis is the person."""

    people: NDArray[np.int64]
    problem: Problem
    unknowns: Floats
    first: Floats
    second: Floats
    best: Floats
    best_loss: Floats

    @classmethod
    def start(cls, problem: Problem) -> _Batch:
        """Return the batch before its first step."""
        shape = (UNKNOWNS, len(problem))
        return cls(
            people=np.arange(len(problem)),
            problem=problem,
            unknowns=problem.start.copy(),
            first=np.zeros(shape),
            second=np.zeros(shape),
            best=np.full(shape, np.nan),
            best_loss=np.full(len(problem), np.inf),
        )

    def __len__(self) -> int:
        return len(self.people)

    def update(
        self, decays: tuple[float, float], loss: Floats, gradient: Floats, rate: float
    ) -> None:
        """Take one step of Adam and keep what improves.

        ``decays`` are the decay rates to the power of the number of steps, this one included.
        """
        beta1, beta2 = BETAS
        self.first += (gradient - self.first) * (1 - beta1)
        self.second *= beta2
        self.second += (1 - beta2) * gradient * gradient
        root = np.sqrt(self.second) / np.sqrt(1 - decays[1]) + EPSILON
        focal = self.unknowns[6].copy()
        self.unknowns -= rate / (1 - decays[0]) * (self.first / root)
        candidate = self.unknowns.copy()
        candidate[6] = focal
        self.keep_best(loss < self.best_loss, loss, candidate)

    def keep_best(self, people: Flags, loss: Floats, unknowns: Floats) -> None:
        """Take these unknowns and losses as the best of some people."""
        np.copyto(self.best, unknowns, where=people)
        np.copyto(self.best_loss, loss, where=people)

    def write(self, people: Flags, converged: Flags, steps: int, out: Solution) -> None:
        """Write some people's best into the solution."""
        rows = self.people[people]
        out.rotation[rows] = self.best[:3, people].T
        out.translation[rows] = self.best[3:6, people].T
        out.focal[rows] = self.best[6, people]
        loss = self.best_loss[people]
        out.loss[rows] = np.where(np.isfinite(loss), loss, np.nan)
        out.steps[rows] = steps
        out.converged[rows] = converged[people]

    def without(self, people: Flags) -> _Batch:
        """Return the batch without some people."""
        rest = ~people
        return _Batch(
            people=self.people[rest],
            problem=self.problem.take(rest),
            unknowns=np.compress(rest, self.unknowns, axis=-1),
            first=np.compress(rest, self.first, axis=-1),
            second=np.compress(rest, self.second, axis=-1),
            best=np.compress(rest, self.best, axis=-1),
            best_loss=self.best_loss[rest],
        )
