"""What a run will need, checked before its first image."""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection, Iterator
from dataclasses import replace

from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.body_files import load_body
from chorus_bench.synthesis.interfaces import Context
from chorus_bench.synthesis.manifests import views_of
from chorus_bench.synthesis.registry import Kind, check_options
from chorus_bench.synthesis.settings import Component, SynthesisSettings
from chorus_bench.synthesis.specs import SIMULATED
from chorus_bench.synthesis.stages.annotations import Annotators, make_segmenters
from chorus_bench.synthesis.work_folder import ROW_STAGES, STAGES


def components(settings: SynthesisSettings) -> Iterator[tuple[str, Kind, Component]]:
    """Yield the stage, the kind and the name of every generator and annotator."""
    found = settings.annotations
    yield "images", "generator", settings.images.generator
    yield "annotations", "segmenter", found.segmenter
    if found.object_segmenter is not None:
        yield "annotations", "segmenter", found.object_segmenter
    yield "annotations", "keypoint detector", found.keypoints
    yield "annotations", "pose estimator", found.pose


def check_request(
    settings: SynthesisSettings,
    stage: str | None = None,
    redo: str | None = None,
    *,
    complete: bool = True,
) -> None:
    """Check everything that can be known without loading a model.

    Args:
        settings: settings of the synthesis.
        stage: the only stage that will run; None for all.
        redo: the stage from which on the run repeats.
        complete: whether components will be made, so that none of their options may be missing.

    Raises:
        InputError: an unknown stage, no category or no number of images for one, an unknown
            component or option, one that is missing or of the wrong type, or a file that a stage
            of this run needs and that is not there.
    """
    for name in (stage, redo):
        if name is not None and name not in STAGES:
            raise unknown_name("stage", name, STAGES)
    if not settings.categories:
        raise InputError(
            "no category is named", expected="one or more objects", fix="add --category surfboard"
        )
    _check_components(settings, STAGES, stage if complete else "")
    views = len(views_of(settings))
    for category in settings.categories:
        settings.images.total_of(category, prompts=1, views=views)
    settings.cameras.points(load_body(settings.body))


def check_annotation(
    settings: SynthesisSettings, stage: str | None = None, redo: str | None = None
) -> None:
    """Check what can be known before pictures are annotated, without loading a model.

    Args:
        settings: settings of the annotation; those of prompts and images are not looked at.
        stage: the only stage that will run; None for all.
        redo: the stage from which on the run repeats.

    Raises:
        InputError: an unknown stage, annotator or option, one that is missing or of the wrong
            type, or a file that a stage of this run needs and that is not there.
    """
    for name in (stage, redo):
        if name is not None and name not in ROW_STAGES:
            raise unknown_name("stage", name, ROW_STAGES)
    _check_components(settings, ("annotations",), stage)
    settings.cameras.points(load_body(settings.body))


def check_truth(settings: SynthesisSettings, pictures: object) -> None:
    """Check that annotators can know pictures that say nothing of their origin.

    Args:
        settings: settings with the annotators.
        pictures: what the pictures are called.

    Raises:
        InputError: an annotator knows the simulated world alone, and not what shows these.
    """
    for used_by, kind, component in components(settings):
        known = component.name != SIMULATED or component.options.get("truth") is not None
        if used_by == "annotations" and not known:
            raise InputError(
                f"the {kind} '{SIMULATED}' knows the simulated world alone",
                where=pictures,
                expected="annotators that look at pictures",
                fix="name them in --config (`chorus-bench annotators` lists them); or, if "
                "chorus-bench drew these pictures, give the option `truth` their dataset",
            )


def _check_components(
    settings: SynthesisSettings, stages: Collection[str], made: str | None
) -> None:
    """Check the components of some stages; those of ``made`` (None for all) are to be made."""
    for used_by, kind, component in components(settings):
        if used_by in stages:
            complete = made in (None, used_by)
            check_options(kind, component.name, component.options, complete=complete)


def check_annotators(settings: SynthesisSettings, context: Context, stage: str | None) -> None:
    """Load the annotators of a run and let them go again.

    Args:
        settings: settings of the synthesis.
        context: the run's context.
        stage: the only stage that will run. The images alone need segmenters that know the
            categories; keypoints and poses may come later.

    Raises:
        InputError: a model that is not available, or a category that a segmenter does not know.
    """
    if stage is None:
        Annotators.make(settings.annotations, context)
    else:
        make_segmenters(settings.annotations, context)
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and context.device.startswith("cuda"):
        torch.cuda.empty_cache()


def here(context: Context, engine: str) -> Context:
    """Return the context for models that are loaded here while workers are elsewhere."""
    return replace(context, device="cpu") if engine == "ray" else context
