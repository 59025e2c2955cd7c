"""``chorus-bench table``: saved results as a table of a paper."""

from __future__ import annotations

from typing import Annotated

import typer

from chorus_bench.cli.options import FORMAT, BoardFormat, Results, Score


def table_command(
    results: Results,
    by_category: Annotated[
        bool, typer.Option("--by-category/--by-score", help="Columns: categories, or four means.")
    ] = False,
    score: Score = "mPAP",
    intervals: Annotated[bool, typer.Option("--intervals", help="With 95 % intervals.")] = False,
    output_format: Annotated[BoardFormat, FORMAT] = BoardFormat.TABLE,
) -> None:
    """Print saved results as a table: methods by scores or categories, best in bold.

    Nothing is scored again. The LaTeX needs the package booktabs.
    """
    from chorus_bench.report.method_table import method_table

    table = method_table(results, categories=by_category, score=score)
    typer.echo(table.text(output_format.value, intervals=intervals))
