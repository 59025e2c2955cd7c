"""Run a baseline: from a dataset to a submission."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chorus_bench.errors import InputError, list_some, unknown_name
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.files import check_new_folder
from chorus_bench.io.locks import only_writer
from chorus_bench.plugins import BaselineSpec, get_baseline

if TYPE_CHECKING:
    from chorus_bench.datasets.rows import DatasetRows
    from chorus_bench.geometry.body import BodyModel

Progress = Callable[[int, int], None]

_DEFAULT_GRID = GridSpec()
#: What every baseline function is given besides its own options.
_GIVEN = ("data", "body", "grid", "seed", "progress")


def fit_baseline(
    baseline: str | BaselineSpec,
    data: str | Path | DatasetRows | Iterable[Mapping[str, Any]],
    *,
    body: str | Path | BodyModel | object | None = None,
    grid: GridSpec = _DEFAULT_GRID,
    categories: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
    options: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """Run a baseline and return its fields.

    Args:
        baseline: a name or a spec.
        data: a dataset, see `DatasetRows.open`.
        body: the body of the data's poses; by default the free body.
        grid: the grid of the fields.
        categories: only these.
        seed: of everything that is drawn.
        progress: called with (rows done, rows in all).
        options: of the baseline; they replace those of its spec.

    Returns:
        Category -> (N, N, N) float32 probabilities; on the posed track category -> sample id
        -> (N, N, N).

    Raises:
        InputError: an unknown baseline or option, data of the wrong kind, another body than
            the data's, or a baseline that gave no field for a category.
    """
    from chorus_bench.datasets.rows import DatasetRows

    spec = baseline if isinstance(baseline, BaselineSpec) else get_baseline(baseline)
    function = spec.load()
    chosen = {**spec.options, **(options or {})}
    _check_options(spec, function, chosen)
    rows = DatasetRows.open(data).select(categories)
    _check_kind(spec, rows)
    rows.check_columns(spec.needs)
    model = _body_for(rows, body)
    fields: Mapping[str, Any] = function(rows, model, grid, seed=seed, progress=progress, **chosen)
    _check_categories(spec, rows, fields)
    return fields


def run_baseline(
    baseline: str | BaselineSpec,
    data: str | Path | DatasetRows | Iterable[Mapping[str, Any]],
    output: str | Path,
    *,
    grid: GridSpec = _DEFAULT_GRID,
    overwrite: bool = False,
    **arguments: Any,  # noqa: ANN401 - those of fit_baseline
) -> Path:
    """Run a baseline and write its fields as a submission.

    Args:
        baseline: a name or a spec.
        data: a dataset.
        output: the submission's folder.
        grid: the grid of the fields.
        overwrite: replace a submission that is there.
        **arguments: see `fit_baseline`.

    Returns:
        ``output``.

    Raises:
        InputError: see `fit_baseline`; or the folder is there already, or another run is
            writing it.
    """
    from chorus_bench.datasets.rows import DatasetRows
    from chorus_bench.submission.write import SUBMISSION

    check_new_folder(Path(output), overwrite=overwrite, kind=SUBMISSION)
    spec = baseline if isinstance(baseline, BaselineSpec) else get_baseline(baseline)
    rows = DatasetRows.open(data)
    with only_writer(output):
        fields = fit_baseline(spec, rows, grid=grid, **arguments)
        return _write(output, spec, rows, fields, grid, overwrite)


def _write(
    output: str | Path,
    spec: BaselineSpec,
    rows: DatasetRows,
    fields: Mapping[str, Any],
    grid: GridSpec,
    overwrite: bool,
) -> Path:
    """Write the fields of a baseline as a submission."""
    from chorus_bench.submission import write_posed_submission, write_submission

    texts: dict[str, Any] = {
        "method": spec.name,
        "description": spec.summary,
        "paper": spec.paper or None,
        "license": spec.licence,
        "training_data": f"{rows.name} ({rows.split})",
    }
    if spec.track == "posed":
        return write_posed_submission(
            output, fields=fields, grid=grid, overwrite=overwrite, format="npz", **texts
        )
    return write_submission(output, fields=fields, grid=grid, overwrite=overwrite, **texts)


def _check_options(
    spec: BaselineSpec, function: Callable[..., Any], options: Mapping[str, Any]
) -> None:
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return
    known = [p.name for p in parameters if p.name not in _GIVEN]
    for name in options:
        if name not in known:
            raise unknown_name("option", name, known, where=f"baseline '{spec.name}'")


def _check_kind(spec: BaselineSpec, data: DatasetRows) -> None:
    if spec.reads in ("any", data.split):
        return
    wanted = {"train": "a training set", "test": "a test split"}
    raise InputError(
        f"this is {wanted.get(data.split, data.split)}",
        where=data.name,
        expected=f"{wanted[spec.reads]}, which is what '{spec.name}' reads",
        fix=f"give {wanted[spec.reads]} with --data",
    )


def _body_for(data: DatasetRows, body: str | Path | BodyModel | object | None) -> BodyModel:
    from chorus_bench.geometry.body import BodyModel

    model = BodyModel.load("default" if body is None else body)
    if data.body is not None and data.body.split("@")[-1] != model.fingerprint:
        raise InputError(
            f"the poses are of the body {data.body}, not of {model.label}",
            where=data.name,
            fix="give that body with --body FILE",
        )
    return model


def _check_categories(spec: BaselineSpec, data: DatasetRows, fields: Mapping[str, Any]) -> None:
    missing = [name for name in data.categories if name not in fields]
    if missing:
        raise InputError(
            f"gave no field for {len(missing)} of {len(data.categories)} categories "
            f"({list_some(missing)})",
            where=f"baseline '{spec.name}'",
        )
