"""Pickles of SMPL's kind and of the original CHORUS exporter come out as plain data."""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

import chorus_bench
from chorus_bench.errors import InputError
from tests.io.pickle_pieces import OLD_PICKLES, load

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def reload(folder: Path, value: object, protocol: int = 4):
    return load(folder, pickle.dumps(value, protocol))


def assert_same(found: object, wanted: object) -> None:
    """Compare nested data by value, type, and dtype (in the machine's byte order)."""
    assert type(found) is type(wanted)
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        for key in wanted:
            assert_same(found[key], wanted[key])
    elif isinstance(wanted, list | tuple):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other)
    elif isinstance(wanted, np.ndarray | np.generic):
        assert found.dtype == wanted.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found, wanted, strict=False)
        assert found.shape == wanted.shape
    else:
        assert found == wanted or (found != found and wanted != wanted)


# Files of old releases


@pytest.mark.parametrize("name", [name for name in OLD_PICKLES if name.endswith("-smpl")])
def test_old_smpl_like_files(tmp_path, name):
    model = load(tmp_path, OLD_PICKLES[name])
    python2 = name.startswith("python2")
    regressor = np.zeros((3, 4))
    regressor[0, 1], regressor[2, 0], regressor[2, 3] = 0.5, 1.5, 2.5
    columns, rows = model.pop("J_regressor"), model.pop("rows")
    assert isinstance(columns, sparse.csc_array)
    assert isinstance(rows, sparse.csr_array)
    np.testing.assert_array_equal(columns.toarray(), regressor)
    np.testing.assert_array_equal(rows.toarray(), regressor)
    np.testing.assert_array_equal(columns @ np.arange(4.0), regressor @ np.arange(4.0))
    assert model["weights"].flags.f_contiguous
    basis = np.arange(24.0).reshape(2, 3, 4)
    wanted = {
        "f": np.arange(12, dtype=np.uint32).reshape(4, 3),
        "kintree_table": np.array([[2**32 - 1, 0, 0], [0, 1, 2]], dtype=np.uint32),
        "weights": np.arange(12.0).reshape(4, 3),
        "shapedirs": basis,
        "slice": basis[:, ::-1, :2],
        "empty": np.zeros((0, 3)),
        "big_endian": np.arange(3, dtype=np.int32),
        "text": np.array(["ab", "c"], dtype="S2" if python2 else "U2"),
        "flags": np.array([True, False]),
        "scalar": np.float64(2.5),
        "bs_style": "lbs",
        "bytes": "\xe9\x00\n'\\" if python2 else b"\xe9\x00\n'\\",
        "unicode": "\xe9\u4e2d\n",
        "long": 2**40,
        "plain": [None, True, False, -5, 0.1, (1, 2, 3, 4), {1, 2}],
        "ordered": {"b": 1, "a": 2},
    }
    assert_same({key: model[key] for key in wanted}, wanted)
    assert model.keys() == wanted.keys()


@pytest.mark.parametrize("name", [name for name in OLD_PICKLES if name.endswith("-chorus")])
def test_old_chorus_like_files(tmp_path, name):
    export = load(tmp_path, OLD_PICKLES[name])
    assert type(export) is dict
    grid, tensors = export["grid"], export["tensors"]
    assert export.keys() == {"grid", "tensors"}
    wanted = {"size": 48, "list": [{"deep": 1}], "centre": np.arange(3.0)}
    assert_same({key: grid[key] for key in wanted}, wanted)
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    wanted = {
        "matrix": matrix,
        "transposed": matrix.T,
        "row": matrix[1],
        "zero_dim": np.array(2.5, np.float32),
        "int64": np.arange(3),
        "float64": np.ones(2),
        "bool": np.array([True, False]),
        "uint8": np.array([1, 255], np.uint8),
        "half": np.array([1.5], np.float16),
        "bfloat16": np.array([1.5, -2.0], np.float32),
        "empty": np.zeros((0, 3), np.float32),
        "expanded": np.ones((2, 3), np.float32),
        "parameter": np.ones(2, np.float32),
        "size": [3, 4] if name.startswith("python2") else (3, 4),  # made a list by easydict 1.9
    }
    assert_same({key: tensors[key] for key in wanted}, wanted)
    assert tensors.keys() == wanted.keys()


