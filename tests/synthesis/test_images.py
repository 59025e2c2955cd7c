"""Images: blank ones, files that are there, batches, memory, formats; wrong generators."""

import logging
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from chorus_bench.datasets.view_conditions import ViewCondition
from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.synthesis.image_files import (
    decode_picture,
    encode_picture,
    is_blank,
    is_whole,
)
from chorus_bench.synthesis.interfaces import Address, OutOfDeviceMemoryError
from chorus_bench.synthesis.jobs import RunSettings, StageWork
from chorus_bench.synthesis.plan import Plan, sample_id
from chorus_bench.synthesis.settings import (
    Component,
    ImageSettings,
    SynthesisSettings,
    read_settings,
)
from chorus_bench.synthesis.stages.filters import load_filters
from chorus_bench.synthesis.stages.images import ImageMaker
from chorus_bench.synthesis.work_folder import Shard, StageFolder

VIEWS = (ViewCondition("plain", ""), ViewCondition("side_view", "side view"))
SEED = 5


@dataclass
class Noise:
    """Pixels drawn from a request's seed; some are black, and large batches do not fit.

    ``black`` holds numbers of images: those are black the first time, or always.
    """

    black: tuple[int, ...] = ()
    always: bool = False
    fits: int = 99
    asked: list = field(default_factory=list)
    description: str = "noise"

    def generate(self, requests):
        if len(requests) > self.fits:
            raise OutOfDeviceMemoryError("CUDA out of memory")
        self.asked.append([request.address.index for request in requests])
        return [self.draw(request) for request in requests]

    def draw(self, request):
        first = request.seed == request.address.seed(SEED)
        if request.address.index in self.black and (first or self.always):
            return np.zeros((8, 10, 3), np.uint8)
        return np.random.default_rng(request.seed).integers(0, 256, (8, 10, 3), dtype=np.uint8)


def maker(generator, per_prompt_view=8, **settings):
    settings = {"format": "png", **settings}
    images = ImageSettings(per_prompt_view=per_prompt_view, generator=Component("x"), **settings)
    plan = Plan({"tie": ("a man ties a tie",)}, VIEWS, {"tie": per_prompt_view * len(VIEWS)})
    return ImageMaker(generator, images, plan, SEED)


def shard(begin=0, end=4):
    return Shard("tie-00000", "tie", begin, end)


def pixels(row):
    return decode_picture(row["image"]["bytes"], row["sample_id"])


def test_rows(tmp_path):
    counts = Counter()
    rows = maker(Noise()).make_shard(shard(6, 10), tmp_path, counts)
    assert [(row["view"], row["index"]) for row in rows] == [
        ("plain", 6), ("plain", 7), ("side_view", 0), ("side_view", 1),
    ]  # fmt: skip
    for row in rows:
        address = Address("tie", "a man ties a tie", row["view"], row["index"])
        assert row["sample_id"] == sample_id(address)
        assert row["seed"] == address.seed(SEED)
        assert (row["height"], row["width"], row["attempt"], row["fault"]) == (8, 10, 0, None)
        expected = np.random.default_rng(row["seed"]).integers(0, 256, (8, 10, 3), dtype=np.uint8)
        np.testing.assert_array_equal(pixels(row), expected)
    assert len({row["sample_id"] for row in rows}) == 4
    assert +counts == Counter({"images made": 4})


def test_the_text_holds_the_view():
    plan = maker(Noise()).plan
    texts = [plan.request(plan.address("tie", n), SEED).text for n in (0, 8)]
    assert texts == ["a man ties a tie", "a man ties a tie, side view"]


def test_blank_images_are_made_again_once_from_another_seed(tmp_path):
    counts, generator = Counter(), Noise(black=(1, 3))
    rows = maker(generator).make_shard(shard(), tmp_path, counts)
    assert generator.asked == [[0], [1], [2], [3], [1], [3]]
    assert +counts == Counter({"images made": 6, "blank images made again": 2})
    assert [row["attempt"] for row in rows] == [0, 1, 0, 1]
    address = Address("tie", "a man ties a tie", "plain", 1)
    assert rows[1]["seed"] == address.seed(SEED, 1) != address.seed(SEED)
    assert not any(is_blank(pixels(row)) for row in rows)
    assert {row["fault"] for row in rows} == {None}


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_images_that_stay_blank_have_a_fault(tmp_path, kind):
    counts, generator = Counter(), Noise(black=(2,), always=True)
    rows = maker(generator, format=kind).make_shard(shard(), tmp_path, counts)
    assert generator.asked == [[0], [1], [2], [3], [2]]
    assert counts["images that stayed blank"] == 1
    assert [row["fault"] for row in rows] == [None, None, "all pixels are the same", None]
    assert rows[2]["attempt"] == 1


