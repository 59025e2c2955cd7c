"""Fields of interaction types: by prompt, by part, by both; and the command that lists them."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from chorus_baselines.chorus.category import aggregate_category
from chorus_baselines.chorus.clusters import body_part
from chorus_baselines.specs import SPECS
from chorus_bench.baseline import fit_baseline
from chorus_bench.cli.app import app
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.simulation import CATEGORIES
from chorus_bench.simulation.interactions import PARTS, interactions
from chorus_bench.submission import open_submission

GRID = GridSpec(16)
CHORUS = next(spec for spec in SPECS if spec.name == "chorus")


def with_cameras(train, category):
    """Return the training rows of a category with their true cameras, so that none is fitted."""
    parts = ("rotation", "translation", "intrinsics")
    return DatasetRows.open(
        [
            row | {f"camera_{part}": row[f"true_camera_{part}"] for part in parts}
            for row in train.rows(category)
        ]
    )


@pytest.fixture(scope="module")
def boards(train):
    """Give the training rows of the surfboards."""
    return with_cameras(train, "surfboard")


def learned(rows, **options):
    return fit_baseline(CHORUS, rows, grid=GRID, options=options)


def test_the_field_of_a_category_is_the_same_with_types(boards):
    plain = learned(boards)
    typed = learned(boards, by_prompt=True, parts=["feet", "arms"])
    np.testing.assert_array_equal(typed["surfboard"], plain["surfboard"])
    assert plain.interactions == {"surfboard": []}


def test_there_is_a_field_for_each_prompt_part_and_pair(boards):
    fields = learned(boards, by_prompt=True, parts=["feet", "arms"]).interactions["surfboard"]
    kinds = [one.kind for one in fields]
    votes = aggregate_category(
        boards, "surfboard", load_body("default"), GRID, by_prompt=True, parts=["feet", "arms"]
    )
    assert {kind.part for kind in kinds} == {None, "feet", "arms"}
    assert {kind.prompt for kind in kinds} == {None, *votes.prompts}
    for one in fields:
        assert one.kind.views == votes.views_of(one.kind.part, one.kind.prompt) > 0
        assert one.kind.share == one.kind.views / votes.views
        expected = votes.field(one.kind.part, one.kind.prompt)
        np.testing.assert_array_equal(one.values, expected)
    by_prompt = [kind for kind in kinds if kind.part is None]
    assert sum(kind.views for kind in by_prompt) == votes.views
    assert len({one.values.tobytes() for one in fields if one.kind.part is None}) > 1


def test_a_type_without_a_view_has_no_field(train):
    rows = with_cameras(train, "backpack")
    fields = learned(rows, parts=["feet", "torso"]).interactions["backpack"]
    assert [one.kind.name for one in fields] == ["torso"]


def test_wrong_options_are_explained(boards, tmp_path):
    with pytest.raises(InputError, match="Did you mean 'right arm'"):
        learned(boards, parts=["right arms"])
    file = tmp_path / "segments.json"
    file.write_text("{}")
    with pytest.raises(InputError, match="give --part as well"):
        learned(boards, segments=str(file))


def test_the_parts_of_the_simulated_world_are_body_parts():
    for part in PARTS:
        assert body_part(part).segments
    assert {i.part for c in CATEGORIES for i in interactions(c)} <= set(PARTS)


@pytest.fixture(scope="module")
def written(boards, tmp_path_factory):
    """Give a submission with types, made by the command."""
    place = tmp_path_factory.mktemp("types")
    rows = [{**dict.fromkeys(TRAIN_SCHEMA.names), **row} for row in boards.rows("surfboard")]
    table = pa.Table.from_pylist(rows, schema=TRAIN_SCHEMA)
    pq.write_table(table, place / "train.parquet")
    command = f"baseline run chorus --data {place}/train.parquet --output {place}/s --resolution 16"
    done = CliRunner().invoke(
        app, [*command.split(), "--by-prompt", "--part", "feet", "--part", "right arm"]
    )
    assert done.exit_code == 0, done.output
    return place / "s"


def test_the_command_writes_them(written):
    with open_submission(written) as opened:
        kinds = opened.interactions("surfboard")
        assert {"feet", "right arm", "a person rides a surfboard"} <= {kind.name for kind in kinds}
        for kind in kinds:
            assert 0 < opened.interaction_field("surfboard", kind.name).values.max() <= 1


def test_clusters_lists_them_with_counts(written):
    text = CliRunner().invoke(app, ["clusters", str(written)]).output
    assert "a person rides a surfboard, feet" in text
    listed = CliRunner().invoke(app, ["clusters", str(written), "--format", "json"])
    with open_submission(written) as opened:
        kinds = opened.interactions("surfboard")
    found = json.loads(listed.output)
    assert [row["interaction"] for row in found] == [kind.name for kind in kinds]
    assert [row["views"] for row in found] == [kind.views for kind in kinds]


def test_clusters_without_types_says_how_to_make_them():
    done = CliRunner().invoke(app, ["clusters", "example"])
    assert done.exit_code == 0
    assert "baseline run chorus --by-prompt" in done.output


def test_clusters_alone_lists_the_body_parts():
    text = CliRunner().invoke(app, ["clusters"]).output
    assert "right arm" in text
    assert "leftHand+rightHand" in text


def test_a_baseline_without_types_refuses_the_option(boards, written):
    data = str(written.parent / "train.parquet")
    done = CliRunner().invoke(
        app,
        ["baseline", "run", "uniform", "--data", data, "--output", "x", "--by-prompt"],
    )
    assert isinstance(done.exception, InputError)
    assert "unknown option 'by_prompt'" in str(done.exception)
