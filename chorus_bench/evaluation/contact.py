"""Contact of the canonical body from a submission, compared with labels that somebody brings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.adapters.inputs import contact_of, find_inputs, read_item
from chorus_bench.adapters.kinds import KINDS
from chorus_bench.adapters.shapes import checked_contact
from chorus_bench.errors import InputError
from chorus_bench.evaluation.arguments import opened_submission
from chorus_bench.evaluation.truth import summary
from chorus_bench.evaluation.truth_file import TruthScores
from chorus_bench.evaluation.truth_samples import score_contact
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.metrics.contact import Geodesics, contact_probabilities
from chorus_bench.submission import Fields, Submission

#: Labels of at least this are contact.
_CONTACT = 0.5


def contact_labels_scores(
    submission: str | Path | Submission | Fields,
    labels: str | Path | Mapping[str, ArrayLike],
    *,
    body: BodyModel | str | Path = "default",
) -> TruthScores:
    """Compare the contact that canonical fields imply with contact labels.

    The contact probability of each vertex of the canonical body is read from the category's field
    (see `contact_probabilities`), and compared with every labelled person of that category. A
    category that the submission lacks counts as an empty field; one without labels is left out.

    Args:
        submission: a canonical submission, or fields in memory.
        labels: category -> (V,) or (S, V) labels; or a folder of ``<category>.npz`` (or .npy,
            .safetensors, .pt) with such an array, named ``contact`` or, as in DAMON,
            ``contact_label``. Labels of 0.5 or more are contact.
        body: the body of the labels; SMPL has 6,890 vertices.

    Returns:
        Scores of which only the measures of contact are defined.

    Raises:
        InputError: a posed submission, no labels, or labels on another body.
    """
    model = load_body(body)
    given = _read(Path(labels)) if isinstance(labels, str | Path) else dict(labels)
    if not given:
        raise InputError("no contact labels", expected="category -> labels")
    with ExitStack() as stack:
        opened = stack.enter_context(opened_submission(submission))
        found = {name: _predicted(opened, name, model) for name in given}
    geodesics, entries = Geodesics(model), []
    for name, values in given.items():
        people = checked_contact(values, model, name=f"the labels of '{name}'") >= _CONTACT
        for person in people:
            away = geodesics.to_nearest(person)
            entries.append(score_contact(name, found[name], person, away))
    return summary(entries)


def _predicted(submission: Submission, category: str, body: BodyModel) -> NDArray[np.float32]:
    if submission.track != "canonical":
        raise InputError(
            "a posed submission",
            where=submission.path,
            expected="canonical fields: labels without poses are compared on the canonical body",
            fix="on a split with truth in 3D, evaluate --truth compares posed contact",
        )
    if category not in submission.categories:
        return np.zeros(body.vertices, dtype=np.float32)
    return contact_probabilities(submission.field(category), body.canonical_vertices)


def _read(place: Path) -> dict[str, NDArray[Any]]:
    labels = {}
    for name, file in find_inputs(place, KINDS["contact"]).items():
        if not isinstance(file, Path):
            raise InputError(
                "is a folder", where=place / name, expected="one file for each category"
            )
        labels[name] = contact_of(read_item(file, KINDS["contact"]), file)
    return labels
