"""Extensions from other packages: commands, and unusable plug-ins.

In the entry-point group ``chorus_bench.commands`` an entry point names a function that takes the
`typer.Typer` application and adds its commands.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from chorus_bench.plugins import Plugins

GROUP = "chorus_bench.commands"


def add_commands(app: typer.Typer) -> None:
    """Add the commands of all installed packages; a broken one is named and left out.

    Args:
        app: the application.
    """
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            entry.load()(app)
        except Exception as error:  # the imported module may raise anything
            typer.echo(f"warning: no commands from '{entry.value}': {error}", err=True)


def print_broken(found: Plugins[Any]) -> None:
    """Name the unusable plug-ins, on standard error.

    Those of other packages are imported for that.

    Args:
        found: plug-ins of a list that was printed.
    """
    for plugin in (*found.broken, *found.not_loaded()):
        typer.echo(f"cannot be used: {plugin}", err=True)
