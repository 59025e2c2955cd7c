"""``chorus-bench cache``: the prepared test geometry on this machine."""

from __future__ import annotations

import shutil

import typer

app = typer.Typer(help="Prepared test geometry on this machine.", no_args_is_help=True)


@app.command("info")
def info_command() -> None:
    """Print the location and size of the cache."""
    from chorus_bench.io.cache import cache_folder

    files = [file for file in cache_folder().rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    typer.echo(f"{cache_folder()}: {len(files)} files, {size / 1e6:.1f} MB")


@app.command("clear")
def clear_command() -> None:
    """Remove all prepared geometry; the next evaluation recomputes it."""
    from chorus_bench.io.cache import cache_folder

    shutil.rmtree(cache_folder() / "geometry", ignore_errors=True)
    typer.echo(f"removed {cache_folder() / 'geometry'}")
