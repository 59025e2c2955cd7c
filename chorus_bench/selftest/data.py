"""The golden figures: results of the original CHORUS code on made-up bodies, poses and fields.

They are the .npz files in ``chorus_bench/golden``, whose README describes every figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Bool
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel

_PACKAGE = "chorus_bench.golden"


@lru_cache(maxsize=16)
def golden(name: str) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of one golden file; both mapping and arrays are read-only.

    Args:
        name: the file's name without ``.npz``, for example ``"metric"``.

    Raises:
        InputError: there is no such file in this installation.
    """
    with _find(f"{name}.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    for array in arrays.values():
        array.flags.writeable = False
    return MappingProxyType(arrays)


@lru_cache(maxsize=1)
def golden_body() -> BodyModel:
    """Return the made-up body (6,890 vertices) with which every other golden figure was made.

    Its blend shapes are integer multiples of 1/4096 m (pose) and 1/16384 m (shape) and are stored
    as integers. Its faces are not stored.
    """
    arrays = golden("body")
    return BodyModel(
        name="golden",
        template=arrays["v_template"],
        weights=arrays["weights"],
        joint_regressor=arrays["J_regressor"],
        faces=np.zeros((0, 3), dtype=np.int32),
        pose_directions=(arrays["posedirs_4096"] / 4096).astype(np.float32),
        shape_directions=(arrays["shapedirs_16384"] / 16384).astype(np.float32),
    )


def split_images(
    flat: NDArray[Any], shapes: Sequence[Sequence[int]] | NDArray[Any]
) -> list[NDArray[Any]]:
    """Cut images (H, W) of several sizes out of their concatenation."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    parts = np.split(flat[: sum(sizes)], np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def unpack_masks(
    packed: NDArray[np.uint8], shapes: Sequence[Sequence[int]] | NDArray[Any]
) -> list[Bool]:
    """Return the masks (H, W) of several sizes from one `numpy.packbits` of all their pixels."""
    return split_images(np.unpackbits(packed).astype(bool), shapes)


def _find(filename: str) -> Traversable:
    file = resources.files(_PACKAGE) / filename
    if not file.is_file():
        raise InputError(
            f"the golden figures '{filename}' are not part of this installation",
            fix="install chorus-bench from its wheel, or run from a full source checkout",
        )
    return file
