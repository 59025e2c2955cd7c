"""3D scores as text, together with PAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from chorus_bench.errors import unknown_name
from chorus_bench.report.tables import TABLE_FORMATS, percent

if TYPE_CHECKING:
    from chorus_bench.evaluation.results import EvaluationResult
    from chorus_bench.evaluation.truth_file import TruthScores

_LEGEND = """\
Against the ground truth in 3D. soft IoU: sum of minima over sum of maxima, higher is better. Brier:
mean squared difference over all voxels; calibration: mean difference between predicted probability
and observed frequency; lower is better for both. PAP rewards the order of the voxels rather than
their probabilities: a field may do well by one and badly by the other."""


_MORE = """\
Mean over the categories, with 95 % intervals. Chamfer, F-scores and contact at the level that is
best for each category, and at 0.5. Chamfer: mean distance between the surfaces; F: share of surface
points within 5 or 10 cm of the other surface; centre: distance between the centres of mass.
Contact: vertices within 5 cm of the object; geodesic: along the skin, from predicted to true
contact; similarity and MAE of normalised contact maps. docs/evaluation.md states what counts where
something is empty."""


@dataclass(frozen=True)
class Measure:
    """How a measure is shown.

    Attributes:
        key: its name in results.
        label: its name for people.
        factor: from stored to shown.
        digits: decimals.
        higher: whether higher is better.
    """

    key: str
    label: str
    factor: float
    digits: int
    higher: bool

    def shown(self, value: float | None, bounds: Sequence[float] | None) -> str:
        """Return a value with its interval; n/a for None."""
        if value is None:
            return "n/a"
        text = f"{self.factor * value:.{self.digits}f}"
        if bounds is None:
            return text
        low, high = (f"{self.factor * end:.{self.digits}f}" for end in bounds)
        return f"{text} [{low}, {high}]"


def _measures() -> tuple[Measure, ...]:
    at_level = [
        ("chamfer", "Chamfer, cm", 100, 2),
        ("f_5cm", "F at 5 cm, %", 100, 2),
        ("f_10cm", "F at 10 cm, %", 100, 2),
        ("contact_precision", "contact precision, %", 100, 2),
        ("contact_recall", "contact recall, %", 100, 2),
        ("contact_f1", "contact F1, %", 100, 2),
        ("contact_geodesic", "contact geodesic, cm", 100, 2),
    ]
    plain = [
        ("soft_iou", "soft IoU, %", 100, 2),
        ("brier", "Brier", 1, 5),
        ("calibration_error", "calibration", 1, 5),
        ("centre_error", "centre, cm", 100, 2),
        ("contact_similarity", "contact similarity, %", 100, 2),
        ("contact_mae", "contact MAE", 1, 4),
    ]
    stated = [(f"{key}_at_0.5", f"{label} (at 0.5)", f, d) for key, label, f, d in at_level]
    return tuple(
        Measure(*one, one[0].removesuffix("_at_0.5") not in _LOW)
        for one in [*plain, *at_level, *stated]
    )


#: Measures of which lower is better.
_LOW = ("chamfer", "contact_geodesic", "brier", "calibration_error", "centre_error", "contact_mae")
#: The measures in the order of tables and pages.
MEASURES = _measures()


def measure_named(name: str) -> Measure:
    """Return the measure of a name, as in `truth.json`.

    Raises:
        InputError: there is none.
    """
    known = {one.key: one for one in MEASURES}
    if name not in known:
        raise unknown_name("measure", name, known)
    return known[name]


def measure_rows(
    measures: Mapping[str, float | None], intervals: Mapping[str, Sequence[float]]
) -> list[tuple[str, str]]:
    """Return the labels and the values with intervals of the measures that are there."""
    return [
        (one.label, one.shown(measures[one.key], intervals.get(one.key)))
        for one in MEASURES
        if one.key in measures
    ]


def truth_table(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the content of a `truth.json` in the form that the page shows; None if it is old.

    Returns:
        ``rows``: (label, value with interval), and ``categories``: (name, values as in ``rows``).
    """
    if not content.get("measures"):
        return None
    overall = overall_measures(content)
    rows = measure_rows(overall, content["intervals"])
    categories = []
    for name, entry in content["categories"].items():
        values = dict(measure_rows(entry, {}))
        categories.append((name, [values.get(label, "") for label, _ in rows], entry["samples"]))
    return {"rows": rows, "categories": categories, "text": _MORE}


