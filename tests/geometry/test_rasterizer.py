"""The renderer against slow independent checks."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chorus_bench.geometry.rasterizer import STEPS_PER_PIXEL, covered, draw, fragments
from chorus_bench.simulation.meshes import (
    box,
    ellipsoid,
    join,
    loft,
    tube,
    wheel,
)

K = np.array([[100.0, 0, 32], [0, 100, 24], [0, 0, 1]])
coordinates = st.floats(-20, 60, allow_nan=False, width=32)
points = st.tuples(coordinates, coordinates)


def exactly_inside(corners, column, row):
    """Say whether a pixel's centre is strictly inside a clockwise triangle, in fractions."""
    p = [Fraction(int(np.rint(v * STEPS_PER_PIXEL)), STEPS_PER_PIXEL) for c in corners for v in c]
    a, b, c = p[0:2], p[2:4], p[4:6]
    x = (Fraction(2 * column + 1, 2), Fraction(2 * row + 1, 2))
    sides = [
        (q[0] - s[0]) * (x[1] - s[1]) - (q[1] - s[1]) * (x[0] - s[0])
        for s, q in ((a, b), (b, c), (c, a))
    ]
    return min(sides)


@settings(max_examples=60, deadline=None)
@given(st.tuples(points, points, points))
def test_fragments_are_the_pixels_whose_centre_is_inside(corners):
    found = fragments(np.array(corners), np.array([[0, 1, 2]], np.int32), 24, 32)
    pixels = set(found.pixel.tolist())
    assert len(pixels) == len(found.pixel)
    for row in range(24):
        for column in range(32):
            nearest = exactly_inside(corners, column, row)
            if nearest > 0:
                assert row * 32 + column in pixels
            elif nearest < 0:
                assert row * 32 + column not in pixels


@settings(max_examples=60, deadline=None)
@given(st.lists(points, min_size=1, max_size=1), st.integers(3, 9), st.floats(1, 30))
def test_every_pixel_of_a_fan_belongs_to_one_triangle(center, corners, radius):
    """Triangles about a point cover their union exactly once, shared edges included."""
    angle = 2 * np.pi * np.arange(corners) / corners
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius + center[0]
    vertices = np.concatenate([ring, [center[0]]])
    k = np.arange(corners)
    faces = np.stack([k, (k + 1) % corners, np.full(corners, corners)], axis=1).astype(np.int32)
    found = fragments(vertices, faces, 24, 32)
    assert len(set(found.pixel.tolist())) == len(found.pixel)


def test_weights_interpolate_the_corners():
    corners = np.array([[2.0, 3.0], [29.0, 5.0], [10.0, 22.0]])
    found = fragments(corners, np.array([[0, 1, 2]], np.int32), 24, 32)
    row, column = np.divmod(found.pixel, 32)
    np.testing.assert_allclose(found.weights @ corners, np.stack([column, row], 1) + 0.5, atol=0.01)


def test_the_nearer_surface_is_seen():
    near = box((0.4, 0.4, 0.1), (1, 0, 0)).moved(None, (0, 0, 2))
    far = box((2, 2, 0.1), (0, 1, 0)).moved(None, (0, 0, 3))
    mesh = join([far, near])
    raster = draw(mesh.vertices, mesh.faces, K, (48, 64), 0.05)
    seen = raster.face >= len(far.faces)
    half = 0.2 * 100 / 1.95
    expected = (abs(np.arange(64) + 0.5 - 32) < half) & (
        abs(np.arange(48)[:, None] + 0.5 - 24) < half
    )
    assert (seen == expected).all()
    assert raster.depth[seen] == pytest.approx(1.95, abs=1e-6)
    assert raster.depth[(raster.face >= 0) & ~seen] == pytest.approx(2.95, abs=1e-6)


def test_covered_pixels_are_those_that_are_drawn():
    mesh = join([ellipsoid((0.5, 0.3, 0.4), (1, 1, 1)), wheel(0.6, 0.1, (1, 1, 1))])
    mesh = mesh.moved(None, (0.1, 0.0, 0.5))  # partly nearer than the limit
    seen = covered(mesh.vertices, mesh.faces, K, (48, 64), 0.3)
    drawn = draw(mesh.vertices, mesh.faces, K, (48, 64), 0.3).face >= 0
    assert seen.any()
    assert (seen == drawn).all()


def test_interpenetrating_surfaces_meet_where_their_depths_are_equal():
    slanted = box((4, 4, 0.01), (1, 0, 0)).moved(
        [[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]], (0, 0, 3)
    )
    flat = box((4, 4, 0.01), (0, 1, 0)).moved(None, (0, 0, 3))
    mesh = join([slanted, flat])
    raster = draw(mesh.vertices, mesh.faces, K, (48, 64), 0.05)
    first = raster.face < len(slanted.faces)
    assert first[:, 34:].all()
    assert not first[:, :30].any()


def test_weights_on_the_surface_give_the_point_that_projects_to_the_pixel():
    mesh = ellipsoid((0.5, 0.3, 0.4), (1, 1, 1)).moved(None, (0.1, 0.0, 2.0))
    raster = draw(mesh.vertices, mesh.faces, K, (48, 64), 0.05)
    row, column = np.nonzero(raster.face >= 0)
    corners = mesh.vertices[mesh.faces[raster.face[row, column]]]
    surface = np.einsum("nk,nka->na", raster.weights[row, column], corners)
    uv = surface @ K.T
    np.testing.assert_allclose(uv[:, 0] / uv[:, 2], column + 0.5, atol=0.01)
    np.testing.assert_allclose(uv[:, 1] / uv[:, 2], row + 0.5, atol=0.01)
    np.testing.assert_allclose(surface[:, 2], raster.depth[row, column], rtol=1e-9)


def test_triangles_that_come_too_near_are_left_out():
    mesh = box((0.2, 0.2, 2.5), (1, 1, 1)).moved(None, (0, 0, 1.2))
    raster = draw(mesh.vertices, mesh.faces, K, (48, 64), 0.05)
    assert np.isfinite(raster.weights).all()
    assert (raster.depth > 0.05).all()


@pytest.mark.parametrize(
    "mesh",
    [
        box((1, 2, 3), (1, 1, 1), taper=(0.5, 1.0)),
        ellipsoid((1, 2, 0.5), (1, 1, 1)),
        tube([(0, 0, 0), (0, 1, 0), (0.5, 2, 0)], 0.1, (1, 1, 1)),
        wheel(0.3, 0.1, (1, 1, 1)),
        loft(
            np.random.default_rng(0).normal(size=(1, 8, 3)) + np.arange(4)[:, None, None], (1, 1, 1)
        ),
        box((1, 1, 1), (1, 1, 1)).mirrored(),
    ],
    ids=["box", "ellipsoid", "tube", "wheel", "loft", "mirrored"],
)
def test_solids_are_closed_and_face_outwards(mesh):
    _, where = np.unique(np.round(mesh.vertices, 9), axis=0, return_inverse=True)
    f = where.reshape(-1)[mesh.faces]
    f = f[(f[:, 0] != f[:, 1]) & (f[:, 1] != f[:, 2]) & (f[:, 2] != f[:, 0])]
    edges = np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]])
    forward = sorted(map(tuple, edges.tolist()))
    assert forward == sorted(map(tuple, edges[:, ::-1].tolist()))
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0


def test_a_box_has_its_volume():
    mesh = box((1, 2, 3), (1, 1, 1))
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert np.einsum("ij,ij->", a, np.cross(b, c)) / 6 == pytest.approx(6)
