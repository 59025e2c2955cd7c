"""The packaged `datasets` builders give the same rows as the folders."""

import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from datasets import Image

from chorus_bench.datasets.coco_eft.build import VERSION
from chorus_bench.datasets.coco_eft.categories import CATEGORIES
from chorus_bench.datasets.packaged.coco_eft import CocoEft
from chorus_bench.errors import InputError
from tests.datasets.coco_eft_world import World


def make(folder, config=None, **options):
    builder = CocoEft(
        cache_dir=str(folder / "cache"),
        config_name=config,
        annotations=str(folder / "instances_val2014.json"),
        fits=str(folder / "COCO2014-Val-ver10.json"),
        solver="lm",
        **options,
    )
    builder.download_and_prepare()
    return builder


def test_the_same_rows(tmp_path):
    world = World()
    built = world.build(tmp_path)
    rows = make(tmp_path, fits_name="eft").as_dataset(split="test")
    assert rows.to_list() == pq.read_table(built.path / "data").to_pylist()
    assert rows.features["image"] == Image()


def test_what_it_says_of_itself(tmp_path):
    World().write(tmp_path)
    info = make(tmp_path).info
    assert info.license == "cc-by-nc-4.0"
    assert "han2023chorus" in info.citation
    assert str(info.version) == VERSION
    assert info.dataset_name == "coco_eft"
    assert len(CATEGORIES) == 79
    assert set(CocoEft.builder_configs) == {"default", *CATEGORIES}


def test_one_config_per_category(tmp_path):
    World().write(tmp_path)
    rows = make(tmp_path, "skateboard").as_dataset(split="test")
    assert set(rows["category"]) == {"skateboard"}
    with pytest.raises(InputError, match="none of the fits"):
        make(tmp_path, "tennis racket")


def test_other_files_under_the_same_names_are_other_data(tmp_path):
    world = World()
    world.write(tmp_path)
    assert len(make(tmp_path).as_dataset(split="test")) == 3
    world.fits["data"].pop()
    world.write(tmp_path)
    assert len(make(tmp_path).as_dataset(split="test")) == 2


def test_missing_sources_are_explained(tmp_path):
    with pytest.raises(InputError, match="--annotations is missing"):
        CocoEft(cache_dir=str(tmp_path))


def test_without_datasets_the_message_says_what_to_install():
    script = (
        "import sys; sys.modules['datasets'] = None\n"
        "from chorus_bench.errors import MissingDependencyError\n"
        "from chorus_bench.datasets.builders import build_dataset\n"
        "try:\n    import chorus_bench.datasets.packaged.coco_eft\n"
        "except MissingDependencyError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "pip install 'chorus-bench[datasets]'" in done.stdout, done.stderr
