"""The whole synthesis: all stages in order, on an engine, resumable, to a dataset folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from chorus_bench.datasets.export import Built
from chorus_bench.datasets.folder import STATISTICS, DatasetInfo, read_metadata
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.schema import KEPT
from chorus_bench.datasets.statistics import DatasetStatistics, RowCounts, folder_statistics
from chorus_bench.engines import EngineSettings, end_inner_run, run_jobs
from chorus_bench.errors import InputError
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.leftovers import remove
from chorus_bench.io.locks import only_run
from chorus_bench.synthesis.assembly import FOLDER, Assembly
from chorus_bench.synthesis.card import dataset_card
from chorus_bench.synthesis.jobs import Loader, RunSettings, StageWork, context_of
from chorus_bench.synthesis.manifests import (
    plan_of,
    prompts_manifest,
    refuse_changes,
    row_manifests,
    stages_from,
)
from chorus_bench.synthesis.recipe import CARD, NAME, synthesized_recipe
from chorus_bench.synthesis.requirements import check_annotators, check_request, here
from chorus_bench.synthesis.settings import SynthesisSettings
from chorus_bench.synthesis.stages.annotations import load_annotations
from chorus_bench.synthesis.stages.cameras import load_cameras
from chorus_bench.synthesis.stages.filters import load_filters
from chorus_bench.synthesis.stages.images import load_images
from chorus_bench.synthesis.stages.prompts import Prompts, load_prompts, make_prompts
from chorus_bench.synthesis.work_folder import ROW_STAGES, STAGES, Manifest, Record, StageFolder

#: Called with (stage, done, total).
Progress = Callable[[str, int, int], None]

SETTINGS_FILE = "settings.yaml"

#: The stages with rows by name.
LOADERS: dict[str, Loader] = {
    "images": load_images,
    "annotations": load_annotations,
    "filters": load_filters,
    "cameras": load_cameras,
}
_HERE, _ON_CPU = EngineSettings(), RunSettings()


@dataclass(frozen=True)
class StageReport:
    """The work of a run in a stage.

    Attributes:
        stage: the stage.
        rows: number of rows in the shards made by this run.
        seconds: time of making them, summed over the workers.
        found: number of shards that existed already.
        counts: number of events by kind, over all shards of the stage.
        empty: categories without a kept image; only of the last stage.
    """

    stage: str
    rows: int
    seconds: float
    found: int
    counts: Mapping[str, int]
    empty: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Synthesis:
    """The results of a run.

    Attributes:
        work: the folder of the stages.
        stages: the work in each stage.
        dataset: the finished dataset; None if the run ended before the last stage.
        statistics: statistics of the dataset.
    """

    work: Path
    stages: tuple[StageReport, ...]
    dataset: Built | None = None
    statistics: DatasetStatistics | None = field(default=None, repr=False)

    def check_kept(self) -> None:
        """Raise an `InputError` with the reasons if the last stage has kept no image."""
        last = self.stages[-1]
        if last.stage == STAGES[-1]:
            refuse_nothing_kept(last.counts, self.work)


def work_folder(output: str | Path) -> Path:
    """Return the folder of a dataset's stages: ``<output>.work``, beside it."""
    target = Path(output)
    return target.with_name(f"{target.name}.work")


def synthesize(
    settings: SynthesisSettings,
    output: str | Path,
    *,
    stage: str | None = None,
    redo: str | None = None,
    overwrite: bool = False,
    engine: EngineSettings = _HERE,
    run: RunSettings = _ON_CPU,
    progress: Progress = lambda stage, done, total: None,
    command: str = "",
) -> Synthesis:
    """Make a dataset of synthesised images, or one stage of it.

    What exists is not made again: the run continues where an earlier one stopped. The same settings
    give the same bytes with any engine and any number of workers, as far as the models allow (see
    `ImageSettings.layout`).

    Args:
        settings: settings of the synthesis.
        output: the dataset's folder; the stages are in ``<output>.work`` beside it.
        stage: run only this one of `STAGES`; those before it must be finished.
        redo: repeat this stage and all after it.
        overwrite: delete all stages and the dataset first.
        engine: where shards are made.
        run: how the run is executed.
        progress: called with (stage, done, total).
        command: the command line, for the card.

    Raises:
        InputError: invalid settings, a model that is not available, another run in the same
            place, or stages that were made with other settings.
        ChorusBenchError: a model failed.
        WriteError: the disk is full, ...; finished work is kept for the next run.
    """
    end_inner_run(engine.workers)
    target, work = Path(output), work_folder(output)
    check_request(settings, stage, redo)
    check_output(target, work, NAME, "a synthesised dataset")
    with only_run(work):
        discarded = STAGES if overwrite else stages_from(redo) if redo else ()
        session = Session(
            settings, target, work, engine, run.on(engine), progress, discarded, stage
        )
        return session.run_stages(STAGES, command)


