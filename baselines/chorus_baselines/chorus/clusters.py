"""Semantic clusters: the views that involve a part of the body.

A body part is a union of the body's segments. Its interaction region consists of the canonical
voxels near its vertices. A view belongs to a cluster if its object mask covers at least one voxel
of every "pass" region and none of any "block" region.

Source: docs/method.md M18; the paper, section 3.4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Int64
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.nearest import nearest_points
from chorus_bench.io.json_files import read_json

Segments = Mapping[str, NDArray[np.integer]]

#: The 24 segments of SMPL's segmentation file, in the order of their joints.
SEGMENT_NAMES = (
    "hips", "leftUpLeg", "rightUpLeg", "spine", "leftLeg", "rightLeg", "spine1", "leftFoot",
    "rightFoot", "spine2", "leftToeBase", "rightToeBase", "neck", "leftShoulder",
    "rightShoulder", "head", "leftArm", "rightArm", "leftForeArm", "rightForeArm", "leftHand",
    "rightHand", "leftHandIndex1", "rightHandIndex1",
)  # fmt: skip

#: Voxels whose centre is nearer than this to a vertex are in its region, metres.
REGION_DISTANCE = 0.13
#: More than the share by which rounding to float32 can lessen a distance.
_ROUNDING = 1e-6


@checked
@dataclass(frozen=True)
class BodyPart:
    """A part of the body by name.

    Args:
        name: its name in messages and files.
        segments: names of the segments of which it is the union.

    Raises:
        InputError: no segment, or an unknown one.
    """

    name: str
    segments: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.segments:
            raise InputError(f"body part '{self.name}' has no segment")
        for segment in self.segments:
            if segment not in SEGMENT_NAMES:
                raise unknown_name("segment", segment, SEGMENT_NAMES, where=self.name)


#: The parts that the paper's demo uses, and the whole body.
DEMO_PARTS = (
    BodyPart("right arm", ("rightArm", "rightForeArm")),
    BodyPart("left foot", ("leftFoot", "leftToeBase")),
    BodyPart("torso", ("spine", "spine1", "spine2", "leftShoulder", "rightShoulder")),
)
#: Parts without a side, as the labels of the simulated world name them.
BOTH_SIDES = (
    BodyPart("hands", ("leftHand", "leftHandIndex1", "rightHand", "rightHandIndex1")),
    BodyPart("arms", ("leftArm", "leftForeArm", "rightArm", "rightForeArm")),
    BodyPart("feet", ("leftFoot", "leftToeBase", "rightFoot", "rightToeBase")),
)
FULL_BODY = BodyPart("full body", SEGMENT_NAMES)
NAMED_PARTS = {part.name: part for part in (*DEMO_PARTS, *BOTH_SIDES, FULL_BODY)}


def body_part(name: str) -> BodyPart:
    """Return a body part by name.

    Args:
        name: one of `NAMED_PARTS` (``right arm``, ``torso``, ``hands``, ...), one of the 24
            segments, or a union of any of them such as ``leftHand+rightHand``.

    Raises:
        InputError: an unknown name; the message suggests the nearest one.
    """
    if name in NAMED_PARTS:
        return NAMED_PARTS[name]
    segments: dict[str, None] = {}
    for piece in (piece.strip() for piece in name.split("+")):
        if piece not in NAMED_PARTS and piece not in SEGMENT_NAMES:
            raise unknown_name("body part", piece, (*NAMED_PARTS, *SEGMENT_NAMES))
        segments |= dict.fromkeys(NAMED_PARTS[piece].segments if piece in NAMED_PARTS else (piece,))
    return BodyPart(name, tuple(segments))


@checked
@dataclass(frozen=True)
class Cluster:
    """Views whose object mask touches some parts of the body and avoids others.

    Args:
        name: its name in messages and files.
        passing: each of these parts' regions must be touched.
        blocking: none of these parts' regions may be touched.

    Raises:
        InputError: there is no passing part, or a part both passes and blocks.
    """

    name: str
    passing: tuple[BodyPart, ...]
    blocking: tuple[BodyPart, ...] = ()

    def __post_init__(self) -> None:
        if not self.passing:
            raise InputError(f"cluster '{self.name}' has no passing body part")
        both = {part.name for part in self.passing} & {part.name for part in self.blocking}
        if both:
            raise InputError(f"cluster '{self.name}': '{min(both)}' both passes and blocks")

    @classmethod
    @checked
    def of(cls, part: str | BodyPart | Cluster) -> Cluster:
        """Return the cluster of the views that touch one part; clusters are returned unchanged."""
        if isinstance(part, Cluster):
            return part
        if isinstance(part, str):
            part = body_part(part)
        return cls(part.name, (part,))


def make_clusters(parts: Iterable[str | BodyPart | Cluster]) -> tuple[Cluster, ...]:
    """Return clusters with unique names.

    Raises:
        InputError: unknown names, or two different clusters with the same name.
    """
    clusters: dict[str, Cluster] = {}
    for cluster in map(Cluster.of, [parts] if isinstance(parts, str) else parts):
        if clusters.setdefault(cluster.name, cluster) != cluster:
            raise InputError(
                f"two different clusters are called '{cluster.name}'", fix="rename one of them"
            )
    return tuple(clusters.values())


def dominant_segments(body: BodyModel) -> dict[str, Int64]:
    """Return segments of any body: a vertex belongs to the joint with its largest weight."""
    joint = body.dominant_joints()
    return {name: np.flatnonzero(joint == number) for number, name in enumerate(SEGMENT_NAMES)}


@checked
def read_segments(path: str | Path, body: BodyModel) -> dict[str, Int64]:
    """Read segments from a file in the layout of `smpl_vert_segmentation.json`.

    Args:
        path: JSON, 24 segment names -> vertex ids. Segments may overlap.
        body: the body of the ids.

    Raises:
        InputError: the file is missing, is not such a mapping, or has ids of vertices that the
            body lacks.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError("no such segmentation file", where=file)
    content = read_json(file)
    if not isinstance(content, dict):
        raise InputError("not a segmentation", where=file, expected="segment name -> vertex ids")
    missing = [name for name in SEGMENT_NAMES if name not in content]
    if missing:
        raise InputError(
            f"no segment '{missing[0]}'", where=file, expected=", ".join(SEGMENT_NAMES)
        )
    return {name: _vertex_ids(content[name], body, f"{file}: {name}") for name in SEGMENT_NAMES}


