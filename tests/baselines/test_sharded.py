"""A baseline whose work is shared among workers gives the submission of one that works alone."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_baselines.specs import SPECS
from chorus_bench.baseline import fit_baseline, run_baseline
from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.export import export
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines import EngineSettings
from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec
from tests.datasets.recipes import training

SPEC = {spec.name: spec for spec in SPECS}
GRID = GridSpec(resolution=12)
HERE = EngineSettings()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Return a built training set of one category in several files."""
    folder = tmp_path_factory.mktemp("data") / "set"
    build_dataset(
        "simulated",
        folder,
        split="train",
        categories=["backpack"],
        images=False,
        size=96,
        images_per_prompt_view=2,
        shard_bytes=1,
    )
    assert len(DatasetInfo.load(folder).shards) == 2
    return folder


def content(folder):
    """Return the bytes of every file of a submission."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize(
    ("name", "workers"),
    [
        ("chorus", 2),
        ("chorus", 1),
        ("chorus-10pct", 1),
        ("chorus-no-keypoint-filter", 1),
        ("chorus-no-canonicalization", 1),
    ],
)
def test_the_submission_is_the_same_to_the_last_byte(dataset, tmp_path, name, workers):
    run_baseline(SPEC[name], dataset, tmp_path / "alone", grid=GRID, seed=3)
    engine = EngineSettings(workers=workers)
    run_baseline(SPEC[name], dataset, tmp_path / "shared", grid=GRID, seed=3, engine=engine)
    alone, shared = content(tmp_path / "alone"), content(tmp_path / "shared")
    assert alone == shared
    assert any(name.endswith(".yaml") for name in shared)
    assert list((tmp_path / "shared.work").rglob("*.npz"))


def test_another_seed_draws_other_views(dataset, tmp_path):
    fields = [
        fit_baseline(
            SPEC["chorus-10pct"], dataset, grid=GRID, seed=seed, engine=HERE, work=tmp_path
        )["backpack"]
        for seed in range(4)
    ]
    assert len({field.tobytes() for field in fields}) > 1
    again = fit_baseline(SPEC["chorus-10pct"], dataset, grid=GRID, engine=HERE, work=tmp_path)
    np.testing.assert_array_equal(again["backpack"], fields[0])


def test_a_category_without_views_says_why(tmp_path):
    built = export(training(metadata={}), tmp_path / "set")
    with pytest.raises(InputError) as alone:
        run_baseline("chorus", built.path, tmp_path / "s", grid=GRID)
    with pytest.raises(InputError, match="category 'bench'") as shared:
        run_baseline("chorus", built.path, tmp_path / "s", grid=GRID, engine=HERE)
    assert str(shared.value) == str(alone.value)


def test_what_cannot_be_shared(dataset, tmp_path):
    with pytest.raises(InputError) as caught:
        run_baseline("uniform", dataset, tmp_path / "s", engine=HERE)
    assert "'uniform' does not share its work among workers" in str(caught.value)
    assert "leave --engine, --workers and --address out" in str(caught.value)
    assert not (tmp_path / "s").exists()
    rows = list(DatasetRows.open(dataset).rows("backpack"))
    with pytest.raises(InputError, match="rows in memory cannot be counted on an engine"):
        run_baseline("chorus", rows, tmp_path / "s", engine=HERE)
    with pytest.raises(InputError, match="give work=FOLDER"):
        fit_baseline("chorus", dataset, engine=HERE)
    shard = next(dataset.rglob("*.parquet"))
    with pytest.raises(InputError, match="is not a built dataset"):
        run_baseline("chorus", shard, tmp_path / "s", engine=HERE)
