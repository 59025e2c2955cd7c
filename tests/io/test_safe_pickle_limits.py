"""Pickles whose parts do not fit, or that would fill memory and time, end in InputError."""

import pickle
import struct
import zipfile

import numpy as np
import pytest
from scipy import sparse

from chorus_bench.io.safe_pickle import _values
from tests.io.pickle_pieces import (
    array,
    call,
    dtype,
    identifier,
    legacy,
    load,
    made_with_state,
    name,
    number,
    numbers,
    pack,
    raw_bytes,
    refused,
    storage_of,
    tensor,
    text,
    zip_identifier,
    zipped,
)


def test_the_pieces_make_pickles_that_are_read(tmp_path):
    """So that what follows is refused for its own reason."""
    found = load(tmp_path, array("f8", (2,), raw_bytes(np.ones(2).tobytes())) + b".")
    assert found.tolist() == [1, 1]
    assert load(tmp_path, tensor(storage_of(legacy()), (3,), (1,)) + b".").tolist() == [0, 0, 0]
    stored = zipped(**{"data.pkl": zip_identifier(), "data_0": bytes(12)})
    assert load(tmp_path, tensor(storage_of(stored), (3,), (1,)) + b".").tolist() == [0, 0, 0]


# Arrays, matrices and tensors that are not what they say


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (pickle.dumps(np.array([{}, None]), 2), "array of type 'O8'"),
        (pickle.dumps(np.zeros(2, [("a", "f4")]), 4), "array of type 'V4'"),
        (pickle.dumps(np.zeros(2, "M8[s]"), 4), "array of type 'M8'"),
        (pickle.dumps(np.zeros(2, complex), 4), "array of type 'c16'"),
        (array("O", (1,), b"](Ne"), "array of type 'O'"),
        (call(name("numpy", "dtype"), name("builtins", "object")) + b".", "of type Named"),
        (dtype("f8,O") + b".", "of type 'f8,O'"),
        (dtype("f8", "!") + b".", "unknown state"),
        (dtype("U0") + b".", "'U0'"),
        (array("f8", (10**15,), raw_bytes(bytes(8))) + b".", "larger than any|from 8 bytes"),
        (array("f8", (2**40, 2**40), raw_bytes(bytes(8))) + b".", "larger than any"),
        (array("f8", (2**62, 4), raw_bytes(b"")) + b".", "larger than any"),
        (array("f8", (-1,), raw_bytes(bytes(8))) + b".", "not a whole number"),
        (array("f8", (1,), raw_bytes(bytes(7))) + b".", "from 7 bytes"),
        (array("f8", (1,) * 33, raw_bytes(bytes(8))) + b".", "at most 32"),
        (array("U999999999", (0,), raw_bytes(b"")) + b".", "array of type 'U999999999'"),
        (array("U9999999", (0,), raw_bytes(b"")) + b".", "from 0 bytes"),
        (array("f8", (1,), b"](NNe") + b".", "without bytes"),
        (array("f8", (1,), text("\u1234" * 8)) + b".", "unreadable value"),
        (array("b1", (1,), raw_bytes(b"\x02")) + b".", "other than 0 and 1"),
        (array("U1", (1,), raw_bytes(b"\xff\xff\xff\x7f")) + b".", "invalid characters"),
        (call(name("_codecs", "encode"), text("x"), text("rot13")) + b".", "encoding other"),
        (call(name("builtins", "bytes"), number(10**12)) + b".", "bytes with 1 arguments"),
    ],
)
def test_arrays_of_forbidden_types_and_sizes(tmp_path, stream, message):
    refused(tmp_path, stream, message)


def sparse_stream(shape=(2, 3), indptr=(0, 1, 2), indices=(0, 2), data=(1.0, 2.0), code="i8"):
    return made_with_state(
        name("scipy.sparse.csr", "csr_matrix"),
        _shape=pack(*map(number, shape)),
        indptr=numbers(indptr, code),
        indices=numbers(indices, code),
        data=numbers(data),
    )


