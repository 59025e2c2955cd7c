"""Triangle meshes, and the solids that make up the simulated objects.

Metres. Faces are counter-clockwise seen from outside. Every solid is closed and is one "part"
of its mesh; parts may overlap. A vertex is shared where the surface is smooth and doubled at
sharp edges, so that a vertex normal can be the mean over its faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Float64, Int32
from chorus_bench.geometry import exact

Color = tuple[float, float, float]


def vector(x: float, y: float, z: float) -> Float64:
    """Return a point or a direction, (3,)."""
    return np.array([x, y, z], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Mesh:
    """A coloured triangle mesh made of closed parts.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) vertex indices, counter-clockwise from outside.
        colors: (F, 3) RGB in [0, 1].
        parts: (F,) the number of the closed solid that a face belongs to, from 0.
    """

    vertices: Float64
    faces: Int32
    colors: Float64
    parts: Int32

    def moved(self, rotation: ArrayLike | None = None, offset: ArrayLike = (0, 0, 0)) -> Mesh:
        """Return the mesh rotated by a matrix (3, 3) and then shifted by (3,) metres."""
        turned: Float64 = self.vertices
        if rotation is not None:
            turned = exact.product(turned, np.asarray(rotation, dtype=np.float64).T)
        return replace(self, vertices=turned + np.asarray(offset, dtype=np.float64))

    def scaled(self, factors: ArrayLike) -> Mesh:
        """Return the mesh scaled about the origin by one positive factor or by three."""
        return replace(self, vertices=self.vertices * np.asarray(factors, dtype=np.float64))

    def mirrored(self) -> Mesh:
        """Return the mirror image across x = 0."""
        flipped = np.ascontiguousarray(self.faces[:, ::-1])
        return replace(self, vertices=self.vertices * (-1.0, 1.0, 1.0), faces=flipped)

    def painted(self, face_mask: ArrayLike, color: Color) -> Mesh:
        """Return the mesh with the chosen faces (F,) in another colour."""
        colors = self.colors.copy()
        colors[np.asarray(face_mask)] = color
        return replace(self, colors=colors)

    def face_centers(self) -> Float64:
        """Return the centres of the faces, (F, 3) metres."""
        centers: Float64 = exact.mean(self.vertices[self.faces], axis=1)
        return centers


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Return several meshes as one; their parts stay separate."""
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes])
    parts = np.cumsum([0] + [int(m.parts.max(initial=-1)) + 1 for m in meshes])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + s for m, s in zip(meshes, starts, strict=False)]).astype(
            np.int32
        ),
        np.concatenate([m.colors for m in meshes]),
        np.concatenate([m.parts + p for m, p in zip(meshes, parts, strict=False)]).astype(np.int32),
    )


def solid(vertices: ArrayLike, faces: ArrayLike, color: Color) -> Mesh:
    """Return a mesh of one closed part, turned inside out if its volume is negative."""
    v, f = np.asarray(vertices, dtype=np.float64), np.asarray(faces, dtype=np.int32)
    a, b, c = v[f[:, 0]], v[f[:, 1]], v[f[:, 2]]
    if exact.total(exact.inner(a, exact.cross(b, c))) < 0:
        f = np.ascontiguousarray(f[:, ::-1])
    colors = np.tile(np.asarray(color, dtype=np.float64), (len(f), 1))
    return Mesh(v, f, colors, np.zeros(len(f), dtype=np.int32))


_BOX_SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def box(size: ArrayLike, color: Color, *, taper: tuple[float, float] = (1.0, 1.0)) -> Mesh:
    """Return a box about the origin with flat sides.

    Args:
        size: (x, y, z) in metres.
        color: RGB.
        taper: factors of the upper face's extent along x and z.
    """
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    upper = corners[:, 1] > 0
    corners[upper] *= (taper[0], 1.0, taper[1])
    vertices = (corners * np.asarray(size, dtype=float) / 2)[np.ravel(_BOX_SIDES)]
    quads = np.arange(24).reshape(6, 4)
    return solid(vertices, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]), color)


def loft(rings: ArrayLike, color: Color, *, wrap: bool = False) -> Mesh:
    """Return the surface through rings of points, with flat ends.

    Args:
        rings: (S, P, 3) metres; all rings have the same sense of rotation.
        color: RGB.
        wrap: join the last ring to the first (a torus) instead of closing the ends.
    """
    r = np.asarray(rings, dtype=np.float64)
    S, P = r.shape[:2]
    number = np.arange(S * P).reshape(S, P)
    a, b = (number, np.roll(number, -1, axis=0)) if wrap else (number[:-1], number[1:])
    a2, b2 = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    faces = [np.stack([a, a2, b2], -1).reshape(-1, 3), np.stack([a, b2, b], -1).reshape(-1, 3)]
    vertices = [r.reshape(-1, 3)]
    if not wrap:
        for end, start in ((0, S * P), (-1, S * P + P + 1)):
            cap, cap_faces = _cap(r[end], start)
            vertices.append(cap)
            faces.append(cap_faces if end == -1 else cap_faces[:, ::-1])
    return solid(np.concatenate(vertices), np.concatenate(faces), color)