def check_output(target: Path, work: Path, name: str, kind: str) -> None:
    """Refuse to write over something that is not a dataset of the same command.

    Args:
        target: the dataset's folder.
        work: the folder of its stages.
        name: the name of the datasets that the command makes.
        kind: what they are, in words.

    Raises:
        InputError: it is something else, or its stages are not there.
    """
    if not target.exists():
        return
    if not work.is_dir():
        raise InputError(
            "already exists, but its stages do not",
            where=target,
            expected=f"a new folder, or one beside its stages ({work.name})",
            fix="choose another output",
        )
    if _metadata(target).get("name") != name:
        raise InputError(
            f"already exists and is not {kind}",
            where=target,
            expected="a new folder",
            fix="move it away, or choose another output",
        )


def refuse_nothing_kept(counts: Mapping[str, int], work: Path) -> None:
    """Raise an `InputError` with the reasons if no image was kept.

    Args:
        counts: number of images by reason or verdict, of the last stage.
        work: the work folder.
    """
    if counts.get(KEPT):
        return
    said = ", ".join(f"{reason}: {count}" for reason, count in counts.items())
    raise InputError(
        f"none of {sum(counts.values())} images is kept ({said})",
        where=work,
        expected="at least one image that passes the filters and has a camera",
        fix="look at some of the images; use other annotators or filters and repeat from their "
        "stage on, for example --set filters.keypoints=none --redo filters; or make more images",
    )


def _metadata(target: Path) -> dict[str, Any]:
    return read_metadata(target) if target.is_dir() else {}


