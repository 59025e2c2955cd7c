"""Made-up views: a blob of an object, a person in some pose, a camera that looks at both."""

import numpy as np

from chorus_bench.datasets.masks import encode_mask


def look_at_origin(azimuth, elevation=0.1, distance=3.0):
    """R and t of a camera that looks at the body's origin, upright."""
    center = distance * np.array(
        [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(elevation),
            np.sin(azimuth) * np.cos(elevation),
        ]
    )
    forward = -center / distance
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    return R, -R @ center


def intrinsics(height, width):
    focal = 1.1666 * width
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def blob(rng, height, width):
    """A filled ellipse somewhere near the middle."""
    y, x = np.mgrid[:height, :width]
    cy, cx = rng.uniform(0.3, 0.7, 2) * [height, width]
    ry, rx = rng.uniform(0.1, 0.3, 2) * [height, width]
    return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1


def make_row(seed=0, *, size=(48, 40), prompt=None, **changes):
    """One row as the aggregation wants it."""
    rng = np.random.default_rng(seed)
    R, t = look_at_origin(rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.4), rng.uniform(2.5, 4))
    row = {
        "sample_id": f"s{seed:03d}",
        "height": size[0],
        "width": size[1],
        "object_mask": encode_mask(blob(rng, *size)),
        "pose": rng.normal(0, 0.3, 72).astype(np.float32).tolist(),
        "camera_rotation": R.tolist(),
        "camera_translation": t.tolist(),
        "camera_intrinsics": intrinsics(*size).tolist(),
        "prompt": prompt,
    }
    return row | changes


def make_rows(count, **changes):
    return [make_row(seed, **changes) for seed in range(count)]
