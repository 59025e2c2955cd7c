"""A grid of its own for each category: written, read, checked, scored, shown."""

import numpy as np
import pytest

from chorus_bench import write_posed_submission, write_submission
from chorus_bench.adapters import box_grid, cube_of, grid_field
from chorus_bench.evaluation.orientation import orientation_warnings
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.report.fields import SmallFields
from chorus_bench.submission import (
    InteractionField,
    InteractionType,
    SubmissionError,
    check_submission,
    open_submission,
    submission_of,
)
from tests.submission.submission_files import MANIFEST, N, fill, lines, problems, ramp, tensor

SHARED, FINE, MOVED = GridSpec(N), GridSpec(2 * N), GridSpec(N, 1.5, (0.1, 0.2, -0.3))


def _fine(values: np.ndarray) -> np.ndarray:
    return values.repeat(2, 0).repeat(2, 1).repeat(2, 2)


FIELDS = {
    "bench": OccupancyGrid(ramp(), SHARED),
    "surfboard": OccupancyGrid(_fine(ramp(1)), FINE),
    "tie": OccupancyGrid(ramp(2), MOVED),
}


def test_every_category_keeps_its_grid(tmp_path):
    kind = InteractionType("swing", prompt="a person swings")
    folder = write_submission(
        tmp_path / "s",
        method="m",
        fields=FIELDS,
        interactions={"tie": [InteractionField(kind, OccupancyGrid(ramp(3), MOVED))]},
    )
    with open_submission(folder) as submission:
        assert submission.grid == SHARED
        assert submission.own_grids == {"surfboard": FINE, "tie": MOVED}
        for name, field in FIELDS.items():
            read = submission.field(name)
            assert read.spec == field.spec == submission.grid_of(name)
            np.testing.assert_array_equal(read.values, field.values)
        assert submission.interaction_field("tie", "swing").spec == MOVED
        again = {name: submission.field(name) for name in submission.categories}
        types = {"tie": submission.interaction_fields("tie")}
        copy = write_submission(tmp_path / "c", method="m", fields=again, interactions=types)
        with open_submission(copy) as other:
            assert other.sha256 == submission.sha256
        assert "grid='8x3.0 and 16x3.0 and 8x1.5@0.1,0.2,-0.3'" in repr(submission)


def test_posed_fields_have_the_grid_of_their_category(tmp_path):
    fields = {name: {1: field, 2: field} for name, field in FIELDS.items()}
    folder = write_posed_submission(tmp_path / "s", method="m", fields=fields)
    with open_submission(folder) as submission:
        assert submission.posed_field("tie", "2").spec == MOVED
        assert submission.posed_field("surfboard", "1").spec == FINE
    fields["tie"] = {1: FIELDS["tie"], 2: FIELDS["bench"]}
    with pytest.raises(SubmissionError, match=r"fields\['tie'\]\['2'\]: is on the grid 8x3.0"):
        write_posed_submission(tmp_path / "t", method="m", fields=fields)


def test_arrays_with_grids_by_category(tmp_path):
    arrays = {name: field.values for name, field in FIELDS.items()}
    grids = {name: field.spec for name, field in FIELDS.items()}
    with submission_of(arrays, grid=grids) as one, submission_of(FIELDS) as other:
        assert one.sha256 == other.sha256
    with pytest.raises(SubmissionError) as caught:
        write_submission(tmp_path / "s", method="m", fields=arrays, grid={"bench": SHARED})
    assert "grid={'surfboard': GridSpec(resolution=...)}" in str(caught.value)
    with pytest.raises(SubmissionError, match="rename it to 'bench'"):
        write_submission(tmp_path / "s", method="m", fields=FIELDS, grid={"bnech": FINE})


def test_one_grid_for_all_leaves_the_manifest_as_it_was(tmp_path):
    folder = write_submission(tmp_path / "s", method="m", fields={"tie": ramp()}, grid=MOVED)
    text = (folder / "submission.yaml").read_text()
    assert text == (
        "method: m\ntrack: canonical\ngrid:\n  resolution: 8\n  side_length: 1.5\n"
        "  center:\n  - 0.1\n  - 0.2\n  - -0.3\n"
    )


