"""The simulated world's ground truth as annotators, with settable noise.

They look up the truth of a picture by its address, so they work only on pictures of the simulated
world. Pictures that lost their address, such as files in a folder, are found by their pixels in the
dataset they came from (option ``truth``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.boxes import intersection_over_union
from chorus_bench.simulation import CATEGORIES, simulate_train_row
from chorus_bench.simulation.annotators import check_noise
from chorus_bench.simulation.rows import WORLD
from chorus_bench.synthesis.annotators.matching import (
    boxes_of,
    match_one_to_one,
)
from chorus_bench.synthesis.image_files import decode_picture
from chorus_bench.synthesis.interfaces import (
    PERSON,
    Address,
    BodyFit,
    Context,
    Detection,
    Float32,
    Picture,
    UInt8,
    WeakCamera,
)

_SAME_PERSON = 0.3
_ROWS_KEPT = 256


@dataclass(frozen=True, eq=False)
class Oracle:
    """Segmenter, keypoint detector and pose estimator of the simulated world, all in one.

    Args:
        body: body of the people.
        seed: random seed of the world.
        noise: 0 (the truth) to 2; 1 is that of the simulated training images.
        known: the addresses of pictures, by their pixels.
    """

    body: BodyModel
    seed: int
    noise: float
    known: Mapping[str, Address] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """The world, its seed, and the noise."""
        return f"truth of {WORLD}; seed {self.seed}; noise {self.noise:g}; body {self.body.label}"

    def check_categories(self, categories: Sequence[str]) -> None:
        """Raise an `InputError` for a category that the simulated world lacks."""
        for category in categories:
            if category not in (PERSON, *CATEGORIES):
                raise unknown_name("category", category, CATEGORIES, where="the simulated world")

    def segment(
        self, pictures: Sequence[Picture], categories: Sequence[str]
    ) -> list[list[Detection]]:
        """Return people and objects of the categories."""
        return [
            [
                _detection(thing, name)
                for thing, name in [
                    *((person, PERSON) for person in self._row(picture)["people"]),
                    *((item, item["category"]) for item in self._row(picture)["objects"]),
                ]
                if name in categories
            ]
            for picture in pictures
        ]

    def detect(
        self, pictures: Sequence[Picture], people: Sequence[Sequence[Detection]]
    ) -> list[Float32]:
        """Return keypoints (P, 17, 3) of each picture's people."""
        nothing = np.zeros((17, 3), dtype=np.float32)
        return [
            np.array(
                [
                    nothing if own is None else own["keypoints"]
                    for own in self._matched(picture, found)
                ],
                dtype=np.float32,
            ).reshape(-1, 17, 3)
            for picture, found in zip(pictures, people, strict=True)
        ]

    def estimate(
        self, pictures: Sequence[Picture], people: Sequence[Sequence[Detection]]
    ) -> list[list[BodyFit | None]]:
        """Return poses with weak-perspective cameras."""
        return [
            [None if own is None else _fit(own) for own in self._matched(picture, found)]
            for picture, found in zip(pictures, people, strict=True)
        ]

    def _matched(
        self, picture: Picture, people: Sequence[Detection]
    ) -> list[dict[str, Any] | None]:
        """Return the truth about each person."""
        known = self._row(picture)["people"]
        overlaps = intersection_over_union(boxes_of(people), [person["box"] for person in known])
        matches = match_one_to_one(overlaps, _SAME_PERSON)
        return [None if number is None else known[number] for number in matches]

    def _row(self, picture: Picture) -> dict[str, Any]:
        height, width = picture.size
        address = picture.address or self.known.get(_digest(picture.pixels))
        if address is None or height != width:
            raise InputError(
                "is not a picture of the simulated world",
                where=picture.sample_id,
                expected="one of the generator 'simulated', or of the dataset in `truth`",
                fix="give the option `truth`, or use other annotators",
            )
        return _simulate(address, self.seed, self.body, height, self.noise)


def _digest(pixels: UInt8) -> str:
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()


@lru_cache(maxsize=2)
def _addresses(dataset: str) -> Mapping[str, Address]:
    """Return the addresses of a dataset's pictures, by their pixels."""
    data = DatasetRows.open(dataset)
    columns = ("sample_id", "category", "prompt", "view", "index", "image")
    data.check_columns(columns)
    found: dict[str, Address] = {}
    for category in data.categories:
        for row in data.rows(category, columns):
            pixels = decode_picture(row["image"]["bytes"], row["sample_id"])
            address = Address(category, row["prompt"], row["view"], row["index"])
            found[_digest(pixels)] = address
    return found


@lru_cache(maxsize=_ROWS_KEPT)
def _simulate(
    address: Address, seed: int, body: BodyModel, size: int, noise: float
) -> dict[str, Any]:
    """Return a picture's row; the three annotators request it one after another."""
    return simulate_train_row(
        address.category,
        address.prompt,
        address.view,
        address.index,
        seed=seed,
        body=body,
        size=size,
        with_image=False,
        noise=noise,
    )


def _detection(thing: dict[str, Any], category: str) -> Detection:
    mask = decode_mask(thing["mask"]).astype(bool)
    return Detection(category, np.array(thing["box"], np.float32), thing["score"], mask)


def _fit(person: dict[str, Any]) -> BodyFit:
    pose, betas, weak, center = (
        np.array(person[name], dtype=np.float32)
        for name in ("pose", "betas", "weak_camera", "crop_center")
    )
    return BodyFit(pose, betas, WeakCamera(weak, center, float(person["crop_scale"])))


def _make(context: Context, noise: float, truth: str | None) -> Oracle:
    check_noise(noise)
    known = {} if truth is None else _addresses(truth)
    return Oracle(context.body, context.seed, float(noise), known)


def make_oracle_segmenter(
    context: Context, *, noise: float = 1.0, truth: str | None = None
) -> Oracle:
    """Return the segmenter ``simulated``; see `Oracle`.

    Args:
        context: the run's context, with the seed and body of the world.
        noise: noise level, 0 (the truth) to 2.
        truth: a simulated training set with pictures, made with the run's seed; pictures without
            an address are looked up in it.
    """
    return _make(context, noise, truth)


def make_oracle_keypoints(
    context: Context, *, noise: float = 1.0, truth: str | None = None
) -> Oracle:
    """Return the keypoint detector ``simulated``; see `make_oracle_segmenter`."""
    return _make(context, noise, truth)


def make_oracle_poses(context: Context, *, noise: float = 1.0, truth: str | None = None) -> Oracle:
    """Return the pose estimator ``simulated``; see `make_oracle_segmenter`."""
    return _make(context, noise, truth)
