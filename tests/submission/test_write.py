"""Writing: what comes back is what was given, and nothing is ever half-written."""

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.files import WriteError
from chorus_bench.submission import (
    SubmissionError,
    check_submission,
    open_submission,
    write_posed_submission,
    write_submission,
)
from chorus_bench.submission.manifest import METADATA_KEYS
from tests.submission.submission_files import N, ramp

GRID = GridSpec(N)


def write(path: Path, fields=None, **options):
    fields = {"tennis racket": ramp()} if fields is None else fields
    return write_submission(path, **{"method": "m", "grid": GRID, **options}, fields=fields)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refusal(path: Path, fields=None, **options) -> str:
    with pytest.raises(SubmissionError) as caught:
        write(path, fields, **options)
    assert not path.exists()
    assert list(path.parent.iterdir()) == []
    return str(caught.value)


@pytest.mark.parametrize("format", ["safetensors", "npz"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 0), ("float16", 2**-11), ("uint8", 0.5 / 255 + 1e-7)]
)
def test_fields_come_back(tmp_path, format, dtype, tolerance):
    grid = GridSpec(N, 2.5, (0.1, -0.2, 0.3))
    fields = {"tennis racket": ramp(1), "bench": ramp(2)}
    folder = write(tmp_path / "s", fields, format=format, dtype=dtype, grid=grid, code="https://x")
    assert folder == tmp_path / "s"
    assert sorted(everything(folder)) == [
        f"grids/bench.{format}",
        f"grids/tennis racket.{format}",
        "submission.yaml",
    ]
    with open_submission(folder) as submission:
        assert (submission.method, submission.grid) == ("m", grid)
        assert submission.metadata == {"code": "https://x"}
        for category, values in fields.items():
            np.testing.assert_allclose(
                submission.field(category).values, values, rtol=0, atol=tolerance
            )


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
def test_values_that_the_dtype_holds_come_back_exactly(tmp_path, dtype):
    stored = (ramp() * 255).astype(np.uint8) if dtype == "uint8" else ramp().astype(dtype)
    with open_submission(write(tmp_path / "s", {"tie": stored}, dtype=dtype)) as submission:
        expected = stored / np.float32(255) if dtype == "uint8" else stored.astype(np.float32)
        np.testing.assert_array_equal(submission.field("tie").values, expected)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=hnp.arrays(np.float32, GRID.shape, elements=st.floats(0, 1, width=32)),
    format=st.sampled_from(["safetensors", "npz"]),
)
def test_any_field_comes_back(tmp_path, values, format):
    folder = write(tmp_path / "s", {"tie": values}, format=format, overwrite=True)
    with open_submission(folder) as submission:
        np.testing.assert_array_equal(submission.field("tie").values, values)


TEXTS = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc"),
        exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=TEXTS, description=TEXTS, authors=st.lists(TEXTS, max_size=3))
def test_any_text_comes_back(tmp_path, method, description, authors):
    assume(method.strip())
    texts = {"description": description, "authors": authors, "training_data": authors}
    folder = write(tmp_path / "s", method=method, overwrite=True, **texts)
    with open_submission(folder) as submission:
        assert submission.method == method.strip()
        assert submission.metadata == texts


def test_the_files_are_what_other_programs_expect(tmp_path):
    folder = write(tmp_path / "s", method="Ours: é", date="2024-01-01", license=None)
    assert yaml.safe_load((folder / "submission.yaml").read_text(encoding="utf-8")) == {
        "method": "Ours: é",
        "track": "canonical",
        "grid": {"resolution": N, "side_length": 3.0, "center": [0.0, 0.0, 0.0]},
        "date": "2024-01-01",
    }
    tensors = safetensors.numpy.load_file(folder / "grids" / "tennis racket.safetensors")
    assert list(tensors) == ["occupancy"]
    np.testing.assert_array_equal(tensors["occupancy"], ramp())
    folder = write(tmp_path / "z", format="npz")
    with np.load(folder / "grids" / "tennis racket.npz") as arrays:
        np.testing.assert_array_equal(arrays["occupancy"], ramp())