def overall_measures(content: Mapping[str, Any]) -> dict[str, float | None]:
    """Return all measures of a `truth.json`, means over the categories, by name."""
    return {**content["measures"], "calibration_error": content.get("calibration_error")}


def _rows_of(scores: TruthScores) -> list[tuple[str, str]]:
    overall = {**scores.measures, "calibration_error": scores.calibration.error}
    return measure_rows(overall, scores.intervals)


def render_truth(
    scores: Mapping[str, TruthScores],
    results: Mapping[str, EvaluationResult],
    style: str = "table",
) -> str:
    """Return the tables of 3D scores, with the mean PAP; in LaTeX without what they mean.

    Args:
        scores: method -> 3D scores.
        results: method -> result on the same split; determines the order of the rows.
        style: ``table``, ``markdown`` or ``latex``.
    """
    rows = [
        (
            name,
            percent(result.scores["mPAP"]),
            percent(scores[name].soft_iou),
            f"{scores[name].brier:.5f}",
            f"{scores[name].calibration.error:.5f}",
        )
        for name, result in results.items()
    ]
    headers = ("method", "mPAP", "soft IoU", "Brier", "calibration")
    table = _table(rows, headers, style)
    parts = [table] if style == "latex" else [table, _LEGEND]
    if all(scores[name].measures for name in results):
        table = _measures_table(scores, results, style)
        parts += ["\\bigskip", table] if style == "latex" else [table, _MORE]
    return "\n\n".join(parts)


def _table(rows: Sequence[Sequence[str]], headers: Sequence[str], style: str) -> str:
    aligned = ("left", *["right"] * (len(headers) - 1))
    return tabulate(
        rows, headers, tablefmt=TABLE_FORMATS[style], disable_numparse=True, colalign=aligned
    )


def _measures_table(
    scores: Mapping[str, TruthScores], results: Mapping[str, EvaluationResult], style: str
) -> str:
    """Return the table of all measures, one method a column."""
    columns = [dict(_rows_of(scores[name])) for name in results]
    labels = list(columns[0])
    more = [(label, *(column[label] for column in columns)) for label in labels]
    return _table(more, ("measure", *results), style)


def render_contact(scores: TruthScores) -> str:
    """Return a table of the measures of contact, by category and their mean."""
    names = [one for one in MEASURES if one.key.startswith("contact")]
    columns = {"mean": (scores.measures, scores.intervals)} | {
        name: (entry, entry["intervals"]) for name, entry in scores.categories.items()
    }
    rows = [
        (one.label, *(one.shown(of[one.key], ends.get(one.key)) for of, ends in columns.values()))
        for one in names
    ]
    people = ("people", "", *(str(entry["samples"]) for entry in scores.categories.values()))
    table = _table([people, *rows], ("measure", *columns), "table")
    return f"{table}\n\n{_MORE}"


def contact_content(scores: TruthScores) -> dict[str, Any]:
    """Return the measures of contact for JSON."""
    keys = [one.key for one in MEASURES if one.key.startswith("contact")]

    def chosen(values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: values[key] for key in keys if key in values}

    return {
        "measures": chosen(scores.measures),
        "intervals": chosen(scores.intervals),
        "categories": {
            name: {
                **chosen(entry),
                "people": entry["samples"],
                "contact_level": entry["contact_level"],
                "intervals": chosen(entry["intervals"]),
            }
            for name, entry in scores.categories.items()
        },
    }