@pytest.mark.parametrize("name", [name for name in OLD_PICKLES if name.endswith("-computed")])
def test_chumpy_values_that_need_computing_are_refused_with_advice(tmp_path, name):
    with pytest.raises(InputError, match=r"'chumpy\.ch_ops\.add'") as caught:
        load(tmp_path, OLD_PICKLES[name])
    assert "numpy.array(value)" in caught.value.fix
    assert str(tmp_path / "test.pkl") in str(caught.value)


# Files of today's releases

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text()
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.lists(inner, min_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(-99, 99) | st.tuples(st.text()), inner)
        | st.frozensets(st.integers(-(2**63), 2**63))
        | st.sets(st.text())
    ),
    max_leaves=20,
)


@given(value=PLAIN, protocol=st.sampled_from(PROTOCOLS))
def test_plain_data_come_back_as_they_were(tmp_path_factory, value, protocol):
    assert_same(reload(tmp_path_factory.getbasetemp(), value, protocol), value)


ARRAYS = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.byte_string_dtypes(),
    hnp.unicode_string_dtypes(endianness="?"),
).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_dims=4)))


@given(array=ARRAYS, protocol=st.sampled_from(PROTOCOLS), fortran=st.booleans())
def test_numpy_arrays_come_back_writable(tmp_path_factory, array, protocol, fortran):
    array = np.asfortranarray(array) if fortran else array
    found = reload(tmp_path_factory.getbasetemp(), array, protocol)
    assert_same(found, array)
    assert found.flags.writeable
    assert found.flags.f_contiguous == array.flags.f_contiguous


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numpy_scalars_and_dtypes(tmp_path, protocol):
    value = [np.float32(1.5), np.int64(-1), np.bool_(True), np.str_("ab"), np.bytes_(b"c")]
    assert_same(reload(tmp_path, value, protocol), value)
    assert reload(tmp_path, np.dtype(">f4"), protocol) == np.dtype(">f4")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["csc_matrix", "csr_matrix", "csc_array", "csr_array"])
def test_scipy_matrices_come_back_as_arrays(tmp_path, kind, protocol):
    dense = np.random.default_rng(3).integers(0, 3, (5, 7)) * 1.5
    found = reload(tmp_path, getattr(sparse, kind)(dense), protocol)
    assert type(found) is getattr(sparse, kind.replace("matrix", "array"))
    np.testing.assert_array_equal(found.toarray(), dense)
    empty = reload(tmp_path, getattr(sparse, kind)((0, 4)), protocol)
    assert empty.shape == (0, 4)


