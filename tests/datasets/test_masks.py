"""Run-length encodings: against pycocotools, and damaged ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from chorus_bench.datasets.masks import decode_mask, encode_mask
from chorus_bench.errors import InputError


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**31))
def test_equals_pycocotools(height, width, share, seed):
    mask = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)
    rle = encode_mask(mask)
    decoded = decode_mask(rle, size=(height, width))
    np.testing.assert_array_equal(decoded, mask)
    np.testing.assert_array_equal(decoded, coco_mask.decode(rle))
    assert decoded.flags.c_contiguous
    assert decoded.dtype == np.uint8


@given(st.binary(max_size=30), st.integers(1, 20), st.integers(1, 20))
def test_damaged_runs_are_refused_or_fit(counts, height, width):
    rle = {"size": [height, width], "counts": counts}
    try:
        decoded = decode_mask(rle)
    except InputError:
        return
    np.testing.assert_array_equal(decoded, coco_mask.decode(rle))


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        ({"size": [4, 4]}, "not a COCO RLE"),
        ("runs", "not a COCO RLE"),
        ({"size": [0, 4], "counts": ""}, r"RLE of size \[0, 4\]"),
        ({"size": [4, 4], "counts": ""}, "do not add up to 4 x 4"),
        ({"size": [4, 4], "counts": [1, 15]}, "damaged"),
        ({"size": [4, 4], "counts": "P"}, "damaged"),
        ({"size": [5, 5], "counts": "0"}, "do not add up to 5 x 5"),
    ],
)
def test_refusals(rle, message):
    with pytest.raises(InputError, match=message):
        decode_mask(rle)


def test_other_size_and_shape():
    with pytest.raises(InputError, match=r"here: mask of 3 x 4 .*(\n.*)*5 x 4"):
        decode_mask(encode_mask(np.ones((3, 4))), size=(5, 4), where="here")
    with pytest.raises(InputError, match=r"mask of shape \(3,\)"):
        encode_mask(np.ones(3))