@pytest.mark.parametrize("format", ["safetensors", "npz"])
def test_the_same_input_gives_the_same_bytes(tmp_path, format):
    fields = {"b": ramp(1), "a": ramp(2)}
    one = write(tmp_path / "1", fields, format=format)
    other = write(tmp_path / "2", dict(sorted(fields.items())), format=format)
    assert everything(one) == everything(other)
    assert check_submission(one).sha256 == check_submission(other).sha256


def test_the_default_grid_is_the_original(tmp_path):
    values = np.random.default_rng(0).random((48, 48, 48))
    with open_submission(write_submission(tmp_path / "s", method="m", fields={"tie": values})) as s:
        assert s.grid == GridSpec(48, 3.0, (0.0, 0.0, 0.0))
        np.testing.assert_array_equal(s.field("tie").values, values.astype(np.float32))


@pytest.mark.parametrize(
    "values", [ramp() > 0.5, (ramp() > 0.5).astype(int), np.asfortranarray(ramp()), ramp().tolist()]
)
def test_other_numbers_are_converted(tmp_path, values):
    with open_submission(write(tmp_path / "s", {"tie": values})) as submission:
        np.testing.assert_array_equal(
            submission.field("tie").values, np.asarray(values, dtype=np.float32)
        )


def test_posed_fields_come_back(tmp_path):
    fields = {"tie": {"b": ramp(1), "a.1": ramp(2)}, "bench": {"b": ramp(3)}}
    folder = write_posed_submission(tmp_path / "s", method="m", fields=fields, grid=GRID)
    assert sorted(everything(folder)) == [
        "posed/bench/b.safetensors",
        "posed/tie/a.1.safetensors",
        "posed/tie/b.safetensors",
        "submission.yaml",
    ]
    with open_submission(folder) as submission:
        assert submission.track == "posed"
        assert submission.posed_samples("tie") == ("a.1", "b")
        for category, samples in fields.items():
            for sample, values in samples.items():
                read = submission.posed_field(category, sample)
                np.testing.assert_array_equal(read.values, values)


def test_posed_fields_can_be_computed_one_at_a_time(tmp_path):
    class Computed(Mapping):
        def __getitem__(self, sample):
            return ramp(int(sample))

        def __iter__(self):
            return iter(["0", "1", "2"])

        def __len__(self):
            return 3

    folder = write_posed_submission(
        tmp_path / "s", method="m", fields={"tie": Computed()}, grid=GRID, dtype="float16"
    )
    assert check_submission(folder).grids == 3


def test_everything_wrong_is_said_at_once(tmp_path):
    bad = ramp()
    bad[0, 0, 1], bad[2, 3, 4] = np.nan, 1.5
    fields = {
        "tie": bad,
        "Tie": ramp(),
        "a/b": ramp(),
        "": ramp(),
        "bench": np.zeros((4, 4, 4)),
        "skis": np.array([["x"]]),
        "mug": [[0.5], [0.5, 0.5]],
    }
    said = refusal(tmp_path / "s", fields, method=" ", colour="red", authors=[1])
    for part in (
        "colour: unknown key 'colour'",
        "submission.yaml:1: method: has 0 characters",
        "authors: is a list: ",
        "fields: the category name 'a/b' is a path",
        "fields: the category name '' has 0 characters, but may have 1 to 80",
        "fields['tie']: 1 of 512 values are NaN or infinite; the first is nan at index 0, 0, 1",
        "fields['tie']: 1 of 512 values are outside [0, 1]; the first is 1.5 at index 2, 3, 4",
        "fields['bench']: has shape (4, 4, 4)",
        "Expected: (8, 8, 8), by the grid's resolution",
        "grid=GridSpec(resolution=...)",
        "fields['skis']: has dtype <U1",
        "fields['mug']: is not an array",
        "Tie, tie: are categories that differ only in case",
    ):
        assert part in said


def test_problems_of_samples_name_the_sample(tmp_path):
    with pytest.raises(SubmissionError) as caught:
        write_posed_submission(
            tmp_path / "s", method="m", fields={"tie": {"7": -ramp(), "..": ramp()}}, grid=GRID
        )
    assert "fields['tie']['7']: 511 of 512 values are outside [0, 1]" in str(caught.value)
    assert "the sample name '..' is a path" in str(caught.value)
    assert not (tmp_path / "s").exists()


