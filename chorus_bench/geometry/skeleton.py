"""SMPL's skeleton: which joint hangs on which, and where they are when they are turned.

Source: docs/protocol.md P3.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np

from chorus_bench.annotations import Shape
from chorus_bench.array_types import Float64
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError
from chorus_bench.geometry import exact

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)


def _levels() -> list[tuple[list[int], list[int]]]:
    """Return the joints that are 1, 2, ... bones away from the pelvis, with their parents."""
    depth = [0]
    for parent in PARENTS[1:]:
        depth.append(depth[parent] + 1)
    at = [[j for j, _ in enumerate(PARENTS) if depth[j] == d] for d in range(1, max(depth) + 1)]
    return [(joints, [PARENTS[j] for j in joints]) for joints in at]


_LEVELS = _levels()


@checked
def bones(rest: Annotated[Float64, Shape("24 3")]) -> Float64:
    """Return where each joint (24, 3) is from its parent; the pelvis stays where it is."""
    steps = rest.copy()
    steps[1:] -= rest[list(PARENTS[1:])]
    return steps


@checked
def forward_kinematics(
    local: Annotated[Float64, Shape("... 24 3 3")], steps: Annotated[Float64, Shape("24 3")]
) -> tuple[Float64, Float64]:
    """Turn a skeleton's joints, from the pelvis outwards.

    Args:
        local: (..., 24, 3, 3) rotation of every joint against its parent.
        steps: (24, 3) where each joint is from its parent at rest, see `bones`.

    Returns:
        The joints' places (..., 24, 3) and orientations (..., 24, 3, 3).
    """
    if local.ndim == 3:
        alone = _walked(local, steps, range(1, len(PARENTS)))
        return np.array(alone[0]), np.array(alone[1])
    turned = local.copy()
    places = np.broadcast_to(steps, local.shape[:-1]).copy()
    for children, parents in _LEVELS:
        above = turned[..., parents, :, :]
        places[..., children, :] = places[..., parents, :] + exact.apply(above, steps[children])
        turned[..., children, :, :] = exact.product(above, turned[..., children, :, :])
    return places, turned


@checked
def joint_and_parent(
    local: Annotated[Float64, Shape("24 3 3")], steps: Annotated[Float64, Shape("24 3")], joint: int
) -> tuple[Float64, Float64, Float64]:
    """Return one joint's place (3,) and orientation (3, 3), and its parent's orientation.

    Args:
        local: (24, 3, 3), see `forward_kinematics`, which gives the same numbers.
        steps: (24, 3), see `bones`.
        joint: 1 to 23.

    Raises:
        InputError: a number that is no joint's, or the pelvis's, which hangs on none.
    """
    if not 0 < joint < len(PARENTS):
        raise InputError(f"no joint {joint} with a parent", expected=f"1 to {len(PARENTS) - 1}")
    places, orientations = _walked(local, steps, _PATHS[joint])
    above = orientations[PARENTS[joint]]
    return np.array(places[joint]), np.array(orientations[joint]), np.array(above)


def _walked(
    local: Float64, steps: Float64, joints: Iterable[int]
) -> tuple[list[list[float]], list[list[list[float]]]]:
    """Turn one skeleton's joints in single numbers, which is faster; parents come first."""
    turned, places = local.tolist(), steps.tolist()
    for joint in joints:
        above, (x, y, z), start = turned[PARENTS[joint]], places[joint], places[PARENTS[joint]]
        moved = [a * x + b * y + c * z for a, b, c in above]
        places[joint] = [place + step for place, step in zip(start, moved, strict=True)]
        columns = list(zip(*turned[joint], strict=True))
        turned[joint] = [[a * x + b * y + c * z for x, y, z in columns] for a, b, c in above]
    return places, turned


def _paths() -> list[list[int]]:
    """Return the joints between the pelvis and each joint, and that one, from above."""
    paths: list[list[int]] = [[]]
    for joint, parent in enumerate(PARENTS[1:], 1):
        paths.append([*paths[parent], joint])
    return paths


_PATHS = _paths()
