"""`overlays.npz.xz`: the data from which the pictures of single samples are drawn.

Every array except ``heat`` has one item for each of the P pictures. ``heat`` holds the occupancy
images that PAP compares, one after another, row by row; 255 stands for the picture's ``top``.
``person`` and ``target`` are the counts of COCO RLEs. Photographs are not kept.

| array | type | meaning |
|---|---|---|
| ``sample_id``, ``category``, ``kind`` | text | the sample; kind is best, median, worst or shared |
| ``score`` | float64 | the sample's PAP, NaN if unknown |
| ``size`` | whole numbers, (P, 2) | height and width of the image |
| ``person``, ``target`` | bytes | masks of the person and the object |
| ``heat_size`` | whole numbers, (P, 2) | height and width of the occupancy image |
| ``top`` | float64 | the largest probability in the occupancy image |
| ``heat`` | uint8 | all occupancy images |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from chorus_bench.datasets.masks import RLE, decode_mask
from chorus_bench.errors import InputError
from chorus_bench.io.findings import Finding, Findings, has_controls
from chorus_bench.io.limits import MIB
from chorus_bench.io.npz_files import Arrays
from chorus_bench.leaderboard.arrays import AGAIN, arrays_bytes, read_arrays
from chorus_bench.names import MAX_CATEGORY_LENGTH, MAX_SAMPLE_LENGTH
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.samples import KINDS, ChosenSample

Overlays = dict[ChosenSample, Overlay]

#: Array with one item per picture -> the kinds of its dtype, and the item's shape.
_ARRAYS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "sample_id": ("U", ()),
    "category": ("U", ()),
    "kind": ("U", ()),
    "score": ("f", ()),
    "size": ("iu", (2,)),
    "person": ("S", ()),
    "target": ("S", ()),
    "heat_size": ("iu", (2,)),
    "top": ("f", ()),
}
_MAX_PICTURES, _MAX_SIDE, _MAX_HEAT_SIDE = 200, 4096, 512
_LARGEST = 64 * MIB


def overlays_bytes(overlays: Mapping[ChosenSample, Overlay]) -> bytes:
    """Return the content of `overlays.npz.xz`; at least one overlay."""
    samples, drawn = list(overlays), list(overlays.values())
    return arrays_bytes(
        {
            "sample_id": np.array([sample.sample_id for sample in samples]),
            "category": np.array([sample.category for sample in samples]),
            "kind": np.array([sample.kind for sample in samples]),
            "score": np.array([np.nan if s.score is None else s.score for s in samples]),
            "size": np.array([one.target["size"] for one in drawn], np.uint16),
            "person": np.array([one.person["counts"].encode() for one in drawn]),
            "target": np.array([one.target["counts"].encode() for one in drawn]),
            "heat_size": np.array([one.heat.shape for one in drawn], np.uint16),
            "top": np.array([one.top for one in drawn]),
            "heat": np.concatenate([one.heat.ravel() for one in drawn]),
        }
    )


def read_overlays(file: Path, where: str, errors: Findings) -> Overlays:
    """Read `overlays.npz.xz`.

    Args:
        file: the file.
        where: its name, for findings.
        errors: collects every problem.
    """
    try:
        arrays = read_arrays(file, most=len(_ARRAYS) + 1, largest=_LARGEST)
        _check_arrays(arrays)
        rows = list(_rows(arrays))
    except InputError as error:
        errors.append(Finding.of(error, where))
        return {}
    found: Overlays = {}
    for number, (sample, overlay) in enumerate(rows):
        for problem, expected in _problems(sample, overlay):
            errors.add(f"{where}: picture {number}", problem, expected=expected, fix=AGAIN)
        found[sample] = overlay
    return found


def _check_arrays(arrays: Arrays) -> None:
    """Raise an `InputError` unless the arrays have the right types and sizes."""
    names = {*_ARRAYS, "heat"}
    if set(arrays) != names:
        found = f"has the arrays {', '.join(sorted(arrays))}"
        raise InputError(found, expected=", ".join(sorted(names)), fix=AGAIN)
    count = arrays["sample_id"].size
    if count > _MAX_PICTURES:
        raise InputError(f"has {count} pictures", expected=f"at most {_MAX_PICTURES}")
    for name, (kinds, shape) in _ARRAYS.items():
        array = arrays[name]
        if array.dtype.kind not in kinds or array.shape != (count, *shape):
            raise InputError(f"'{name}' is {array.dtype} of shape {array.shape}", fix=AGAIN)
    sizes, heat = arrays["heat_size"].astype(np.int64), arrays["heat"]
    usual = ((sizes > 0) & (sizes <= _MAX_HEAT_SIDE)).all() and heat.dtype == np.uint8
    if not usual or heat.shape != (sizes.prod(axis=1).sum(),):
        raise InputError("the length of 'heat' is not the size of its images", fix=AGAIN)


def _rows(arrays: Arrays) -> Iterator[tuple[ChosenSample, Overlay]]:
    texts = zip(*(arrays[name].tolist() for name in ("sample_id", "category", "kind")), strict=True)
    ends = np.cumsum(arrays["heat_size"].astype(np.int64).prod(axis=1))
    for number, text in enumerate(texts):
        size = tuple(int(n) for n in arrays["heat_size"][number])
        heat = arrays["heat"][ends[number] - size[0] * size[1] : ends[number]].reshape(size)
        score, top = float(arrays["score"][number]), float(arrays["top"][number])
        person, target = (_mask(arrays, name, number) for name in ("person", "target"))
        sample_id, category, kind = text
        known = None if np.isnan(score) else score
        sample = ChosenSample(sample_id, category, kind, known)
        yield sample, Overlay(heat, top, person, target)


def _mask(arrays: Arrays, name: str, number: int) -> RLE:
    return {"size": arrays["size"][number].tolist(), "counts": bytes(arrays[name][number])}


def _problems(sample: ChosenSample, overlay: Overlay) -> Iterator[tuple[str, str | None]]:
    """Yield the problems of a picture, and what was expected."""
    for text, limit in (
        (sample.sample_id, MAX_SAMPLE_LENGTH),
        (sample.category, MAX_CATEGORY_LENGTH),
    ):
        if not 0 < len(text) <= limit or has_controls(text):
            yield "a sample or category with an invalid name", f"1 to {limit} characters"
    if sample.kind not in KINDS:
        yield "an unknown kind", ", ".join(KINDS)
    for number in (sample.score or 0.0, overlay.top):
        if not 0 <= number <= 1:
            yield f"a score or probability of {number}", "0 to 1"
    for mask in (overlay.person, overlay.target):
        try:
            if max(mask["size"]) > _MAX_SIDE:
                yield f"an image of {mask['size']} pixels", f"at most {_MAX_SIDE} a side"
            else:
                decode_mask(mask)
        except InputError as error:
            yield error.found, error.expected
