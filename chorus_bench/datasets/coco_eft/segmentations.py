"""Masks of COCO annotations: polygons, plain and compressed run lengths, all as one RLE."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pycocotools import mask as coco_mask

from chorus_bench.datasets.coco_eft.annotations import Annotation
from chorus_bench.datasets.coco_eft.entry_error import EntryError
from chorus_bench.datasets.coco_eft.pairs import Box, box_of
from chorus_bench.datasets.coco_eft.polygons import fill_polygons
from chorus_bench.datasets.masks import RLE, decode_mask, encode_mask
from chorus_bench.datasets.recipe import Note
from chorus_bench.errors import InputError
from chorus_bench.geometry.boxes import intersection_over_union

_DAMAGED = "masks that are damaged"
_SHORT = "polygons with fewer than three points"
#: Coordinates beyond it are damaged whatever the image; comparing needs no conversion to float.
_LARGEST = 2**53
_MAX_POLYGON = 1_000_000


#: How far a mask's box may be from the annotation's, pixels on any side, when less than half of
#: their union is common to both; tiny objects are drawn more coarsely than that.
_BOX_TOLERANCE = 4.0


def annotation_mask(annotation: Annotation, size: tuple[int, int], notes: list[Note]) -> RLE:
    """Return the mask of an annotation as a compressed RLE, checked against its box.

    Args:
        annotation: a COCO annotation.
        size: height and width of its image, pixels.
        notes: takes the notes.

    Raises:
        EntryError: there is no mask, no pixel in it, it does not fit the image, or it is
            somewhere else than the annotation's box.
    """
    rle = _mask(annotation, size, notes)
    where, found = f"annotation {annotation['id']}", box_of_runs(rle)
    if found is None:
        raise EntryError("masks without a pixel", f"the mask of {where} has no pixel")
    box = box_of(annotation, size)
    sides = max(abs(a - b) for a, b in zip(box, found, strict=True))
    if sides > _BOX_TOLERANCE and intersection_over_union([box], [found])[0, 0] < 0.5:
        raise EntryError(
            "boxes that disagree with their masks",
            f"{where} has the box {_text(box)}, and its mask the box {_text(found)} "
            "(left, top, right, bottom; COCO stores left, top, width, height)",
        )
    return rle


def _text(box: Box) -> str:
    return "[" + ", ".join(f"{number:g}" for number in box) + "]"


def box_of_runs(rle: RLE) -> Box | None:
    """Return the box (left, top, right, bottom) of a mask's pixels, None for none."""
    x, y, width, height = (float(n) for n in coco_mask.toBbox(rle))
    return None if width <= 0 or height <= 0 else (x, y, x + width, y + height)


def _mask(annotation: Annotation, size: tuple[int, int], notes: list[Note]) -> RLE:
    """Return the mask of an annotation as a compressed RLE.

    Polygons with fewer than three points enclose nothing and are left out, with a note:
    pycocotools would interpret two points as a box.

    Args:
        annotation: a COCO annotation.
        size: height and width of its image, pixels.
        notes: collects the notes.

    Raises:
        EntryError: there is no mask, or its size does not match the image.
    """
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, Mapping):
        return _from_runs(segmentation, size, f"annotation {annotation['id']}")
    if not isinstance(segmentation, list) or not segmentation:
        raise EntryError("annotations without a mask", f"annotation {annotation['id']} has no mask")
    polygons = [_polygon(polygon, annotation["id"], size) for polygon in segmentation]
    usable = [polygon for polygon in polygons if len(polygon) >= 6]
    short = len(polygons) - len(usable)
    where = f"annotation {annotation['id']}"
    if not usable:
        raise EntryError(_SHORT, f"{where} has only polygons with fewer than three points")
    if short:
        message = f"{short} of its polygons have fewer than three points; the others are used"
        notes.append(Note(where, _SHORT, message, left_out=False))
    return encode_mask(fill_polygons(usable, *size))


def _polygon(polygon: Any, annotation_id: int, size: tuple[int, int]) -> list[float]:  # noqa: ANN401
    """Return a polygon whose points lie in or near the image.

    pycocotools writes past its buffers, or allocates by the coordinate, far outside of it.
    """
    where = f"annotation {annotation_id}"
    if not isinstance(polygon, list) or not all(_is_number(value) for value in polygon):
        raise EntryError(_DAMAGED, f"{where} has a polygon that is not a list of finite numbers")
    if len(polygon) % 2:
        raise EntryError(_DAMAGED, f"{where} has a polygon with an odd number of coordinates")
    if len(polygon) > _MAX_POLYGON:
        raise EntryError(_DAMAGED, f"{where} has a polygon of {len(polygon) // 2} points")
    far = [v for i, v in enumerate(polygon) if not -size[1 - i % 2] <= v <= 2 * size[1 - i % 2]]
    if far:
        raise EntryError(
            "polygons far outside their image",
            f"{where} has a polygon with the coordinate {far[0]:g}, its image has "
            f"{size[1]} x {size[0]} pixels (width x height)",
        )
    return polygon


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _LARGEST and math.isfinite(value)


def _from_runs(runs: Mapping[str, Any], size: tuple[int, int], where: str) -> RLE:
    found = runs.get("size")
    if not isinstance(found, list) or tuple(found) != size:
        raise EntryError(
            "masks whose size differs from the image",
            f"{where} has a mask of size {found}, its image has {list(size)} (height, width)",
        )
    counts = runs.get("counts")
    if isinstance(counts, list):
        counts = _compressed(counts, size, where)
    rle = {"size": list(size), "counts": counts}
    try:
        decode_mask(rle, size=size)
    except (InputError, AttributeError) as error:
        raise EntryError(_DAMAGED, f"{where}: {error}") from error
    return _as_text(rle)


def _compressed(counts: list[Any], size: tuple[int, int], where: str) -> bytes:
    """Compress plain run lengths."""
    height, width = size
    if not all(isinstance(run, int) and 0 <= run <= height * width for run in counts):
        raise EntryError(_DAMAGED, f"{where} has run lengths that are not whole numbers")
    if sum(counts) != height * width:
        raise EntryError(
            "masks whose size differs from the image",
            f"{where} has runs of {sum(counts)} pixels, its image has {height * width}",
        )
    rle = coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    compressed: bytes = rle["counts"]
    return compressed


def _as_text(rle: Mapping[str, Any]) -> RLE:
    counts = rle["counts"]
    return {
        "size": [int(n) for n in rle["size"]],
        "counts": counts.decode("ascii") if isinstance(counts, bytes) else counts,
    }
