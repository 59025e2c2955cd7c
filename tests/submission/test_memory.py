"""Fields as their authors have them: tensors, grids of the reader, fields in memory."""

import numpy as np
import pytest
import scipy.sparse
import torch

from chorus_bench import write_posed_submission, write_submission
from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.submission import SubmissionError, open_submission, submission_of
from chorus_bench.submission.write import as_field
from tests.submission.submission_files import N, ramp

GRID = GridSpec(N)
OTHER = GridSpec(N, 2.0, (0.1, 0.0, -0.1))


@pytest.mark.parametrize(
    ("convert", "tolerance"),
    [
        (lambda values: values.astype(np.float64), 0),
        (lambda values: torch.tensor(values, requires_grad=True), 0),
        (lambda values: torch.tensor(values).bfloat16(), 2**-8),
        (lambda values: torch.tensor(values).to_sparse(), 0),
        (lambda values: torch.tensor(values).half().to_sparse().requires_grad_(), 2**-11),
        (lambda values: OccupancyGrid(values, GRID), 0),
    ],
    ids=["float64", "gradient", "bfloat16", "sparse", "sparse with a gradient", "grid"],
)
def test_every_kind_of_field_is_written(tmp_path, convert, tolerance):
    values = np.where(ramp() > 0.5, ramp(), 0)
    folder = write_submission(
        tmp_path / "s", method="m", fields={"tie": convert(values)}, grid=GRID
    )
    with open_submission(folder) as submission:
        read = submission.field("tie").values
    np.testing.assert_allclose(read, values, rtol=0, atol=tolerance)


def test_the_writer_takes_what_the_reader_gives(tmp_path):
    one = write_submission(tmp_path / "1", method="m", fields={"tie": ramp()}, grid=OTHER)
    with open_submission(one) as submission:
        fields = {name: submission.field(name) for name in submission.categories}
        other = write_submission(tmp_path / "2", method="m", fields=fields)
        with open_submission(other) as copy:
            assert (copy.grid, copy.sha256) == (OTHER, submission.sha256)


def test_a_field_on_another_grid_is_refused_with_the_way_to_convert_it(tmp_path):
    fields = {"tie": ramp(), "bench": OccupancyGrid(ramp(), OTHER)}
    with pytest.raises(SubmissionError) as caught:
        write_submission(tmp_path / "s", method="m", fields=fields, grid=GRID)
    assert "fields['bench']: is on the grid 8x2.0@0.1,0.0,-0.1" in str(caught.value)
    assert "leave out grid=, so that each category keeps its own" in str(caught.value)
    assert "field.at(grid.centers()).reshape(grid.shape)" in str(caught.value)


@pytest.mark.parametrize("sample", [7, np.int64(7), "7"])
def test_ids_may_be_whole_numbers(tmp_path, sample):
    folder = write_posed_submission(
        tmp_path / "s", method="m", fields={"tie": {sample: OccupancyGrid(ramp(), OTHER)}}
    )
    with open_submission(folder) as submission:
        assert submission.posed_samples("tie") == ("7",)
        np.testing.assert_array_equal(submission.posed_field("tie", "7").values, ramp())


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ({True: ramp()}, "the sample name is not text: True"),
        ({0.5: ramp()}, "the sample name is not text: 0.5"),
        ({7: ramp(), "7": ramp()}, "is a second grid for sample '7'"),
    ],
)
def test_ids_that_are_none_or_twice_the_same(tmp_path, samples, message):
    with pytest.raises(SubmissionError, match=message):
        write_posed_submission(tmp_path / "s", method="m", fields={"tie": samples}, grid=GRID)


def test_fields_in_memory_are_the_submission_that_would_be_written(tmp_path):
    fields = {"tie": torch.tensor(ramp(1)), "tennis racket": ramp(2)}
    folder = write_submission(tmp_path / "s", method="m", fields=fields, grid=GRID)
    with open_submission(folder) as written, submission_of(fields, method="m", grid=GRID) as made:
        assert made.sha256 == written.sha256
        np.testing.assert_array_equal(made.field("tie").values, ramp(1))
    with pytest.raises(InputError, match="is closed"):
        made.field("tie")


def test_posed_fields_in_memory():
    with submission_of({"tie": {1: ramp(1), 2: ramp(2)}}, grid=GRID) as made:
        assert (made.track, made.posed_samples("tie")) == ("posed", ("1", "2"))


def test_what_is_wrong_with_fields_in_memory():
    with pytest.raises(SubmissionError, match="outside"):
        submission_of({"tie": ramp() + 1}, grid=GRID)
    with pytest.raises(InputError, match="1 of 2 categories have fields by sample"):
        submission_of({"tie": ramp(), "bench": {"1": ramp()}}, grid=GRID)
    with pytest.raises(SubmissionError, match="has no grid file"):
        submission_of({}, grid=GRID)


def test_an_array_gets_the_usual_cube():
    assert as_field(ramp()).spec == GridSpec(N)
    assert as_field(ramp(), OTHER).spec == OTHER
    assert as_field(np.full((N,) * 3, 255, np.uint8)).values.max() == 1
    sparse = scipy.sparse.coo_array(np.eye(N))
    with pytest.raises(InputError, match="occupancy grid of shape"):
        as_field(sparse)
