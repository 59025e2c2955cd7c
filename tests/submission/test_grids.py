"""Grid files: each format is read exactly, and everything hostile in one is refused."""

import io
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.submission import check_submission, open_submission
from chorus_bench.submission.arrays import SUFFIXES, decode, to_probabilities
from tests.submission.submission_files import N, fill, npy, npz, problems, ramp, safetensors, tensor

SPEC = GridSpec(N)
ZEROS = np.zeros((N, N, N), np.float32)


def in_format(suffix: str, array: np.ndarray) -> bytes:
    writers = {".safetensors": tensor, ".npy": npy, ".npz": lambda a: npz(occupancy=a)}
    return writers[suffix](array)


def refusal(suffix: str, data: bytes, spec: GridSpec | None = SPEC) -> str:
    with pytest.raises(InputError) as caught:
        decode(f"grids/x{suffix}", data, spec)
    return str(caught.value)


def stored_npz(info: zipfile.ZipInfo | str, data: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, data, method)
    return file.getvalue()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
def test_every_format_and_dtype_is_read_exactly(suffix, dtype):
    raw = (ramp() * (255 if dtype == "uint8" else 1)).astype(dtype)
    expected = raw / np.float32(255) if dtype == "uint8" else raw.astype(np.float32)
    read = to_probabilities(decode(f"x{suffix.upper()}", in_format(suffix, raw), SPEC))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_grid_of_several_chunks_is_read_exactly(suffix):
    values = np.random.default_rng(0).random((88, 88, 88), dtype=np.float32)
    read = decode(f"x{suffix}", in_format(suffix, values), GridSpec(88))
    np.testing.assert_array_equal(read, values)


def test_axes_survive_fortran_order_and_big_endian_bytes():
    for array in (np.asfortranarray(ramp()), ramp().astype(">f4"), ramp().astype(">f2")):
        read = to_probabilities(decode("x.npy", npy(array), SPEC))
        np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_another_dtype_names_the_allowed_ones(suffix):
    said = refusal(suffix, in_format(suffix, ZEROS.astype(np.float64)))
    assert "'occupancy' has dtype F64" in said or "'occupancy' has dtype float64" in said
    assert "Expected: dtype float32 or float16 or uint8" in said
    assert "array.astype(numpy.float32)" in said


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_another_resolution_says_what_to_write(suffix):
    said = refusal(suffix, in_format(suffix, np.zeros((12, 12, 12), np.float32)))
    assert "'occupancy' has shape (12, 12, 12)" in said
    assert "shape (8, 8, 8), by the grid's resolution in submission.yaml" in said
    assert "write 'resolution: 12' under 'grid'" in said


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 9), (1, 8, 8, 8), (512,), (), (4, 4, 4)])
def test_what_is_no_cube_is_refused(suffix, shape):
    for spec in (SPEC, None):
        said = refusal(suffix, in_format(suffix, np.zeros(shape, np.float32)), spec)
        assert f"'occupancy' has shape {shape}" in said
        assert "the axes in the order x, y, z" in said


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_dtype_and_shape_are_reported_together(suffix):
    said = refusal(suffix, in_format(suffix, np.zeros((8, 8))))
    assert "has dtype " in said
    assert " and shape (8, 8)" in said


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_without_a_known_grid_any_cube_will_do(suffix):
    array = np.zeros((12, 12, 12), np.uint8)
    assert decode(f"x{suffix}", in_format(suffix, array), None).shape == (12, 12, 12)


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_another_tensor_name_names_the_nearest(suffix):
    writer = {".safetensors": tensor, ".npz": lambda a, name: npz(**{name: a})}[suffix]
    said = refusal(suffix, writer(ZEROS, "Ocupancy"))
    assert "holds the tensor 'Ocupancy'" in said
    assert "Expected: one tensor, 'occupancy'" in said
    assert "rename 'Ocupancy' to 'occupancy'" in said


def test_more_tensors_than_one_are_refused():
    assert "remove the others" in refusal(".npz", npz(occupancy=ZEROS, other=ZEROS))
    said = refusal(".npz", npz(a=ZEROS, occupancies=ZEROS))
    assert "holds 2 tensors: 'a', 'occupancies'" in said
    assert "rename 'occupancies'" in said
    assert "write one tensor named" in refusal(".npz", npz(a=ZEROS, b=ZEROS))
    assert "holds no tensor" in refusal(".safetensors", safetensors({}, b""))
    assert "holds no tensor" in refusal(".npz", npz())


