"""A Ray cluster of two nodes on this machine."""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

#: So that workers find the tests' modules.
ROOT = str(Path(__file__).resolve().parents[2])
#: How often a node is started, what Ray says of one that takes long, and seconds to wait for both.
TRIES, SLOW, PATIENCE = 10, "timed out during startup", 300
#: Ray asks a node twice a second whether it lives. It is lost when five such questions are refused
#: at once, or not answered for 10 seconds each: a busy one has as long as ever. Ray's workers would
#: give way (niceness 15) to whatever else runs: beside other tests they hardly ran at all.
SYSTEM = {"health_check_period_ms": 500, "worker_niceness": 0}
#: Nobody looks at the cluster: its pages and its logs would be further processes.
NODE = {
    "object_store_memory": 150_000_000,
    "include_dashboard": False,
    "include_log_monitor": False,
}


@dataclass
class Cluster:
    """Two nodes: the head, which runs no jobs of ours, and others that can be taken away."""

    nodes: Any
    workers: list[Any]

    @property
    def address(self):
        return self.nodes.address

    def lose_a_node(self):
        self.nodes.remove_node(self.workers.pop(), allow_graceful=False)


@contextlib.contextmanager
def two_nodes():
    """Start a cluster; one at a time on a machine, so that tests do not meet another's."""
    lock = FileLock(Path(tempfile.gettempdir()) / "chorus-bench-ray-tests.lock")
    with lock, _two_nodes() as cluster:
        yield cluster


def _add_node(nodes, **options):
    """Start a node. Ray waits 30 seconds for it; a busy machine takes longer."""
    for _ in range(TRIES):
        try:
            return nodes.add_node(num_cpus=2, **NODE, **options)
        except Exception as error:
            if SLOW not in str(error):
                raise
    raise TimeoutError(f"no node of Ray started in {TRIES} tries")


@contextlib.contextmanager
def _two_nodes():
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")])
    from ray.cluster_utils import Cluster as RayCluster

    nodes = RayCluster()
    try:
        _add_node(nodes, _system_config=SYSTEM)
        other = _add_node(nodes)
        nodes.wait_for_nodes(timeout=PATIENCE)
        yield Cluster(nodes, [other])
    finally:
        import ray

        ray.shutdown()
        nodes.shutdown()
