"""Test samples as values: checked and sorted rows with a fingerprint."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.interaction_labels import InteractionLabel
from chorus_bench.datasets.labels import check_label, check_name
from chorus_bench.datasets.lengths import check_lengths
from chorus_bench.datasets.masks import RLE, decode_mask
from chorus_bench.datasets.schema import LENGTHS
from chorus_bench.errors import InputError, list_some, unknown_name
from chorus_bench.geometry.camera import CAMERA_PARTS, CAMERA_PREFIX, PerspectiveCamera
from chorus_bench.geometry.checks import check_pose
from chorus_bench.io.notebook_html import summary_html
from chorus_bench.names import given_categories

#: The metadata file of a built dataset (see `chorus_bench.datasets.folder`).
METADATA_FILE = "chorus_bench.json"

_FLOAT_COLUMNS = {"pose": (72,), "betas": (10,)}


@dataclass(frozen=True, eq=False)
class EvalSample:
    """One person-object pair of a test image: what an evaluation reads of it.

    Attributes:
        sample_id: unique in the split.
        category: the object's category.
        height: height of the full image, pixels.
        width: width of the full image, pixels.
        object_mask: COCO RLE of the object in the full image.
        human_mask: COCO RLE of the person in the full image.
        pose: (72,) axis-angle, radians, float32; the global orientation is not used.
        betas: (10,) shape coefficients, float32; not used by PAP.
        camera: body frame to pixels of the full image.
        label: of the interaction, if the split has labels; only the track `conditioned` uses it.
    """

    sample_id: str
    category: str
    height: int
    width: int
    object_mask: RLE
    human_mask: RLE
    pose: NDArray[np.float32]
    betas: NDArray[np.float32]
    camera: PerspectiveCamera
    label: InteractionLabel | None = None

    def decode_object_mask(self) -> NDArray[np.uint8]:
        """Return the object's mask (H, W) of 0 and 1."""
        size = (self.height, self.width)
        return decode_mask(self.object_mask, size=size, where=f"object_mask of '{self.sample_id}'")

    def digest(self) -> bytes:
        """Return a SHA-256 over the sample but its label, with names, types and lengths."""
        sha = hashlib.sha256()
        parts: list[tuple[str, bytes]] = [
            ("sample_id", self.sample_id.encode()),
            ("category", self.category.encode()),
            ("size", f"{self.height}x{self.width}".encode()),
        ]
        for name, rle in (("object_mask", self.object_mask), ("human_mask", self.human_mask)):
            parts.append((name, f"{list(rle['size'])}:{rle['counts']}".encode()))
        camera = {CAMERA_PREFIX + name: getattr(self.camera, name) for name in CAMERA_PARTS}
        arrays = {"pose": self.pose, "betas": self.betas, **camera}
        parts += [(k, np.asarray(v, dtype="<f4").tobytes()) for k, v in arrays.items()]
        for name, value in parts:
            sha.update(f"{name}:{len(value)};".encode())
            sha.update(value)
        return sha.digest()