def test_pickles_are_never_opened():
    pickled = npy(np.array([{"a": 1}], dtype=object))
    for suffix, data in ((".npy", pickled), (".npz", stored_npz("occupancy.npy", pickled))):
        said = refusal(suffix, data)
        assert "holds pickled Python objects, which are never opened" in said
        assert "array.astype(numpy.float32)" in said
    for suffix in SUFFIXES:
        said = refusal(suffix, b"\x80\x04\x95\x00")
        assert "is a Python pickle, which is never opened because it could execute code" in said
        assert "write_submission" in said
    said = refusal(".npz", stored_npz("archive/data.pkl", b"\x80\x02"))
    assert "is a file of torch.save" in said
    assert "numpy.savez(path, occupancy=tensor.numpy())" in said


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_cut_off_or_appended_is_refused(suffix):
    whole = in_format(suffix, ramp())
    for data in (b"", whole[:5], whole[:60], whole[:-40]):
        assert refusal(suffix, data)
    if suffix != ".npz":  # a .zip may be followed by anything
        assert "2048 bytes" in refusal(suffix, whole + b"x")


def entry(**changes: object) -> dict[str, object]:
    tensors = {"dtype": "F32", "shape": [N, N, N], "data_offsets": [0, ZEROS.nbytes]}
    return {"occupancy": {**tensors, **changes}}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"{" + b" " * 10_000 + b"}", "the length of its header is wrong"),
        (b"[1, 2]", "its header is not a JSON object"),
        (b"{'a': 1}", "its header is not JSON"),
        (b'{"a": 1, "a": 2}', "a key occurs twice"),
        (b"[" * 5000, "its header is not JSON"),
        (b"\xff\xff\xff", "its header is not JSON"),
        ({"occupancy": 3}, "does not describe the tensor"),
        (entry(dtype="BF16"), "has dtype BF16"),
        (entry(dtype="BF16"), "convert it in PyTorch, which loses nothing: tensor.float()"),
        (entry(dtype=["F32"]), "has dtype something of type list"),
        (entry(dtype="\x1b[2J"), "has dtype \\x1b[2J"),
        (entry(shape=[8, 8, 8.0]), "has shape something of type list"),
        (entry(shape=[True, True, True]), "has shape something of type list"),
        (entry(shape=[-8, -8, -8]), "has shape (-8, -8, -8)"),
        (entry(shape=[10**30] * 3), "has shape (1000"),
        (entry(shape={"a": 1}), "has shape something of type dict"),
        (entry(shape=None), "has shape nothing"),
        (entry(data_offsets=[0, 10**15]), "places the tensor at bytes (0, 1000000000000000)"),
        (entry(data_offsets=[8, 8 + ZEROS.nbytes]), "(0, 2048) for float32 of shape (8, 8, 8)"),
        (entry(data_offsets="x"), "places the tensor at bytes x"),
        (entry(dtype="U8"), "(0, 512) for uint8"),
        (entry(dtype="F16", data_offsets=[0, 1024]), "Expected: 1024 bytes for float16"),
    ],
)
def test_a_hostile_safetensors_header_is_refused(header, said):
    assert said in refusal(".safetensors", safetensors(header, ZEROS.tobytes()))


def test_a_safetensors_header_that_claims_gigabytes_is_refused():
    said = refusal(".safetensors", struct.pack("<Q", 2**62) + b"{}")
    assert "the length of its header is wrong" in said


def test_metadata_in_a_safetensors_header_is_allowed():
    header = {"__metadata__": {"format": "pt"}, **entry()}
    assert decode("x.safetensors", safetensors(header, ZEROS.tobytes()), SPEC).shape == SPEC.shape


