"""The truth in 3D: occupancy of the posed space, and its canonical mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chorus_bench.datasets.occupancy import decode_occupancy, encode_occupancy
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import JOINT_NAMES
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.simulation import (
    canonical_truth,
)
from chorus_bench.simulation.meshes import box, ellipsoid, join, tube
from chorus_bench.simulation.occupancy import occupancy

GRID = GridSpec()
WHITE = (1.0, 1.0, 1.0)


def test_a_ball_occupies_the_voxels_whose_centres_it_holds():
    ball = ellipsoid((0.5, 0.5, 0.5), WHITE, sides=64).moved(None, (0.1, -0.2, 0.3))
    distance = np.linalg.norm(GRID.centers() - (0.1, -0.2, 0.3), axis=1).reshape(GRID.shape)
    found = occupancy(ball)
    assert found[distance < 0.49].all()
    assert not found[distance > 0.5].any()


def test_overlapping_parts_are_united():
    """Also an odd and an even number of surfaces in front of a point."""
    boxes = [box((0.6, 0.6, 0.6), WHITE).moved(None, (x, 0, 0)) for x in (-0.1, 0.0, 0.15)]
    alone = [occupancy(b) for b in boxes]
    assert (occupancy(join(boxes)) == (alone[0] | alone[1] | alone[2])).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.9, 0.9), st.floats(0.002, 0.05), st.integers(0, 2))
def test_a_thin_plate_occupies_every_voxel_that_it_crosses(place, thickness, axis):
    size, offset = np.full(3, 1.0), np.zeros(3)
    size[axis], offset[axis] = thickness, place
    found = np.moveaxis(occupancy(box(size, WHITE).moved(None, offset)), axis, 0)
    layers = np.flatnonzero(found.any(axis=(1, 2)))
    edges = (place + np.array([-0.5, 0.5]) * thickness + 1.5) / GRID.voxel_size
    assert set(layers) == set(range(int(edges[0]), int(edges[1]) + 1))
    assert all(found[layer, 17:31, 17:31].all() for layer in layers)


def test_a_thin_bar_has_no_gaps():
    found = occupancy(tube([(-1.0, -0.9, -0.8), (0.9, 1.0, 0.7)], 0.01, WHITE))
    along = np.linspace((-0.99, -0.89, -0.79), (0.89, 0.99, 0.69), 400)
    read = np.append(found.ravel(), False)[GRID.indices(along)]
    assert read.mean() > 0.97


def test_what_is_outside_the_cube_is_cut_off():
    found = occupancy(box((4, 4, 4), WHITE))
    assert found.all()
    assert not occupancy(box((0.5, 0.5, 0.5), WHITE).moved(None, (3, 0, 0))).any()


def test_finer_grids_agree_on_the_volume():
    ball = ellipsoid((0.4, 0.3, 0.5), WHITE, sides=48)
    volumes = [occupancy(ball, GridSpec(resolution=n)).sum() * (3 / n) ** 3 for n in (48, 96, 192)]
    expected = 4 / 3 * np.pi * 0.4 * 0.3 * 0.5
    assert volumes == pytest.approx([expected] * 3, rel=0.03)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([8, 10, 48]))
def test_encoded_grids_come_back(seed, n):
    voxels = np.random.default_rng(seed).random((n, n, n)) < 0.1
    assert (decode_occupancy(encode_occupancy(voxels), n) == voxels).all()


def test_damaged_grids_are_refused():
    data = encode_occupancy(np.zeros((48, 48, 48), bool))
    with pytest.raises(InputError, match="not an occupancy grid"):
        decode_occupancy(data[:-3])
    with pytest.raises(InputError, match="13824 bytes"):
        decode_occupancy(data, 32)


def core_of(truth):
    """Return the mean place (3,) of a field's likeliest voxels, metres."""
    return GRID.centers()[truth.ravel() >= 0.5 * truth.max()].mean(axis=0)


def test_the_canonical_truth_is_a_mean_over_scenes():
    one = [canonical_truth("tie", 1, seed=s) for s in (0, 0)]
    assert (one[0] == one[1]).all()
    assert set(np.unique(one[0])) == {0, 1}
    many = canonical_truth("tie", 6)
    assert many.shape == (48, 48, 48)
    assert many.dtype == np.float32
    np.testing.assert_allclose(many * 6, np.round(many * 6), atol=1e-5)
    assert not (many == canonical_truth("tie", 6, seed=1)).all()


def test_things_are_where_people_have_them():
    joints = dict(zip(JOINT_NAMES, load_body("default").rest_joints(), strict=True))
    tie, pack = core_of(canonical_truth("tie", 4)), core_of(canonical_truth("backpack", 4))
    board, bike = canonical_truth("snowboard", 4), core_of(canonical_truth("motorcycle", 3))
    assert abs(tie[0]) < 0.03
    assert joints["pelvis"][1] < tie[1] < joints["neck"][1]
    assert tie[2] > joints["spine3"][2] + 0.1
    assert pack[2] < joints["spine3"][2] - 0.05
    assert abs(bike[0]) < 0.05
    assert bike[1] < joints["pelvis"][1] - 0.3
    under = GRID.centers()[:, 1].reshape(GRID.shape) < joints["left_knee"][1]
    assert 0.2 < board[under].sum() / board.sum() < 0.8  # ridden and carried in turns


def test_no_samples_are_refused():
    with pytest.raises(InputError, match="0 samples"):
        canonical_truth("tie", 0)
