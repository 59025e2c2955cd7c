"""Calls with arguments of the wrong kind, and states of the wrong kind, end in InputError."""

import itertools
import pickle
import struct

import numpy as np
import pytest

from tests.io.pickle_pieces import (
    MAGIC,
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

REBUILD = name("copyreg", "_reconstructor")
EASY, OBJECT, DICT = (
    name("easydict", "EasyDict"),
    name("builtins", "object"),
    name("builtins", "dict"),
)
ORDERED, NDARRAY = name("collections", "OrderedDict"), name("numpy", "ndarray")
RECONSTRUCT = name("numpy.core.multiarray", "_reconstruct")
EMPTY = call(RECONSTRUCT, NDARRAY, b"(K\x00t", text("b"))
ONE = numbers([1])


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (call(name("_codecs", "encode"), number(1), text("latin1")), "encoding other"),
        (call(name("_codecs", "encode"), text("a"), ONE), "encoding other"),
        (call(name("_codecs", "encode"), text("a")), "with 1 arguments"),
        (call(name("builtins", "set"), number(5)), "set of something that is not a list"),
        (call(name("builtins", "frozenset"), text("ab")), "set of something that is not a list"),
        (call(ORDERED, b"]" + text("ab") + b"a"), "other than pairs"),
        (call(ORDERED, b"](NNNta"), "other than pairs"),
        (call(ORDERED, b"]](NNea"), None),
        (call(EASY, b"}"), "EasyDict with 1 arguments"),
        (call(REBUILD, EASY, DICT, b"}K\x01K\x02s"), None),
        (call(REBUILD, EASY, OBJECT, b"N"), None),
        (call(REBUILD, text("easydict"), DICT, b"}"), "not a class"),
        (call(REBUILD, EASY, b"N", b"}"), "not a class"),
        (call(REBUILD, NDARRAY, OBJECT, b"N"), "not a class"),
        (call(REBUILD, EASY, DICT, b"]"), "EasyDict made of a list"),
        (call(REBUILD, ORDERED, DICT, b"}"), "OrderedDict made of a dict"),
        (call(REBUILD, EASY, OBJECT), "with 2 arguments"),
        (b"}(NNNu", "a key without a value"),
        (b"(NNNd", "a key without a value"),
        (text("os") + b"N\x93", "class name that is not text"),
        (b"N" + text("os") + b"\x93", "class name that is not text"),
        (name("builtins", "set") + b")N\x92", "keyword arguments"),
        (b"\x00", "unknown instruction 0x00 at byte 0"),
        (b"S'\n", "string without quotes"),
        (b"Sabca\n", "string without quotes"),
        (b"(2", "nothing to work on"),
        (b"(s", "nothing to work on"),
        (b"(N0" + b"0N", None),
        (b"(NN1N", None),
    ],
)  # fmt: skip
def test_python_arguments(tmp_path, stream, message):
    check(tmp_path, stream, message)


def check(folder, stream: bytes, message: str | None) -> None:
    if message is None:
        load(folder, stream + b".")
    else:
        refused(folder, stream + b".", message)


def fields(state: bytes) -> bytes:
    return call(name("numpy", "dtype"), text("f8")) + state + b"b"


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (fields(pack(b"K\x03", text("<"), b"NNN")), None),
        (fields(pack(b"K\x03", text("<"), b"NN")), "dtype with an unknown state"),
        (fields(text("<<<<<<")), "dtype with an unknown state"),
        (fields(pack(b"K\x03", ONE, b"NNN")), "dtype with an unknown state"),
        (fields(pack(b"K\x03", text("<"), b"N", pack(text("a")), b"N")), "dtype with fields"),
        (fields(pack(b"K\x03", text("<"), pack(text("f4")), b"NN")), "dtype with fields"),
        (call(RECONSTRUCT, text("numpy.ndarray"), b")", text("b")), "other than an array"),
        (call(RECONSTRUCT, EASY, b")", text("b")), "other than an array"),
        (EMPTY + pack(b")", dtype("f8"), b"\x89", raw_bytes(bytes(8))) + b"b", None),
        (EMPTY + text("four") + b"b", "array with an unknown state"),
        (EMPTY + b"(NNNtb", "array with an unknown state"),
        (EMPTY + b"(NNNNNNtb", "array with an unknown state"),
        (EMPTY + pack(b")", text("f8"), b"\x89", raw_bytes(bytes(8))) + b"b", "without a type"),
        (EMPTY + pack(b"]", dtype("f8"), b"\x89", raw_bytes(bytes(8))) + b"b", "not a tuple"),
        (EMPTY + pack(b"(\x88t", dtype("f8"), b"\x89", raw_bytes(bytes(8))) + b"b", "whole number"),
        (EMPTY + pack(b"(G" + struct.pack(">d", 1.0) + b"t", dtype("f8"), b"\x89",
                      raw_bytes(bytes(8))) + b"b", "whole number"),
    ],
)  # fmt: skip
def test_numpy_arguments(tmp_path, stream, message):
    check(tmp_path, stream, message)


