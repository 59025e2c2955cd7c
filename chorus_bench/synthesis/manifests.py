"""Manifests of the stages, and their comparison with those of a work folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chorus_bench.datasets.view_conditions import VIEWS, ViewCondition, read_views
from chorus_bench.errors import InputError, list_some
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.synthesis.plan import Plan
from chorus_bench.synthesis.settings import SynthesisSettings
from chorus_bench.synthesis.stages.prompts import Prompts, prompts_digest
from chorus_bench.synthesis.work_folder import ROW_STAGES, STAGES, Manifest, StageFolder

_MISSING = "nothing"


def prompts_manifest(settings: SynthesisSettings) -> Manifest:
    """Return the manifest of the stage without rows."""
    tree = settings.as_dict()
    chosen = {name: tree[name] for name in ("categories", "seed", "prompts")}
    return Manifest("prompts", chosen)


def views_of(settings: SynthesisSettings) -> tuple[ViewCondition, ...]:
    """Return the view conditions.

    Raises:
        InputError: their file is missing or damaged.
    """
    return VIEWS if settings.images.views is None else read_views(settings.images.views)


def plan_of(settings: SynthesisSettings, prompts: Prompts) -> Plan:
    """Return the plan of the images.

    Raises:
        InputError: no number of images is set for a category, or see `views_of`.
    """
    views = views_of(settings)
    images = settings.images
    totals = {
        name: images.total_of(name, prompts=len(texts), views=len(views))
        for name, texts in prompts.items()
    }
    return Plan(prompts, views, totals)


def row_manifests(settings: SynthesisSettings, prompts: Prompts) -> dict[str, Manifest]:
    """Return the manifests of the stages with rows, each linked to the one before it."""
    tree, plan = settings.as_dict(), plan_of(settings, prompts)
    images = Manifest(
        "images",
        {
            **{name: tree[name] for name in ("seed", "shard_size", "threads", "images")},
            "views": {view.name: view.suffix for view in plan.views},
            "prompts": prompts_digest(prompts),
            "body": load_body(settings.body).label,
        },
        prompts_manifest(settings).key,
        plan.shards(settings.shard_size),
    )
    return manifests_after(images, settings)


def manifests_after(images: Manifest, settings: SynthesisSettings) -> dict[str, Manifest]:
    """Return the manifests of the stages with rows, given that of their images."""
    tree, model = settings.as_dict(), load_body(settings.body)
    body = model.label
    own: dict[str, dict[str, Any]] = {
        "annotations": {
            "annotations": tree["annotations"],
            "threads": settings.threads,
            "body": body,
        },
        "filters": {"filters": tree["filters"]},
        "cameras": {"cameras": _camera_settings(settings, model), "body": body},
    }
    manifests = {"images": images}
    before = images
    for stage in ROW_STAGES[1:]:
        before = manifests[stage] = Manifest(stage, own[stage], before.key, images.shards)
    return manifests


def _camera_settings(settings: SynthesisSettings, body: BodyModel) -> dict[str, Any]:
    """Return the settings of the cameras with the content of the regressor, not its path."""
    chosen = settings.as_dict()["cameras"]
    file, name = settings.cameras.joint_regressor, settings.cameras.points(body).name
    if file is not None:
        name = f"{name} ({hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]})"
    return {**chosen, "joint_regressor": name}


def refuse_changes(work: Path, wanted: Sequence[Manifest]) -> None:
    """Raise an `InputError` if stages that have begun were made with other settings.

    Args:
        work: the work folder.
        wanted: the manifests that this run would write.
    """
    lines: list[str] = []
    stages: list[str] = []
    for manifest in wanted:
        there = StageFolder(work, manifest.stage).load_manifest()
        if there is None or there.key == manifest.key:
            continue
        stages.append(manifest.stage)
        found = differences(there.settings, manifest.settings)
        if found or not lines:
            lines += found or [f"{manifest.stage}: other shards or earlier stages"]
    if lines:
        first = stages[0]
        raise InputError(
            f"was made with other settings: {list_some(list(dict.fromkeys(lines)), 12)}",
            where=work,
            expected="the settings with which it was begun (there -> requested)",
            fix=f"choose another output; or repeat the stages from '{first}' on with "
            f"--redo {first}",
        )


def differences(there: Mapping[str, Any], wanted: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the differences between two trees of settings, as ``name: there -> wanted``."""
    found = []
    for key in dict.fromkeys([*there, *wanted]):
        old, new = there.get(key, _MISSING), wanted.get(key, _MISSING)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}: {old!r} -> {new!r}")
    return found


def stages_from(stage: str) -> tuple[str, ...]:
    """Return a stage and all stages after it."""
    return STAGES[STAGES.index(stage) :]