def test_nothing_to_write_is_an_error(tmp_path):
    assert "grids/: has no grid file" in refusal(tmp_path / "s", {})


def test_names_that_are_no_text_are_an_error(tmp_path):
    assert "fields: the category name is not text: 3" in refusal(tmp_path / "s", {3: ramp()})


@pytest.mark.parametrize("text", ["a\ud800b", "a\0b", object()])
def test_texts_that_cannot_be_written_are_an_error(tmp_path, text):
    said = refusal(tmp_path / "s", description=text)
    assert re.search(r"submission\.yaml(:10: description)?: (has control|cannot be written)", said)


def test_texts_that_are_too_long_together_are_an_error(tmp_path):
    texts = dict.fromkeys(METADATA_KEYS, "\N{GRINNING FACE}" * 9_990)  # four bytes each
    said = refusal(tmp_path / "s", **texts)
    assert "submission.yaml: has 3" in said
    assert "at most 262144 bytes" in said
    assert "shorten it" in said


def test_float_values_beyond_float32_are_an_error(tmp_path):
    assert "512 of 512 values are NaN or infinite" in refusal(
        tmp_path / "s", {"tie": np.full(GRID.shape, 1e300)}
    )


def test_unknown_formats_name_the_nearest(tmp_path):
    with pytest.raises(InputError, match=r"unknown format 'safetensor'\s.*'safetensors'"):
        write(tmp_path / "s", format="safetensor")
    with pytest.raises(InputError, match="unknown dtype 'float64'"):
        write(tmp_path / "s", dtype="float64")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_submission_is_kept_unless_asked(tmp_path):
    folder = write(tmp_path / "s", {"tie": ramp()})
    before = everything(folder)
    with pytest.raises(InputError, match=r"already exists[\s\S]*overwrite"):
        write(folder, {"bench": ramp()})
    assert everything(folder) == before
    write(folder, {"bench": ramp()}, overwrite=True)
    assert sorted(everything(folder)) == ["grids/bench.safetensors", "submission.yaml"]
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_only_submissions_are_overwritten(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="is not a submission, so it is not replaced"):
        write(home, overwrite=True)
    assert everything(home) == {"thesis.tex": b"x"}
    (tmp_path / "empty").mkdir()
    assert check_submission(write(tmp_path / "empty", overwrite=True)).ok


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("at", [1, 2])
def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch, overwrite, at):
    folder = tmp_path / "out" / "s"
    before = everything(write(folder)) if overwrite else {}
    written, write_bytes = [], Path.write_bytes

    def full(self, data):
        written.append(self)
        write_bytes(self, data[: len(data) // 2] if len(written) == at else data)
        if len(written) == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError) as caught:
        write(folder, {"bench": ramp(1)}, overwrite=overwrite)
    assert f"{folder}: cannot be written: No space left on device" in str(caught.value)
    assert "write to another disk (CHORUS_BENCH_CACHE moves the cache); noth" in str(caught.value)
    assert caught.value.exit_code == 2
    assert everything(tmp_path) == {f"out/s/{name}": data for name, data in before.items()}
    assert list(tmp_path.iterdir()) == ([tmp_path / "out"] if overwrite else [])


def test_a_field_that_fails_while_writing_leaves_nothing_behind(tmp_path):
    class Failing(dict):
        asked = 0

        def __getitem__(self, key):
            self.asked += 1
            if self.asked == 2:
                raise ZeroDivisionError
            return super().__getitem__(key)

    with pytest.raises(ZeroDivisionError):
        write(tmp_path / "s", Failing(tie=ramp()))
    assert list(tmp_path.iterdir()) == []


class Tensor:
    """Refuses to become an array, as tensors of PyTorch do."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        TypeError("Got unsupported ScalarType BFloat16"),
        TypeError("can't convert cuda:0 device type tensor to numpy"),
        RuntimeError("Can't call numpy() on Tensor that requires grad"),
    ],
)
def test_tensors_that_numpy_cannot_take(tmp_path, error):
    with pytest.raises(InputError) as caught:
        write_submission(tmp_path / "s", method="m", fields={"mug": Tensor(error)})
    assert f"fields['mug']: is not an array: {error}" in str(caught.value)
    assert "tensor.detach().cpu().float().numpy()" in str(caught.value)
