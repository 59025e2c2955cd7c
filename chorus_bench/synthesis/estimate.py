"""Estimate of a synthesis and its cost, from a short measured sample (`--dry-run`)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from chorus_bench.datasets.recipe import Row
from chorus_bench.engines import EngineSettings
from chorus_bench.io.leftovers import temporary_folder
from chorus_bench.synthesis.cameras import add_cameras
from chorus_bench.synthesis.filters import filter_rows
from chorus_bench.synthesis.jobs import RunSettings, StageWork
from chorus_bench.synthesis.manifests import plan_of
from chorus_bench.synthesis.prompts import MOST, read_prompts, shipped_prompts
from chorus_bench.synthesis.registry import make_component
from chorus_bench.synthesis.requirements import check_annotators, check_request
from chorus_bench.synthesis.settings import CHAT, SHIPPED, SynthesisSettings
from chorus_bench.synthesis.stages.annotations import Annotators, read_picture
from chorus_bench.synthesis.stages.images import ImageMaker, load_images
from chorus_bench.synthesis.stages.prompts import Prompts
from chorus_bench.synthesis.work_folder import Shard

#: Default number of images to measure, after a first batch that is not measured.
SAMPLE = 8


@dataclass
class Estimate:
    """An estimate of a synthesis and its cost.

    Attributes:
        images: category -> number of images.
        shards: number of shards.
        sample: number of images measured.
        seconds: stage -> seconds per image on one worker, as measured.
        image_bytes: mean size of an image file.
        row_bytes: mean size of the annotations of an image.
    """

    images: dict[str, int]
    shards: int
    sample: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    image_bytes: float = 0.0
    row_bytes: float = 0.0

    @property
    def total(self) -> int:
        """The total number of images."""
        return sum(self.images.values())

    def hours(self, stage: str) -> float:
        """Return the hours that a stage would take one worker."""
        return self.total * self.seconds[stage] / 3600

    @property
    def disk_bytes(self) -> float:
        """The disk space of stages and dataset; both have the annotations, one has the images."""
        return self.total * (self.image_bytes + 2 * self.row_bytes)


def planned_prompts(settings: SynthesisSettings) -> Prompts:
    """Return the prompts that would be used; for a language model, placeholders are counted.

    Raises:
        InputError: a category has no prompts.
    """
    source = settings.prompts.source
    if source == SHIPPED:
        return {name: shipped_prompts(name) for name in settings.categories}
    if source == CHAT:
        count = settings.prompts.count or MOST
        return {
            name: tuple(f"a person and a {name} {n}" for n in range(count))
            for name in settings.categories
        }
    return {name: read_prompts(source, name) for name in settings.categories}


def estimate(settings: SynthesisSettings, run: RunSettings, *, sample: int = SAMPLE) -> Estimate:
    """Make and annotate a few images of the first category, and extrapolate.

    Only temporary files are written.

    Args:
        settings: settings of the synthesis.
        run: where models run, and how many pictures annotators get at a time.
        sample: number of images to measure; with 0, images are only counted.

    Raises:
        InputError: a model that is not available, a category without prompts, ...
    """
    check_request(settings, complete=sample > 0)
    plan = plan_of(settings, planned_prompts(settings))
    result = Estimate(
        {name: plan.images_of(name) for name in settings.categories},
        len(plan.shards(settings.shard_size)),
    )
    if not sample:
        return result
    category = settings.categories[0]
    count = min(sample, plan.images_of(category))
    with temporary_folder() as folder:
        work = StageWork("images", load_images, folder, settings, plan, run)
        check_annotators(settings, work.context(), None)
        rows = _measure_images(work, Shard("sample", category, 0, count), folder, result)
        found = _measure_annotations(work, rows, category, result)
    _measure_verdicts(work, rows, found, result)
    result.sample = count
    return result


@contextmanager
def _timed(result: Estimate, stage: str, count: int) -> Iterator[None]:
    started = time.perf_counter()
    yield
    result.seconds[stage] = (time.perf_counter() - started) / count


def _measure_images(work: StageWork, shard: Shard, folder: Path, result: Estimate) -> list[Row]:
    """Make a first batch that is not measured, then the sample."""
    images = work.settings.images
    generator = make_component(
        "generator", images.generator.name, work.context(), images.generator.options
    )
    maker = ImageMaker(generator, images, work.plan, work.settings.seed)
    first = replace(shard, end=min(shard.end, maker.batch))
    maker.make_shard(first, folder / "first", Counter())
    with _timed(result, "images", shard.rows):
        rows = maker.make_shard(shard, folder / "sample", Counter())
    result.image_bytes = sum(len(row["image"]["bytes"]) for row in rows) / len(rows)
    return rows


def _measure_annotations(
    work: StageWork, rows: Sequence[Row], category: str, result: Estimate
) -> list[Row]:
    annotators = Annotators.make(work.settings.annotations, work.context())
    pictures = [read_picture(row) for row in rows]
    size, faults = work.run.batch, Counter[str]()
    last, others = pictures[-1:], pictures[:-1] or pictures
    found = annotators.annotate(last, category, faults)  # the first call loads and compiles
    batches = (others[begin : begin + size] for begin in range(0, len(others), size))
    threads = work.run.on(EngineSettings()).prepare_threads or 0
    with _timed(result, "annotations", len(others)):
        for rows_of_batch in annotators.annotate_batches(batches, [category], faults, threads):
            found += rows_of_batch
    found = [*found[1:], found[0]][: len(rows)] if len(pictures) > 1 else found[1:]
    result.row_bytes = sum(len(str(row)) for row in found) / len(found)
    return found


def _measure_verdicts(
    work: StageWork, rows: Sequence[Row], found: Sequence[Row], result: Estimate
) -> None:
    both = [{**row, **annotated} for row, annotated in zip(rows, found, strict=True)]
    with _timed(result, "filters", len(both)):
        kept = list(filter_rows(both, work.settings.filters))
    body = work.context().body
    with _timed(result, "cameras", len(both)):
        list(add_cameras(kept, body, **work.settings.cameras.arguments(body)))
