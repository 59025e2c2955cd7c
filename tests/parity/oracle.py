"""The metric once more, slowly: one rendered mask per threshold, one loop per rule.

For tests only. Nothing here comes from `chorus_bench`: this is the independent check of the
fast path, written from the definition of the metric alone. It has no tricks: for every
threshold it takes the voxels that reach it, paints their pixels, and counts.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np

THRESHOLDS = [float(f"0.{hundredth:02d}") for hundredth in range(1, 100)]


def small_size(height, width, side=32):
    """Height and width of the small image: the shorter side is ``side``, the rest is cut off."""
    factor = side / min(height, width)
    if height > width:
        return int(height * factor), side
    if width > height:
        return side, int(width * factor)
    return side, side


def small_target(mask, side=32):
    """The object mask at the small size: OpenCV's area mean of a 0/1 mask, rounded."""
    height, width = small_size(*mask.shape, side)
    zeros_and_ones = (np.asarray(mask) != 0).astype(np.uint8)
    return cv2.resize(zeros_and_ones, (width, height), interpolation=cv2.INTER_AREA) > 0


def small_intrinsics(intrinsics, height, width, side=32):
    """K with its first two rows multiplied, in float32, by the factor rounded to float32."""
    small = np.array(intrinsics, dtype=np.float32)
    factor = np.float32(side / min(height, width))
    for row in (0, 1):
        for column in (0, 1, 2):
            small[row, column] = small[row, column] * factor
    return small


def project(points, rotation, translation, intrinsics):
    """Image coordinates (n, 2) of points (n, 3): K (R x + t), divided by the depth."""
    in_camera = np.asarray(points, dtype=np.float64) @ np.float64(rotation).T
    in_camera = in_camera + np.float64(translation)
    homogeneous = in_camera @ np.float64(intrinsics).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return homogeneous[:, :2] / homogeneous[:, 2:]


def paint(uv, height, width):
    """A mask that is on wherever a point lands; coordinates are truncated toward zero."""
    uv = np.asarray(uv, dtype=np.float64).reshape(-1, 2)
    uv = np.trunc(uv[np.isfinite(uv).all(axis=1)])
    column, row = uv[:, 0], uv[:, 1]
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    mask = np.zeros((height, width), dtype=bool)
    mask[row[inside].astype(int), column[inside].astype(int)] = True
    return mask


def predicted_masks(probabilities, uv, height, width, thresholds=THRESHOLDS):
    """One mask per threshold: the pixels of the voxels whose probability reaches it."""
    probabilities = np.asarray(probabilities, dtype=np.float32)
    uv = np.asarray(uv, dtype=np.float64).reshape(-1, 2)
    return [paint(uv[probabilities >= np.float32(tau)], height, width) for tau in thresholds]


def area(mask):
    return int(np.count_nonzero(mask))


def precision(predicted, target):
    return area(predicted & target) / max(1, area(predicted))


def recall(predicted, target):
    return area(predicted & target) / max(1, area(target))


def pap(masks, target, *, strict=False, closed=False):
    """Average precision of masks at ascending thresholds.

    The paper's sum: what recall loses at a step, times the best precision before that step.
    ``closed`` adds what is left of recall at the end, times the best precision of all.
    """
    total = 0.0
    best = precision(masks[0], target)
    for before, now in itertools.pairwise(masks):
        width = recall(before, target) - recall(now, target)
        if not strict or area(now) > 0:
            total += width * best
        best = max(best, precision(now, target))
    if closed:
        total += recall(masks[-1], target) * best
    return total


def score(masks, target, human, *, closed=False):
    """The four numbers of an image and the two target areas."""
    target, human = np.asarray(target) != 0, np.asarray(human) != 0
    seen = [mask & ~human for mask in masks]
    seen_target = target & ~human
    return {
        "PAP": pap(masks, target, closed=closed),
        "PAP_strict": pap(masks, target, strict=True, closed=closed),
        "PAP_hoa": pap(seen, seen_target, closed=closed),
        "PAP_strict_hoa": pap(seen, seen_target, strict=True, closed=closed),
        "target_area": area(target),
        "target_area_hoa": area(seen_target),
    }


def score_image(probabilities, uv, human_uv, mask, *, thresholds=THRESHOLDS, side=32, closed=False):
    """Score one image from its voxels' probabilities and image points.

    ``uv`` and ``human_uv`` are in pixels of the small image, ``mask`` is the full-size mask.
    """
    target = small_target(mask, side)
    masks = predicted_masks(probabilities, uv, *target.shape, thresholds)
    return score(masks, target, paint(human_uv, *target.shape), closed=closed)


def category_mean(images):
    """Means over the images of a category, each a dictionary from `score`."""
    means = {}
    for name in ("PAP", "PAP_strict", "PAP_hoa", "PAP_strict_hoa"):
        total, count = 0.0, 0
        for image in images:
            if image["target_area"] == 0:
                continue
            if name.endswith("_hoa") and image["target_area_hoa"] == 0:
                continue
            total += image[name]
            count += 1
        means[name] = total / max(1, count)
    return means


def benchmark_mean(categories):
    """Unweighted means over categories, each a dictionary from `category_mean`."""
    means = {}
    for name in ("PAP", "PAP_strict", "PAP_hoa", "PAP_strict_hoa"):
        total = 0.0
        for category in categories:
            total += category[name]
        means["m" + name] = total / max(1, len(categories))
    return means