def test_a_sparse_matrix_may_hold_more_room_than_values(tmp_path):
    found = load(tmp_path, sparse_stream(indices=(2, 0, 99), data=(1, 2, 3)) + b".")
    np.testing.assert_array_equal(found.toarray(), [[0, 0, 1], [2, 0, 0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indices": (0, 3)}, "leave its shape"),
        ({"indices": (0, -1)}, "leave its shape"),
        ({"indices": (0, 1.5), "code": "f8"}, "are not integers"),
        ({"indptr": (0, 1)}, "indptr does not fit"),
        ({"indptr": (0, 2, 1)}, "indptr does not fit"),
        ({"indptr": (1, 1, 2)}, "indptr does not fit"),
        ({"indptr": (0, 1, 9)}, "2 of 9 values"),
        ({"indptr": ()}, "indptr does not fit"),
        ({"data": (1.0,)}, "1 of 2 values"),
        ({"shape": (2, 2**40)}, "at most 134217728 elements"),
        ({"shape": (2, -3)}, "not a whole number"),
        ({"shape": (2,)}, "elements are read"),
    ],
)
def test_sparse_matrices_that_do_not_fit(tmp_path, change, message):
    refused(tmp_path, sparse_stream(**change) + b".", message)


def test_sparse_matrices_without_parts(tmp_path):
    for kind in ("csc", "csr"):
        target = name(f"scipy.sparse._{kind}", f"{kind}_matrix")
        refused(tmp_path, made_with_state(target) + b".", "shape of a sparse matrix")
        refused(tmp_path, target + b")\x81Nb.", "without attributes")
    stream = pickle.dumps(sparse.coo_matrix(np.eye(2)))
    refused(tmp_path, stream, "coo_matrix' *, which is not on the list|coo_matrix")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"idxs": numbers([0, 3], "i8")}, "reaches outside"),
        ({"idxs": numbers([-1], "i8")}, "reaches outside"),
        ({"idxs": numbers([0.0])}, "without indices"),
        ({"preferred_shape": pack(number(5))}, "2 numbers in shape"),
        ({"preferred_shape": pack(number(2**63))}, "larger than any"),
        ({"a": text("numbers")}, "without an array of numbers"),
    ],
)
def test_chumpy_slices_that_do_not_fit(tmp_path, state, message):
    parts = {"a": numbers([1, 2, 3]), "idxs": numbers([0, 2], "i8"), "preferred_shape": b"(K\x02t"}
    target = name("chumpy.reordering", "Select")
    assert load(tmp_path, made_with_state(target, **parts) + b".").tolist() == [1, 3]
    refused(tmp_path, made_with_state(target, **{**parts, **state}) + b".", message)


