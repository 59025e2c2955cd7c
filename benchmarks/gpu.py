"""The synthesis, the votes and test geometry on a GPU, in one run of a few minutes.

    python benchmarks/gpu.py                                  # on cuda
    python benchmarks/gpu.py --device cpu --tiny              # tries the script itself

Models have the sizes of the default ones and random weights: speed and memory are real, pictures
are noise. Measured are

* images of Stable Diffusion 1.4's architecture (512 x 512, 50 PLMS steps, guidance 7.5, float16):
  batches of 8, the batch that `images.batch: auto` takes, and that one compiled;
* annotations (Mask2Former Swin-S, ViTPose+ base; no pose estimator) with pictures prepared by the
  calling thread and ahead of it, with the share of time that the device spends in forward passes;
* votes of `--views` views with three body parts on the processor and on the device, compared
  bit for bit;
* test geometry of `--samples` samples (V = 6,890, N = 48) on both, one after the other and with a
  thread for each processor, compared bit for bit; on the device also its two steps.

Run it in a checkout: parts of the models come from `tests`.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from aggregation import make_rows
from evaluation import CATEGORIES, made_up_row
from tabulate import tabulate

from chorus_baselines.chorus import DEMO_PARTS, aggregate
from chorus_bench.engines import EngineSettings
from chorus_bench.engines.threads import cpu_count, in_order
from chorus_bench.evaluation import split_from_rows
from chorus_bench.evaluation.prepare import prepare_sample
from chorus_bench.evaluation.warping import forget
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import voxel_skinning
from chorus_bench.metrics import OFFICIAL
from chorus_bench.selftest.data import golden_body
from chorus_bench.synthesis.annotators.transformers_models import LoadedModel
from chorus_bench.synthesis.generators.diffusion import make_diffusion
from chorus_bench.synthesis.interfaces import Address, Context, Detection, ImageRequest, Picture
from chorus_bench.synthesis.jobs import RunSettings
from chorus_bench.synthesis.settings import AnnotationSettings, Component
from chorus_bench.synthesis.stages.annotations import Annotators

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("person", "surfboard", *(f"thing {n}" for n in range(78)))


def save_generator(folder, tiny):
    """Write Stable Diffusion 1.4's architecture with random weights."""
    from tests.synthesis.tiny_models import clip_tokenizer, tiny_pipeline

    if tiny:
        return tiny_pipeline(folder)
    import transformers
    from diffusers import (
        AutoencoderKL,
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )

    tokenizer = clip_tokenizer()
    ids = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id")}
    text = transformers.CLIPTextConfig(
        vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
        num_attention_heads=12, max_position_embeddings=77, **ids,
    )  # fmt: skip
    autoencoder = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=2, latent_channels=4,
        sample_size=512,
    )  # fmt: skip
    pipeline = StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=transformers.CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(sample_size=64, cross_attention_dim=768),
        scheduler=PNDMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
            skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1,
        ),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.to(torch.float16).save_pretrained(folder)
    return folder


