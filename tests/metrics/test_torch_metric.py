"""The torchmetrics shell gives the NumPy metric's numbers, also over two processes."""

from __future__ import annotations

import doctest
import os

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing

from chorus_bench.errors import InputError
from chorus_bench.metrics import benchmark_mean, category_mean, torch_metric
from chorus_bench.metrics.pap import projective_average_precision
from chorus_bench.metrics.torch_metric import ProjectiveAveragePrecision

CATEGORIES = ["bench", "tie"]


def _images(count: int = 6):
    rng = np.random.default_rng(3)
    occupancy = rng.random((count, 8, 10)).astype(np.float32)
    occupancy[rng.random(occupancy.shape) < 0.3] = -np.inf
    target = rng.random((count, 8, 10)) < 0.4
    human = rng.random((count, 8, 10)) < 0.3
    target[1] = False
    human[2] |= target[2]
    return occupancy, target, human, [CATEGORIES[i % 2] for i in range(count)]


def _expected(closed: bool) -> dict[str, float]:
    rows = {name: ([], []) for name in CATEGORIES}
    for image, on, body, name in zip(*_images(), strict=True):
        score = projective_average_precision(image, on, body, closed=closed)
        rows[name][0].append([score.pap, score.pap_strict, score.pap_hoa, score.pap_strict_hoa])
        rows[name][1].append([score.target_area, score.target_area_hoa])
    return benchmark_mean(category_mean(*table) for table in rows.values())


def _tensors(images):
    return [*(torch.from_numpy(array) for array in images[:3]), images[3]]


@pytest.mark.parametrize("closed", [False, True])
def test_equals_the_numpy_metric(closed):
    metric = ProjectiveAveragePrecision(CATEGORIES, closed=closed)
    metric.update(*_tensors(_images()))
    computed = {name: value.item() for name, value in metric.compute().items()}
    assert computed == pytest.approx(_expected(closed), abs=1e-12)


def test_reset_forgets():
    metric = ProjectiveAveragePrecision(CATEGORIES)
    metric.update(*_tensors(_images()))
    metric.reset()
    assert not metric.totals.any()
    assert not metric.counts.any()


def test_unknown_category():
    metric = ProjectiveAveragePrecision(CATEGORIES)
    images = _tensors(_images())
    with pytest.raises(InputError, match="Did you mean 'bench'"):
        metric.update(*images[:3], ["bunch"] * 6)


def _worker(rank: int, store: str, results: dict) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    metric = ProjectiveAveragePrecision(CATEGORIES)
    images = _images()
    half = [part[rank::2] for part in images]
    metric.update(*_tensors(half))
    results[rank] = {name: value.item() for name, value in metric.compute().items()}
    dist.destroy_process_group()


def test_two_processes(tmp_path):
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with multiprocessing.get_context("spawn").Manager() as manager:
        results = manager.dict()
        multiprocessing.spawn(_worker, args=(str(tmp_path / "store"), results), nprocs=2)
        for rank in range(2):
            assert results[rank] == pytest.approx(_expected(False), abs=1e-12)


def test_doctest():
    outcome = doctest.testmod(torch_metric)
    assert outcome.attempted > 0
    assert outcome.failed == 0