def test_chumpy_arrays_without_numbers(tmp_path):
    target = name("chumpy.ch", "Ch")
    for state in (
        made_with_state(target),
        made_with_state(target, x=text("a")),
        target + b")\x81Nb",
    ):
        refused(tmp_path, state + b".", r"chumpy\.ch\.Ch without an array")


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (tensor(storage_of(legacy()), (4,), (1,)), "outside its storage"),
        (tensor(storage_of(legacy()), (3,), (2,)), "outside its storage"),
        (tensor(storage_of(legacy()), (3,), (1,), 1), "outside its storage"),
        (tensor(storage_of(legacy()), (3,), (-1,)), "not a whole number"),
        (tensor(storage_of(legacy()), (3,), (1,), -1), "not a whole number"),
        (tensor(storage_of(legacy()), (3,), (1, 1)), "do not fit"),
        (tensor(storage_of(legacy()), (2**31,), (0,)), "unfolds to far more"),
        (tensor(storage_of(legacy()), (2**50,), (0,)), "larger than any"),
        (tensor(numbers([1, 2, 3]), (3,), (1,)), "without a storage"),
        (tensor(storage_of(legacy(count=2)), (2,), (1,)), "in 12 bytes"),
        (tensor(storage_of(legacy(content=bytes(11))), (2,), (1,)), "in 11 bytes"),
        (tensor(storage_of(legacy(content=bytes(13))), (2,), (1,)), "in 13 bytes"),
        (tensor(storage_of(legacy(identifier(count=2**60))), (2,), (1,)), "in 12 bytes"),
        (tensor(storage_of(legacy(identifier(count=-3))), (2,), (1,)), "not a whole number"),
        (tensor(storage_of(legacy(identifier("ComplexFloatStorage"))), (1,), (1,)), "Complex"),
        (tensor(storage_of(legacy(identifier(word="module"))), (1,), (1,)), "unknown kind"),
        (tensor(storage_of(legacy(b"N")), (3,), (1,)), "something other than one storage"),
        (tensor(storage_of(legacy(numbers([1]))), (3,), (1,)), "_reconstruct"),
        (tensor(storage_of(legacy(storage_of(legacy()))), (3,), (1,)), "_load_from_bytes"),
        (tensor(storage_of(b"N.N.N."), (3,), (1,)), "unknown file format"),
        (tensor(storage_of(b"PK\x03\x04"), (3,), (1,)), "broken zip"),
        (tensor(storage_of(zipped(other=b"")), (3,), (1,)), "without data.pkl"),
    ],
)
def test_tensors_and_storages_that_do_not_fit(tmp_path, stream, message):
    refused(tmp_path, stream + b".", message)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ({"data.pkl": zip_identifier()}, "without data/0"),
        ({"data.pkl": zip_identifier(), "data_0": bytes(11)}, "in 11 bytes"),
        ({"data.pkl": zip_identifier("DoubleStorage"), "data_0": bytes(12)}, "in 12 bytes"),
        ({"data.pkl": b"N.", "data_0": bytes(12)}, "other than one storage"),
        (
            {"data.pkl": zip_identifier(), "data_0": bytes(12), "byteorder": b"middle"},
            "3 values in 12",
        ),
    ],
)
def test_zipped_storages_that_do_not_fit(tmp_path, records, message):
    stream = tensor(storage_of(zipped(**records)), (3,), (1,)) + b"."
    refused(tmp_path, stream, message)
    records["data.pkl"] = zip_identifier()
    stream = tensor(storage_of(zipped(zipfile.ZIP_DEFLATED, **records)), (3,), (1,)) + b"."
    refused(tmp_path, stream, "compressed")


# Filling memory and time


def repeated(first: bytes, piece: bytes, count: int) -> bytes:
    """Return a list with a piece that refers, many times, to something stored once."""
    return first + b"q\x000](" + piece * count + b"e."


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (text("x" * 10**6), call(name("_codecs", "encode"), b"h\x00", text("latin1"))),
        (raw_bytes(bytes(8 * 10**5)), array("f8", (10**5,), b"h\x00")),
        (b"](" + b"N" * 10**5 + b"e", call(name("builtins", "set"), b"h\x00")),
        (storage_of(legacy(identifier(count=10**5), 10**5, bytes(4 * 10**5))),
         tensor(b"h\x00", (10**5,), (1,))),
        (raw_bytes(legacy(identifier(count=10**5), 10**5, bytes(4 * 10**5))),
         tensor(call(name("torch.storage", "_load_from_bytes"), b"h\x00"), (1,), (1,))),
        (numbers([0.0] * 10**5),
         made_with_state(name("chumpy.reordering", "Select"), a=b"h\x00", idxs=numbers([0], "i8"))),
        (numbers([0.0] * 10**5, "i8"),
         made_with_state(name("scipy.sparse.csr", "csr_matrix"), _shape=b"(K\x01K\x02t",
                         indptr=numbers([0, 1], "i8"), indices=b"h\x00", data=b"h\x00")),
    ],
    ids=["text", "array", "set", "tensor", "storage", "slice", "sparse"],
)  # fmt: skip
def test_a_small_file_cannot_unfold_into_much_memory(tmp_path, first, piece):
    assert len(load(tmp_path, repeated(first, piece, 2))) == 2  # twice is fine
    refused(tmp_path, repeated(first, piece, 400), "unfolds to far more")


