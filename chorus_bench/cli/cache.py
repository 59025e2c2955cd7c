"""``chorus-bench cache``: data kept between runs on this machine, and leftovers of runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chorus_bench.cli.added_options import uses_cache
from chorus_bench.errors import count_of

if TYPE_CHECKING:
    from chorus_bench.io.cleaning import Cleaning

_DAY = 86400.0

app = typer.Typer(
    help="Prepared test geometry on this machine, and leftovers of killed runs.",
    no_args_is_help=True,
)


@app.command("info")
@uses_cache
def info_command() -> None:
    """Print where the cache is and how large it is."""
    from chorus_bench.io.cache import cache_folder, cache_size

    files, size = cache_size(cache_folder())
    typer.echo(f"{cache_folder()}: {count_of(files, 'file')}, {size / 1e6:.1f} MB")


@app.command("clear")
@uses_cache
def clear_command() -> None:
    """Remove all prepared geometry and built splits; the next evaluation rebuilds them.

    Only files made by this tool are removed; others are listed and kept.
    """
    from chorus_bench.io.cache import cache_folder
    from chorus_bench.io.cleaning import clear_cache

    _report(clear_cache(cache_folder()), f"nothing to remove in {cache_folder()}")


@app.command("prune")
@uses_cache
def prune_command(
    older_than: Annotated[
        float, typer.Option(min=0, help="Days since something was last read or written.")
    ],
) -> None:
    """Remove prepared geometry and built splits that were not used for some days."""
    from chorus_bench.io.cache import cache_folder
    from chorus_bench.io.cleaning import clear_cache

    done = clear_cache(cache_folder(), unused_since=time.time() - older_than * _DAY)
    _report(done, f"nothing to remove in {cache_folder()}")


@app.command("clean")
@uses_cache
def clean_command(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="More folders to search, with their subfolders."),
    ] = None,
    all_machines: Annotated[
        bool,
        typer.Option(
            "--all-machines",
            help="Also what runs of other machines or containers left, of which this one cannot "
            "say whether they go on.",
        ),
    ] = False,
) -> None:
    """Remove leftovers of killed runs from the cache, the temporary folder and FOLDERS.

    An unfinished build is resumed when it is started again, unless it is removed here.
    """
    from chorus_bench.io.cleaning import clean, searched

    places = ", ".join(map(str, searched(folders or ())))
    _report(clean(folders or (), all_machines=all_machines), f"no leftovers in {places}")


def _report(done: Cleaning, otherwise: str) -> None:
    for path in done.removed:
        typer.echo(f"removed {path}")
    if not (done.removed or done.kept or done.left):
        typer.echo(otherwise)
    for path, reason in (*done.left, *done.kept):
        typer.echo(f"not removed: {path}: {reason}", err=True)
    if done.kept:
        raise typer.Exit(2)
