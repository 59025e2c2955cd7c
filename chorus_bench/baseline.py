"""Run a baseline: from a dataset to a submission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chorus_bench.errors import InputError, list_some
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.files import check_new_folder
from chorus_bench.io.locks import only_writer
from chorus_bench.plugins import BaselineSpec, get_baseline
from chorus_bench.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from chorus_bench.datasets.rows import DatasetRows
    from chorus_bench.engines import EngineSettings
    from chorus_bench.geometry.body import BodyModel
    from chorus_bench.submission import InteractionField


_DEFAULT_GRID = GridSpec()


class LearnedFields(dict[str, "NDArray[np.float32]"]):
    """Category -> field (N, N, N), as a baseline returns them, with those of interaction types.

    Attributes:
        interactions: category -> the fields of its interaction types.
    """

    def __init__(self) -> None:
        super().__init__()
        self.interactions: dict[str, list[InteractionField]] = {}

    def take(self, other: LearnedFields) -> None:
        """Add the fields of other categories."""
        self.update(other)
        self.interactions.update(other.interactions)


def fit_baseline(
    baseline: str | BaselineSpec,
    data: str | Path | DatasetRows | Iterable[Mapping[str, Any]],
    *,
    body: str | Path | BodyModel | object | None = None,
    grid: GridSpec = _DEFAULT_GRID,
    categories: str | Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
    options: Mapping[str, Any] | None = None,
    engine: EngineSettings | None = None,
    work: str | Path | None = None,
) -> Mapping[str, Any]:
    """Run a baseline and return its fields.

    Args:
        baseline: a name or a spec.
        data: a dataset, see `DatasetRows.open`.
        body: the body of the data's poses; by default the free body.
        grid: the grid of the fields.
        categories: only these categories.
        seed: random seed.
        progress: called with (rows done, rows in all).
        options: options of the baseline; they replace those of its spec.
        engine: where the work is shared among workers, for baselines that can; None does it here.
        work: with an engine: a folder for what workers finish. The same call goes on from there.

    Returns:
        Category -> (N, N, N) float32 probabilities, a `LearnedFields` where there are fields of
        interaction types; on the posed track category -> sample id -> (N, N, N).

    Raises:
        InputError: an unknown baseline or option, data of the wrong kind, a body other than the
            data's, or a baseline that returned no field for a category.
    """
    from chorus_bench.datasets.bodies import body_for
    from chorus_bench.datasets.rows import DatasetRows

    spec = baseline if isinstance(baseline, BaselineSpec) else get_baseline(baseline)
    function = spec.configured(options)
    shared = {} if engine is None else _shared(spec, engine, work)
    rows = DatasetRows.open(data).select(categories)
    _check_kind(spec, rows)
    rows.check_columns(spec.needs)
    model = body_for(rows.body, body, rows.name)
    fields: Mapping[str, Any] = function(rows, model, grid, seed=seed, progress=progress, **shared)
    _check_categories(spec, rows, fields)
    return fields


def run_baseline(
    baseline: str | BaselineSpec,
    data: str | Path | DatasetRows | Iterable[Mapping[str, Any]],
    output: str | Path,
    *,
    grid: GridSpec = _DEFAULT_GRID,
    overwrite: bool = False,
    engine: EngineSettings | None = None,
    texts: Mapping[str, Any] | None = None,
    **arguments: Any,  # noqa: ANN401 - those of fit_baseline
) -> Path:
    """Run a baseline and write its fields as a submission.

    Args:
        baseline: a name or a spec.
        data: a dataset.
        output: the submission's folder.
        grid: the grid of the fields.
        overwrite: replace a submission that is there.
        engine: see `fit_baseline`; what workers finish is kept in ``<output>.work``.
        texts: values of `submission.yaml` that replace the baseline's: ``method``,
            ``description``, ``paper``, ``license``, ``training_data``.
        **arguments: see `fit_baseline`.

    Returns:
        ``output``.

    Raises:
        InputError: see `fit_baseline`; or the folder already exists, or another run is writing it.
    """
    from chorus_bench.datasets.rows import DatasetRows
    from chorus_bench.engines import end_inner_run
    from chorus_bench.submission.write import SUBMISSION

    target = Path(output)
    spec = baseline if isinstance(baseline, BaselineSpec) else get_baseline(baseline)
    if engine is not None:
        end_inner_run(engine.workers)
    rows = DatasetRows.open(data)
    work = target.with_name(f"{target.name}.work")
    with only_writer(target):
        check_new_folder(target, overwrite=overwrite, kind=SUBMISSION)
        fields = fit_baseline(spec, rows, grid=grid, engine=engine, work=work, **arguments)
        said = _texts(spec, rows) | dict(texts or {})
        return _write(target, spec, fields, grid, overwrite, said)


def _write(
    output: Path,
    spec: BaselineSpec,
    fields: Mapping[str, Any],
    grid: GridSpec,
    overwrite: bool,
    texts: Mapping[str, Any],
) -> Path:
    """Write the fields of a baseline as a submission."""
    from chorus_bench.submission import write_posed_submission, write_submission

    if spec.track == "posed":
        return write_posed_submission(
            output, fields=fields, grid=grid, overwrite=overwrite, format="npz", **texts
        )
    types = fields.interactions if isinstance(fields, LearnedFields) else {}
    return write_submission(
        output, fields=fields, grid=grid, overwrite=overwrite, interactions=types, **texts
    )


def _texts(spec: BaselineSpec, rows: DatasetRows) -> dict[str, Any]:
    """Return what a baseline's submission says of itself."""
    return {
        "method": spec.name,
        "description": spec.summary,
        "paper": spec.paper or None,
        "license": spec.license,
        "training_data": f"{rows.name} ({rows.split})",
    }


def _shared(
    spec: BaselineSpec, engine: EngineSettings, work: str | Path | None
) -> dict[str, object]:
    """Return the arguments for a baseline that shares its work."""
    if not spec.engines:
        raise InputError(
            f"'{spec.name}' does not share its work among workers",
            where=f"baseline '{spec.name}'",
            fix="leave --engine, --workers and --address out",
        )
    if work is None:
        raise InputError("no folder for what workers finish", fix="give work=FOLDER")
    return {"engine": engine, "work": Path(work)}


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


def _check_categories(spec: BaselineSpec, data: DatasetRows, fields: Mapping[str, Any]) -> None:
    missing = [name for name in data.categories if name not in fields]
    if missing:
        raise InputError(
            f"gave no field for {len(missing)} of {len(data.categories)} categories "
            f"({list_some(missing)})",
            where=f"baseline '{spec.name}'",
        )