def test_what_is_not_given_is_as_in_the_shared_grid(tmp_path):
    manifest = MANIFEST.replace("8}", "8, side_length: 2.0}") + "grids: {tie: {resolution: 16}}\n"
    files = {
        "grids/bench.safetensors": tensor(ramp()),
        "grids/tie.safetensors": tensor(_fine(ramp())),
    }
    with open_submission(fill(tmp_path, files, manifest)) as submission:
        assert submission.grid_of("tie") == GridSpec(16, 2.0)
        assert submission.field("tie").values.shape == (16, 16, 16)


@pytest.mark.parametrize(
    ("grids", "expected"),
    [
        ("{benhc: {resolution: 8}}", "grids.benhc: is the grid of a category without a field"),
        ("{benhc: {resolution: 8}}", "rename it to 'bench'"),
        ("{bench: {resolution: 16}}", "shape (16, 16, 16), by the grid's resolution"),
        ("{bench: {resolution: 7}}", "grids.bench.resolution"),
        ("{bench: {resolutoin: 8}}", "resolution"),
        ("{bench: {side_length: -1}}", "a positive number of metres"),
        ("{bench: 8}", "grids.bench"),
        ("null", "grids"),
    ],
)
def test_a_wrong_grid_is_named(tmp_path, grids, expected):
    assert expected in problems(fill(tmp_path, manifest=MANIFEST + f"grids: {grids}\n"))


def test_odd_units_of_one_category_are_a_warning(tmp_path):
    report = check_submission(
        fill(tmp_path, manifest=MANIFEST + "grids: {bench: {side_length: 300}}\n")
    )
    assert report.ok
    assert "submission.yaml: grids.bench: side_length is 300, which looks like" in lines(report)


def test_orientation_looks_at_categories_about_the_origin():
    with submission_of({"backpack": FIELDS["bench"], "surfboard": FIELDS["tie"]}) as submission:
        seen: list[tuple[int, int]] = []
        orientation_warnings(submission, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1)]


def test_pages_show_fields_of_different_grids_on_one_cube():
    small = SmallFields.of({"a": FIELDS["bench"], "b": FIELDS["surfboard"], "c": FIELDS["tie"]})
    assert small.grid == GridSpec(16)
    levels = np.rint(255 * FIELDS["surfboard"].values)
    np.testing.assert_array_equal(small.values["b"], levels)
    np.testing.assert_array_equal(small.values["a"], np.rint(255 * _fine(ramp())))
    assert small.values["c"].max() == 255
    wide = SmallFields.of({"a": OccupancyGrid(ramp(), GridSpec(N, 30.0)), "b": FIELDS["tie"]})
    assert wide.grid.resolution == 48
    assert wide.values["b"].max() == 255


@pytest.mark.parametrize(
    ("values", "fix"),
    [
        (ramp()[None], "values.squeeze()"),
        (ramp()[:4], "grid_field(box, cube_of(box))"),
        (_fine(ramp()), "grid={'tie': GridSpec(resolution=...)}"),
    ],
    ids=["batch", "box", "finer"],
)
def test_a_wrong_shape_is_refused_with_code_that_mends_it(tmp_path, values, fix):
    with pytest.raises(SubmissionError) as caught:
        write_submission(tmp_path / "s", method="m", fields={"tie": values}, grid=SHARED)
    assert fix in str(caught.value)


def test_the_code_for_a_box_works(tmp_path):
    values = ramp()[:4]
    box = box_grid({"occupancy": values}, side_length=3.0)
    field = grid_field(box, cube_of(box))
    folder = write_submission(tmp_path / "s", method="m", fields={"tie": field})
    with open_submission(folder) as submission:
        np.testing.assert_array_equal(submission.field("tie").values[:4], values)


@pytest.mark.parametrize(
    ("key", "option"), [("axes: xzy", '--axes "z-up, x-left"'), ("units: cm", "--units cm")]
)
def test_other_axes_and_units_are_converted(tmp_path, key, option):
    found = problems(fill(tmp_path, manifest=f"{MANIFEST}{key}\n"))
    assert f"chorus-bench convert grids FOLDER --output NEW {option}" in found


def test_tensors_of_torch_are_converted(tmp_path):
    folder = fill(tmp_path)
    (folder / "grids/tie.pt").write_bytes(b"PK")
    assert "`chorus-bench convert grids FOLDER" in lines(check_submission(folder))
