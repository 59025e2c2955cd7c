"""Arrays that users hand over: masks, tensors, and what is no array of numbers."""

from __future__ import annotations

import numpy as np
import pytest
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
        (torch.eye(3).to_sparse(), "is a sparse tensor"),
    ],
)
def test_what_is_no_array_of_numbers(value, message):
    with pytest.raises(InputError, match=message):
        real_array(value)
