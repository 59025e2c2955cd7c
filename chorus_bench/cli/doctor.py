"""``chorus-bench doctor``: what is on this machine, and what is missing for which command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from chorus_bench.cli.options import FORMAT, DataFormat

if TYPE_CHECKING:
    from chorus_bench.doctor import Checkup


def doctor_command(
    output_format: Annotated[DataFormat, FORMAT] = DataFormat.TABLE,
) -> None:
    """Print versions, extras, cache and devices, and what is missing for which command.

    The exit code is 2 if something would stop commands that need no extra.
    """
    import json

    from chorus_bench.doctor import examine

    found = examine()
    if output_format is DataFormat.JSON:
        typer.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(_lines(found)))
    if found.problems:
        raise typer.Exit(2)


def _lines(found: Checkup) -> Iterator[str]:
    sections = {
        "Versions": found.versions,
        "Machine": found.machine,
        "Cache": found.cache,
        "Variables that are set": found.variables,
    }
    for title, values in sections.items():
        if values:
            yield title
            yield from (f"  {name:24}{value}" for name, value in values.items())
            yield ""
    yield "Extras"
    for extra in found.extras:
        state = f"missing {', '.join(extra.missing)}: {extra.fix}" if extra.missing else "installed"
        yield f"  {extra.name:14}{extra.needed_for}"
        yield f"  {'':14}{state}"
    yield ""
    yield from (f"Problem: {problem}" for problem in found.problems)
    if not found.problems:
        yield "No problem found."
