"""Annotation of pictures of any origin, with the stages of the synthesis after its images."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from chorus_bench.datasets.folder import STATISTICS
from chorus_bench.datasets.recipe import CardText, Recipe
from chorus_bench.datasets.statistics import DatasetStatistics
from chorus_bench.engines import EngineSettings, end_inner_run
from chorus_bench.errors import InputError
from chorus_bench.io.locks import only_run
from chorus_bench.synthesis.card import dataset_card
from chorus_bench.synthesis.jobs import RunSettings, StageWork
from chorus_bench.synthesis.manifests import manifests_after, refuse_changes, stages_from
from chorus_bench.synthesis.picture_source import PictureSource
from chorus_bench.synthesis.pipeline import (
    LOADERS,
    Progress,
    Session,
    StageReport,
    Synthesis,
    check_output,
    work_folder,
)
from chorus_bench.synthesis.plan import Plan
from chorus_bench.synthesis.recipe import PAPER, TASKS, finished_recipe
from chorus_bench.synthesis.requirements import check_annotation, check_truth
from chorus_bench.synthesis.settings import SynthesisSettings
from chorus_bench.synthesis.stages.pictures import (
    PictureReader,
    is_read,
    pictures_manifest,
    read_notes,
)
from chorus_bench.synthesis.work_folder import ROW_STAGES, Manifest, StageFolder

#: Sections of the settings that are of the synthesis alone.
_UNUSED = ("prompts", "images")

NAME, VERSION = "annotated", "1.0.0"

_HERE, _ON_CPU = EngineSettings(), RunSettings()
_NO_PLAN = Plan({}, (), {})

CARD = CardText(
    title="Annotated human-object pictures",
    summary=(
        "Pictures with masks, keypoints, body poses, the verdict of the filters, and perspective "
        "cameras of the kept ones (CHORUS, section 3.2, and the image search of its table 1)."
    ),
    construction=(
        "`chorus-bench annotate`: people, objects, keypoints and poses of every picture, then "
        "filters and cameras, as for synthesised images."
    ),
    license="other",
    license_note=(
        "The pictures belong to their owners; do not publish them without their permission. The "
        "annotations are made by the models named above, whose licenses decide what they may be "
        "used for."
    ),
    citation=PAPER,
    tags=("human-object-interaction",),
    header={
        "license_name": "pictures-of-their-owners",
        "annotations_creators": ["machine-generated"],
        "task_categories": list(TASKS),
    },
)


def annotate(
    source: PictureSource,
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
    """Annotate pictures, filter them, fit their cameras, and write them as a training set.

    The stages, their workers and what they keep are those of `synthesize`; what exists is not
    made again.

    Args:
        source: the pictures, see `chorus_bench.synthesis.sources.open_source`.
        settings: settings of annotators, filters, cameras, shards; those of prompts and images
            are not used, and the categories are the source's.
        output: the dataset's folder; the stages are in ``<output>.work`` beside it.
        stage: run only this one of `ROW_STAGES`; those before it must be finished.
        redo: repeat this stage and all after it.
        overwrite: delete all stages and the dataset first.
        engine: where shards are annotated.
        run: how the run is executed.
        progress: called with (stage, done, total).
        command: the command line, for the card.

    Raises:
        InputError: invalid settings, a model that is not available, no usable picture, another
            run in the same place, or stages that were made with other settings or pictures.
        ChorusBenchError: a model failed.
        WriteError: the disk is full, ...; finished work is kept for the next run.
    """
    end_inner_run(engine.workers)
    settings = settings.model_copy(update={"categories": source.categories})
    check_annotation(settings, stage, redo)
    if not source.addressed and stage in (None, "annotations"):
        check_truth(settings, source.name)
    target, work = Path(output), work_folder(output)
    check_output(target, work, NAME, "a dataset of annotated pictures")
    with only_run(work):
        discarded = ROW_STAGES if overwrite else stages_from(redo) if redo else ()
        session = _PictureSession(
            settings,
            target,
            work,
            engine,
            run.on(engine),
            progress,
            discarded,
            stage,
            source=source,
        )
        return session.run_stages(ROW_STAGES, command)


@dataclass(kw_only=True)
class _PictureSession(Session):
    """A run in a work folder whose images are read from a source."""

    source: PictureSource

    @property
    def _images(self) -> StageFolder:
        return StageFolder(self.work, "images")

    def _refuse_changes(self) -> None:
        there = self._images.load_manifest()
        if "images" in self.discarded or there is None:
            return
        wanted = pictures_manifest(
            self.source, self.settings.shard_size, there.shards, there.inputs
        )
        refuse_changes(self.work, [wanted])
        if is_read(there):
            later = manifests_after(there, self.settings).values()
            refuse_changes(self.work, [m for m in later if m.stage not in self.discarded])

    def _manifests(self) -> dict[str, Manifest]:
        manifest = self._images.complete_manifest()
        if not is_read(manifest):
            raise InputError(
                "not all pictures have been read",
                where=self._images.path,
                fix="run the stage 'images' first",
            )
        return manifests_after(manifest, self.settings)

    def run_stage(self, name: str) -> StageReport:
        """Run the missing part of one stage."""
        return self._read_pictures() if name == "images" else self._run_rows(name)

    def _read_pictures(self) -> StageReport:
        there = self._images.load_manifest()
        if is_read(there):
            manifest = self._images.complete_manifest()
            return StageReport("images", 0, 0.0, len(manifest.shards), self._left_out(manifest))
        self._check_annotators()
        self.progress("images", 0, 0)
        made = PictureReader(
            self.source,
            self._images,
            self.settings.shard_size,
            lambda rows: self.progress("images", rows, 0),
        ).read()
        manifest = self._images.complete_manifest()
        rows = sum(record.rows for record in made.values())
        seconds = sum(record.seconds for record in made.values())
        found = len(manifest.shards) - len(made)
        return StageReport("images", rows, seconds, found, self._left_out(manifest))

    def _left_out(self, manifest: Manifest) -> Mapping[str, int]:
        notes = [*self.source.notes, *read_notes(self._images, manifest)]
        return dict(Counter(f"left out, {note.reason}" for note in notes).most_common())

    def _stage_work(self, name: str) -> StageWork:
        return StageWork(name, LOADERS[name], self.work, self.settings, _NO_PLAN, self.run)

    def _recipe(
        self, manifests: Mapping[str, Manifest], statistics: DatasetStatistics, command: str
    ) -> Recipe:
        models = self._models(manifests)
        named = (f"--category {shlex.quote(name)}" for name in self.settings.categories)
        again = " ".join(["annotate SOURCE", *named])
        recipe = finished_recipe(
            self.work,
            NAME,
            VERSION,
            card=dataset_card(CARD, again, self.settings, statistics, models, _UNUSED),
            metadata={STATISTICS: statistics.as_dict(), "pictures": self.source.name},
            command=command,
        )
        notes = read_notes(self._images, manifests["images"])
        return replace(recipe, notes=(*self.source.notes, *notes))
