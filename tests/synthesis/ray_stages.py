"""Loaders of stages whose workers die or wait; modules of Ray's workers find them here."""

import os
import signal
import time

from chorus_bench.synthesis.stages.images import load_images

DEADLY = "surfboard-00001"
PATIENCE = 300.0


def load_deadly_images(work):
    """Die of SIGKILL in the middle of a shard, once."""
    return _deadly(work, load_images(work))


def load_waiting_images(work):
    """Begin every shard, say on which node, and go on once a node is lost."""
    make = load_images(work)

    def wait(shard):
        import ray

        node = ray.get_runtime_context().get_node_id()
        (work.work / f"begun-{shard.name}-{node}").touch()
        end = time.monotonic() + PATIENCE
        while not (work.work / "lost").exists() and time.monotonic() < end:
            time.sleep(0.05)
        return make(shard)

    return wait


def _deadly(work, make):
    tomb = work.work / f"died-in-{work.stage}"

    def deadly(shard):
        made = make(shard)
        if shard.name == DEADLY and not tomb.exists():
            tomb.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return made

    return deadly
