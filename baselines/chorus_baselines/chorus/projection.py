"""From views to votes: the pixel of every canonical voxel in an image.

The forward warp and the projection are one linear map: with the skinning weights w_j(g) of a
voxel g, the camera's K [R | t] and the bones' transforms C_j, the voxel's homogeneous pixel is

    sum_j w_j(g) K [R | t] C_j (g, 1).

So the products w_j(g) (g, 1) are the voxel's features, computed once; 24 x (3, 4) numbers describe
the view; and one matrix product gives all voxels of many views. Features are rounded to 24
bits and views' numbers to 26 bits, which leaves every partial sum exact in float64. Hence the
votes have the same bits in batches of any size, with any number of threads and on any device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from chorus_baselines.chorus.views import View
from chorus_bench.array_types import Float32, Float64, Int64, UInt8
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import JOINTS, BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import SkinningSettings, voxel_skinning

#: Codes of a voxel: outside the image, inside but off the mask, on the mask.
OUTSIDE, SEEN, HIT = 0, 1, 3

_DEFAULT_SKINNING = SkinningSettings()
_PELVIS = 0
_FEATURE_BITS, _VIEW_BITS = 24, 26
# Voxels stand in blocks so small that BLAS multiplies each on the thread that asks for it;
# batches of views go to threads of our own, which do not wait for each other.
_MOVING_BLOCK, _STILL_BLOCK = 24, 128
# So few that what is read at once stays in the second cache.
_VOXELS_AT_ONCE = 1536
#: Views in one batch; the block sizes above are for this many.
VIEWS_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class VoxelFeatures:
    """The voxels' side of the projection.

    Args:
        grid: the canonical grid.
        order: (N**3,) flat voxel indices: first those that move with the body, then the rest.
        moving: (blocks, 96, 24) w_j(g) (g, 1) of the moving voxels, in blocks of 24, row
            4 j + a, in units of 2**-24; coordinates are relative to the cube, from -1 to 1.
        still: (blocks, 4, 128) the same for the others, which belong to the pelvis alone.
            Both are filled up with zeros.
        moving_count: number of moving voxels.
    """

    grid: GridSpec
    order: Int64
    moving: Float32
    still: Float32
    moving_count: int

    @property
    def place(self) -> Int64:
        """The position of each voxel in ``order``, (N**3,)."""
        place = np.empty_like(self.order)
        place[self.order] = np.arange(len(place))
        return place


@lru_cache(maxsize=2)
def voxel_features(
    body: BodyModel,
    grid: GridSpec,
    settings: SkinningSettings = _DEFAULT_SKINNING,
    canonicalize: bool = True,
) -> VoxelFeatures:
    """Compute the voxels' side of the projection, once per body and grid.

    Args:
        body: the body.
        grid: the canonical grid.
        settings: settings of the skinning weights.
        canonicalize: false for the paper's ablation, where no voxel moves with the body.
    """
    relative = (grid.centers() - np.array(grid.center)) / (grid.side_length / 2)
    homogeneous = np.column_stack([relative, np.ones(grid.voxels)])
    near, weights = np.zeros(0, dtype=np.int64), np.zeros((0, JOINTS), dtype=np.float32)
    if canonicalize:
        near, weights = _moving_weights(body, grid, settings)
    far = np.setdiff1d(np.arange(grid.voxels), near, assume_unique=True)
    moving = _blocks(homogeneous[near], weights, _MOVING_BLOCK)
    still = _blocks(homogeneous[far], np.ones((len(far), 1), np.float32), _STILL_BLOCK)
    return VoxelFeatures(grid, np.concatenate([near, far]), moving, still, len(near))


def _moving_weights(
    body: BodyModel, grid: GridSpec, settings: SkinningSettings
) -> tuple[Int64, Float32]:
    """Return the moving voxels (n,) and their skinning weights (n, 24)."""
    operator = voxel_skinning(body.canonical_vertices, grid, settings)
    pelvis = np.zeros(JOINTS, dtype=np.float32)
    pelvis[_PELVIS] = 1
    return operator.near, operator.apply(body.weights - pelvis) + pelvis


def _blocks(homogeneous: Float64, weights: Float32, size: int) -> Float32:
    """Return the features (n / size, 4 J, size) of voxels (n, 4) with weights (n, J)."""
    joints = weights.shape[1]
    blocks = np.zeros((-(-len(weights) // size), 4 * joints, size), dtype=np.float32)
    for block, start in zip(blocks, range(0, len(weights), size), strict=True):
        these = slice(start, start + size)
        products = weights[these, :, None].astype(np.float64) * homogeneous[these, None]
        rounded = np.rint(np.ldexp(products, _FEATURE_BITS))
        block[:, : len(rounded)] = rounded.reshape(-1, 4 * joints).T
    return blocks


def view_matrices(views: Sequence[View], body: BodyModel, grid: GridSpec) -> Float64:
    """Compute the views' side of the projection.

    Args:
        views: B views.
        body: the body.
        grid: the canonical grid.

    Returns:
        (3, B, 96): for x, y and depth of every view, the 24 bones' (3, 4) entries in the order
        of `VoxelFeatures.moving`, each row of 96 rounded to 26 bits of its largest entry.
    """
    bones = body.canonical_to_posed(np.stack([view.pose for view in views]))
    scale, center = grid.side_length / 2, np.array(grid.center)
    matrices = np.empty((3, len(views), JOINTS, 4))
    for number, (view, bone) in enumerate(zip(views, bones, strict=True)):
        P = view.camera.matrix
        linear = exact.product(P[:, :3], bone[:, :3, :3])  # (24, 3, 3)
        offset = exact.apply(P[:, :3], bone[:, :3, 3]) + P[:, 3] + exact.apply(linear, center)
        entries = np.concatenate([linear * scale, offset[..., None]], axis=-1)
        matrices[:, number] = entries.swapaxes(0, 1)
    return _round_rows(matrices.reshape(3, len(views), -1))


def _round_rows(matrices: Float64) -> Float64:
    """Round every row to a multiple of a power of two, 2**-26 of its largest entry."""
    _, exponent = np.frexp(np.abs(matrices).max(axis=-1, keepdims=True))
    rounded: Float64 = np.ldexp(np.rint(np.ldexp(matrices, _VIEW_BITS - exponent)), exponent)
    return np.ldexp(rounded, -_VIEW_BITS)


@dataclass(frozen=True, eq=False)
class ImageTable:
    """The masks of a batch as one lookup table of codes, pixels column by column.

    Every image has a border of one pixel with the code `OUTSIDE`.

    Args:
        codes: the bordered images, concatenated.
        first: (B,) position of pixel (0, 0) of each image.
        stride: (B,) length of its columns, with the border.
        height: (B,) in pixels, without the border.
        width: (B,) in pixels, without the border.
    """

    codes: UInt8
    first: Float64
    stride: Float64
    height: Float64
    width: Float64

    @classmethod
    def of(cls, views: Sequence[View]) -> ImageTable:
        """Return the table of some views' masks."""
        height, width = np.array([view.size for view in views], dtype=np.int64).T
        strides = height + 2
        ends = np.cumsum((width + 2) * strides)
        starts = np.concatenate([[0], ends[:-1]])
        codes = np.zeros(ends[-1], dtype=np.uint8)
        for view, start, end, stride in zip(views, starts, ends, strides, strict=True):
            image = codes[start:end].reshape(-1, stride)
            image[1:-1, 1:-1] = view.runs.columns(SEEN, HIT)
        places = (starts + strides + 1, strides, height, width)
        return cls(codes, *(place.astype(np.float64) for place in places))


