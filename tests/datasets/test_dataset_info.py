"""The header of a card as `datasets` and the hub read it: features, splits, sizes, streaming."""

import shutil

import pyarrow.parquet as pq
import pytest
import yaml

from chorus_bench.datasets.dataset_info import yaml_features
from chorus_bench.datasets.export import export
from chorus_bench.datasets.features import features_of
from chorus_bench.datasets.schema import TEST_SCHEMA, TRAIN_SCHEMA
from tests.datasets.recipes import squares


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Give a built dataset with several files in each category; it is only read."""
    return export(squares(), tmp_path_factory.mktemp("built") / "squares", shard_bytes=1)


def header_of(folder):
    return yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])


@pytest.mark.parametrize("schema", [TRAIN_SCHEMA, TEST_SCHEMA], ids=["train", "test"])
def test_features_of_a_header_are_those_of_the_files(schema):
    from datasets import Features

    stated = Features._from_yaml_list(yaml.safe_load(yaml.safe_dump(yaml_features(schema))))
    assert stated == Features.from_dict(features_of(schema))
    assert list(stated) == schema.names


def test_splits_and_sizes(built):
    infos = {entry["config_name"]: entry for entry in header_of(built.path)["dataset_info"]}
    assert list(infos) == ["default", *built.info.categories]
    for name, entry in infos.items():
        shards = [s for s in built.info.shards if name in ("default", s.category)]
        (split,) = entry["splits"]
        assert split["name"] == "test"
        assert split["num_examples"] == sum(shard.rows for shard in shards)
        assert entry["download_size"] == sum(shard.size for shard in shards)
        assert entry["dataset_size"] == split["num_bytes"] > 0
    metas = [pq.read_metadata(built.path / shard.path) for shard in built.info.shards]
    groups = [meta.row_group(n) for meta in metas for n in range(meta.num_row_groups)]
    assert infos["default"]["dataset_size"] == sum(group.total_byte_size for group in groups)


def test_a_dataset_that_is_not_whole_is_refused(built, tmp_path):
    """The header says how many rows there are, so `datasets` finds that some are missing."""
    from datasets import load_dataset
    from datasets.exceptions import NonMatchingSplitsSizesError

    shutil.copytree(built.path, tmp_path / "part")
    (tmp_path / "part" / built.info.shards[0].path).unlink()
    with pytest.raises(NonMatchingSplitsSizesError):
        load_dataset(str(tmp_path / "part"), split="test", cache_dir=str(tmp_path / "cache"))


def test_what_the_card_says_for_the_hub(built):
    header = header_of(built.path)
    assert header["size_categories"] == ["n<1K"]
    for config in header["configs"]:
        assert config["data_files"][0]["split"] == "test"
    assert {"license", "tags", "pretty_name"} <= set(header)


def test_streaming(built):
    from datasets import load_dataset

    rows = load_dataset(str(built.path), split="test", streaming=True)
    assert rows.n_shards == len(built.info.shards)
    found = [row["sample_id"] for row in rows.select_columns(["sample_id"])]
    assert len(set(found)) == built.info.rows
    one = load_dataset(str(built.path), "tennis racket", split="test", streaming=True)
    assert {row["category"] for row in one} == {"tennis racket"}
    assert rows.features == one.features