@dataclass(frozen=True, eq=False)
class EvalSplit:
    """The samples of a test split, in the order of category and sample_id.

    Attributes:
        name: appears in the signature.
        samples: sorted by (category, sample_id), whatever the order of the rows.
        min_samples: smallest number of samples with which a category is scored, as declared by
            the split's maker, or None.
        body: ``name@fingerprint`` of the body that the cameras were made with, or None.
        population: the categories of the benchmark that the split's maker declared, or None.

    Raises:
        InputError: a name that could not stand in a signature.
    """

    name: str
    samples: tuple[EvalSample, ...]
    min_samples: int | None = None
    body: str | None = None
    population: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "split")
        check_label(self.body, f"split '{self.name}'")

    @cached_property
    def fingerprint(self) -> str:
        """The first 12 hex digits of a SHA-256 over every sample.

        It depends neither on the order of the rows nor on their division into files.
        """
        digests = sorted(sample.digest() for sample in self.samples)
        return hashlib.sha256(b"".join(digests)).hexdigest()[:12]

    def _repr_html_(self) -> str:
        """Return what the split is, which a notebook shows."""
        facts = {
            "samples": len(self.samples),
            "body": self.body,
            "smallest category that is scored": self.min_samples,
        }
        title = f"Test split {self.label}"
        return summary_html(title, facts, ("category", "samples"), self.counts.items())

    @property
    def label(self) -> str:
        """The split as it appears in a signature, ``name@fingerprint``."""
        return f"{self.name}@{self.fingerprint}"

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of samples of each category."""
        return dict(sorted(Counter(sample.category for sample in self.samples).items()))

    def select(self, categories: str | Iterable[str] | None) -> tuple[EvalSample, ...]:
        """Return the samples of some categories (None for all).

        Raises:
            InputError: a category that the split does not have, or none.
        """
        chosen = given_categories(categories)
        if chosen is None:
            return self.samples
        for name in chosen:
            if name not in self.counts:
                raise unknown_name("category", name, self.counts, where=f"split '{self.name}'")
        return tuple(sample for sample in self.samples if sample.category in chosen)


def checked_samples(rows: Sequence[dict[str, Any]], where: object) -> tuple[EvalSample, ...]:
    """Return rows as samples, sorted by (category, sample_id).

    Args:
        rows: dictionaries with the columns of the row schema.
        where: place to name in errors.

    Raises:
        InputError: no rows, rows that cannot be used (the first five are named), or duplicate
            ids.
    """
    samples: list[EvalSample] = []
    problems: list[str] = []
    for number, row in enumerate(rows):
        try:
            samples.append(_sample(row))
        except (InputError, TypeError, ValueError, KeyError) as error:
            name = row.get("sample_id") or f"row {number}"
            problems.append(f"{name}: {str(error).replace(chr(10), ' ')}")
    if problems:
        raise InputError(
            f"{len(problems)} of {len(rows)} rows cannot be used:\n    "
            + "\n    ".join(problems[:5])
            + (f"\n    and {len(problems) - 5} more" if len(problems) > 5 else ""),
            where=where,
            fix="leave these rows out or build the split again; a partial split is never scored",
        )
    twice = [name for name, n in Counter(s.sample_id for s in samples).items() if n > 1]
    if twice:
        raise InputError(f"{len(twice)} sample_ids occur twice: {list_some(twice)}", where=where)
    if not samples:
        raise InputError("no rows", where=where, expected="a test split with samples")
    return tuple(sorted(samples, key=lambda s: (s.category, s.sample_id)))


def _sample(row: dict[str, Any]) -> EvalSample:
    arrays = {key: _floats(key, row[key]) for key in _FLOAT_COLUMNS}
    check_pose(arrays["pose"], "pose")
    name = str(row["sample_id"])
    if not name or name.startswith(".") or set(name) & set("/\\\0"):
        raise InputError(
            f"sample_id {name!r}", expected="a plain file name (posed submissions use it as such)"
        )
    size = (int(row["height"]), int(row["width"]))
    if min(size) < 1:
        raise InputError(f"image of {size[0]} x {size[1]} pixels")
    masks = {key: _mask(key, row[key], size) for key in ("object_mask", "human_mask")}
    return EvalSample(
        sample_id=name,
        category=str(row["category"]),
        height=size[0],
        width=size[1],
        object_mask=masks["object_mask"],
        human_mask=masks["human_mask"],
        pose=arrays["pose"],
        betas=arrays["betas"],
        camera=PerspectiveCamera.from_row(row),
        label=InteractionLabel.of(row),
    )


def _floats(key: str, value: object) -> NDArray[np.float32]:
    """Return a column's numbers as float32, checked for their shape and for being finite."""
    array = np.asarray(value, dtype=np.float32)
    if array.shape != LENGTHS[key] or not np.isfinite(array).all():
        raise InputError(
            f"{key} of shape {array.shape} with {np.count_nonzero(~np.isfinite(array))} values "
            f"that are not finite",
            expected=f"{LENGTHS[key]}, finite",
        )
    return array


def _mask(key: str, value: Any, size: tuple[int, int]) -> RLE:  # noqa: ANN401
    """Return a mask's RLE in plain types, checked for the size of the image."""
    if not isinstance(value, dict) or value.get("size") is None or value.get("counts") is None:
        raise InputError(f"{key} is missing", expected="COCO RLE with 'size' and 'counts'")
    check_lengths({key: value})
    found = [int(side) for side in value["size"]]
    if found != list(size):
        raise InputError(
            f"{key} of {found[0]} x {found[1]} pixels (height x width)",
            expected=f"the image's {size[0]} x {size[1]}",
        )
    counts = value["counts"]
    return {"size": found, "counts": counts.decode() if isinstance(counts, bytes) else str(counts)}
