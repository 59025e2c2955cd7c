"""The geometry of a test sample, which does not depend on the submission.

Posing the probe grid, warping it back and projecting it depends only on the person, the camera and
the body. So it is computed once per sample: for every small pixel, the canonical points of the
probe voxels that project to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.array_types import Float32, Int64, UInt8
from chorus_bench.datasets.samples import EvalSample
from chorus_bench.evaluation.area_scaling import scaled_mask
from chorus_bench.evaluation.warping import canonical_points
from chorus_bench.geometry.body import BodyModel, without_global_orientation
from chorus_bench.geometry.camera import PerspectiveCamera, pixel_indices
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.metrics.pap import pixel_classes
from chorus_bench.metrics.protocol import Protocol


def small_image_size(height: int, width: int, side: int = 32) -> tuple[int, int, float]:
    """Return (height, width) of the small image, and the unrounded scale factor.

    The shorter side becomes ``side``, the longer one is truncated.

    Source: docs/protocol.md P14.
    """
    factor = side / min(height, width)
    if height > width:
        return int(height * factor), side, factor
    if width > height:
        return side, int(width * factor), factor
    return side, side, factor


def small_target(mask: ArrayLike, height: int, width: int) -> UInt8:
    """Return a mask (H, W) of 0 and 1 scaled to (height, width), as 0 and 1.

    The covered share of each pixel is rounded to the nearer of the two, see `scaled_mask`.

    Source: docs/protocol.md P16.
    """
    return scaled_mask(np.asarray(mask, dtype=np.uint8), height, width)


def splat(points: ArrayLike, camera: PerspectiveCamera, height: int, width: int) -> UInt8:
    """Return the mask (height, width) of the pixels that receive at least one point.

    Args:
        points: (n, 3) in metres, body frame.
        camera: the camera of the small image.
        height: pixels.
        width: pixels.

    Source: docs/protocol.md P20.
    """
    mask = np.zeros(height * width + 1, dtype=np.uint8)
    mask[pixel_indices(camera.project(points), height, width)] = 1
    return mask[:-1].reshape(height, width)


@dataclass(frozen=True, eq=False)
class PreparedSample:
    """A test sample after the work that does not depend on the submission.

    Attributes:
        height: height of the small image, pixels.
        width: width of the small image, pixels.
        classes: (height * width,) uint8: 1 for target plus 2 for human.
        pixels: (p,) flat indices, ascending, of the pixels to which a probe voxel projects.
        starts: (p,) where each pixel's voxels begin in ``voxels``.
        voxels: (n,) int32 probe voxels in the order of their pixels.
        points: (n, 3) float32 canonical point of each, metres.
    """

    height: int
    width: int
    classes: UInt8
    pixels: NDArray[np.int32]
    starts: Int64
    voxels: NDArray[np.int32]
    points: Float32

    def occupancy_image(self, values: ArrayLike) -> Float32:
        """Return the largest value on each pixel, (height, width); minus infinity for none.

        Args:
            values: (n,) probability at each of ``points``.
        """
        image = np.full(self.height * self.width, -np.inf, dtype=np.float32)
        if len(self.pixels):
            image[self.pixels] = np.maximum.reduceat(
                np.asarray(values, dtype=np.float32), self.starts
            )
        return image.reshape(self.height, self.width)

    @property
    def target(self) -> UInt8:
        """The small target mask (height, width)."""
        return (self.classes & np.uint8(1)).reshape(self.height, self.width)

    @property
    def human(self) -> UInt8:
        """The small human mask (height, width)."""
        return (self.classes >> np.uint8(1)).reshape(self.height, self.width)


@dataclass(frozen=True, eq=False)
class ProbeEntries:
    """Where the probe voxels project to: what follows from a sample's camera alone.

    Attributes:
        height: height of the small image, pixels.
        width: width of the small image, pixels.
        camera: the camera of the small image.
        voxels: (n,) as in `PreparedSample`, also ``pixels`` and ``starts``.
        pixels: (p,).
        starts: (p,).
    """

    height: int
    width: int
    camera: PerspectiveCamera
    voxels: NDArray[np.int32]
    pixels: NDArray[np.int32]
    starts: Int64


def probe_entries(sample: EvalSample, protocol: Protocol) -> ProbeEntries:
    """Project the probe voxels into a sample's small image.

    Args:
        sample: the test sample.
        protocol: grid and image size.

    Source: docs/protocol.md P14, P15 and P20.
    """
    height, width, factor = small_image_size(sample.height, sample.width, protocol.image_side)
    camera = sample.camera.rescaled(factor)
    voxels, pixels, starts = _by_pixel(protocol.grid, camera, height, width)
    return ProbeEntries(height, width, camera, voxels, pixels, starts)


def prepare_sample(
    sample: EvalSample,
    body: BodyModel,
    protocol: Protocol,
    *,
    threads: int = 1,
    device: str = "cpu",
) -> PreparedSample:
    """Do the part of one sample's evaluation that does not depend on the submission.

    Args:
        sample: the test sample.
        body: the body that is posed.
        protocol: grid, skinning and image size.
        threads: threads for the nearest-neighbour query.
        device: see `warp_backward`.

    Source: docs/protocol.md P12 to P17 and P20.
    """
    entries = probe_entries(sample, protocol)
    height, width = entries.height, entries.width
    target = small_target(sample.decode_object_mask(), height, width)
    posed = body.pose(without_global_orientation(sample.pose))
    human = splat(posed, entries.camera, height, width)
    canonical = canonical_points(
        body, sample.pose, protocol.grid, protocol.skinning, threads=threads, device=device
    )
    return PreparedSample(
        height=height,
        width=width,
        classes=pixel_classes(target, human).astype(np.uint8).ravel(),
        pixels=entries.pixels,
        starts=entries.starts,
        voxels=entries.voxels,
        points=canonical[entries.voxels],
    )


def _by_pixel(
    grid: GridSpec, camera: PerspectiveCamera, height: int, width: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], Int64]:
    """Sort the probe voxels that project into the image by pixel."""
    pixel = pixel_indices(camera.project(grid.centers()), height, width)
    inside = np.flatnonzero(pixel < height * width)
    short = np.min_scalar_type(height * width)  # NumPy sorts 16 bits in a third of the time
    order = inside[np.argsort(pixel[inside].astype(short), kind="stable")]
    counts = np.bincount(pixel[order], minlength=height * width)
    pixels = np.flatnonzero(counts)
    starts = np.concatenate([[0], np.cumsum(counts[pixels])[:-1]]).astype(np.int64)
    return order.astype(np.int32), pixels.astype(np.int32), starts[: len(pixels)]
