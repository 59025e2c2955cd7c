"""Figures of interaction types: the fields by prompt, by body part, and by both.

Source: the paper, section 3.4; docs/method.md M18. Needs matplotlib.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, count_of
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.progress import ProgressLike, reported
from chorus_bench.report.canvas import panels, save_figure
from chorus_bench.report.drawing import SIDES, Viewer, draw_field
from chorus_bench.report.figures import field_top, fields_figure
from chorus_bench.submission import InteractionType, Submission

_PIXELS = 170
_LETTERS = 36  # in a line of a title


@checked
def draw_types(
    submission: Submission,
    body: BodyModel,
    folder: str | Path,
    *,
    categories: Sequence[str] | None = None,
    progress: ProgressLike = None,
) -> list[Path]:
    """Write the figures of the interaction types, as far as a category has them.

    ``<category>-prompts.png`` shows the category's field and that of each prompt,
    ``<category>-parts.png`` those of the body parts, and ``<category>-prompts-parts.png`` a table
    of the fields of both.

    Args:
        submission: an open submission of the canonical track.
        body: the body that is drawn, in the canonical pose.
        folder: where to write.
        categories: only these; None for all.
        progress: called with (categories done, categories in all); by default a bar in terminals
            and notebooks, False for none.

    Raises:
        InputError: no such category, or no interaction type in any of them.
        MissingDependencyError: matplotlib is not installed.
    """
    chosen = list(submission.categories if categories is None else categories)
    written: list[Path] = []
    with reported(progress, "Drawing fields") as report:
        for number, category in enumerate(chosen):
            report(number, len(chosen))
            for name, figure in _figures(submission, category, body):
                written.append(save_figure(figure, Path(folder) / f"{category}-{name}.png"))
        report(len(chosen), len(chosen))
    if not written:
        raise InputError(
            "no fields of interaction types",
            where=submission.path,
            fix="make them with `chorus-bench baseline run chorus --by-prompt --part torso`",
        )
    return written


def _figures(submission: Submission, category: str, body: BodyModel) -> Iterator[tuple[str, Any]]:
    """Yield the figures of a category, with the ends of their names."""
    kinds = submission.interactions(category)
    groups = {
        "prompts": [kind for kind in kinds if kind.part is None],
        "parts": [kind for kind in kinds if kind.prompt is None and kind.part is not None],
    }
    for name, group in groups.items():
        if group:
            yield name, fields_figure(_fields(submission, category, group), body)
    if any(kind.prompt and kind.part for kind in kinds):
        yield "prompts-parts", pairs_figure(submission, category, body)


def pairs_figure(
    submission: Submission, category: str, body: BodyModel, side: str = "front"
) -> Any:  # noqa: ANN401 - matplotlib is not typed here
    """Return a table of fields: a row per prompt, a column per body part, the whole first.

    Args:
        submission: an open submission of the canonical track.
        category: one of its categories.
        body: the body that is drawn.
        side: one of `SIDES`.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    kinds = {(kind.prompt, kind.part): kind for kind in submission.interactions(category)}
    prompts = [None, *dict.fromkeys(prompt for prompt, _ in kinds if prompt)]
    parts = [None, *dict.fromkeys(part for _, part in kinds if part)]
    figure, axes = panels(len(prompts), len(parts), 1.9, 2.0)
    viewer = Viewer(SIDES[side], _PIXELS)
    for line, prompt in zip(axes, prompts, strict=True):
        line[0].set_ylabel(prompt or "all prompts", fontsize=6)
        for place, part in zip(line, parts, strict=True):
            kind = kinds.get((prompt, part))
            place.set_title(part or "whole body", fontsize=7)
            if kind is None and (prompt, part) != (None, None):
                place.set_axis_off()
                continue
            field = _field(submission, category, kind)
            place.imshow(draw_field(field, body, viewer, field_top(field)))
    return figure


def _fields(
    submission: Submission, category: str, kinds: Sequence[InteractionType]
) -> dict[str, OccupancyGrid]:
    whole = {f"{category} (all)": submission.field(category)}
    return whole | {_title(kind): _field(submission, category, kind) for kind in kinds}


def _field(submission: Submission, category: str, kind: InteractionType | None) -> OccupancyGrid:
    if kind is None:
        return submission.field(category)
    return submission.interaction_field(category, kind.name)


def _title(kind: InteractionType) -> str:
    """Return a type's meaning, in short lines, with its share and number of views."""
    meaning = ", ".join(text for text in (kind.prompt, kind.part) if text) or kind.name
    share = None if kind.share is None else f"{100 * kind.share:.0f} %"
    views = None if kind.views is None else count_of(kind.views, "view")
    said = ", ".join(text for text in (share, views) if text)
    return textwrap.fill(f"{meaning} ({said})" if said else meaning, _LETTERS)