def test_a_fault_is_a_verdict(tmp_path):
    settings = SynthesisSettings(categories=("tie",), seed=SEED)
    made = maker(Noise(black=(2,), always=True))
    rows = made.make_shard(shard(), tmp_path / "unfinished", Counter())
    nothing = [{"sample_id": row["sample_id"], "people": [], "objects": []} for row in rows]
    for stage, content in (("images", rows), ("annotations", nothing)):
        StageFolder(tmp_path, stage).write(shard(), content, seconds=0, counts={}, models={})
    work = StageWork("filters", load_filters, tmp_path, settings, made.plan, RunSettings())
    verdicts = load_filters(work)(shard())
    assert [row["verdict"] for row in verdicts.rows] == ["rejected"] * 4
    reason = "unusable image: all pixels are the same"
    assert [row["reason"] for row in verdicts.rows][2] == reason
    assert verdicts.counts == Counter({"no person": 3, reason: 1})


def test_whole_images_are_not_made_again(tmp_path):
    first = maker(Noise()).make_shard(shard(), tmp_path, Counter())
    files = sorted(tmp_path.iterdir())
    assert len(files) == 4
    files[0].write_bytes(files[0].read_bytes()[:-9])
    files[1].write_bytes(b"")
    files[2].unlink()
    counts, generator = Counter(), Noise()
    rows = maker(generator).make_shard(shard(), tmp_path, counts)
    assert generator.asked == [[0], [1], [2]]
    assert counts["images made"] == 3
    assert rows == first


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_files_cut_anywhere_are_not_whole(kind):
    content = encode_picture(np.full((8, 8, 3), 7, np.uint8), kind, 95)
    assert is_whole(content, kind)
    assert not any(is_whole(content[:length], kind) for length in range(len(content)))


def test_an_interrupted_repetition_goes_on(tmp_path):
    """Black first images are there, and one of the two is made again already."""
    generator = Noise(black=(1, 3))
    first = maker(generator).make_shard(shard(), tmp_path, Counter())
    (tmp_path / "0000003.1.png").unlink()
    later = Noise(black=(1, 3))
    assert maker(later).make_shard(shard(), tmp_path, Counter()) == first
    assert later.asked == [[3]]


def test_fixed_batches_follow_from_addresses(tmp_path):
    """Images 1 to 4 are wanted; 0, 5, 6 and 7 are made with them all the same."""
    generator = Noise()
    some = maker(generator, batch=4).make_shard(shard(1, 5), tmp_path / "some", Counter())
    assert generator.asked == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(list((tmp_path / "some").iterdir())) == 4
    generator.asked.clear()
    everything = maker(generator, batch=4).make_shard(shard(0, 16), tmp_path / "all", Counter())
    assert generator.asked == [[0, 1, 2, 3], [4, 5, 6, 7]] * 2
    assert everything[1:5] == some


def test_fixed_batches_are_whole_beyond_the_last_index(tmp_path):
    generator = Noise()
    rows = maker(generator, per_prompt_view=3, batch=2).make_shard(shard(0, 6), tmp_path, Counter())
    assert generator.asked == [[0, 1], [2, 3]] * 2
    assert [row["index"] for row in rows] == [0, 1, 2] * 2


def test_fixed_batches_of_blank_images(tmp_path):
    generator = Noise(black=(1,))
    maker(generator, batch=4).make_shard(shard(), tmp_path, Counter())
    assert generator.asked == [[0, 1, 2, 3]] * 2


def test_free_batches_come_as_they_are_wanted(tmp_path):
    generator = Noise()
    maker(generator, layout="free", batch=3).make_shard(shard(1, 6), tmp_path, Counter())
    assert generator.asked == [[1, 2, 3], [4, 5]]


