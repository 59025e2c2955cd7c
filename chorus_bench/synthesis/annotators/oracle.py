"""The simulated world's ground truth as annotators, with settable noise.

They look up the truth of a picture by its address, so they work only on pictures of the generator
``simulated``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from chorus_bench.datasets.masks import decode_mask
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
from chorus_bench.synthesis.interfaces import (
    PERSON,
    Address,
    BodyFit,
    Context,
    Detection,
    Float32,
    Picture,
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
    """

    body: BodyModel
    seed: int
    noise: float

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
        if picture.address is None or height != width:
            raise InputError(
                "is not a picture of the simulated world",
                where=picture.sample_id,
                fix="use the generator 'simulated', or other annotators",
            )
        return _simulate(picture.address, self.seed, self.body, height, self.noise)


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


def _make(context: Context, noise: float) -> Oracle:
    check_noise(noise)
    return Oracle(context.body, context.seed, float(noise))


def make_oracle_segmenter(context: Context, *, noise: float = 1.0) -> Oracle:
    """Return the segmenter ``simulated``; see `Oracle`."""
    return _make(context, noise)


def make_oracle_keypoints(context: Context, *, noise: float = 1.0) -> Oracle:
    """Return the keypoint detector ``simulated``; see `Oracle`."""
    return _make(context, noise)


def make_oracle_poses(context: Context, *, noise: float = 1.0) -> Oracle:
    """Return the pose estimator ``simulated``; see `Oracle`."""
    return _make(context, noise)
