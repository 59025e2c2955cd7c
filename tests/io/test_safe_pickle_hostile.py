"""Pickles that try to run something, and broken ones, end in InputError and run nothing."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import chorus_bench
from chorus_bench.errors import InputError
from chorus_bench.io import safe_pickle
from chorus_bench.io.safe_pickle import load_pickle
from tests.io.pickle_pieces import (
    MAGIC,
    OLD_PICKLES,
    call,
    identifier,
    legacy,
    load,
    name,
    numbers,
    pack,
    refused,
    storage_of,
    tensor,
    text,
    zipped,
)

# Running something


class Hostile:
    """Pickles as a call."""

    def __init__(self, function: Callable, *args: object):
        self.call = function, args

    def __reduce__(self):
        return self.call


def write_canary(folder: Path) -> str:
    return f"open({str(folder / 'canary')!r}, 'w').close()"


def torch_bytes_with(payload: bytes) -> list[bytes]:
    """Return the pickle of a tensor with the payload at each place of its storage."""
    storages = [
        payload,
        MAGIC + payload,
        legacy(payload[:-1]),
        MAGIC + identifier() + b"." + payload,
        zipped(**{"data.pkl": payload, "data_0": bytes(12)}),
    ]
    return [tensor(storage_of(content), (3,), (1,)) + b"." for content in storages]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("function", [eval, exec])
def test_python_code_does_not_run(tmp_path, function, protocol):
    payload = pickle.dumps(Hostile(function, write_canary(tmp_path)), protocol)
    for data in (payload, *torch_bytes_with(payload)):
        refused(tmp_path, data, rf"{function.__name__}|torch")
    assert not (tmp_path / "canary").exists()
    pickle.loads(payload)
    assert (tmp_path / "canary").exists()


def test_commands_do_not_run(tmp_path):
    command = f'"{sys.executable}" -c "{write_canary(tmp_path)}"'
    payload = pickle.dumps(Hostile(os.system, command))
    for data in (payload, *torch_bytes_with(payload)):
        refused(tmp_path, data, rf"{os.system.__module__}\.system|torch")
    assert not (tmp_path / "canary").exists()
    assert pickle.loads(payload) == 0
    assert (tmp_path / "canary").exists()


FORBIDDEN = [
    ("os", "system"),
    ("posix", "system"),
    ("nt", "system"),
    ("subprocess", "Popen"),
    ("builtins", "eval"),
    ("__builtin__", "eval"),
    ("builtins", "exec"),
    ("builtins", "getattr"),
    ("builtins", "setattr"),
    ("builtins", "__import__"),
    ("builtins", "bytearray"),
    ("builtins", "dict.fromkeys"),
    ("operator", "attrgetter"),
    ("operator", "methodcaller"),
    ("functools", "partial"),
    ("importlib", "import_module"),
    ("codecs", "encode"),
    ("_codecs", "decode"),
    ("collections", "namedtuple"),
    ("collections", "OrderedDict.fromkeys"),
    ("numpy", "load"),
    ("numpy", "memmap"),
    ("numpy", "fromfile"),
    ("numpy", "ndarray.tofile"),
    ("numpy.core.multiarray", "fromfile"),
    ("numpy.testing._private.utils", "runstring"),
    ("numpy", "matrix"),
    ("numpy.ma.core", "_mareconstruct"),
    ("scipy.sparse", "load_npz"),
    ("torch", "load"),
    ("torch.serialization", "load"),
    ("torch.storage", "_load_from_bytes.__globals__"),
    ("torch._utils", "_rebuild_wrapper_subclass"),
    ("torch.hub", "load"),
    ("chumpy.ch", "ChLambda"),
    ("chumpy.ch_ops", "add"),
    ("chorus_bench.io.safe_pickle", "load_pickle"),
    ("", ""),
    ("a\x1b[31m", "b\x07"),
]


@pytest.mark.parametrize(("module", "attribute"), FORBIDDEN, ids=".".join)
def test_names_off_the_list_are_refused_however_they_are_asked_for(tmp_path, module, attribute):
    asked = name(module, attribute)
    on_stack = b"\x80\x04" + text(module) + text(attribute) + b"\x93"
    lines = f"{module}\n{attribute}\n".encode()
    streams = [
        asked + b".",
        on_stack + b".",
        asked + pack(text("x")) + b"R.",
        asked + pack(text("x")) + b"\x81.",
        asked + pack(text("x")) + b"}\x92.",
        b"(" + text("x") + b"i" + lines + b".",
        b"(" + asked + text("x") + b"o.",
        b"(S'x'\ni" + lines + b".",
    ]
    for stream in streams:
        error = refused(tmp_path, stream, "is not on the list|would have to compute")
        assert ascii(f"{module}.{attribute}") in str(error)
        assert str(error).replace("\n", "").isprintable()


@pytest.mark.parametrize(("module", "attribute"), sorted(safe_pickle._TABLE))
def test_a_state_reaches_nothing_but_unfinished_objects(tmp_path, module, attribute):
    """BUILD sets attributes in Python's reader; here the listed names cannot be changed."""
    target = name(module, attribute)
    attributes = b"}(" + text("build") + name("numpy", "dtype") + text("__call__") + b"Nu"
    for state in (attributes, pack(b"N", attributes), b"N", b"\x88"):
        refused(tmp_path, target + state + b"b.", "a state for Named")
    assert safe_pickle._TABLE[module, attribute] == ORIGINAL_TABLE[module, attribute]