def npy_header(text: str, version: bytes = b"\x01\x00") -> bytes:
    data = text.encode("latin1")
    return b"\x93NUMPY" + version + struct.pack("<H", len(data)) + data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"not numpy at all", "is not a .npy file"),
        (npy_header("{'descr': '<f4'"), "is not a .npy file"),
        (npy_header("__import__('os').abort()"), "is not a .npy file"),
        (npy_header("(" * 5000), "is not a .npy file"),
        (npy_header("{}" + " " * 20_000), "is not a .npy file"),
        (npy_header("{}", b"\x09\x00"), "is not a .npy file"),
        (npy_header("{'descr': '|V3', 'fortran_order': False, 'shape': (8, 8, 8)}"), "dtype |V3"),
        (
            npy_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (8, 8, 8)}"),
            "has dtype [('a', '<f4')]",
        ),
        (
            npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 1, 1)}"),
            "has shape (99999999999, 1, 1)",
        ),
        (
            npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (256, 256, 256)}"),
            "has shape (256, 256, 256)",
        ),
        (
            npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (8, 8, 8)}"),
            "holds 0 bytes of values",
        ),
        (
            npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (8L, 8L, 8L)}"),
            "holds 0 bytes of values",
        ),
    ],
)
def test_a_hostile_npy_header_is_refused(data, said):
    assert said in refusal(".npy", data)
    assert said in refusal(".npz", stored_npz("occupancy.npy", data))


def test_an_npz_bomb_is_refused_before_it_unpacks():
    bomb = npy(ZEROS) + bytes(30 * 2**20)
    packed = stored_npz("occupancy.npy", bomb, zipfile.ZIP_DEFLATED)
    assert len(packed) < 2**20
    said = refusal(".npz", packed)
    assert "'occupancy.npy' unpacks to" in said
    assert f"at most {4 * N**3 + 2**20} bytes for a grid of 8^3" in said


def test_npz_members_that_lie_are_refused():
    packed = bytearray(npz(occupancy=ramp()))
    crc = packed.rindex(b"PK\x01\x02") + 16
    packed[crc] ^= 0xFF
    assert "cannot be unpacked: Bad CRC-32" in refusal(".npz", bytes(packed))
    packed = bytearray(npz(occupancy=ramp()))
    packed[packed.rindex(b"PK\x01\x02") + 8] |= 1
    assert "is encrypted" in refusal(".npz", bytes(packed))
    packed = stored_npz("occupancy.npy", npy(ZEROS), zipfile.ZIP_LZMA)
    assert "is packed with method 14" in refusal(".npz", packed)


def test_an_npz_with_a_flood_of_members_is_refused():
    entry = b"PK\x01\x02" + bytes(42)
    many = 100_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, many * 46, 0, 0)
    said = refusal(".npz", entry * many + end)
    assert "its list of members takes more than" in said


def test_an_npz_member_that_is_no_array_is_refused():
    said = refusal(".npz", stored_npz("occupancy", npy(ZEROS)))
    assert "has the member 'occupancy', which is not an array" in said
    assert "numpy.savez" in said


def test_two_npz_members_of_one_name_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("occupancy.npy", npy(ZEROS))
        archive.writestr("occupancy.npz", npy(ZEROS))
    twice = file.getvalue().replace(b"occupancy.npz", b"occupancy.npy")
    assert "has two members of the same name" in refusal(".npz", twice)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.data())
def test_any_bytes_are_an_array_or_an_input_error(suffix, data):
    """Random damage to a good file, or random bytes: never another exception."""
    good = bytearray(in_format(suffix, np.zeros((N, N, N), np.uint8)))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.binary(max_size=40) | st.just(b""))
    for damaged in (bytes(good), bytes(good[: data.draw(st.integers(0, len(good)))]), start):
        for spec in (SPEC, None):
            try:
                array = decode(f"x{suffix}", damaged, spec)
            except InputError:
                continue
            assert array.shape == (N, N, N)


@settings(max_examples=50)
@given(st.text("(){}[]'<>|fiuOVSTrue,: 0123456789descrfortran_ordershape", max_size=120))
def test_any_npy_header_is_an_array_or_an_input_error(text):
    with pytest.raises(InputError):
        decode("x.npy", npy_header(text), SPEC)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_values_that_are_no_probabilities_are_counted(tmp_path, suffix):
    values = ramp()
    values[1, 2, 3] = values[4, 5, 6] = np.nan
    values[7, 7, 7] = np.inf
    values[5, 0, 0] = -0.25
    said = problems(fill(tmp_path, {f"grids/tie{suffix}": in_format(suffix, values)}))
    assert f"grids/tie{suffix}: 3 of 512 values are NaN or infinite" in said
    assert "the first is nan at index 1, 2, 3" in said
    assert "find out where the NaN or infinite values come from" in said
    assert "1 of 512 values are outside [0, 1]; the first is -0.25 at index 5, 0, 0" in said
    assert "apply the sigmoid" in said


