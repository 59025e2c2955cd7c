"""What runs on the one Ray cluster of the tests, which is slow to start.

The cluster has two nodes; the bytes are those of the local engine.
"""

import os
import threading

import numpy as np
import pytest

from chorus_baselines.chorus.aggregation import aggregate
from chorus_baselines.chorus.category import used_views
from chorus_baselines.chorus.options import ChorusOptions
from chorus_baselines.chorus.sharded import aggregate_dataset
from chorus_bench.baseline import run_baseline
from chorus_bench.datasets.export import export
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.named import packaged_folder
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines import EngineSettings, run_jobs
from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.evaluation import split_from_rows
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.submission import open_submission, write_submission
from chorus_bench.synthesis.annotating import annotate
from chorus_bench.synthesis.jobs import RunSettings, StageWork
from chorus_bench.synthesis.picture_source import SourceOptions
from chorus_bench.synthesis.pipeline import synthesize
from chorus_bench.synthesis.recipe import synthesized_recipe
from chorus_bench.synthesis.settings import read_settings
from chorus_bench.synthesis.sources import open_source
from chorus_bench.synthesis.work_folder import StageFolder
from tests.engines.jobs import Deadly, NoModel, Refusing, Squares
from tests.engines.ray_cluster import two_nodes
from tests.engines.test_local import squares, wait_for
from tests.evaluation.prepared import assert_same_preparation
from tests.evaluation.small_split import COARSE, blob_field, small_rows
from tests.synthesis.ray_stages import load_deadly_images, load_waiting_images
from tests.synthesis.world import SHARD, shard_bytes, small_plan, small_settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

GRID = GridSpec(resolution=16)
SHARDS = [f"surfboard-0000{n}" for n in range(3)]