def doubled(levels: int, closing: bytes) -> bytes:
    """Return nested lists or tuples, each holding the one before it twice."""
    return b"(" + closing + b"q\x00" + levels * (b"0(h\x00h\x00" + closing + b"q\x00")


def test_lists_that_double_are_counted_as_written_out(tmp_path):
    assert load(tmp_path, doubled(3, b"l") + b".") == [
        [[[], []], [[], []]],
        [[[], []], [[], []]],
    ]
    refused(tmp_path, doubled(60, b"l") + b".", "repeats its parts")


def test_nested_tuples_are_no_keys(tmp_path):
    """Their hash takes time that doubles with each level, and stack that Python does not check."""
    refused(tmp_path, b"}" + doubled(60, b"t") + b"Ns.", "key made of tuple")
    refused(tmp_path, b"\x8f(" + doubled(60, b"t") + b"\x90.", "key made of tuple")
    deep = b")" + b"\x85" * 10**5
    refused(tmp_path, b"}" + deep + b"Ns.", "key made of tuple")
    refused(tmp_path, b"}(" + b"N" * 17 + b"tNs.", "key with 17 parts")
    refused(tmp_path, b"}\x8a\x10" + b"\x7f" * 16 + b"Ns.", "key beyond 64 bits")
    refused(tmp_path, b"}]Ns.", "key made of list")


def test_depth(tmp_path):
    fine = b"]" * 100 + b"a" * 99 + b"."
    assert str(load(tmp_path, fine)) == "[" * 100 + "]" * 100
    for count in (101, 10**5):
        refused(tmp_path, b"]" * count + b"a" * (count - 1) + b".", "more than 100 levels")
        refused(tmp_path, b")" + b"\x85" * count + b".", "more than 100 levels")


@pytest.mark.parametrize(
    "stream",
    [b"]q\x00h\x00a.", b"}q\x00" + text("a") + b"h\x00s.", b"]q\x00h\x00\x85a."],
    ids=["list", "dictionary", "tuple"],
)
def test_cycles(tmp_path, stream):
    refused(tmp_path, stream, "or contains itself")


def test_numbers_of_stored_objects_take_no_memory(tmp_path):
    assert load(tmp_path, b"\x88r\xff\xff\xff\xff0j\xff\xff\xff\xff.") is True
    refused(tmp_path, b"j\xff\xff\xff\xff.", "never stored")


def test_too_many_instructions(tmp_path, monkeypatch):
    monkeypatch.setattr(_values, "MOST_STEPS", 1000)
    assert load(tmp_path, b"N0" * 499 + b"N.") is None
    refused(tmp_path, b"N0" * 500 + b"N.", "more than 1000 instructions")


@pytest.mark.parametrize(
    "stream",
    [
        b"\x8e" + struct.pack("<Q", 2**62) + b"abc.",
        b"\x8d" + struct.pack("<Q", 2**64 - 1) + b"abc.",
        b"\x96" + struct.pack("<Q", 2**40) + b"abc.",
        b"T" + struct.pack("<i", -1) + b"abc.",
        b"B" + struct.pack("<I", 2**32 - 1) + b"abc.",
        b"\x8b" + struct.pack("<I", 2**31) + b"abc.",
        b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",
        b"\x8b" + struct.pack("<I", 257) + bytes(257) + b".",
        b"L" + b"9" * 257 + b"L\n.",
        b"I" + b"9" * 5000 + b"\n.",
    ],
)
def test_declared_sizes_are_checked_before_they_are_believed(tmp_path, stream):
    refused(tmp_path, stream, "too early|within a frame|an integer of")