def save_annotators(folder, tiny):
    """Write Mask2Former Swin-S and ViTPose+ base with random weights."""
    from tests.synthesis.tiny_annotators import tiny_keypoints, tiny_segmenter

    if tiny:
        tiny_segmenter(folder / "segmenter", NAMES[:6])
        tiny_keypoints(folder / "keypoints")
        return
    import transformers as hf

    swin = hf.SwinConfig(
        image_size=384, patch_size=4, embed_dim=96, depths=[2, 2, 18, 2],
        num_heads=[3, 6, 12, 24], window_size=7,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = hf.Mask2FormerConfig(
        backbone_config=swin,
        id2label=dict(enumerate(NAMES)),
        label2id={name: n for n, name in enumerate(NAMES)},
    )
    hf.Mask2FormerForUniversalSegmentation(config).save_pretrained(folder / "segmenter")
    hf.Mask2FormerImageProcessorPil(
        size={"height": 384, "width": 384}, ignore_index=255, num_labels=len(NAMES)
    ).save_pretrained(folder / "segmenter")
    backbone = hf.VitPoseBackboneConfig(
        hidden_size=768, num_hidden_layers=12, num_attention_heads=12, num_experts=6,
        part_features=192, out_indices=[12],
    )  # fmt: skip
    config = hf.VitPoseConfig(backbone_config=backbone, num_labels=17)
    hf.VitPoseForPoseEstimation(config).save_pretrained(folder / "keypoints")
    hf.VitPoseImageProcessorPil().save_pretrained(folder / "keypoints")


def sync(device):
    """Wait until the device has done everything."""
    if device != "cpu":
        torch.cuda.synchronize(device)


def image_rows(folder, device, tiny, count):
    """Yield the seconds and the memory of an image."""
    size, steps = (64, 2) if tiny else (512, 50)
    model = save_generator(folder / "generator", tiny)
    context = Context(seed=0, body=None, device=device)
    options = {
        "model": str(model), "scheduler": "PNDMScheduler", "steps": steps, "height": size,
        "width": size, "scheduler_options": {"skip_prk_steps": True},
        "dtype": "float32" if device == "cpu" else "float16",
    }  # fmt: skip
    for batch, compiled in ((8, False), (None, False), (None, True)):
        made = make_diffusion(context, compile=compiled, **options)
        size_of_batch = batch or made.batch_that_fits()
        address = Address("surfboard", "a person rides a surfboard", "plain", 0)
        requests = [ImageRequest(address, "a person", seed) for seed in range(size_of_batch)]
        start = time.perf_counter()
        made.generate(requests)
        first = time.perf_counter() - start
        sync(device)
        if device != "cpu":
            torch.cuda.reset_peak_memory_stats(device)
        rounds = max(count // size_of_batch, 1)
        start = time.perf_counter()
        for _ in range(rounds):
            made.generate(requests)
        seconds = (time.perf_counter() - start) / rounds / size_of_batch
        peak = 0 if device == "cpu" else torch.cuda.max_memory_allocated(device) / 2**30
        name = f"image, batch {'auto ' * (batch is None)}{size_of_batch}{', compiled' * compiled}"
        yield name, f"{seconds:.3f} s, {peak:.1f} GiB; first batch {first:.0f} s"
        del made


class OnePerson:
    """A segmenter of the real class, whose detections are one person: noise finds none or all."""

    def __init__(self, segmenter):
        self.inner, self.prepare = segmenter, segmenter.prepare
        self.description = segmenter.description

    def segment(self, pictures, categories, prepared=None):
        """Run the model, and return one person a picture."""
        self.inner.segment(pictures, categories, prepared)
        height, width = pictures[0].size
        box = np.array([width / 4, height / 8, width * 3 / 4, height * 7 / 8], np.float32)
        mask = np.zeros((height, width), bool)
        mask[height // 8 : height * 7 // 8, width // 4 : width * 3 // 4] = True
        return [[Detection("person", box, 0.9, mask)] for _ in pictures]


class NoPoses:
    """A pose estimator that finds nothing."""

    description = "none"

    def estimate(self, pictures, people):
        """Return no fit for anybody."""
        return [[None] * len(some) for some in people]


class Busy:
    """Counts the time that a device spends in forward passes."""

    def __init__(self, device):
        self.device, self.events, self.whole = device, [], LoadedModel.forward

    def __enter__(self):
        if self.device != "cpu":
            LoadedModel.forward = lambda model, *a, **k: self._timed(model, *a, **k)
        return self

    def __exit__(self, *error):
        LoadedModel.forward = self.whole

    def _timed(self, model, *arguments, **options):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        output = self.whole(model, *arguments, **options)
        end.record()
        self.events.append((begin, end))
        return output

    @property
    def seconds(self):
        """The time so far."""
        return sum(begin.elapsed_time(end) for begin, end in self.events) / 1000


def annotation_rows(folder, device, tiny, count):
    """Yield the pictures a second, and the share of time in which the device is busy."""
    save_annotators(folder, tiny)
    context = Context(seed=0, body=None, device=device, categories=(NAMES[1],))
    settings = AnnotationSettings(
        segmenter=Component("transformers", {"model": str(folder / "segmenter")}),
        keypoints=Component("transformers", {"model": str(folder / "keypoints")}),
        pose=Component("files", {"folder": str(folder)}),
    )
    loaded = Annotators.make(settings, context)
    people = OnePerson(loaded.people)
    found = Annotators(people, people, loaded.keypoints, NoPoses(), settings)
    rng, size = np.random.default_rng(0), 64 if tiny else 512
    pixels = rng.integers(0, 255, (16, size, size, 3), dtype=np.uint8)
    pictures = [Picture(f"p{n}", None, pixels[n % 16]) for n in range(count)]
    default = RunSettings(device=device).on(EngineSettings()).prepare_threads
    rows = {}
    for threads in (0, 1, default or 2):
        for some in (pictures[:16], pictures):  # the first round warms up
            batches = (some[n : n + 8] for n in range(0, len(some), 8))
            sync(device)
            with Busy(device) as busy:
                start = time.perf_counter()
                made = list(found.annotate_batches(batches, [NAMES[1]], Counter(), threads))
                sync(device)
                seconds = time.perf_counter() - start
        rows[threads] = made
        share = f", device busy {100 * busy.seconds / seconds:.0f} %" if busy.events else ""
        yield (
            f"annotations, {threads} threads ahead",
            f"{count / seconds:.1f} pictures/s{share}; same rows: {made == rows[0]}",
        )


def vote_rows(device, views):
    """Yield the milliseconds a view, and whether the fields are the same."""
    fields, options = {}, {"body": golden_body(), "parts": DEMO_PARTS}
    rows = list(make_rows(views))
    for name in dict.fromkeys(("cpu", "cpu:0" if device == "cpu" else device)):
        aggregate(rows[:64], device=name, **options)
        sync(device)
        start = time.perf_counter()
        found = aggregate(rows, device=name, **options)
        each = 1000 * (time.perf_counter() - start) / views
        fields[name] = [found.counts_of(part) for part in (None, *found.parts)]
        same = all(
            np.array_equal(one, other)
            for mine, theirs in zip(fields[name], fields["cpu"], strict=True)
            for one, other in zip(mine, theirs, strict=True)
        )
        yield f"votes on {name}", f"{each:.3f} ms a view; same bits: {same}"


def mean_seconds(function, items, device, threads=1):
    """Return the seconds of an item, and what the function gives for each."""
    sync(device)
    start = time.perf_counter()
    found = [result for _, result in in_order(function, items, threads)]
    sync(device)
    return (time.perf_counter() - start) / len(items), found


def prepare_anew(sample, **options):
    """Prepare a sample whose points nobody has remembered."""
    forget()
    return prepare_sample(sample, **options)


def geometry_rows(device, tiny, count):
    """Yield the milliseconds of a test sample, and whether the points have the same bits."""
    rows = [made_up_row(number, CATEGORIES[0]) for number in range(count)]
    samples, body = split_from_rows(rows, "made").samples, golden_body()
    protocol = replace(OFFICIAL, grid=GridSpec(16)) if tiny else OFFICIAL
    other = "cpu:0" if device == "cpu" else device
    first = {}
    for name in ("cpu", other):
        prepare = partial(prepare_anew, body=body, protocol=protocol, device=name)
        prepare(samples[0])
        alone, found = mean_seconds(prepare, samples, device)
        shared, _ = mean_seconds(prepare, samples, device, cpu_count())
        first.setdefault("points", [one.points for one in found])
        same = all(map(np.array_equal, first["points"], (one.points for one in found)))
        each = f"{1000 * alone:.1f} ms alone, {1000 * shared:.1f} ms with {cpu_count()} threads"
        yield f"test sample prepared on {name}", f"{each}; same bits: {same}"
    posed = [body.pose(sample.pose) for sample in samples]
    build = partial(voxel_skinning, grid=protocol.grid, device=other)
    seconds, operators = mean_seconds(build, posed, device)
    yield f"of it nearest vertices on {other}", f"{1000 * seconds:.1f} ms"
    values = np.random.default_rng(0).normal(size=(body.vertices, 12))
    seconds, _ = mean_seconds(lambda operator: operator.apply(values), operators, device)
    yield f"of it blend and smoothing on {other}", f"{1000 * seconds:.1f} ms"


def main():
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny models: to try this script")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--pictures", type=int, default=512)
    parser.add_argument("--views", type=int, default=3000)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--only", choices=("images", "annotations", "votes", "geometry"))
    arguments = parser.parse_args()
    device, tiny = arguments.device, arguments.tiny
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as place:
        parts = {
            "images": lambda: image_rows(Path(place), device, tiny, arguments.images),
            "annotations": lambda: annotation_rows(Path(place), device, tiny, arguments.pictures),
            "votes": lambda: vote_rows(device, arguments.views),
            "geometry": lambda: geometry_rows(device, tiny, arguments.samples),
        }
        rows = []
        for name, measure in parts.items():
            for row in measure() if arguments.only in (None, name) else ():
                print("measured:", *row, file=sys.stderr, flush=True)
                rows.append(row)
    name = "cpu" if device == "cpu" else torch.cuda.get_device_name(device)
    print(tabulate(rows, headers=("what", name), disable_numparse=True))
    print(f"\n{os.cpu_count()} processors, torch {torch.__version__}")


if __name__ == "__main__":
    main()
