"""Commands that other packages add: the entry-point group ``chorus_bench.commands``.

An entry point names a function that takes the `typer.Typer` application and adds its commands.
"""

from __future__ import annotations

from importlib.metadata import entry_points

import typer

GROUP = "chorus_bench.commands"


def add_commands(app: typer.Typer) -> None:
    """Add the commands of all installed packages; a broken one is named and left out.

    Args:
        app: the application.
    """
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            entry.load()(app)
        except Exception as error:  # whatever somebody else's module does when it is imported
            typer.echo(f"warning: no commands from '{entry.value}': {error}", err=True)