@pytest.fixture(scope="module")
def cluster():
    with two_nodes() as nodes:
        yield nodes


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Give the folder of a run of the local engine; the dataset `many` has a file a shard."""
    folder = tmp_path_factory.mktemp("local")
    synthesize(small_settings(folder), folder / "d")
    export(synthesized_recipe(folder / "d.work"), folder / "many", shard_bytes=1)
    return folder


def on(cluster, workers=2):
    return EngineSettings(name="ray", workers=workers, address=cluster.address)


def test_every_job_is_done(cluster, tmp_path):
    results = list(run_jobs(Squares(tmp_path), list(range(7)), on(cluster)))
    assert squares(results) == [n**2 for n in range(7)]
    assert os.getpid() not in {result["process"] for result in results}


def test_a_killed_worker_loses_its_job_only(cluster, tmp_path):
    results = list(run_jobs(Deadly(tmp_path), list(range(6)), on(cluster)))
    assert squares(results) == [n**2 for n in range(6)]
    assert len(list(tmp_path.glob("died-*"))) == 1


def test_errors_come_back(cluster, tmp_path):
    engine = on(cluster, workers=1)
    with pytest.raises(InputError, match="job: three"):
        list(run_jobs(Refusing(tmp_path), list(range(5)), engine))
    failing = Refusing(tmp_path, wrong_input=False)
    with pytest.raises(ChorusBenchError, match="bad"):
        list(run_jobs(failing, list(range(5)), engine))
    with pytest.raises(InputError, match="no model"):
        list(run_jobs(NoModel(tmp_path), list(range(2)), engine))


def test_a_split_is_prepared_on_a_cluster(cluster, tmp_path):
    fields = {"bench": blob_field(), "tennis racket": blob_field()}
    arguments = {
        "submission": write_submission(tmp_path / "s", method="blobs", fields=fields),
        "split": split_from_rows(small_rows(), "made"), "protocol": COARSE,
        "cache": tmp_path / "cache", "min_samples": 1, "progress": False,
    }  # fmt: skip
    assert_same_preparation(arguments, on(cluster))


def test_no_cluster_there(tmp_path):
    nowhere = EngineSettings(name="ray", address="127.0.0.1:1")
    with pytest.raises(InputError, match="no Ray cluster answers"):
        list(run_jobs(Squares(tmp_path), [1], nowhere))


def run_images(local, folder, loader, engine):
    """Yield the results of the shards of images that this loader makes."""
    settings = small_settings(local)
    shards = StageFolder(local / "d.work", "images").load_manifest().shards
    work = StageWork("images", loader, folder, settings, small_plan(settings), RunSettings())
    yield from run_jobs(work, shards, engine)


def test_every_shard_has_the_bytes_of_the_local_engine(cluster, local, tmp_path):
    made = synthesize(small_settings(local), tmp_path / "d", engine=on(cluster))
    assert shard_bytes(tmp_path / "d.work") == shard_bytes(local / "d.work")
    assert [report.rows for report in made.stages[1:]] == [12, 12, 12, 12]
    assert made.dataset.info.fingerprint == DatasetInfo.load(local / "d").fingerprint


def test_pictures_of_any_origin_are_annotated_on_a_cluster(cluster, local, tmp_path):
    source = open_source(local / "d", SourceOptions())
    settings = read_settings("tiny", changes={"shard_size": SHARD})
    made = annotate(source, settings, tmp_path / "d", engine=on(cluster, workers=1))
    assert [report.rows for report in made.stages[1:]] == [12, 12, 12]
    later = ["annotations", "filters", "cameras"]
    assert shard_bytes(tmp_path / "d.work", later) == shard_bytes(local / "d.work", later)


def test_a_killed_actor_loses_its_shard_only(cluster, local, tmp_path):
    results = list(run_images(local, tmp_path, load_deadly_images, on(cluster)))
    assert (tmp_path / "died-in-images").exists()
    assert sorted(result["shard"] for result in results) == SHARDS
    assert shard_bytes(tmp_path, ["images"]) == shard_bytes(local / "d.work", ["images"])


def whole(local):
    """Return the votes of all rows at once."""
    body = load_body("default")
    rows = used_views(DatasetRows.open(local / "d").rows("surfboard"), body, ChorusOptions())
    return aggregate(rows, body=body, grid=GRID)


def assert_same(found, expected):
    assert found.views == expected.views > 0
    for own, other in zip(found.counts, expected.counts, strict=True):
        np.testing.assert_array_equal(own, other)
    np.testing.assert_array_equal(found.field(), expected.field())


@pytest.mark.parametrize("name", ["here", "processes", "ray"])
def test_votes_add_up_to_the_same_bits(cluster, local, tmp_path, name):
    engine = {
        "here": EngineSettings(),
        "processes": EngineSettings(workers=2),
        "ray": on(cluster),
    }[name]
    assert len(DatasetInfo.load(local / "many").shards) == 3
    found = aggregate_dataset(local / "many", tmp_path / "votes", grid=GRID, engine=engine)
    assert_same(found["surfboard"], whole(local))


def test_votes_give_the_field_of_the_baseline(local, tmp_path):
    found = aggregate_dataset(local / "many", tmp_path / "votes", grid=GRID)
    run_baseline("chorus", local / "d", tmp_path / "s", grid=GRID)
    with open_submission(tmp_path / "s") as submission:
        field = submission.field("surfboard").values
    np.testing.assert_array_equal(field, found["surfboard"].field())


def test_an_interrupted_aggregation_goes_on(local, tmp_path):
    def interrupt(done, total):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        aggregate_dataset(local / "many", tmp_path, grid=GRID, progress=interrupt)
    (first,) = tmp_path.rglob("*.npz")
    before, told = first.stat().st_mtime_ns, []
    found = aggregate_dataset(
        local / "many", tmp_path, grid=GRID, progress=lambda *what: told.append(what)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert first.stat().st_mtime_ns == before
    assert_same(found["surfboard"], whole(local))


def test_other_settings_are_counted_apart(local, tmp_path):
    plain = aggregate_dataset(local / "many", tmp_path, grid=GRID)
    mirrored = aggregate_dataset(
        local / "many", tmp_path, grid=GRID, options=ChorusOptions(mirror=True)
    )
    assert mirrored["surfboard"].views == 2 * plain["surfboard"].views
    assert len(list(tmp_path.rglob("*.npz"))) == 6


def test_aggregation_of_an_unknown_category_or_body(local, tmp_path):
    engine = EngineSettings()
    with pytest.raises(InputError, match="Did you mean 'surfboard'"):
        run_baseline(
            "chorus", local / "many", tmp_path / "s", engine=engine, categories=["surfbord"]
        )
    arrays = dict(np.load(packaged_folder("default_body.npz")))
    arrays["v_template"] = arrays["v_template"] * np.float32(1.1)
    np.savez(tmp_path / "tall.npz", **arrays)
    with pytest.raises(InputError, match=r"made with the body default@.*, not with tall@"):
        aggregate_dataset(local / "many", tmp_path / "votes", body=tmp_path / "tall.npz")


def lose_when_begun(cluster, folder):
    """Lose a node in the middle of the shards that it makes."""
    wait_for(lambda: len(list(folder.glob("begun-*"))) == len(SHARDS))
    cluster.lose_a_node()
    (folder / "lost").touch()


def test_a_lost_node(cluster, local, tmp_path):
    """The last test: the cluster has one node less afterwards."""
    lost = cluster.workers[-1].node_id
    loser = threading.Thread(target=lose_when_begun, args=(cluster, tmp_path))
    loser.start()
    results = list(run_images(local, tmp_path, load_waiting_images, on(cluster, workers=3)))
    loser.join()
    assert list(tmp_path.glob(f"begun-*-{lost}"))
    assert sorted(result["shard"] for result in results) == SHARDS
    assert shard_bytes(tmp_path, ["images"]) == shard_bytes(local / "d.work", ["images"])