def test_an_object_that_appears_twice_stays_one_object(tmp_path):
    array = np.arange(3)
    found = reload(tmp_path, {"a": array, "b": [array], "c": array.copy()})
    assert found["a"] is found["b"][0]
    found["a"][:] = 7
    assert_same(found["c"], np.arange(3))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_chumpy_made_by_a_stand_in(tmp_path, monkeypatch, protocol):
    ch, reordering = types.ModuleType("chumpy.ch"), types.ModuleType("chumpy.reordering")
    ch.Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    reordering.Select = type("Select", (ch.Ch,), {"__module__": "chumpy.reordering"})
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", ch)
    monkeypatch.setitem(sys.modules, "chumpy.reordering", reordering)
    whole, one, part = ch.Ch(), ch.Ch(), reordering.Select()
    numbers = np.arange(24.0).reshape(2, 3, 4)
    whole.__dict__.update(x=numbers, _dirty_vars={"x"}, _itr=None, _depends_on_deps={})
    one.__dict__.update(x=2.5)
    part.__dict__.update(a=whole, idxs=np.array([5, 1, 23]))
    data = pickle.dumps({"whole": whole, "one": one, "part": part}, protocol)
    monkeypatch.undo()
    wanted = {"whole": numbers, "one": np.array(2.5), "part": numbers.ravel()[[5, 1, 23]]}
    assert_same(load(tmp_path, data), wanted)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_easydict_made_by_a_stand_in(tmp_path, monkeypatch, protocol):
    module = types.ModuleType("easydict")
    module.EasyDict = type("EasyDict", (dict,), {"__module__": "easydict"})
    monkeypatch.setitem(sys.modules, "easydict", module)
    value = module.EasyDict(b=module.EasyDict(x=np.ones(2)), a=[module.EasyDict(y=1)])
    for part in (value, value["b"], value["a"][0]):
        part.__dict__.update(part)
    data = pickle.dumps(OrderedDict(one=value), protocol)
    monkeypatch.undo()
    assert_same(load(tmp_path, data), {"one": {"b": {"x": np.ones(2)}, "a": [{"y": 1}]}})


def test_a_python_2_stream_put_together_by_hand(tmp_path):
    """As cPickle protocol 2 of Python 2.7 writes it: 8-bit strings, longs, no bytes at all."""
    raw = np.array([[1.5, -2.0], [0.0, 3.25]]).tobytes()
    dtype = (
        b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNN"
        + 2 * b"J\xff\xff\xff\xff"
        + b"K\x00tb"
    )
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x02(cnumpy\nndarray\nq\x03K\x00\x85U\x01bt"
        b"Rq\x04(K\x01\x8a\x01\x02K\x02\x86" + dtype + b"\x89T" + struct.pack("<i", len(raw)) + raw
    )
    stream = b"\x80\x02}q\x01(U\x07weights" + array + b"tbU\x04nameU\x02\xe9\xff" + b"u."
    found = load(tmp_path, stream)
    assert_same(found, {"weights": np.array([[1.5, -2.0], [0.0, 3.25]]), "name": "\xe9\xff"})
    assert_same(found, pickle.loads(stream, encoding="latin1"))


def test_ordered_dictionaries_ignore_their_attributes(tmp_path):
    value = OrderedDict(a=1)
    value.remark = "not an item"
    assert load(tmp_path, pickle.dumps(value)) == {"a": 1}


def test_only_the_first_object_of_a_file_is_read(tmp_path):
    assert load(tmp_path, pickle.dumps([1]) + pickle.dumps([2]) + b"rest") == [1]


# torch