@dataclass
class Session:
    """One run in a work folder."""

    settings: SynthesisSettings
    target: Path
    work: Path
    engine: EngineSettings
    run: RunSettings
    progress: Progress
    discarded: Sequence[str] = ()
    only: str | None = None

    def __post_init__(self) -> None:
        self._refuse_changes()
        if "images" in self.discarded and StageFolder(self.work, "images").load_manifest():
            self._check_annotators()
        for name in self.discarded:
            StageFolder(self.work, name).remove()
        if "images" in self.discarded:
            remove(self.work / FOLDER)
        atomic_write_bytes(self.work / SETTINGS_FILE, self.settings.to_yaml().encode())

    def _refuse_changes(self) -> None:
        """Refuse changes to stages that are kept, before anything is removed."""
        if "prompts" in self.discarded:
            return
        refuse_changes(self.work, [prompts_manifest(self.settings)])
        if self._prompts_folder.load_manifest() is not None and self._prompts_are_there():
            wanted = self._manifests().values()
            refuse_changes(self.work, [m for m in wanted if m.stage not in self.discarded])

    @property
    def _prompts_folder(self) -> StageFolder:
        return StageFolder(self.work, "prompts")

    def _prompts_are_there(self) -> bool:
        names = self.settings.categories
        return all((self._prompts_folder.path / f"{name}.txt").is_file() for name in names)

    def _prompts(self) -> Prompts:
        if self._prompts_folder.load_manifest() is None or not self._prompts_are_there():
            raise InputError(
                "the stage 'prompts' has not been run",
                where=self._prompts_folder.path,
                fix="run the stage 'prompts' first",
            )
        return load_prompts(self.settings.categories, self._prompts_folder.path)

    def _manifests(self) -> dict[str, Manifest]:
        return row_manifests(self.settings, self._prompts())

    def run_stages(self, stages: Sequence[str], command: str) -> Synthesis:
        """Run all stages, or the only one wanted; after the last one, assemble the dataset."""
        chosen = (self.only,) if self.only else stages
        reports = tuple(self.run_stage(name) for name in chosen)
        if chosen[-1] != stages[-1]:
            return Synthesis(self.work, reports)
        return Synthesis(self.work, reports, *self.assemble(command))

    def run_stage(self, name: str) -> StageReport:
        """Run the missing part of one stage."""
        return self._run_prompts() if name == "prompts" else self._run_rows(name)

    def _run_prompts(self) -> StageReport:
        names = self.settings.categories
        self.progress("prompts", 0, len(names))
        self._prompts_folder.save_manifest(prompts_manifest(self.settings))
        folder = self._prompts_folder.path
        found = sum((folder / f"{name}.txt").is_file() for name in names)
        prompts = make_prompts(names, self.settings.prompts, seed=self.settings.seed, folder=folder)
        counts = {category: len(texts) for category, texts in prompts.items()}
        return StageReport("prompts", sum(counts.values()), 0.0, found, counts)

    def _run_rows(self, name: str) -> StageReport:
        manifests = self._manifests()
        if name != ROW_STAGES[0]:
            StageFolder(self.work, ROW_STAGES[ROW_STAGES.index(name) - 1]).complete_manifest()
        manifest, folder = manifests[name], StageFolder(self.work, name)
        folder.tidy(manifest)
        folder.save_manifest(manifest)
        found = folder.records(manifest)
        todo = [shard for shard in manifest.shards if shard.name not in found]
        if todo and name == "images":
            self._check_annotators()
        made = self._make(name, manifest, len(found), todo)
        everything = {**found, **made}
        counts = sum((Counter(record.counts) for record in everything.values()), Counter())
        rows, seconds = (
            sum(getattr(record, part) for record in made.values()) for part in ("rows", "seconds")
        )
        kept = {s.category for s in manifest.shards if everything[s.name].counts.get(KEPT)}
        last = name == STAGES[-1]
        empty = tuple(c for c in self.settings.categories if last and c not in kept)
        done = dict(counts.most_common())
        return StageReport(name, int(rows), float(seconds), len(found), done, empty)

    def _check_annotators(self) -> None:
        """Detect what annotators lack before images are made or deleted, not after."""
        context = here(context_of(self.settings, self.run), self.engine.name)
        check_annotators(self.settings, context, self.only)

    def _make(
        self, name: str, manifest: Manifest, found: int, todo: Sequence[Any]
    ) -> dict[str, Record]:
        made: dict[str, Record] = {}
        self.progress(name, found, len(manifest.shards))
        for result in run_jobs(self._stage_work(name), todo, self.engine):
            shard = result.pop("shard")
            made[shard] = Record(**result)
            self.progress(name, found + len(made), len(manifest.shards))
        return made

    def _stage_work(self, name: str) -> StageWork:
        plan = plan_of(self.settings, self._prompts())
        return StageWork(name, LOADERS[name], self.work, self.settings, plan, self.run)

    def assemble(self, command: str) -> tuple[Built, DatasetStatistics]:
        """Assemble the stages to a dataset folder with its card, unless it exists.

        The files are made on the engine; this process links to them and writes the card.
        """
        manifests = self._manifests()
        recipe = self._recipe(manifests, RowCounts().statistics(), command)
        there = self._finished(recipe.inputs["stages"])
        if there is not None:
            return there, folder_statistics(self.target)
        assembly = Assembly(recipe, self.work, self.target)
        assembly.make_files(replace(self.engine, gpus=0.0), partial(self.progress, "dataset"))
        statistics = assembly.statistics()
        return assembly.publish(self._recipe(manifests, statistics, command)), statistics

    def _recipe(
        self, manifests: Mapping[str, Manifest], statistics: DatasetStatistics, command: str
    ) -> Recipe:
        models = self._models(manifests)
        return synthesized_recipe(
            self.work,
            card=dataset_card(CARD, "synthesize", self.settings, statistics, models),
            metadata={STATISTICS: statistics.as_dict()},
            command=command,
        )

    def _finished(self, key: str) -> Built | None:
        """Return the dataset if it exists and was made from these stages."""
        if _metadata(self.target).get("stages") != key:
            return None
        return Built(self.target, DatasetInfo.load(self.target), (), 0)

    def _models(self, manifests: Mapping[str, Manifest]) -> dict[str, tuple[str, ...]]:
        """Return the models that made the rows: role -> models."""
        found: dict[str, dict[str, None]] = {}
        for stage in ("images", "annotations"):
            for record in StageFolder(self.work, stage).records(manifests[stage]).values():
                for role, model in record.models.items():
                    found.setdefault(role, {})[model] = None
        return {role: tuple(models) for role, models in found.items()}