FROM_BUFFER = name("numpy._core.numeric", "_frombuffer")


def buffered(shape=(2, 3), order="C", *axes: bytes) -> bytes:
    """Return an array of 0 to 5 as protocol 5 writes it; NumPy 2.4 adds the order of the axes."""
    content = raw_bytes(np.arange(6, dtype="<f8").tobytes())
    return call(FROM_BUFFER, content, dtype("f8"), pack(*map(number, shape)), text(order), *axes)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (buffered(), [[0, 1, 2], [3, 4, 5]]),
        (buffered((2, 3), "F"), [[0, 2, 4], [1, 3, 5]]),
        (buffered((2, 3), "C", b"N"), [[0, 1, 2], [3, 4, 5]]),
        (buffered((2, 3), "K", pack(number(1), number(0))), [[0, 3], [1, 4], [2, 5]]),
        (buffered((1, 2, 3), "K", pack(number(2), number(0), number(1))),
         [[[0, 3]], [[1, 4]], [[2, 5]]]),
    ],
)  # fmt: skip
def test_arrays_of_protocol_5(tmp_path, stream, expected):
    found = load(tmp_path, stream + b".")
    np.testing.assert_array_equal(found, expected)
    assert found.flags.writeable


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (buffered((2, 3), "K"), "unknown order"),
        (buffered((2, 3), "K", b"N"), "unknown order"),
        (buffered((2, 3), "A"), "unknown order"),
        (buffered((2, 3), "K", pack(number(0), number(0))), "no permutation"),
        (buffered((2, 3), "K", pack(number(0), number(2))), "no permutation"),
        (buffered((2, 3), "K", pack(number(0))), "no permutation"),
        (buffered((2, 3), "K", pack(number(-1), number(0))), "no permutation"),
        (buffered((2, 3), "K", pack(b"\x88", b"\x89")), "no permutation"),
        (buffered((2, 3), "K", text("10")), "no permutation"),
        (buffered((2, 3), "C", b"N", b"N"), "with 6 arguments"),
        (buffered((2, 4), "K", pack(number(1), number(0))), "from 48 bytes"),
    ],
)
def test_odd_arrays_of_protocol_5(tmp_path, stream, message):
    check(tmp_path, stream, message)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_transposed_arrays_as_this_numpy_writes_them(tmp_path, protocol, axes):
    whole = np.arange(24.0).reshape(2, 3, 4)
    for array_ in (whole.transpose(axes), whole[:, ::2].transpose(axes)):
        found = load(tmp_path, pickle.dumps({"x": array_}, protocol=protocol))
        np.testing.assert_array_equal(found["x"], array_)


def sparse_stream(**change: bytes) -> bytes:
    parts = {
        "_shape": b"(K\x01K\x02t",
        "indptr": numbers([0, 1], "i4"),
        "indices": numbers([1], "i4"),
        "data": ONE,
    }
    return made_with_state(name("scipy.sparse.csr", "csr_matrix"), **{**parts, **change})


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (sparse_stream(), None),
        (sparse_stream(data=b"N"), "data are not numbers"),
        (sparse_stream(data=array("f8", (1, 1), raw_bytes(bytes(8)))), "data are not numbers"),
        (sparse_stream(data=array("S8", (1,), raw_bytes(bytes(8)))), "data are not numbers"),
        (sparse_stream(indices=b"](K\x01e"), "indices are not integers"),
        (sparse_stream(indices=array("i4", (1, 1), raw_bytes(bytes(4)))), "are not integers"),
        (sparse_stream(indptr=numbers([0, 1])), "indptr are not integers"),
        (name("chumpy.reordering", "Select") + b")\x81Nb", "Select without attributes"),
        (made_with_state(name("chumpy.reordering", "Select"), a=ONE, idxs=b"](K\x00e"),
         "without indices"),
        (made_with_state(name("chumpy.ch", "Ch"), x=array("S8", (1,), raw_bytes(bytes(8)))),
         "without an array of numbers"),
        (name("chumpy.ch", "Ch") + pack(ONE) + b"\x81", "chumpy.ch.Ch with 1 arguments"),
    ],
)  # fmt: skip
def test_scipy_and_chumpy_states(tmp_path, stream, message):
    check(tmp_path, stream, message)


