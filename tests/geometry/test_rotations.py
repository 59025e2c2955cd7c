"""Rotations: the conversion to a matrix, the way back, and the cases without an axis."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from chorus_bench.errors import InputError
from chorus_bench.geometry.rotations import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    matrix_to_axis_angle_antisymmetric,
    matrix_to_quaternion,
    quaternion_to_matrix,
    turn,
)

FROM_MATRIX = [matrix_to_axis_angle, matrix_to_axis_angle_antisymmetric]
vectors = arrays(np.float64, (4, 3), elements=st.floats(-7, 7))


@given(theta=vectors)
def test_matrices_agree_with_scipy(theta):
    # The original adds 1e-8 before it takes the angle: that is all that may differ.
    expected = Rotation.from_rotvec(theta).as_matrix()
    np.testing.assert_allclose(axis_angle_to_matrix(theta), expected, atol=1e-7)


@given(theta=vectors)
def test_the_way_back_is_the_shortest_vector_of_the_same_rotation(theta):
    matrix = Rotation.from_rotvec(theta).as_matrix()
    back = matrix_to_axis_angle(matrix)
    assert np.linalg.norm(back, axis=-1).max() <= np.pi + 1e-12
    np.testing.assert_allclose(Rotation.from_rotvec(back).as_matrix(), matrix, atol=1e-14)


@pytest.mark.parametrize("convert", FROM_MATRIX)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_identity_gives_zero(convert, dtype):
    back = convert(np.eye(3, dtype=dtype))
    assert back.dtype == dtype
    assert (back == 0).all()


@pytest.mark.parametrize("convert", FROM_MATRIX)
@pytest.mark.parametrize(
    "axis", [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0, -0.8], [-0.48, 0.6, 0.64]]
)
def test_half_turns_keep_their_axis(convert, axis):
    matrix = 2 * np.outer(axis, axis) - np.eye(3)
    back = convert(matrix)
    assert np.linalg.norm(back) == pytest.approx(np.pi, abs=1e-15)
    assert abs(back @ np.array(axis)) == pytest.approx(np.pi, abs=1e-14)


@given(axis=arrays(np.float64, 3, elements=st.floats(-1, 1)), gap=st.floats(-1e-3, 1e-3))
def test_near_half_turns_are_exact_to_rounding(axis, gap):
    if np.linalg.norm(axis) < 1e-3:
        axis = np.array([0.0, 0.0, 1.0])
    theta = axis / np.linalg.norm(axis) * (np.pi + gap)
    matrix = Rotation.from_rotvec(theta).as_matrix()
    back = Rotation.from_rotvec(matrix_to_axis_angle(matrix)).as_matrix()
    np.testing.assert_allclose(back, matrix, atol=1e-14)


def test_the_original_way_back_agrees_where_it_is_well_conditioned():
    theta = np.random.default_rng(0).normal(size=(200, 3))
    theta *= np.linspace(0.01, 3.0, 200)[:, None] / np.linalg.norm(theta, axis=1, keepdims=True)
    matrix = axis_angle_to_matrix(theta)
    there = matrix_to_axis_angle_antisymmetric(matrix)
    np.testing.assert_allclose(there, matrix_to_axis_angle(matrix), atol=1e-12)


def test_the_original_way_back_falls_back_where_rounding_would_decide():
    matrix = np.diag([1.0, -1.0, -1.0]).astype(np.float32)
    matrix[2, 1] = 6e-8
    np.testing.assert_allclose(matrix_to_axis_angle_antisymmetric(matrix), [np.pi, 0, 0], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zero_is_exactly_the_identity(dtype):
    matrix = axis_angle_to_matrix(np.zeros((2, 5, 3), dtype=dtype))
    assert matrix.dtype == dtype
    assert matrix.shape == (2, 5, 3, 3)
    assert (matrix == np.eye(3)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_vector_that_the_offset_cancels_is_the_identity(dtype):
    matrix = axis_angle_to_matrix(np.full(3, -1e-8, dtype=dtype))
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-7)


def test_what_is_not_a_number_stays_so_and_whole_numbers_become_float64():
    assert np.isnan(axis_angle_to_matrix(np.array([np.nan, 0.0, 1.0]))).any()
    assert axis_angle_to_matrix(np.array([0, 0, 1])).dtype == np.float64


@given(theta=vectors)
def test_quaternions_there_and_back(theta):
    matrix = axis_angle_to_matrix(theta)
    quaternion = matrix_to_quaternion(matrix)
    single = matrix_to_quaternion(matrix[0].astype(np.float32))
    assert single.dtype == quaternion_to_matrix(single).dtype == np.float32
    assert (quaternion[..., 0] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(quaternion, axis=-1), 1, atol=1e-15)
    np.testing.assert_allclose(quaternion_to_matrix(quaternion), matrix, atol=1e-14)


@pytest.mark.parametrize(
    ("convert", "array", "expected"),
    [
        (axis_angle_to_matrix, np.zeros(4), "(..., 3)"),
        (matrix_to_axis_angle, np.zeros((3, 4)), "(..., 3, 3)"),
        (matrix_to_axis_angle_antisymmetric, np.zeros(3), "(..., 3, 3)"),
        (matrix_to_quaternion, np.zeros((2, 3)), "(..., 3, 3)"),
        (quaternion_to_matrix, np.zeros(3), "(..., 4)"),
    ],
)
def test_wrong_shapes_are_named(convert, array, expected):
    with pytest.raises(InputError) as caught:
        convert(array)
    assert str(array.shape) in str(caught.value)
    assert expected in str(caught.value)


def test_one_vector_has_the_bits_of_many():
    vectors = np.random.default_rng(3).normal(size=(500, 3)) * 2
    vectors[:3] = [[0.0] * 3, [-1e-8] * 3, [0, 0, np.pi]]
    alone = np.stack([turn(vector) for vector in vectors])
    assert alone.tobytes() == axis_angle_to_matrix(vectors).tobytes()
