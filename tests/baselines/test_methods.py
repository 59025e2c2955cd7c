"""The baselines on a small simulated dataset, and how they are run."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from chorus_baselines.chorus.category import aggregate_category
from chorus_baselines.chorus.options import ChorusOptions
from chorus_baselines.specs import SPECS
from chorus_bench.baseline import fit_baseline, run_baseline
from chorus_bench.cli.baseline import app
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.plugins import BaselineSpec
from chorus_bench.submission import open_submission
from tests.baselines.small_world import CATEGORIES, IMAGES

SPEC = {spec.name: spec for spec in SPECS}
GRID = GridSpec(24)
BODY = load_body("default")
CANONICAL = [spec.name for spec in SPECS if spec.track == "canonical"]


def mean_in_box(field: np.ndarray, low: tuple, high: tuple) -> float:
    """Return the mean probability of the voxels in a box of the body frame, metres."""
    centers = GridSpec(len(field)).centers()
    inside = ((centers > low) & (centers < high)).all(axis=1)
    return float(field.ravel()[inside].mean())


@pytest.mark.parametrize("name", CANONICAL)
def test_every_canonical_baseline_gives_probabilities(train, name):
    seen = []
    fields = fit_baseline(SPEC[name], train, grid=GRID, progress=lambda *p: seen.append(p))
    assert tuple(fields) == CATEGORIES
    for field in fields.values():
        assert field.shape == GRID.shape
        assert field.dtype == np.float32
        assert 0 <= field.min() < field.max() <= 1
    assert seen[-1] == (train.total, train.total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    again = fit_baseline(SPEC[name], train, grid=GRID)
    assert all(np.array_equal(again[key], fields[key]) for key in fields)


def test_chorus_learns_where_things_are(train):
    fields = fit_baseline(SPEC["chorus"], train)
    backpack, board = fields["backpack"], fields["surfboard"]
    behind = mean_in_box(backpack, (-0.2, 0.0, -0.4), (0.2, 0.4, -0.15))
    before = mean_in_box(backpack, (-0.2, 0.0, 0.15), (0.2, 0.4, 0.4))
    assert behind > 1.8 * before, "the backpack is on the back"
    soles = BODY.canonical_vertices[:, 1].min()
    below = mean_in_box(board, (-0.4, soles - 0.15, -0.3), (0.4, soles, 0.3))
    above = mean_in_box(board, (-0.4, soles + 1.0, -0.3), (0.4, soles + 1.5, 0.3))
    assert below > 1.8 * above, "the board is under the feet"


def test_ablations_use_the_images_that_they_say(train):
    def views(**options):
        found = aggregate_category(
            train, "surfboard", BODY, GRID, options=ChorusOptions(**options), by_prompt=True
        )
        return {prompt: found.views_of(None, prompt) for prompt in found.prompts}

    full = views()
    assert 0 < sum(full.values()) < IMAGES
    assert views(ratio=0.1) == dict.fromkeys(full, 1)
    assert views(ratio=0.5) == {prompt: -(-count // 2) for prompt, count in full.items()}
    unfiltered = views(keypoint_filter=False)
    assert sum(unfiltered.values()) == sum(full.values())
    assert sum(views(mirror=True).values()) == 2 * sum(full.values())
    assert sum(views(keypoints="none").values()) > sum(full.values())


def test_options_of_the_ablations_change_the_field(train):
    backpack = train.select(["backpack"])
    names = ("chorus", "chorus-no-canonicalization", "chorus-10pct", "chorus-no-view-sampling")
    fields = {name: fit_baseline(SPEC[name], backpack, grid=GRID)["backpack"] for name in names}
    assert len({field.tobytes() for field in fields.values()}) == 4
    seeds = [
        fit_baseline(SPEC["chorus-10pct"], backpack, grid=GRID, seed=seed)["backpack"]
        for seed in range(4)
    ]
    assert len({field.tobytes() for field in seeds}) > 1


@pytest.mark.parametrize(
    "options",
    [
        {"skinning": {"neighbours": 5, "smoothing_steps": 0}},
        {"cameras": {"max_steps": 3, "fov_deg": 90}},
        {"filters": {"keypoint_confidence": 0.0}},
        {"weights": "azimuth-3"},
    ],
)
def test_all_settings_are_reachable(train, options):
    backpack = train.select(["backpack"])
    default = fit_baseline(SPEC["chorus"], backpack, grid=GRID)["backpack"]
    other = fit_baseline(SPEC["chorus"], backpack, grid=GRID, options=options)["backpack"]
    assert not np.array_equal(default, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": "abc"}, "option 'ratio' is 'abc'(?s:.*)float"),
        ({"weights": "fine"}, "unknown view weights 'fine'"),
        ({"solver": "adm"}, "unknown solver 'adm'(?s:.*)Did you mean 'adam'"),
        ({"skinning": {"neighbors": 5}}, "skinning: unknown setting 'neighbors'"),
        ({"skinning": {"neighbours": 0}}, "skinning: neighbours is 0"),
        ({"skinning": {"neighbours": "many"}}, "skinning: option 'neighbours' is 'many'"),
        ({"cameras": {"max_steps": 0}}, "max_steps is 0"),
        ({"filters": {"keypoints": "face"}}, "'keypoints' among the filters"),
        ({"filters": {"one_person": 1}}, "filters: option 'one_person' is 1"),
        ({"joint_regressor": "nowhere.npy"}, "'joint_regressor': nowhere.npy does not exist"),
        ({"keypoints": 16}, "no keypoint filter has the number 16"),
    ],
)
def test_options_are_checked_before_the_work(train, options, message):
    rows = DatasetRows.open([{**row, "people": None} for row in train.rows("backpack")])
    with pytest.raises(InputError, match=message):
        fit_baseline(SPEC["chorus"], rows, grid=GRID, options=options)


def test_cameras_that_are_there_are_used(train):
    rows = [dict(row) for row in train.rows("backpack")]
    for row in rows:
        for name in ("rotation", "translation", "intrinsics"):
            row[f"camera_{name}"] = row[f"true_camera_{name}"]
    given = fit_baseline(SPEC["chorus"], rows, grid=GRID)["backpack"]
    fitted = fit_baseline(SPEC["chorus"], train.select(["backpack"]), grid=GRID)["backpack"]
    assert not np.array_equal(given, fitted)
    assert np.corrcoef(given.ravel(), fitted.ravel())[0, 1] > 0.5


def test_a_category_without_a_kept_view_says_which_filter_removed_how_many(train):
    rows = [dict(row) for row in train.rows("backpack")][:6]
    for row in rows[:4]:
        row["people"] = []
    for row in rows[4:]:
        row["people"] = 2 * row["people"][:1] or [{}, {}]
    for name in ("chorus", "mean-mask-extrusion"):
        with pytest.raises(InputError, match="none of 6 images is kept") as caught:
            fit_baseline(SPEC[name], rows, grid=GRID)
        assert "category 'backpack'" in str(caught.value)
        assert "no person: 4, more than one person: 2" in str(caught.value)


def test_kept_images_without_a_camera_are_counted_by_reason(train):
    rows = [dict(row) for row in train.rows("backpack")]
    for row in rows:
        row["people"] = [{**person, "weak_camera": None} for person in row["people"]]
    with pytest.raises(InputError, match="kept images has a camera") as caught:
        fit_baseline(SPEC["chorus"], rows, grid=GRID)
    assert "the person has no weak_camera" in str(caught.value)


def test_views_that_cannot_be_used_harm_no_other(train):
    rows = [dict(row) for row in train.rows("backpack")]
    good = aggregate_category(DatasetRows.open(rows), "backpack", BODY, GRID)
    broken = {**rows[0], "sample_id": "broken"}
    kept = next(row for row in rows if len(row["people"]) == 1 and len(row["objects"]) == 1)
    mask = {"size": [7, 7], "counts": "a0"}
    broken = {
        **kept,
        "sample_id": "broken",
        "objects": [{**kept["objects"][0], "mask": mask}],
        "camera_rotation": kept["true_camera_rotation"],
        "camera_translation": kept["true_camera_translation"],
        "camera_intrinsics": kept["true_camera_intrinsics"],
    }
    found = aggregate_category(DatasetRows.open([*rows, broken]), "backpack", BODY, GRID)
    assert found.views == good.views
    assert str(found.skipped) == "1 with an object mask of the wrong size (broken)"
    assert np.array_equal(found.field(), good.field())


def test_uniform_is_a_ramp_in_random_order(train):
    first, second = (fit_baseline(SPEC["uniform"], train, grid=GRID, seed=s) for s in (0, 1))
    ramp = np.linspace(0, 0.98, GRID.voxels, dtype=np.float32)
    assert np.array_equal(np.sort(first["backpack"].ravel()), ramp)
    assert not np.array_equal(first["backpack"], second["backpack"])
    halves = first["backpack"].reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(halves, 0.49, atol=0.02)


def test_proximity_falls_with_the_distance(train):
    field = fit_baseline(SPEC["body-proximity"], train, grid=GRID)["surfboard"]
    distance = np.linalg.norm(
        GRID.centers()[:, None] - BODY.canonical_vertices[None, ::20], axis=2
    ).min(axis=1)
    order = np.argsort(distance)
    means = field.ravel()[order].reshape(8, -1).mean(axis=1)
    assert (np.diff(means) < 0).all()
    wide = fit_baseline(SPEC["body-proximity"], train, grid=GRID, options={"decay": 1.0})
    assert wide["surfboard"].mean() > 2 * field.mean()
    with pytest.raises(InputError, match="decay 0"):
        fit_baseline(SPEC["body-proximity"], train, grid=GRID, options={"decay": 0})


def test_a_submission_says_where_it_comes_from(tmp_path, train):
    run_baseline(SPEC["chorus"], train, tmp_path / "s", grid=GRID)
    with open_submission(tmp_path / "s") as submission:
        assert submission.method == "chorus"
        assert submission.grid == GRID
        assert set(submission.categories) == set(CATEGORIES)
        assert "ICCV 2023" in submission.metadata["paper"]
        assert submission.metadata["training_data"] == "rows (train)"
    with pytest.raises(InputError, match="the folder already exists"):
        run_baseline(SPEC["chorus"], train, tmp_path / "s", grid=GRID)
    run_baseline(SPEC["uniform"], train, tmp_path / "s", grid=GRID, overwrite=True)


def no_field(data, body, grid, *, seed, progress):
    """Stands in for somebody's baseline that forgets a category."""
    return {data.categories[0]: np.zeros(grid.shape, np.float32)}


