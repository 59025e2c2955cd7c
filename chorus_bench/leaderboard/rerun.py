"""Recipes of submissions: reading, repeating, and the command that repeats one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chorus_bench.baseline import run_baseline
from chorus_bench.datasets.named import NAMED_SPLITS, built_dataset
from chorus_bench.datasets.registry import get_builder
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.evaluation.posing import pose_submission
from chorus_bench.io.leftovers import temporary_folder
from chorus_bench.io.schemas import loaded, read_document
from chorus_bench.leaderboard.manifest import RunRecipe
from chorus_bench.plugins import BaselineSpec, get_baseline
from chorus_bench.progress import Progress

#: What a submission says of itself that its fields do not depend on.
_TEXTS = ("method", "description", "paper", "license", "training_data")


def read_recipe(file: str | Path) -> RunRecipe:
    """Read a recipe, and check its names and options without running anything.

    Args:
        file: a YAML file with the keys of `RunRecipe`.

    Raises:
        InputError: not a recipe (every problem is listed), an unknown baseline or builder, an
            unknown option or one of another type, a builder that reads files of the user, or
            fields that cannot be posed.
    """
    recipe = loaded(RunRecipe, read_document(Path(file)))
    check_recipe(recipe)
    return recipe


def check_recipe(recipe: RunRecipe) -> None:
    """Raise an `InputError` unless anybody with this installation can repeat a recipe."""
    baseline = get_baseline(recipe.baseline)
    baseline.check_options(recipe.options or {})
    if recipe.posed is not None:
        _check_posing(baseline, recipe.posed)
    builder = get_builder(recipe.data)
    builder.check_options(recipe.data_options or {})
    if builder.needs:
        raise InputError(
            f"builder '{recipe.data}' reads files that others must get first: "
            f"{', '.join(source.title for source in builder.needs)}",
            expected="a recipe that can be repeated from nothing, such as data: simulated",
            fix="publish the archive, and give its address with --url",
        )


def _check_posing(baseline: BaselineSpec, split: str) -> None:
    if baseline.track == "posed":
        raise InputError(
            f"the fields of '{baseline.name}' are posed already",
            expected="a baseline of the canonical track beside `posed`",
            fix="leave `posed` out",
        )
    if split not in NAMED_SPLITS:
        raise unknown_name("shipped split", split, NAMED_SPLITS)


def run_recipe(
    recipe: RunRecipe,
    output: Path,
    *,
    texts: Mapping[str, Any],
    body: str | Path | None = None,
    progress: Progress = lambda done, total: None,
) -> Path:
    """Make a submission from its recipe.

    Args:
        recipe: the recipe.
        output: the submission's folder, which must not exist.
        texts: what the submission said of itself: the block ``submission`` of its result. It
            goes into the new one, as a digest covers it.
        body: the body of the data; by default the free one.
        progress: called with (rows done, rows in all), then with samples that are posed.

    Raises:
        InputError: see `check_recipe`.
    """
    check_recipe(recipe)
    if recipe.posed is None:
        return _run(recipe, output, texts, body, progress)
    with temporary_folder() as place:
        canonical = _run(recipe, place / "canonical", texts, body, progress)
        return pose_submission(canonical, recipe.posed, output, body=body, progress=progress)


def _run(
    recipe: RunRecipe,
    output: Path,
    texts: Mapping[str, Any],
    body: str | Path | None,
    progress: Progress,
) -> Path:
    """Run the recipe's baseline."""
    return run_baseline(
        recipe.baseline,
        built_dataset(recipe.data, **(recipe.data_options or {})),
        output,
        body=body,
        seed=recipe.seed,
        options=recipe.options,
        texts={key: texts[key] for key in _TEXTS if key in texts},
        progress=progress,
    )


def repeat_command(slug: str, *, recipe: bool, url: str | None) -> str | None:
    """Return the command that makes or scores an entry's submission again; None if there is none.

    Args:
        slug: name of the entry's folder.
        recipe: whether the entry records a recipe.
        url: address of the submission's archive.
    """
    command = f"chorus-bench leaderboard verify leaderboard/entries/{slug}"
    if recipe:
        return f"{command} --rerun"
    return None if url is None else f"{command} --submission {url.rpartition('/')[2] or 'ARCHIVE'}"