def _vertex_ids(ids: object, body: BodyModel, where: str) -> Int64:
    if not isinstance(ids, list) or not all(type(number) is int for number in ids):
        raise InputError("not a list of vertex ids", where=where, expected="whole numbers")
    wrong = [number for number in ids if not 0 <= number < body.vertices]
    if wrong:
        raise InputError(
            f"vertex {wrong[0]} does not exist",
            where=where,
            expected=f"ids from 0 to {body.vertices - 1}, as body '{body.name}' has them",
            fix="use the segmentation file of this body",
        )
    return np.unique(np.array(ids, dtype=np.int64))


def part_vertices(part: BodyPart, segments: Segments) -> Int64:
    """Return the vertex ids (n,) of a part, ascending.

    Raises:
        InputError: the part has no vertex, or the segments lack one of its names.
    """
    for name in part.segments:
        if name not in segments:
            raise unknown_name("segment", name, segments, where=part.name)
    vertices = np.unique(np.concatenate([segments[name] for name in part.segments]))
    if not len(vertices):
        raise InputError(f"body part '{part.name}' has no vertex on this body")
    return vertices.astype(np.int64)


def interaction_region(
    vertices: Sequence[int] | Int64,
    body: BodyModel,
    grid: GridSpec,
    distance: float = REGION_DISTANCE,
) -> Int64:
    """Return the flat indices, ascending, of the voxels near some of the body's vertices.

    Args:
        vertices: (n,) vertex ids.
        body: the body; its canonical template is used.
        grid: the canonical grid.
        distance: metres; voxel centres nearer than this (strictly, in float32) are included.
    """
    points, centers = body.canonical_vertices[np.asarray(vertices)], grid.centers()
    reach = distance * (1 + _ROUNDING)
    in_box = (centers > points.min(axis=0) - reach) & (centers < points.max(axis=0) + reach)
    voxels = np.flatnonzero(in_box.all(axis=1))
    nearest, _ = nearest_points(points, centers[voxels], 1, spacing=grid.voxel_size)
    return voxels[nearest[0].astype(np.float32) < np.float32(distance)]


def cluster_label(cluster: Cluster, segments: Segments) -> str:
    """Return a description of a cluster, with a digest of its vertices, for comparison."""
    sides = [
        " & ".join(f"{'+'.join(part.segments)}#{_digest(part, segments)}" for part in side)
        for side in (cluster.passing, cluster.blocking)
    ]
    return f"{cluster.name}: pass {sides[0]}" + (f", block {sides[1]}" if sides[1] else "")


def _digest(part: BodyPart, segments: Segments) -> str:
    ids = part_vertices(part, segments).astype("<i8").tobytes()
    return hashlib.sha256(ids).hexdigest()[:8]