def test_wrong_calls_are_explained(train, samples):
    with pytest.raises(InputError, match="unknown option 'ratoi'") as caught:
        fit_baseline(SPEC["chorus"], train, options={"ratoi": 0.5})
    assert "Did you mean 'ratio'?" in str(caught.value)
    with pytest.raises(InputError, match="this is a test split") as caught:
        fit_baseline(SPEC["chorus"], samples)
    assert "a training set, which is what 'chorus' reads" in str(caught.value)
    with pytest.raises(InputError, match="this is a training set"):
        fit_baseline(SPEC["oracle"], train)
    with pytest.raises(InputError, match="unknown category 'backpak'"):
        fit_baseline(SPEC["chorus"], train, categories=["backpak"])
    lacking = [{"category": "bench", "people": []}]
    with pytest.raises(InputError, match="lacks the columns sample_id, height"):
        fit_baseline(SPEC["chorus"], lacking)
    spec = BaselineSpec("mine", "", "tests.baselines.test_methods:no_field")
    with pytest.raises(InputError, match="gave no field for 1 of 2 categories"):
        fit_baseline(spec, train)
    with pytest.raises(InputError, match="data ratio 2"):
        fit_baseline(SPEC["chorus"], train, options={"ratio": 2})


def test_the_body_must_be_that_of_the_data(tmp_path, train):
    rows = [{**dict.fromkeys(TRAIN_SCHEMA.names), **row} for row in train.rows("backpack")]
    pq.write_table(pa.Table.from_pylist(rows, schema=TRAIN_SCHEMA), tmp_path / "train-0.parquet")
    (tmp_path / "chorus_bench.json").write_text('{"name": "made", "body": "other@123"}')
    with pytest.raises(InputError, match="made with the body other@123"):
        fit_baseline(SPEC["chorus"], tmp_path)
    (tmp_path / "chorus_bench.json").unlink()
    stored = fit_baseline(SPEC["chorus"], tmp_path, grid=GRID)["backpack"]
    memory = fit_baseline(SPEC["chorus"], train.select(["backpack"]), grid=GRID)["backpack"]
    np.testing.assert_allclose(stored, memory, atol=2e-2)


def test_the_command_runs_a_baseline(tmp_path, monkeypatch):
    monkeypatch.setattr("chorus_bench.baseline.get_baseline", SPEC.__getitem__)
    arguments = ["--data", "example", "--output", str(tmp_path / "s"), "--resolution", "16"]
    arguments += ["--category", "surfboard", "--option", "decay=0.5"]
    done = CliRunner().invoke(app, ["run", "body-proximity", *arguments])
    assert done.exit_code == 0, done.output
    with open_submission(tmp_path / "s") as submission:
        assert submission.categories == ("surfboard",)
        found = submission.field("surfboard")
    body = fit_baseline(
        SPEC["body-proximity"], "example", grid=GridSpec(16), options={"decay": 0.5}
    )
    assert np.array_equal(found.values, body["surfboard"])
    done = CliRunner().invoke(app, ["run", "uniform", *arguments[:-1], "decay"])
    assert "--option decay" in str(done.exception)