@pytest.mark.parametrize(
    ("factor", "shift", "advice"),
    [
        (255, 0, "divide them by 255, or save them as uint8"),
        (10, -5, "apply the sigmoid first"),
        (1, 1e-6, "clip if these are rounding errors"),
    ],
)
def test_the_advice_fits_the_values(tmp_path, factor, shift, advice):
    values = ramp() * np.float32(factor) + np.float32(shift)
    assert advice in problems(fill(tmp_path, {"grids/tie.npy": npy(values)}))


def test_half_precision_values_are_checked_too(tmp_path):
    values = ramp().astype(np.float16)
    values[0, 0, 1] = np.float16(1.5)
    said = problems(fill(tmp_path, {"grids/tie.npy": npy(values)}))
    assert "1 of 512 values are outside [0, 1]; the first is 1.5 at index 0, 0, 1" in said


def test_every_bad_file_is_reported_at_once(tmp_path):
    files = {
        "grids/a.npy": b"x",
        "grids/b.npz": npz(field=ZEROS),
        "grids/c.safetensors": tensor(ZEROS.astype(np.float64)),
        "grids/d.npy": npy(np.full((N, N, N), 2, np.float32)),
        "grids/e.npy": npy(ramp()),
    }
    said = problems(fill(tmp_path, files))
    for name in ("a.npy", "b.npz", "c.safetensors", "d.npy"):
        assert f"grids/{name}: " in said
    assert "grids/e.npy" not in said


def test_a_file_longer_than_any_grid_is_not_read(tmp_path):
    fill(tmp_path)
    with (tmp_path / "grids" / "tie.npy").open("wb") as file:
        file.truncate(2**33 // 2)
    said = problems(tmp_path)
    assert f"grids/tie.npy: has {2**32} bytes" in said
    assert f"at most {4 * 256**3 + 2**20} bytes" in said


def test_too_much_in_all_is_not_read(tmp_path):
    fill(tmp_path, {})
    for name in ("a", "b", "c"):
        (tmp_path / "grids").mkdir(exist_ok=True)
        with (tmp_path / "grids" / f"{name}.npy").open("wb") as file:
            file.truncate(3 * 2**30)
    said = problems(tmp_path)
    assert f"has {9 * 2**30} bytes of grids; none of them was read" in said
    assert "float16 or uint8" in said


def test_a_file_that_changes_after_the_check_is_refused(tmp_path):
    fill(tmp_path)
    with open_submission(tmp_path) as submission:
        np.testing.assert_array_equal(submission.field("bench").values, ramp())
        (tmp_path / "grids" / "bench.safetensors").write_bytes(tensor(ramp(1)))
        with pytest.raises(InputError, match="has changed since the submission was opened") as e:
            submission.field("bench")
        assert e.value.where == str(tmp_path / "grids" / "bench.safetensors")
        (tmp_path / "grids" / "bench.safetensors").write_bytes(b"")
        with pytest.raises(InputError, match="has 0 bytes, but had 21"):
            submission.field("bench")
        (tmp_path / "grids" / "bench.safetensors").unlink()
        with pytest.raises(InputError, match="cannot be read: No such file"):
            submission.field("bench")


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path):
    fill(tmp_path)
    grid = tmp_path / "grids" / "bench.safetensors"
    with open_submission(tmp_path) as submission:
        grid.rename(tmp_path / "elsewhere")
        grid.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(InputError, match="cannot be read"):
            submission.field("bench")
        grid.unlink()
        os.mkfifo(grid)
        with pytest.raises(InputError, match="is not a regular file"):
            submission.field("bench")


def test_a_file_that_cannot_be_read_is_reported(tmp_path, monkeypatch):
    fill(tmp_path)
    opened = os.open

    def denied(path, *args, **kwargs):
        if Path(path).name == "bench.safetensors":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", denied)
    said = problems(tmp_path)
    assert "grids/bench.safetensors: cannot be read: Permission denied" in said
    assert "check the file and its permissions" in said


def test_the_finest_grid_needs_little_more_memory_than_itself(tmp_path):
    spec = GridSpec(128)
    values = np.random.default_rng(0).random(spec.shape, dtype=np.float32)
    files = {f"grids/{name}.safetensors": tensor(values) for name in ("a", "b", "c")}
    fill(tmp_path, files, "method: m\ntrack: canonical\ngrid: {resolution: 128}\n")
    tracemalloc.start()
    try:
        assert check_submission(tmp_path).ok
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3.2 * values.nbytes