def stored_as(reference: bytes, content: bytes = bytes(12)) -> bytes:
    return tensor(storage_of(legacy(reference, content=content)), (1,), (1,))


def reference(*parts: bytes) -> bytes:
    return pack(*parts) + b"Q"


FLOATS = name("torch", "FloatStorage")
START = (text("storage"), FLOATS, text("7"), text("cpu"), number(3))
OTHER_KEY = MAGIC + identifier() + b"." + b"](" + text("8") + b"e." + number(3)[2:-1] + bytes(12)
NO_VERSION = MAGIC.replace(b"M\xe9\x03", b"M\xe8\x03")
V2, V3 = (name("torch._utils", f"_rebuild_tensor_v{version}") for version in (2, 3))
PARAMETER = name("torch._utils", "_rebuild_parameter")
FLAT = (number(0), b"(K\x03t", b"(K\x01t", b"\x89", b"}")
SIXTEEN = name("torch", "uint16")
STORED = storage_of(legacy())


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (stored_as(reference(*START)), None),
        (stored_as(reference(*START, b"N")), None),
        (stored_as(text("storage") + b"Q"), "unknown identifier"),
        (stored_as(reference(*START[:4])), "unknown identifier"),
        (stored_as(reference(*START, b"NN")), "unknown identifier"),
        (stored_as(reference(number(1), *START[1:])), "unknown kind"),
        (stored_as(reference(START[0], text("FloatStorage"), *START[2:])), "unknown kind"),
        (stored_as(reference(*START, pack(text("7"), number(0), number(3)))), "unknown kind"),
        (stored_as(reference(*START[:2], number(7), *START[3:])), "without a name"),
        (tensor(storage_of(OTHER_KEY), (1,), (1,)), "something other than one storage"),
        (tensor(storage_of(NO_VERSION + legacy()[len(MAGIC):]), (1,), (1,)), "unknown file format"),
        (tensor(storage_of(b"K\x01." + legacy()[15:]), (1,), (1,)), "unknown file format"),
        (call(name("torch.storage", "_load_from_bytes"), b"]"), "that is not bytes"),
        (call(name("torch.storage", "_load_from_bytes"), b"N"), "that is not bytes"),
        (call(V2, STORED, *FLAT), None),
        (call(V2, STORED, *FLAT, b"}"), None),
        (call(V2, STORED, *FLAT, b"}" + text("neg") + b"\x88s"), "lazy conjugate"),
        (call(V2, STORED, *FLAT[:4]), "with 5 arguments"),
        (call(V3, STORED, *FLAT, SIXTEEN), None),
        (call(V3, STORED, *FLAT, text("uint16")), "without a type"),
        (call(V3, STORED, *FLAT, name("numpy", "ndarray")), "without a type"),
        (call(V3, ONE, *FLAT, SIXTEEN), "without a storage"),
        (call(PARAMETER, ONE, b"\x89", b"}"), None),
        (call(PARAMETER, STORED, b"\x89", b"}"), "without a tensor"),
        (call(name("torch", "Size"), b"](K\x01e"), "not a tuple"),
        (call(name("torch", "Size"), b"(\x88t"), "not a whole number"),
    ],
)  # fmt: skip
def test_torch_arguments(tmp_path, stream, message):
    check(tmp_path, stream, message)


def test_an_encrypted_zip_is_refused(tmp_path):
    content = zipped(**{"data.pkl": zip_identifier(), "data_0": bytes(12)})
    entry = content.index(b"PK\x01\x02")
    marked = content[: entry + 8] + b"\x01" + content[entry + 9 :]
    check(tmp_path, tensor(storage_of(content), (1,), (1,)), None)
    check(tmp_path, tensor(storage_of(marked), (1,), (1,)), "compressed or encrypted")


def test_version_3_tensors_are_read_with_their_own_type(tmp_path):
    words = np.array([1, 60000, 7, 8, 9, 10], "<u2").tobytes()
    stored = storage_of(legacy(identifier("UntypedStorage", 12), 12, words))
    found = load(tmp_path, call(V3, stored, *FLAT, SIXTEEN) + b".")
    assert found.dtype == np.uint16
    assert found.tolist() == [1, 60000, 7]