class NumpyProjector:
    """The projector based on NumPy alone; several threads may use it at once."""

    def __init__(self, features: VoxelFeatures) -> None:
        moving, self._voxels = features.moving_count, features.grid.voxels
        self._groups = ((features.moving, moving), (features.still, self._voxels - moving))

    def look_up(self, matrices: Float64, views: Sequence[View]) -> UInt8:
        """Return the codes (B, N**3), voxels in the order of `VoxelFeatures.order`.

        Args:
            matrices: the views' side of the projection, see `view_matrices`.
            views: B views.
        """
        images = ImageTable.of(views)
        codes = np.empty((len(views), self._voxels), dtype=np.uint8)
        done = 0
        for blocks, count in self._groups:
            _look_up(matrices, blocks, images, codes[:, done : done + count])
            done += count
        return codes


def _look_up(matrices: Float64, blocks: Float32, images: ImageTable, codes: UInt8) -> None:
    """Write the codes (B, n) of the voxels of blocks, those that fill up the last one left out."""
    _, used, size = blocks.shape
    M = np.ascontiguousarray(matrices[..., :used]).reshape(-1, used)
    step = _VOXELS_AT_ONCE // size
    reader, pixels = _PixelReader(images, step, size), np.empty((step, len(M), size))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for start in range(0, len(blocks), step):
            some = blocks[start : start + step].astype(np.float64)
            found = reader.read(exact.whole_product(M, some, out=pixels[: len(some)]))
            place = codes[:, start * size : (start + step) * size]
            place[...] = found[:, : place.shape[1]]


class _PixelReader:
    """Reads images at homogeneous pixels, with working memory for one step."""

    def __init__(self, images: ImageTable, step: int, size: int) -> None:
        views = len(images.width)
        self._codes, self._shape = images.codes, (views, size)
        sides = (images.width, images.height, images.stride, images.first)
        self._width, self._height, self._stride, self._first = (np.repeat(a, size) for a in sides)
        types = (np.float64, np.float64, np.intp, np.uint8)
        self._work = [np.empty((step, views * size), dtype) for dtype in types]

    def read(self, pixels: Float64) -> UInt8:
        """Return the codes (B, blocks * size) at pixels, truncated toward zero.

        Points behind the camera are read like all others; depth zero is outside: what is divided
        by it is infinite, or not a number, which `numpy.fmax` takes to the border.

        Args:
            pixels: (blocks, 3 B, size) x, y and depth of every view.
        """
        blocks = len(pixels)
        x, y, z = pixels.reshape(blocks, 3, -1).swapaxes(0, 1)
        u, v, index, codes = (work[:blocks] for work in self._work)
        for place, along, limit in ((u, x, self._width), (v, y, self._height)):
            np.divide(along, z, out=place)
            np.fmax(place, -1, out=place)
            np.minimum(place, limit, out=place)
            np.trunc(place, out=place)
        u *= self._stride
        u += v
        u += self._first
        np.copyto(index, u, casting="unsafe")
        self._codes.take(index, out=codes, mode="clip")
        return codes.reshape(blocks, *self._shape).swapaxes(0, 1).reshape(self._shape[0], -1)
