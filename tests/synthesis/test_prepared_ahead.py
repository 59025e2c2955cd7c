"""Annotations whose pictures are prepared ahead of the device: same rows, bounded, in order."""

import threading
from collections import Counter

import numpy as np
import pytest

from chorus_bench.engines import EngineSettings
from chorus_bench.engines.threads import ahead
from chorus_bench.geometry.body_files import load_body
from chorus_bench.synthesis.batching import Batches
from chorus_bench.synthesis.interfaces import Context, OutOfDeviceMemoryError, Picture
from chorus_bench.synthesis.jobs import RunSettings
from chorus_bench.synthesis.settings import AnnotationSettings
from chorus_bench.synthesis.stages.annotations import Annotators
from tests.synthesis.test_annotations import MAN, TIE, fit
from tests.synthesis.tiny_annotators import tiny_keypoints, tiny_segmenter

PATIENCE = 300.0


def pictures(count, size=(40, 60)):
    rng = np.random.default_rng(3)
    return [
        Picture(f"p{n}", None, rng.integers(0, 255, (*size, 3), dtype=np.uint8))
        for n in range(count)
    ]


def batches(items, size):
    return iter([items[n : n + size] for n in range(0, len(items), size)])


class Device:
    """Every role at once; knows who calls it from where, and what is prepared and not used."""

    description = "device"

    def __init__(self, most=99):
        self.most, self.waiting, self.highest = most, 0, 0
        self.here, self.lock = threading.get_ident(), threading.Lock()
        self.prepared, self.calls = [], []

    def prepare(self, pictures, people=None):
        with self.lock:
            self.prepared.append(threading.get_ident())
            self.waiting += 1
            self.highest = max(self.highest, self.waiting)
        return [picture.sample_id for picture in pictures], people

    def _use(self, what, pictures, prepared):
        assert threading.get_ident() == self.here
        assert prepared[0] == [picture.sample_id for picture in pictures]
        self.calls.append((what, len(pictures)))
        with self.lock:
            self.waiting -= 1

    def segment(self, pictures, categories, prepared):
        self._use("segment", pictures, prepared)
        return [[MAN, TIE] for _ in pictures]

    def detect(self, pictures, people, prepared):
        assert prepared[1] is people
        self._use("detect", pictures, prepared)
        return [np.ones((len(some), 17, 3), np.float32) for some in people]

    def estimate(self, pictures, people):
        assert threading.get_ident() == self.here
        if len(pictures) > self.most:
            raise OutOfDeviceMemoryError("CUDA out of memory")
        return [[fit()] for _ in people]


def annotators(device):
    return Annotators(device, device, device, device, AnnotationSettings())


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_rows_are_the_same_and_in_order(threads):
    device, faults = Device(), Counter()
    found = annotators(device).annotate_batches(batches(pictures(23), 4), ["tie"], faults, threads)
    rows = [row for some in found for row in some]
    assert [row["sample_id"] for row in rows] == [f"p{n}" for n in range(23)]
    assert [count for what, count in device.calls if what == "segment"] == [4, 4, 4, 4, 4, 3]
    assert (set(device.prepared) == {device.here}) == (threads == 0)


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_what_is_prepared_and_not_used_is_bounded(threads):
    device = Device()
    found = annotators(device).annotate_batches(
        batches(pictures(40), 1), ["tie"], Counter(), threads
    )
    assert sum(1 for _ in found) == 40
    assert device.highest <= max(1, 2 * (threads + 1))


def test_batches_are_prepared_while_the_device_works():
    """The first batch is segmented only once the third one is being prepared."""
    begun = threading.Event()

    class Slow(Device):
        def prepare(self, pictures, people=None):
            if people is None and pictures[0].sample_id == "p2":
                begun.set()
            return super().prepare(pictures, people)

        def segment(self, pictures, categories, prepared):
            assert begun.wait(PATIENCE)
            return super().segment(pictures, categories, prepared)

    found = annotators(Slow()).annotate_batches(batches(pictures(6), 1), ["tie"], Counter(), 2)
    assert sum(1 for _ in found) == 6


def test_half_of_the_batch_after_running_out_of_memory():
    device, faults, sizes = Device(most=2), Counter(), Batches(4, "pictures")

    def annotate(some):
        return annotators(device).annotate_batches(some, ["tie"], faults, 2)

    rows = list(sizes.stream(annotate, pictures(9)))
    assert [row["sample_id"] for row in rows] == [f"p{n}" for n in range(9)]
    assert sizes.size == 2
    assert [count for what, count in device.calls if what == "detect"] == [4, 2, 2, 2, 2, 1]


def test_an_error_of_a_thread_is_raised_and_the_threads_end():
    class Broken(Device):
        def prepare(self, pictures, people=None):
            raise RuntimeError("a broken picture")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="a broken picture"):
        list(annotators(Broken()).annotate_batches(batches(pictures(9), 2), ["tie"], Counter(), 3))
    assert threading.active_count() == before


def test_models_of_the_real_classes_give_the_same_bits(tmp_path):
    tiny_segmenter(tmp_path / "segmenter")
    tiny_keypoints(tmp_path / "keypoints")
    settings = AnnotationSettings(
        segmenter={"name": "transformers", "model": str(tmp_path / "segmenter"), "threshold": 0.0},
        keypoints={"name": "transformers", "model": str(tmp_path / "keypoints")},
        pose={"name": "simulated"},
    )
    body = load_body("default")
    context = Context(0, body, categories=("tie",), image_options={"size": 64})
    found = Annotators.make(settings, context)
    found = Annotators(found.people, found.objects, found.keypoints, Device(), settings)
    some = [*pictures(5), *pictures(4, (64, 48))]
    made = [
        list(found.annotate_batches(batches(some, 3), ["tie"], Counter(), threads))
        for threads in (0, 3)
    ]
    assert made[0] == made[1]
    assert any(row["people"] for rows in made[0] for row in rows)


def test_threads_by_device_and_workers(monkeypatch):
    from chorus_bench.synthesis import jobs

    monkeypatch.setattr(jobs, "cpu_count", lambda: 16)
    assert RunSettings().on(EngineSettings()).prepare_threads == 0
    gpu = RunSettings(device="cuda")
    assert gpu.on(EngineSettings()).prepare_threads == 8
    assert gpu.on(EngineSettings(workers=8)).prepare_threads == 2
    assert gpu.on(EngineSettings(workers=99)).prepare_threads == 1
    assert gpu.on(EngineSettings("ray", workers=99)).prepare_threads == 4
    assert RunSettings(prepare_threads=3).on(EngineSettings(workers=8)).prepare_threads == 3


def test_ahead_draws_no_more_than_it_may():
    drawn, made = [], []
    items = (drawn.append(n) or n for n in range(20))
    for result in ahead(lambda n: n * n, items, 2):
        made.append(result)
        assert len(drawn) <= len(made) + 3
    assert made == [n * n for n in range(20)]
