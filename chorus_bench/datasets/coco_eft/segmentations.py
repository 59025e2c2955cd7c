"""Masks of COCO annotations: polygons, plain and compressed run lengths, all to one RLE."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pycocotools import mask as coco_mask

from chorus_bench.datasets.coco_eft.annotations import Annotation
from chorus_bench.datasets.coco_eft.entry_error import EntryError
from chorus_bench.datasets.coco_eft.polygons import fill_polygons
from chorus_bench.datasets.masks import RLE, decode_mask, encode_mask
from chorus_bench.datasets.recipe import Note
from chorus_bench.errors import InputError

_DAMAGED = "masks that are damaged"
_SHORT = "polygons with fewer than three points"


def annotation_mask(annotation: Annotation, size: tuple[int, int], notes: list[Note]) -> RLE:
    """Return the mask of an annotation as a compressed RLE.

    Polygons with fewer than three points enclose nothing and are left out, with a note:
    pycocotools would take two points for a box.

    Args:
        annotation: a COCO annotation.
        size: height and width of its image, pixels.
        notes: takes the notes.

    Raises:
        EntryError: there is no mask, or it does not fit the image.
    """
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, Mapping):
        return _from_runs(segmentation, size, f"annotation {annotation['id']}")
    if not isinstance(segmentation, list) or not segmentation:
        raise EntryError("annotations without a mask", f"annotation {annotation['id']} has no mask")
    polygons = [_polygon(polygon, annotation["id"]) for polygon in segmentation]
    usable = [polygon for polygon in polygons if len(polygon) >= 6]
    short = len(polygons) - len(usable)
    where = f"annotation {annotation['id']}"
    if not usable:
        raise EntryError(_SHORT, f"{where} has only polygons with fewer than three points")
    if short:
        message = f"{short} of its polygons have fewer than three points; the others are taken"
        notes.append(Note(where, _SHORT, message, left_out=False))
    return encode_mask(fill_polygons(usable, *size))


def _polygon(polygon: Any, annotation_id: int) -> list[float]:  # noqa: ANN401 - file content
    where = f"annotation {annotation_id}"
    if not isinstance(polygon, list) or not all(_is_number(value) for value in polygon):
        raise EntryError(_DAMAGED, f"{where} has a polygon that is no list of finite numbers")
    if len(polygon) % 2:
        raise EntryError(_DAMAGED, f"{where} has a polygon with an odd count of numbers")
    return polygon


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _from_runs(runs: Mapping[str, Any], size: tuple[int, int], where: str) -> RLE:
    found = runs.get("size")
    if not isinstance(found, list) or tuple(found) != size:
        raise EntryError(
            "masks of another size than the image",
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
    if not all(isinstance(run, int) and run >= 0 for run in counts):
        raise EntryError(_DAMAGED, f"{where} has run lengths that are no whole numbers")
    if sum(counts) != height * width:
        raise EntryError(
            "masks of another size than the image",
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