def _cap(ring: Float64, start: int) -> tuple[Float64, Int32]:
    """Return a fan that closes a ring: its own vertices (P + 1, 3) and faces (P, 3)."""
    P = len(ring)
    around = start + np.arange(P)
    centre = np.full(P, start + P)
    vertices = np.concatenate([ring, exact.mean(ring)[None]])
    return vertices, np.stack([around, np.roll(around, -1), centre], -1).astype(np.int32)


def circle(points: int, radius: float = 1.0) -> Float64:
    """Return points (P, 2) on a circle."""
    angle = 2 * np.pi * np.arange(points) / points
    sine, cosine = exact.sin_cos(angle)
    return radius * np.stack([cosine, sine], axis=1)


def tube(path: ArrayLike, radius: ArrayLike, color: Color, *, sides: int = 8) -> Mesh:
    """Return a round bar along a path.

    Args:
        path: (S, 3) points in metres.
        radius: one radius or one per point, metres.
        color: RGB.
        sides: corners of the cross-section.
    """
    return ribbon(path, 2 * np.asarray(radius), 2 * np.asarray(radius), color, sides=sides)


def ribbon(
    path: ArrayLike,
    width: ArrayLike,
    thickness: ArrayLike,
    color: Color,
    *,
    across: ArrayLike | None = None,
    sides: int = 8,
    wrap: bool = False,
) -> Mesh:
    """Return a strap with an elliptic cross-section along a path.

    Args:
        path: (S, 3) points in metres.
        width: extent across the path, one or per point, metres.
        thickness: extent along the third direction, one or per point, metres.
        color: RGB.
        across: (3,) or (S, 3) the direction of the width; by default any.
        sides: corners of the cross-section.
        wrap: the path is closed.
    """
    p = np.asarray(path, dtype=np.float64)
    along = np.roll(p, -1, axis=0) - np.roll(p, 1, axis=0) if wrap else np.gradient(p, axis=0)
    along /= exact.norm(along)[:, None]
    side = _directions_across(along, across)
    third = exact.cross(along, side)
    half = [np.broadcast_to(np.asarray(x, dtype=float), len(p)) / 2 for x in (width, thickness)]
    ring = circle(sides)
    rings = p[:, None] + (half[0][:, None] * ring[:, 0])[..., None] * side[:, None]
    rings = rings + (half[1][:, None] * ring[:, 1])[..., None] * third[:, None]
    return loft(rings, color, wrap=wrap)


def _directions_across(along: Float64, across: ArrayLike | None) -> Float64:
    """Return unit vectors (S, 3) across the path that vary as little as possible."""
    if across is None:
        across = np.eye(3)[int(np.argmin(exact.total(np.abs(along))))]
    side = np.broadcast_to(np.asarray(across, dtype=np.float64), along.shape)
    side = side - exact.inner(side, along)[:, None] * along
    unit: Float64 = side / exact.norm(side)[:, None]
    return unit


def lathe(profile: ArrayLike, color: Color, *, sides: int = 16) -> Mesh:
    """Return a solid of revolution about y.

    Args:
        profile: (S, 2) radius and height in metres, from one end to the other.
        color: RGB.
        sides: corners around.
    """
    p = np.asarray(profile, dtype=np.float64)
    ring = circle(sides)
    rings = np.zeros((len(p), sides, 3))
    rings[..., 0] = p[:, :1] * ring[:, 0]
    rings[..., 1] = p[:, 1:]
    rings[..., 2] = p[:, :1] * ring[:, 1]
    return loft(rings, color)


def ellipsoid(radii: ArrayLike, color: Color, *, sides: int = 12) -> Mesh:
    """Return an ellipsoid about the origin with three radii in metres."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 2)
    sine, cosine = exact.sin_cos(angle)
    profile = np.stack([np.maximum(cosine, 1e-6), sine], axis=1)
    return lathe(profile, color, sides=sides).scaled(radii)


def wheel(radius: float, tyre: float, color: Color, *, sides: int = 20) -> Mesh:
    """Return a torus about the x axis: ``radius`` to the outer edge, ``tyre`` thick, metres."""
    ring = circle(sides, radius - tyre / 2)
    path = np.stack([np.zeros(sides), ring[:, 0], ring[:, 1]], axis=1)
    return ribbon(path, tyre, tyre, color, across=(1, 0, 0), wrap=True)
