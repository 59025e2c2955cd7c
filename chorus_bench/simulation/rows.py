"""Functions that test and training rows share."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.seeds import Stream, address_seed

Bool = NDArray[np.bool_]

#: Raised when the simulated world changes, so that rows of two worlds are never mixed.
WORLD = "simulated-1"

_LEAST_SIDE = 32


def row_stream(kind: str, seed: int, *address: object) -> Stream:
    """Return the random stream of a row."""
    return Stream(WORLD, kind, seed, *address)


def check_request(index: int, size: tuple[int, int]) -> None:
    """Raise an `InputError` for a negative index or a picture that is too small."""
    if index < 0:
        raise InputError(f"index {index} of a simulated row", expected="0 or more")
    if min(size) < _LEAST_SIDE:
        raise InputError(
            f"a simulated image of {size[0]} x {size[1]} pixels (height x width)",
            expected=f"at least {_LEAST_SIDE} pixels on each side",
        )


def sample_name(kind: str, category: str, *parts: object) -> str:
    """Return a sample's id, for example ``simulated-test-tennis_racket-00012``."""
    return "-".join(["simulated", kind, category.replace(" ", "_"), *map(str, parts)])


def prompt_slug(prompt: str) -> str:
    """Return a prompt as it appears in ids: its words, and four digits that identify it."""
    words = re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")
    return f"{words[:60]}-{address_seed('prompt', prompt) % 0x10000:04x}"


def mask_box(mask: Bool) -> list[float] | None:
    """Return the box (left, top, right, bottom) of a mask's pixels, or None if it has none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]


def box_overlap(first: list[float], second: list[float]) -> float:
    """Return the intersection of two boxes over the area of the smaller one."""
    a, b = np.asarray(first), np.asarray(second)
    sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return float(sides.prod() / min(areas))


def camera_columns(camera: PerspectiveCamera, prefix: str = "camera_") -> dict[str, Any]:
    """Return the three columns of a camera."""
    return {
        f"{prefix}rotation": camera.rotation.tolist(),
        f"{prefix}translation": camera.translation.tolist(),
        f"{prefix}intrinsics": camera.intrinsics.tolist(),
    }