def test_free_batches_are_halved_when_memory_runs_out(tmp_path, caplog):
    generator, counts = Noise(fits=2), Counter()
    made = maker(generator, layout="free", batch=8)
    with caplog.at_level(logging.WARNING):
        rows = made.make_shard(shard(0, 8), tmp_path, counts)
    assert generator.asked == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert len(rows) == counts["images made"] == 8
    assert [record.getMessage() for record in caplog.records] == [
        "out of device memory with 8 images at a time; continuing with 4",
        "out of device memory with 4 images at a time; continuing with 2",
    ]
    generator.asked.clear()
    made.make_shard(replace(shard(8, 12), name="next"), tmp_path / "next", Counter())
    assert generator.asked == [[0, 1], [2, 3]]


def test_free_batches_when_not_even_one_fits(tmp_path):
    with pytest.raises(ChorusBenchError, match="memory for one of the images") as caught:
        maker(Noise(fits=0), layout="free", batch=4).make_shard(shard(), tmp_path, Counter())
    assert "choose a smaller model" in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("batch", "advice"), [(4, "smaller batches (images.batch)"), (1, "choose a smaller model")]
)
def test_fixed_batches_that_do_not_fit(tmp_path, batch, advice):
    with pytest.raises(ChorusBenchError, match=f"not enough memory for {batch} images") as caught:
        maker(Noise(fits=0), batch=batch).make_shard(shard(), tmp_path, Counter())
    assert advice in str(caught.value)
    assert "CUDA out of memory" in str(caught.value)


@dataclass
class Breaking(Noise):
    """Fails at image 2."""

    def generate(self, requests):
        if requests[0].address.index == 2:
            raise ChorusBenchError("the model broke")
        return super().generate(requests)


def test_images_before_a_failure_stay(tmp_path):
    with pytest.raises(ChorusBenchError, match="the model broke"):
        maker(Breaking()).make_shard(shard(), tmp_path, Counter())
    later = Noise()
    maker(later).make_shard(shard(), tmp_path, Counter())
    assert later.asked == [[2], [3]]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda n: [np.zeros((8, 8), np.uint8)] * n, r"shape \(8, 8\)"),
        (lambda n: [np.zeros((8, 8, 4), np.uint8)] * n, r"shape \(8, 8, 4\)"),
        (lambda n: [np.zeros((0, 8, 3), np.uint8)] * n, r"shape \(0, 8, 3\)"),
        (lambda n: [np.zeros((8, 8, 3), np.float32)] * n, "type float32"),
        (lambda n: [np.zeros((8, 8, 3), np.uint8)] * (n + 1), "gave 2 results for 1"),
        (lambda n: [], "gave 0 results for 1"),
        (lambda n: np.zeros((n, 8, 8, 3), np.uint8), "gave ndarray for 1"),
        (lambda n: None, "gave NoneType for 1"),
    ],
)
def test_wrong_generators_are_named(tmp_path, result, message):
    generator = Noise(description="my own model")
    generator.generate = lambda requests: result(len(requests))
    with pytest.raises(InputError, match=message) as caught:
        maker(generator).make_shard(shard(), tmp_path, Counter())
    assert "the generator (my own model)" in str(caught.value)
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("jpeg", b"\xff\xd8")])
def test_formats(tmp_path, kind, start):
    rows = maker(Noise(), format=kind).make_shard(shard(), tmp_path, Counter())
    assert all(row["image"]["bytes"].startswith(start) for row in rows)
    assert {file.suffix for file in tmp_path.iterdir()} == {".png" if kind == "png" else ".jpg"}


def test_quality_of_jpeg(tmp_path):
    sizes = [
        len(maker(Noise(), format="jpeg", quality=q).make_shard(
            shard(0, 1), tmp_path / str(q), Counter())[0]["image"]["bytes"])
        for q in (10, 95)
    ]  # fmt: skip
    assert sizes[0] < sizes[1]


def test_the_layout_stands_in_the_rows(tmp_path):
    rows = maker(Noise(), layout="free", batch=3).make_shard(shard(), tmp_path, Counter())
    assert {row["generator"] for row in rows} == {"noise; batches free 3"}


def test_a_batch_that_the_generator_chooses(tmp_path):
    class Chosen(Noise):
        def batch_that_fits(self):
            return 3

    rows = maker(Chosen(), layout="free", batch="auto").make_shard(shard(), tmp_path, Counter())
    assert {row["generator"] for row in rows} == {"noise; batches free auto 3"}
    assert maker(Noise(), layout="free", batch="auto").batch == 1


def test_a_fixed_layout_needs_a_number():
    with pytest.raises(InputError, match="is 'auto' with the layout 'fixed'"):
        read_settings(changes={"images.batch": "auto"})
    assert read_settings("paper").images.batch == "auto"
