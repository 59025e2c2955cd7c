"""The same jobs on a Ray cluster of two nodes on this machine: results, deaths, a lost node."""

import os

import pytest

from chorus_bench.engines import EngineSettings, run_jobs
from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.evaluation import split_from_rows
from chorus_bench.submission import write_submission
from tests.engines.jobs import Deadly, NoModel, Refusing, Squares
from tests.engines.ray_cluster import two_nodes
from tests.engines.test_local import squares
from tests.evaluation.prepared import assert_same_preparation
from tests.evaluation.small_split import COARSE, blob_field, small_rows

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    with two_nodes() as nodes:
        yield nodes


def settings(cluster):
    return EngineSettings(name="ray", workers=2, address=cluster.address)


def test_every_job_is_done(cluster, tmp_path):
    results = list(run_jobs(Squares(tmp_path), list(range(7)), settings(cluster)))
    assert squares(results) == [n**2 for n in range(7)]
    assert os.getpid() not in {result["process"] for result in results}


def test_a_killed_worker_loses_its_job_only(cluster, tmp_path):
    results = list(run_jobs(Deadly(tmp_path), list(range(6)), settings(cluster)))
    assert squares(results) == [n**2 for n in range(6)]
    assert len(list(tmp_path.glob("died-*"))) == 1


def test_errors_come_back(cluster, tmp_path):
    with pytest.raises(InputError, match="job: three"):
        list(run_jobs(Refusing(tmp_path), list(range(5)), settings(cluster)))
    failing = Refusing(tmp_path, wrong_input=False)
    with pytest.raises(ChorusBenchError, match="bad"):
        list(run_jobs(failing, list(range(5)), settings(cluster)))
    with pytest.raises(InputError, match="no model"):
        list(run_jobs(NoModel(tmp_path), list(range(2)), settings(cluster)))


def test_a_split_is_prepared_on_a_cluster(cluster, tmp_path):
    fields = {"bench": blob_field(), "tennis racket": blob_field()}
    arguments = {
        "submission": write_submission(tmp_path / "s", method="blobs", fields=fields),
        "split": split_from_rows(small_rows(), "made"), "protocol": COARSE,
        "cache": tmp_path / "cache", "min_samples": 1, "progress": False,
    }  # fmt: skip
    assert_same_preparation(arguments, settings(cluster))


def test_no_cluster_there(tmp_path):
    nowhere = EngineSettings(name="ray", address="127.0.0.1:1")
    with pytest.raises(InputError, match="no Ray cluster answers"):
        list(run_jobs(Squares(tmp_path), [1], nowhere))
