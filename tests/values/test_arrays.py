"""Arrays that users hand over: masks, tensors, and what is no array of numbers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import torch

from chorus_bench.arrays import real_array
from chorus_bench.errors import InputError


def test_a_mask_is_never_dropped():
    with pytest.raises(InputError, match="masked array with 2 of 3 elements masked"):
        real_array(np.ma.masked_less([0.1, 0.2, 0.9], 0.5), "the field")
    unmasked = real_array(np.ma.array([0.1, 0.2], mask=False))
    assert type(unmasked) is np.ndarray
    assert unmasked.tolist() == [0.1, 0.2]


def test_tensors_become_arrays_exactly():
    values = torch.tensor([0.0, 0.1, 1.0], requires_grad=True)
    assert real_array(values).tolist() == values.tolist()
    short = values.detach().bfloat16()
    found = real_array(short)
    assert found.dtype == np.float32
    assert found.tolist() == short.tolist()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2], [3]], "is not an array"),
        (["0.5"], "has dtype <U3"),
        ([1 + 2j], "has dtype complex128"),
        ([None, 1.0], "has dtype object"),
        (scipy.sparse.coo_array((10**5, 10**5)), r"sparse array of shape \(100000, 100000\)"),
    ],
)
def test_what_is_no_array_of_numbers(value, message):
    with pytest.raises(InputError, match=message):
        real_array(value)


@pytest.mark.parametrize(
    "value",
    [
        torch.eye(3).to_sparse(),
        torch.eye(3).bfloat16().to_sparse().requires_grad_(),
        scipy.sparse.eye_array(3).tocsr(),
        scipy.sparse.coo_matrix(np.eye(3)),
    ],
)
def test_what_a_sparse_array_does_not_store_is_zero(value):
    found = real_array(value)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, np.eye(3))