ORIGINAL_TABLE = dict(safe_pickle._TABLE)


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b"}}(" + text("__class__") + text("x") + b"ub.", None),
        (b"]}(" + text("__class__") + text("x") + b"ub.", "a state for list"),
        (numbers([1]) + b"}b.", "a state for ndarray"),
        (numbers([1]) + pack(b"NNNNN") + b"b.", "a state for ndarray"),
        (text("word") + b"}b.", "a state for str"),
        (name("builtins", "object") + b")R.", "builtins.object"),
        (name("numpy", "ndarray") + b")R.", "numpy.ndarray"),
        (name("numpy", "ndarray") + b".", "without contents"),
        (call(name("numpy", "dtype"), text("f8")) + b".", "without contents"),
        (name("chumpy.ch", "Ch") + b")\x81.", "without contents"),
        (name("chumpy.ch", "Ch") + b")\x810N.", None),
        (storage_of(legacy()) + b".", "_Storage outside an array"),
        (b"N)R.", "a call of something"),
        (text("os.system") + b")R.", "a call of something"),
        (name("builtins", "set") + b"NR.", "a call of something"),
        (b"(o.", "a call of something"),
        (b"\x82\x01.", "outside the file"),
        (b"\x97.", "outside the file"),
        (b"P1\n.", "outside the file"),
        (text("id") + b"Q.", "outside the file"),
        (b"\x80\x06N.", "unknown pickle protocol 6"),
        (name("builtins", "set") + b")}(" + text("a") + b"Nu\x92.", "keyword"),
        (name("builtins", "set") + b")}\x92.", None),
    ],
)
def test_tricks_with_states_calls_and_references(tmp_path, stream, message):
    if message is None:
        assert load(tmp_path, stream) in ({}, None, set())
    else:
        refused(tmp_path, stream, message)


