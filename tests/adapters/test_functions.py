"""The adapters of arrays: one shifted box in all forms, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation

from chorus_bench.adapters import (
    Ball,
    Box,
    Pair,
    blurred,
    canonical_field,
    contact_field,
    distance_field,
    mesh_field,
    points_field,
    shapes_field,
    smpl_pose,
    to_body_frame,
)
from chorus_bench.adapters.meshes import is_closed
from chorus_bench.errors import InputError
from chorus_bench.geometry.axes import Axes
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.rotations import matrix_to_axis_angle
from tests.adapters.shifted_box import (
    CENTER,
    CORNERS,
    FACES,
    FIELD,
    GRID,
    INSIDE,
    SIZE,
    distances,
    in_world,
    points,
    pose,
)

BODY = load_body("default")
REST = BODY.rest_joints()[0]


@pytest.mark.parametrize(
    "made",
    [
        lambda: mesh_field(CORNERS, FACES, grid=GRID),
        lambda: mesh_field(torch.tensor(CORNERS), FACES[:, ::-1].copy(), grid=GRID),
        lambda: mesh_field(CORNERS[FACES].reshape(-1, 3), np.arange(36).reshape(12, 3), grid=GRID),
        lambda: shapes_field(Box(tuple(CENTER), tuple(SIZE)), grid=GRID),
        lambda: shapes_field(
            Box(tuple(CENTER), tuple(SIZE[[1, 0, 2]]), (0, 0, np.pi / 2)), grid=GRID
        ),
        lambda: distance_field(distances(), grid=GRID),
        lambda: (
            canonical_field([Pair(pose(0), vertices=_world(0), faces=FACES)], BODY, grid=GRID).field
        ),
        lambda: canonical_field(_pairs(4), BODY, grid=GRID).field,
    ],
    ids=["mesh", "inside out", "soup", "box", "turned box", "distances", "pair", "pairs"],
)
def test_a_shifted_box_is_the_same_field_in_every_form(made):
    np.testing.assert_array_equal(made().values, FIELD)


def _world(seed: int) -> np.ndarray:
    """The corners about a person who stands with the pelvis where SMPL puts it."""
    return in_world(CORNERS, pose(seed), REST, REST)


def _pairs(count: int) -> list[Pair]:
    pelvis = np.array([3.0, -1.0, 2.0])
    return [
        Pair(
            pose(seed, 165),
            vertices=in_world(CORNERS, pose(seed, 165), pelvis, REST),
            faces=FACES,
            pelvis=pelvis,
        )
        for seed in range(count)
    ]


@pytest.mark.parametrize("in_pairs", [False, True])
def test_points_give_the_box_within_one_voxel(in_pairs):
    """Stated bound: at least the box, at most a layer of one voxel more."""
    if in_pairs:
        pair = Pair(pose(1), points=in_world(points(), pose(1), REST, REST))
        field = canonical_field([pair], BODY, grid=GRID).field.values
    else:
        field = points_field(points(), grid=GRID).values
    assert set(np.unique(field)) == {0, 1}
    found = field > 0
    assert (found >= INSIDE).all()
    assert (found <= binary_dilation(INSIDE, np.ones((3, 3, 3)))).all()


def test_a_ball_of_the_same_volume_is_in_the_same_place():
    radius = float((SIZE.prod() * 3 / (4 * np.pi)) ** (1 / 3))
    ball = shapes_field(Ball(tuple(CENTER), radius, 0.5), grid=GridSpec(96))
    voxels = ball.values > 0
    assert ball.values.max() == 0.5
    assert voxels.sum() * ball.spec.voxel_size**3 == pytest.approx(SIZE.prod(), rel=0.05)
    middle = ball.spec.centers().reshape(*voxels.shape, 3)[voxels].mean(axis=0)
    np.testing.assert_allclose(middle, CENTER, atol=1e-9)


def test_the_largest_weight_counts_and_density_does_not():
    sparse = points_field([[0, 0, 0.03], [0, 0, 0.03]], [0.25, 0.75], grid=GRID, radius=0.3)
    dense = points_field([[0, 0, 0.03]] * 50, [0.75] * 50, grid=GRID, radius=0.3)
    np.testing.assert_array_equal(sparse.values, dense.values)
    away = np.linalg.norm(GRID.centers() - [0, 0, 0.03], axis=1).reshape(GRID.shape)
    np.testing.assert_array_equal(sparse.values, np.where(away <= 0.3, np.float32(0.75), 0))


def test_points_outside_the_cube_are_nowhere():
    assert points_field([[9.0, 0, 0]], grid=GRID).values.max() == 0


def test_every_point_is_somewhere():
    places = np.random.default_rng(0).uniform(-1.5, 1.5, (200, 3))
    assert (points_field(places, grid=GRID).at(places) == 1).all()


def test_the_mean_over_samples_and_its_error():
    """One of four samples has the object: 1/4, with the standard error of that share."""
    away = [Pair(pose(k), points=[[9.0, 9.0, 9.0]]) for k in range(3)]
    found = canonical_field([*away, *_pairs(1)], BODY, grid=GRID)
    np.testing.assert_allclose(found.field.values, FIELD / 4)
    assert found.samples == 4
    np.testing.assert_allclose(found.standard_error[INSIDE], np.sqrt(3 / 16 / 3), rtol=1e-6)
    assert found.largest_error == found.standard_error.max()
    assert canonical_field(_pairs(1), BODY, grid=GRID).largest_error == 0


def test_an_object_moves_with_the_limb_that_holds_it():
    """What is at the posed wrist is at the canonical wrist in the canonical field."""
    values = np.zeros(72)
    values[3 * 16 + 2] = -1.2  # the left arm down
    wrist = BODY.bone_transforms(values)[1][20]
    canonical = BODY.bone_transforms(_star())[1][20]
    field = canonical_field([Pair(values, points=[wrist])], BODY, radius=0.1).field
    assert field.at(canonical) == 1
    assert np.linalg.norm(wrist - canonical) > 0.3


def _star() -> np.ndarray:
    values = np.zeros(72)
    values[5], values[8] = np.pi / 6, -np.pi / 6
    return values


@pytest.mark.parametrize("size", [156, 165])
def test_other_models_share_their_first_22_joints(size):
    given = np.arange(size) / size
    taken = smpl_pose(torch.tensor(given))
    np.testing.assert_allclose(taken[:66], given[:66])
    assert not taken[66:].any()
    assert smpl_pose(np.ones(72) / 9).tolist() == [1 / 9] * 72


def test_the_translation_is_smpls():
    """SMPL adds the translation to vertices that it has turned about the pelvis."""
    turned = pose(3)
    posed = BODY.pose(turned) + np.array([1.0, 2.0, 3.0])
    still = turned.copy()
    still[:3] = 0
    found = to_body_frame(posed, Pair(turned, translation=[1.0, 2.0, 3.0]), BODY)
    np.testing.assert_allclose(found, BODY.pose(still), atol=1e-6)
    betas = np.array([1.5, -1.0])
    shaped = BODY.pose(turned, betas) + np.array([1.0, 2.0, 3.0])
    found = to_body_frame(shaped, Pair(turned, translation=[1.0, 2.0, 3.0], betas=betas), BODY)
    rest = BODY.rest_joints(betas)[0]
    np.testing.assert_allclose(found, BODY.pose(still, betas) - rest + REST, atol=1e-6)


def test_open_and_thin_meshes_keep_their_surface():
    sheet = CORNERS * [1, 1, 0] + [0, 0, 1.06]
    assert is_closed(CORNERS, FACES)
    lid = mesh_field(CORNERS, FACES[2:], grid=GRID).values > 0
    assert not is_closed(CORNERS, FACES[2:])
    shell = binary_dilation(INSIDE, np.ones((3, 3, 3)))
    assert lid.any()
    assert (lid <= shell).all()
    flat = mesh_field(sheet, FACES, grid=GRID).values
    assert flat.sum(axis=2).max() == 1
    assert flat.sum() >= (SIZE[0] * SIZE[1]) / GRID.voxel_size**2


def test_blur_keeps_the_mass_and_the_place():
    field = OccupancyGrid(FIELD, GRID)
    assert blurred(field, 0) is field
    soft = blurred(field, 0.1).values
    assert soft.sum() == pytest.approx(FIELD.sum(), rel=0.02)
    assert 0 < soft[INSIDE].min() < soft.max() < 1 + 1e-6
    with pytest.raises(InputError, match="sigma -1"):
        blurred(field, -1)


def test_contact_is_dilated_about_the_canonical_vertices():
    contact = np.zeros(BODY.vertices)
    hand = np.argsort(np.linalg.norm(BODY.canonical_vertices - BODY.canonical_vertices[0], axis=1))
    contact[hand[:50]] = 1
    both = contact_field(np.stack([contact, np.zeros_like(contact)]), BODY)
    assert set(np.unique(both.values)) == {0, np.float32(0.5)}
    there = both.spec.centers()[both.values.ravel() > 0]
    gap = np.linalg.norm(there[:, None] - BODY.canonical_vertices[hand[:50]], axis=2).min(axis=1)
    assert gap.max() <= np.sqrt(3) / 2 * both.spec.voxel_size + 1e-9
    assert contact_field(np.zeros(BODY.vertices), BODY).values.max() == 0
    assert contact_field(contact, BODY, radius=0.2).values.sum() > 2 * both.values.sum()


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: points_field(np.zeros((0, 3))), r"points of shape \(0, 3\)"),
        (lambda: points_field([[0, 0, np.nan]]), "1 of 3 coordinates of points are NaN"),
        (lambda: points_field([[0, 0, 0]], [2.0]), "weights from 2 to 2"),
        (lambda: points_field([[0, 0, 0]], [1, 1]), r"weights of shape \(2,\)"),
        (
            lambda: points_field([[0, 0, 0]], radius=0.01),
            "points between voxel centres would vanish",
        ),
        (lambda: mesh_field(CORNERS, np.zeros((0, 3), int)), "the kind 'points'"),
        (lambda: mesh_field(CORNERS, FACES + 1), "faces name vertex 8"),
        (lambda: mesh_field(CORNERS, FACES * 1.0), "dtype float64"),
        (lambda: distance_field(distances() + 9, grid=GRID), "unsigned distances do not tell"),
        (lambda: distance_field(distances()[1:], grid=GRID), "distances of shape"),
        (lambda: distance_field(distances() * np.inf, grid=GRID), "not all finite"),
        (lambda: shapes_field([]), "no shape"),
        (lambda: shapes_field(Ball((0, 0, 0), -1.0)), "positive sizes"),
        (lambda: contact_field(np.zeros(6890), BODY), r"6,890 vertices are SMPL's"),
        (lambda: contact_field(np.full(BODY.vertices, 2.0), BODY), "outside"),
        (lambda: canonical_field([], BODY, grid=GRID), "no samples"),
        (
            lambda: canonical_field([Pair(pose(0))], BODY, grid=GRID),
            "sample 0: a sample without an object",
        ),
        (lambda: canonical_field([Pair(pose(0, 165), points=[CENTER])], BODY, grid=GRID), "joints"),
        (lambda: smpl_pose(np.zeros(63)), "a pose of 63 numbers"),
        (lambda: smpl_pose(np.full(72, 90.0)), "convert degrees"),
        (lambda: smpl_pose(np.full(72, np.nan)), "NaN"),
    ],
)
def test_what_is_missing_or_wrong_is_said(made, message):
    with pytest.raises(InputError, match=message):
        made()


def test_axes_agree_with_the_meshes_that_they_turn():
    axes = Axes.parse("z-up, x-left")
    given = CORNERS @ axes.matrix  # the same corners with z up
    np.testing.assert_array_equal(axes.points(given), CORNERS)
    assert matrix_to_axis_angle(axes.matrix)[0] == pytest.approx(-np.pi / 2)
    turned = Box(tuple(CENTER @ axes.matrix), tuple(np.abs(SIZE @ axes.matrix)))
    np.testing.assert_array_equal(shapes_field(turned, grid=GRID, axes=axes).values, FIELD)
