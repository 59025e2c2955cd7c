"""Aggregation on a device of torch: the same bits as on the processor."""

import torch

from chorus_baselines.chorus import device
from chorus_bench.datasets.masks import MaskRuns
from tests.baselines.aggregations import GRID, run, same


def test_torch_gives_the_same_bits(rows, whole):
    assert same(run(rows, device="cpu:0"), whole)


def test_torch_gives_the_same_bits_when_tallies_have_to_make_room(rows, whole, monkeypatch):
    """Tallies of few groups fit on the device; the others wait on the processor."""
    monkeypatch.setattr(device, "TALLY_BYTES", 5 * 8 * GRID.voxels)
    monkeypatch.setattr(device, "STEP_BYTES", 3 * 8 * GRID.voxels)
    taken = []
    take = device._DeviceTallies.take
    count = lambda tallies: taken.append(len(tallies._slots)) or take(tallies)  # noqa: E731
    monkeypatch.setattr(device._DeviceTallies, "take", count)
    assert same(run(rows, device="cpu:0"), whole)
    assert len(taken) > 3
    assert max(taken) <= 5


def test_torch_decodes_no_mask_on_the_processor(rows, whole, monkeypatch):
    monkeypatch.setattr(MaskRuns, "decode", None)
    assert same(run(rows, device="cpu:0"), whole)


def test_torch_counts_without_parts_and_mirrored(rows):
    plain = run(rows, parts=(), by_prompt=False, mirror=True)
    assert same(run(rows, parts=(), by_prompt=False, mirror=True, device="cpu:0"), plain)


def test_auto_device_is_the_cpu_where_there_is_no_cuda(rows):
    chosen = "cuda" if torch.cuda.is_available() else "cpu"
    assert same(run(rows[:4], device="auto"), run(rows[:4], device=chosen))