def test_reading_hostile_files_causes_no_event_but_opening_them(tmp_path):
    """An audit hook sees imports, compilation, commands and opened files; there must be none."""
    payload = pickle.dumps(Hostile(eval, write_canary(tmp_path)))
    streams = [payload, *torch_bytes_with(payload), *OLD_PICKLES.values()]
    streams += [name(*pair) + pack(text("x")) + b"R." for pair in FORBIDDEN]
    (tmp_path / "files").mkdir()
    for number_, stream in enumerate(streams):
        (tmp_path / "files" / str(number_)).write_bytes(stream)
    code = """
import json, sys
from pathlib import Path
from chorus_bench.errors import InputError
from chorus_bench.io.safe_pickle import load_pickle
paths = sorted(Path(sys.argv[1]).iterdir())
events = []
def read_all():
    refused = 0
    for path in paths:
        try:
            load_pickle(path)
        except InputError:
            refused += 1
    return refused
read_all()  # the first time, the standard library loads text codecs
sys.addaudithook(lambda event, args: events.append((event, str(args[:1]))))
refused = read_all()
opened = {first for event, first in events if event == "open"}
kinds = sorted({event for event, _ in events})
print(json.dumps({"kinds": kinds, "opened": len(opened), "refused": refused, "files": len(paths)}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "files"],
        env={**os.environ, "PYTHONPATH": str(Path(chorus_bench.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert set(found["kinds"]) <= {"open", "builtins.id"}
    assert found["opened"] == found["files"] == len(streams)
    assert found["refused"] == len(streams) - len(OLD_PICKLES) + 2
    assert not (tmp_path / "canary").exists()


# Broken files


@pytest.mark.parametrize("data", OLD_PICKLES.values(), ids=OLD_PICKLES)
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path, data):
    for end in range(0, len(data) - 1, 100):
        with pytest.raises(InputError):
            load(tmp_path, data[:end])


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b".",
        b"N",
        b"0.",
        b"(.",
        b"2.",
        b"R.",
        b"b.",
        b"s.",
        b"a.",
        b"t.",
        b"q\x00.",
        b"\x94.",
        b"(Nd.",
        b"]Nu.",
        b"}(NNNu.",
        b"N(Ne.",
        b"](N\x90.",
        b"N\x93.",
        b"NN\x93.",
        b"cos",
        b"c\xff\n\xff\n.",
        b"Sabc\n.",
        b"S'abc\"\n.",
        b"S'\\q'\n.",
        b"S'\\x0'\n.",
        b"S'\\'\n.",
        b"S'\n.",
        b"V\\u12\n.",
        b"X\x01\x00\x00\x00\xff.",
        b"Ix\n.",
        b"Fx\n.",
        b"g5\n.",
        b"gx\n.",
        b"1.",
        b"\x00.",
        b"\xff.",
    ],
)
def test_broken_streams(tmp_path, stream):
    refused(tmp_path, stream, "not a pickle, or a damaged one")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zipped(a=b""), "zip archive"),
        (b"\x93NUMPY\x01\x00", "npy"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<!DOCTYPE html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
    ],
)
def test_other_formats_are_named(tmp_path, data, message):
    refused(tmp_path, data, message)


def test_files_that_are_not_there_or_too_large(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no such file"):
        load_pickle(tmp_path / "absent.pkl")
    with pytest.raises(InputError, match="no such file"):
        load_pickle(tmp_path)
    monkeypatch.setattr(safe_pickle, "_LARGEST_FILE", 3)
    with pytest.raises(InputError, match="4 bytes"):
        load(tmp_path, b"NNN.")


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    def failing(self):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "test.pkl").write_bytes(b"N.")
    monkeypatch.setattr(Path, "read_bytes", failing)
    with pytest.raises(InputError, match="Permission denied"):
        load_pickle(str(tmp_path / "test.pkl"))


def assert_plain(value: object) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            assert_plain(key)
            assert_plain(part)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            assert_plain(part)
    else:
        plain = (str, bytes, bytearray, int, float, np.ndarray, np.generic, np.dtype)
        assert value is None or isinstance(value, plain) or sparse.issparse(value)
        assert not isinstance(value, np.ndarray | np.generic) or value.dtype.kind in "biufSU"


def read_or_refuse(folder: Path, data: bytes) -> None:
    try:
        value = load(folder, data)
    except InputError:
        return
    assert_plain(value)


@given(data=st.binary(max_size=400))
def test_random_bytes_are_read_as_plain_data_or_refused(tmp_path_factory, data):
    read_or_refuse(tmp_path_factory.getbasetemp(), data)


@given(
    codes=st.lists(
        st.sampled_from([bytes([code]) for code in safe_pickle._machine._ACTIONS])
        | st.sampled_from([b"h\x00", b"q\x00", b"K\x01", b"\x8c\x01a", numbers([1]), b"(t", b"]"])
        | st.sampled_from([name(*pair) for pair in safe_pickle._TABLE]),
        max_size=40,
    )
)
def test_random_instructions_are_read_as_plain_data_or_refused(tmp_path_factory, codes):
    read_or_refuse(tmp_path_factory.getbasetemp(), b"".join(codes) + b".")


@given(
    data=st.sampled_from(list(OLD_PICKLES.values())),
    changes=st.lists(
        st.tuples(st.integers(0, 9999), st.binary(max_size=4), st.integers(0, 4)), max_size=3
    ),
)
def test_damaged_files_are_read_as_plain_data_or_refused(tmp_path_factory, data, changes):
    for place, put, cut in changes:
        at = place % len(data)
        data = data[:at] + put + data[at + cut :]
    read_or_refuse(tmp_path_factory.getbasetemp(), data)
