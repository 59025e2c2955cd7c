"""Arrays of strangers: what is in the file, or what is wrong with it."""

import io
import struct
import zipfile

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.io.npz_files import read_npy, read_npz
from chorus_bench.synthesis.annotators.pose_files import read_pose_file

MEMBER = "a.npy"


def npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def header(shape, dtype="<f8", version=1):
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text


def packed(content, name=MEMBER, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def with_flag(data, place, value):
    """Change a number in the list of members."""
    start = data.rindex(b"PK\x01\x02") + place
    return data[:start] + struct.pack("<H", value) + data[start + 2 :]


def read(data, **limits):
    return read_npz(io.BytesIO(data), **({"limit": 2**20} | limits))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
        np.array(True),
        np.zeros((0, 3)),
        np.array(["tie", "skis"]),
    ],
    ids=["plain", "columns first", "scalar", "empty", "texts"],
)
def test_arrays_come_back_as_numpy_reads_them(array):
    stream = io.BytesIO()
    np.savez_compressed(stream, a=array)
    found = read(stream.getvalue())["a"]
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)
    assert found.flags.writeable


GOOD = packed(npy(np.arange(100.0)))
BAD = {
    "is not a readable .zip": b"PK\x03\x04" + bytes(50),
    "is encrypted": with_flag(GOOD, 8, 1),
    "is packed with method 99": with_flag(GOOD, 10, 99),
    "is packed with method 12": packed(npy(np.zeros(3)), method=zipfile.ZIP_BZIP2),
    "cannot be unpacked": GOOD[:80] + b"\xff" * 20 + GOOD[100:],
    "is no array": packed(b"\x93NUMPY\x01"),
    "holds Python objects": packed(npy(np.array([None]))),
    "8000000000000000 bytes": packed(header((10**15,)) + bytes(8)),
    "of shape (-1, -1)": packed(header((-1, -1)) + bytes(8)),
    "holds 16 bytes": packed(npy(np.zeros(1)) + bytes(8)),
    "two arrays of the same name": None,
}


@pytest.mark.parametrize("words", BAD)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_wrong_is_said(words):
    data = BAD[words]
    if data is None:
        stream = io.BytesIO(GOOD)
        with zipfile.ZipFile(stream, "a") as archive:
            archive.writestr(MEMBER, npy(np.zeros(1)))
        data = stream.getvalue()
    with pytest.raises(InputError) as caught:
        read(data)
    assert words in str(caught.value)


@pytest.mark.parametrize("limits", [{"limit": 500}, {"most": 0}, {"largest": 500}])
def test_no_more_is_unpacked_than_is_allowed(limits):
    with pytest.raises(InputError, match="Expected: at most"):
        read(GOOD, **limits)


@pytest.mark.parametrize("dtype", ["|O", "<f99", "(((", "<U99999999999"])
def test_headers_with_odd_types_are_refused(dtype):
    with pytest.raises(InputError):
        read_npy(header((1,), dtype) + bytes(8))


@pytest.mark.parametrize("reader", [load_body, read_pose_file])
@pytest.mark.parametrize("words", ["is encrypted", "is packed with method 99", "bytes of values"])
def test_bodies_and_poses_are_read_so(words, reader, tmp_path):
    file = tmp_path / "a.npz"
    file.write_bytes(BAD.get(words) or BAD["8000000000000000 bytes"])
    with pytest.raises(InputError, match=words) as caught:
        reader(file)
    assert str(file) in str(caught.value)
