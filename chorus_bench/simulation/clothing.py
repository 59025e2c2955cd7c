"""Colours of a body: skin, hair and clothes by body part. Works on any SMPL-format body."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import JOINTS, BodyModel
from chorus_bench.seeds import Stream
from chorus_bench.simulation.meshes import Color, Mesh

SKIN: tuple[Color, ...] = (
    (0.95, 0.78, 0.66), (0.88, 0.68, 0.54), (0.78, 0.56, 0.42), (0.6, 0.41, 0.29),
    (0.42, 0.28, 0.2),
)  # fmt: skip
HAIR: tuple[Color, ...] = (
    (0.08, 0.06, 0.05), (0.2, 0.12, 0.07), (0.36, 0.22, 0.11), (0.72, 0.55, 0.3),
    (0.55, 0.55, 0.55),
)  # fmt: skip
SHIRTS: tuple[Color, ...] = (
    (0.8, 0.2, 0.18), (0.15, 0.35, 0.65), (0.2, 0.55, 0.35), (0.9, 0.88, 0.82), (0.92, 0.7, 0.2),
    (0.35, 0.25, 0.5), (0.3, 0.32, 0.35), (0.55, 0.75, 0.85), (0.9, 0.5, 0.45),
)  # fmt: skip
TROUSERS: tuple[Color, ...] = (
    (0.15, 0.2, 0.35), (0.1, 0.1, 0.12), (0.45, 0.4, 0.32), (0.3, 0.32, 0.36), (0.25, 0.32, 0.45),
)  # fmt: skip
SHOES: tuple[Color, ...] = (
    (0.1, 0.1, 0.1),
    (0.85, 0.85, 0.85),
    (0.4, 0.25, 0.15),
    (0.7, 0.15, 0.15),
)
FORMAL_SHIRTS: tuple[Color, ...] = ((0.93, 0.93, 0.95), (0.72, 0.82, 0.93), (0.9, 0.85, 0.75))

_TORSO, _UPPER_ARMS, _FOREARMS = (3, 6, 9, 13, 14), (16, 17), (18, 19)
_HANDS, _FEET = (20, 21, 22, 23), (7, 8, 10, 11)
_THIGHS, _SHINS = (0, 1, 2), (4, 5)
_HEAD = 15

#: The joints whose skin is covered by shirt, trousers and shoes, by style of dress.
STYLES: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
    "casual": (_TORSO + _UPPER_ARMS, _THIGHS + _SHINS, _FEET),
    "long": (_TORSO + _UPPER_ARMS + _FOREARMS, _THIGHS + _SHINS, _FEET),
    "sport": (_TORSO + _UPPER_ARMS, _THIGHS, _FEET),
    "swim": ((), _THIGHS, ()),
    "wetsuit": (_TORSO + _UPPER_ARMS + _FOREARMS, _THIGHS + _SHINS, ()),
    "winter": (_TORSO + _UPPER_ARMS + _FOREARMS, _THIGHS + _SHINS, _FEET + _HANDS),
    "formal": (_TORSO + _UPPER_ARMS + _FOREARMS, _THIGHS + _SHINS, _FEET),
    "suit": (_TORSO + _UPPER_ARMS + _FOREARMS, _THIGHS + _SHINS, _FEET),
}


def dress(body: BodyModel, style: str, stream: Stream) -> Float64:
    """Return face colours (F, 3) of a person.

    Args:
        body: the body.
        style: a key of `STYLES`.
        stream: draws the colours.
    """
    joints, regions = _face_joints(body), _regions(body)
    shirt, trousers, shoes = STYLES[style]
    colors = np.tile(np.asarray(stream.choice(SKIN)), (len(joints), 1))
    top = stream.choice(FORMAL_SHIRTS if style == "formal" else SHIRTS)
    bottom = stream.choice(TROUSERS)
    if style == "wetsuit":
        top = bottom = stream.choice(((0.1, 0.1, 0.13), (0.12, 0.2, 0.32)))
    if style == "swim":
        bottom = stream.choice(SHIRTS)
    colors[_among(joints, shirt)] = bottom if style == "suit" else top
    if style == "suit":
        colors[regions["shirt_front"]] = stream.choice(FORMAL_SHIRTS)
    colors[_among(joints, trousers)] = bottom
    colors[_among(joints, shoes)] = stream.choice(SHOES)
    covered = stream.choice(SHIRTS if style == "winter" else HAIR)
    colors[regions["hair"]] = covered
    colors[regions["eyes"]] = (0.1, 0.08, 0.08)
    return colors


def person_mesh(body: BodyModel, vertices: Float64, colors: Float64) -> Mesh:
    """Return a posed body as a mesh of one part."""
    return Mesh(vertices, body.faces, colors, np.zeros(len(body.faces), dtype=np.int32))


@lru_cache(maxsize=4)
def _face_joints(body: BodyModel) -> NDArray[np.int32]:
    return body.dominant_joints()[body.faces[:, 0]]


def _among(joints: NDArray[np.int32], some: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which joints (F,) are among some."""
    return np.isin(np.arange(JOINTS), some).take(joints)


@lru_cache(maxsize=4)
def _regions(body: BodyModel) -> dict[str, NDArray[np.bool_]]:
    """Return faces (F,) that are determined by their place rather than by their joint."""
    joints = _face_joints(body)
    return {
        "hair": _hair(body, joints),
        "eyes": _eyes(body),
        "shirt_front": _shirt_front(body, joints),
    }


def _hair(body: BodyModel, joints: NDArray[np.int32]) -> NDArray[np.bool_]:
    centers = exact.mean(body.template[body.faces], axis=1).astype(np.float64)
    head = joints == _HEAD
    if not head.any():
        return head
    low, high = centers[head].min(axis=0), centers[head].max(axis=0)
    share = (centers - low) / np.maximum(high - low, 1e-9)
    on_top, behind = share[:, 1] > 0.82, (share[:, 2] < 0.52) & (share[:, 1] > 0.38)
    hair: NDArray[np.bool_] = head & (on_top | behind)
    return hair


def _shirt_front(body: BodyModel, joints: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return the faces of the chest that an open jacket shows."""
    centers = exact.mean(body.template[body.faces], axis=1).astype(np.float64)
    places = body.rest_joints()
    low, high = places[6, 1], places[12, 1]
    opening = 0.1 * np.clip((centers[:, 1] - low) / (high - low), 0, 1)
    front = (centers[:, 2] > places[9, 2]) & (np.abs(centers[:, 0]) < opening)
    return np.asarray(front & _among(joints, _TORSO))


def _eyes(body: BodyModel) -> NDArray[np.bool_]:
    if body.keypoint_vertices is None:
        return np.zeros(len(body.faces), dtype=bool)
    eyes = body.template[body.keypoint_vertices[1:3]].astype(np.float64)
    centers = exact.mean(body.template[body.faces], axis=1).astype(np.float64)
    near = exact.norm(centers[:, None] - eyes).min(axis=1) < 0.011
    return np.asarray(near)
