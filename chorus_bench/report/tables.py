"""Results as text: tables for people, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from chorus_bench.errors import count_of, unknown_name
from chorus_bench.io.findings import grouped
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.metrics.protocol import Protocol, signature_parts
from chorus_bench.report.conditioned import render_conditioned

if TYPE_CHECKING:
    from chorus_bench.evaluation.results import EvaluationResult
    from chorus_bench.metrics.ranking import Ranking
    from chorus_bench.selftest import Comparison
    from chorus_bench.submission import SubmissionReport

TABLE_FORMATS = {"table": "simple", "markdown": "github", "latex": "latex_booktabs"}

#: Marks a score that is based on few samples.
FEW = "*"

_LEGEND = """\
Scores in percent; higher is better. PAP: area under precision and recall of the projected field
over 99 thresholds. strict: without thresholds at which nothing is predicted. hoa: without pixels
that the person hides. closed: also counts the recall that remains at the last threshold. n: samples
with a target pixel; n hoa: those whose target the person does not hide entirely."""


_RANKING_LEGEND = """\
Percent. A rank is a range: from 1 + the number of methods that are significantly better to the
number of those that are not significantly worse. Significant: the paired 95 % interval of the
difference excludes zero. first: share of the bootstrap resamples in which the method is first."""


def percent(value: float | None) -> str:
    """Return a fraction in percent with two decimals, as in the paper; n/a for None."""
    return "n/a" if value is None else f"{100 * value:.2f}"


def _counts(entry: Mapping[str, Any], limit: int) -> tuple[str, str]:
    """Return the numbers of samples behind the plain and hoa scores, marked if small."""
    plain, hoa = (int(entry[key]) for key in ("counted", "counted_hoa"))
    return str(plain), f"{hoa}{FEW if hoa < limit else ''}"


def render_result(
    result: EvaluationResult, style: str, *, more: str = "", seconds: float | None = None
) -> str:
    """Return a result as text; in LaTeX only its tables.

    Args:
        result: the result.
        style: ``table``, ``json``, ``markdown`` or ``latex``.
        more: text in that style which belongs to it, for example `render_truth`; not in JSON.
        seconds: what all of it took; by default what scoring took.
    """
    if style == "json":
        return json.dumps(result.as_dict(), indent=1, ensure_ascii=False)
    if style not in TABLE_FORMATS:
        raise unknown_name("format", style, [*TABLE_FORMATS, "json"])
    table = _score_table(result, TABLE_FORMATS[style])
    if style == "latex":
        return f"{table}\n\n\\bigskip\n\n{more}" if more else table
    lines = [*_around(result, table, style), *(["", more, ""] if more else [])]
    samples = count_of(int(result.scores["samples"]), "sample")
    lines.append(f"{samples} in {result.seconds if seconds is None else seconds:.1f} s")
    return "\n".join(lines)


def _score_table(result: EvaluationResult, tablefmt: str) -> str:
    others = {name: entry["categories"] for name, entry in result.beside.items()}
    headers = ["category", "n", "n hoa", *SCORE_NAMES, *others]
    rows: list[list[Any]] = [
        [
            f"{name} (missing)" if entry["missing"] else name,
            *_counts(entry, _limit(result)),
            *(percent(entry[score]) for score in SCORE_NAMES),
            *(percent(categories[name]["PAP"]) for categories in others.values()),
        ]
        for name, entry in result.categories.items()
    ]
    means = [percent(result.scores[f"m{score}"]) for score in SCORE_NAMES]
    means += [percent(entry["scores"]["mPAP"]) for entry in result.beside.values()]
    intervals = [_interval(result.intervals[f"m{score}"]) for score in SCORE_NAMES]
    totals = [sum(e[key] for e in result.categories.values()) for key in ("counted", "counted_hoa")]
    rows.append(["mean over categories", *totals, *means])
    rows.append(["95 % interval", "", "", *intervals, *[""] * len(others)])
    alignment = ("left", *["right"] * (len(headers) - 1))
    return tabulate(rows, headers, tablefmt=tablefmt, colalign=alignment, disable_numparse=True)


def _interval(bounds: Sequence[float] | None) -> str:
    return "n/a" if bounds is None else f"{percent(bounds[0])} to {percent(bounds[1])}"


def _around(result: EvaluationResult, table: str, style: str) -> list[str]:
    code = "`" if style == "markdown" else ""
    lines = [f"{result.submission['method']}", "", table, "", _LEGEND, ""]
    if result.conditioned is not None:
        lines += [render_conditioned(result.conditioned, TABLE_FORMATS[style]), ""]
    lines += [f"Signature: {code}{result.signature}{code}"]
    few = [n for n, e in result.categories.items() if e["counted_hoa"] < _limit(result)]
    if few:
        lines.append(
            f"{FEW} fewer than {_limit(result)} samples behind the hoa scores of {', '.join(few)}; "
            "in mPAP_hoa they weigh as much as the others."
        )
    if result.skipped:
        skipped = ", ".join(f"{name} ({n})" for name, n in result.skipped.items())
        lines.append(f"Not scored, fewer than {_limit(result)} samples: {skipped}")
    lines += [f"Warning: {text}" for text in result.warnings]
    return lines


def _limit(result: EvaluationResult) -> int:
    """Return the number of samples that a category needs to be scored."""
    return int(signature_parts(result.signature).get("min", Protocol.min_samples))


def render_ranking(ranking: Ranking, style: str = "table", *, baseline: str | None = None) -> str:
    """Return the table of a comparison, best first.

    Args:
        ranking: result of `compare`.
        style: ``table``, ``markdown`` or ``latex`` (percent), ``csv`` or ``json`` (fractions).
        baseline: the method that the differences are to; by default the first of the ranking.

    Raises:
        InputError: no such method.
    """
    order = ranking.order()
    if baseline is not None and baseline not in ranking.methods:
        raise unknown_name("method", baseline, ranking.methods)
    base = order[0] if baseline is None else ranking.methods.index(baseline)
    if style in ("csv", "json"):
        return _ranking_data(ranking, base, style)
    rows = [
        (
            ranking.rank_text(i),
            ranking.methods[i],
            percent(ranking.values[i]),
            _interval(ranking.intervals[i].as_list()),
            "" if i == base else percent(ranking.values[i] - ranking.values[base]),
            "" if i == base else _interval(ranking.difference(i, base).as_list()),
            percent(ranking.first_share[i]),
        )
        for i in order
    ]
    first = f"to {ranking.methods[base]}"
    headers = ("rank", "method", ranking.score, "95 % interval", first, "95 % interval", "first")
    alignment = ("right", "left", *["right"] * 5)
    table = tabulate(
        rows, headers, tablefmt=TABLE_FORMATS[style], colalign=alignment, disable_numparse=True
    )
    return table if style == "latex" else f"{table}\n\n{_RANKING_LEGEND}"


def _ranking_data(ranking: Ranking, base: int, style: str) -> str:
    """Return a comparison as data, best first."""
    rows = [
        {
            "rank": int(ranking.ranks[i]),
            "last_rank": int(ranking.last_ranks[i]),
            "method": ranking.methods[i],
            "score": ranking.score,
            "value": float(ranking.values[i]),
            "low": ranking.intervals[i].low,
            "high": ranking.intervals[i].high,
            "baseline": ranking.methods[base],
            "difference": float(ranking.values[i] - ranking.values[base]),
            "difference_low": ranking.difference(i, base).low,
            "difference_high": ranking.difference(i, base).high,
            "first_share": float(ranking.first_share[i]),
        }
        for i in ranking.order()
    ]
    if style == "json":
        return json.dumps(rows, indent=1, ensure_ascii=False)
    target = io.StringIO()
    writer = csv.DictWriter(target, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().rstrip("\n")


def render_report(report: SubmissionReport, turned: Sequence[str]) -> str:
    """Return the findings about a submission, errors first.

    Args:
        report: result of `check_submission`.
        turned: warnings about mirrored or reoriented fields.
    """
    lines = [f"error: {finding}" for finding in grouped(report.errors)]
    lines += [f"warning: {finding}" for finding in grouped(report.warnings)]
    lines += [f"warning: {text}" for text in turned]
    warnings = len(report.warnings) + len(turned)
    verdict = "valid" if report.ok else "not valid"
    lines.append(
        f"{verdict}: {count_of(len(report.errors), 'error')}, {count_of(warnings, 'warning')}"
    )
    return "\n".join(lines)


def render_selftest(comparisons: Sequence[Comparison]) -> str:
    """Return the table of a self-test."""
    rows = [
        (
            "ok" if c.passed else "FAILED",
            c.name,
            c.quantity,
            f"{c.largest_difference:.3g}",
            f"{c.tolerance:.3g}",
            c.unit,
            c.count,
        )
        for c in comparisons
    ]
    headers = ("", "comparison", "quantity", "largest difference", "allowed", "unit", "values")
    failed = sum(not c.passed for c in comparisons)
    verdict = (
        f"{failed} of {len(comparisons)} comparisons failed"
        if failed
        else (f"All {len(comparisons)} comparisons agree with the original code's figures")
    )
    return tabulate(rows, headers, disable_numparse=True) + f"\n\n{verdict}."