DTYPES = [
    torch.float16,
    torch.float32,
    torch.float64,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.uint8,
    torch.uint16,
    torch.uint32,
    torch.uint64,
    torch.bool,
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_torch_tensors_of_every_type(tmp_path, dtype, protocol):
    tensor = torch.tensor([[0, 1, 2], [3, 100, 0]]).to(dtype)
    found = reload(tmp_path, {"a": tensor}, protocol)["a"]
    assert_same(found, tensor.numpy())
    assert found.flags.writeable
    assert found.flags.c_contiguous


@given(
    size=st.lists(st.integers(0, 4), max_size=4),
    seed=st.integers(0, 2**32),
    kind=st.sampled_from([torch.float32, torch.int64, torch.bfloat16]),
)
def test_torch_views_come_back_as_their_values(tmp_path_factory, size, seed, kind):
    """Offsets, strides, transpositions, expanded sizes and zero-dimensional tensors."""
    chance = np.random.default_rng(seed)
    start, steps = chance.integers(0, 4), chance.integers(0, 4, len(size)).tolist()
    store = torch.from_numpy(chance.integers(-100, 100, 60)).to(kind)
    view = store.as_strided(size, steps, int(start))
    wanted = (view.float() if kind is torch.bfloat16 else view).numpy()
    assert_same(
        reload(tmp_path_factory.getbasetemp(), view), np.ascontiguousarray(wanted).reshape(size)
    )


def test_torch_tensors_that_share_memory_become_separate_arrays(tmp_path):
    store = torch.arange(6.0)
    found = reload(tmp_path, [store, store[2:4], store.reshape(2, 3).T, store])
    assert_same(found[0], store.numpy())
    assert_same(found[1], store[2:4].numpy())
    assert_same(found[2], np.ascontiguousarray(store.reshape(2, 3).T.numpy()))
    assert found[3] is found[0]
    found[0][:] = 9
    assert_same(found[1], store[2:4].numpy())


def test_torch_parameters_sizes_and_gradients(tmp_path):
    leaf = torch.ones(2, requires_grad=True)
    found = reload(tmp_path, [torch.nn.Parameter(torch.ones(2)), leaf, leaf.shape])
    assert_same(found, [np.ones(2, np.float32), np.ones(2, np.float32), (2,)])


class WithStorage:
    """Pickles as a tensor whose storage is kept in given torch.save bytes."""

    def __init__(self, data: bytes, size: tuple[int, ...], stride: tuple[int, ...]):
        self.data, self.size, self.stride = data, size, stride

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, (
            StoredBytes(self.data),
            *(0, self.size, self.stride, False, OrderedDict()),
        )


class StoredBytes:
    def __init__(self, data: bytes):
        self.data = data

    def __reduce__(self):
        return torch.storage._load_from_bytes, (self.data,)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_torch_storages_in_the_zip_layout(tmp_path, protocol):
    kept = io.BytesIO()
    torch.save(torch.arange(6.0).storage(), kept)
    found = reload(tmp_path, WithStorage(kept.getvalue(), (3, 2), (1, 3)), protocol)
    assert_same(found, np.array([[0, 3], [1, 4], [2, 5]], np.float32))


@pytest.mark.parametrize(("order", "sign"), [("little", "<"), ("big", ">"), (None, "<")])
def test_the_zip_layout_says_its_byte_order(tmp_path, order, sign):
    kept = io.BytesIO()
    identifier = b"(U\x07storagectorch\nDoubleStorage\nU\x010U\x03cpuK\x03tQ"
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + identifier + b".")
        archive.writestr("archive/data/0", np.array([1.5, 2, 3], f"{sign}f8").tobytes())
        if order is not None:
            archive.writestr("archive/byteorder", order)
    found = reload(tmp_path, WithStorage(kept.getvalue(), (3,), (1,)))
    assert_same(found, np.array([1.5, 2, 3]))


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.ones(2, dtype=torch.complex64), "ComplexFloatStorage"),
        (torch.ones(2, 2).to_sparse(), "_rebuild_sparse_tensor"),
        (torch.ones(2, device="meta"), "_rebuild_meta_tensor_no_storage"),
    ],
    ids=["complex", "sparse", "meta"],
)
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_unusual_tensors_are_refused_by_name(tmp_path, tensor, message):
    with pytest.raises(InputError, match=message):
        reload(tmp_path, tensor)


# What reading leaves untouched


def run_apart(code: str, *args: object) -> dict:
    """Run code in a fresh interpreter and return the JSON that it prints."""
    root = str(Path(chorus_bench.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, args)],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_nothing_named_in_a_pickle_is_imported(tmp_path):
    for name, data in OLD_PICKLES.items():
        (tmp_path / name).write_bytes(data)
    code = """
import json, sys
from pathlib import Path
from chorus_bench.errors import InputError
from chorus_bench.io.safe_pickle import load_pickle
read = 0
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        load_pickle(path)
        read += 1
    except InputError as error:
        if "-computed" not in path.name:
            raise
roots = {name.partition(".")[0] for name in sys.modules}
print(json.dumps({"read": read, "found": sorted(roots & {"chumpy", "easydict", "torch"})}))
"""
    assert run_apart(code, tmp_path) == {"read": len(OLD_PICKLES) - 2, "found": []}
