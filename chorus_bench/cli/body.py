"""``chorus-bench body``: inspect and convert SMPL-format bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import chorus_bench.cli.completion as completion

app = typer.Typer(help="Inspect and convert SMPL-format bodies.", no_args_is_help=True)


@app.command("info")
def info_command(
    file: Annotated[
        str,
        typer.Argument(
            help="An .npz, SMPL's .pkl, or 'default'.", autocompletion=completion.bodies
        ),
    ] = "default",
) -> None:
    """Print the contents of a body file and its fingerprint."""
    from tabulate import tabulate

    from chorus_bench.geometry.body_files import load_body

    body = load_body(file)
    low, high = body.template.min(axis=0), body.template.max(axis=0)
    shapes = 0 if body.shape_directions is None else body.shape_directions.shape[-1]
    rows = [
        ("name", body.name),
        ("fingerprint", body.fingerprint),
        ("vertices", body.vertices),
        ("faces", len(body.faces)),
        ("joints", body.weights.shape[1]),
        ("shape directions", shapes),
        ("pose blend shapes", "yes" if body.pose_directions is not None else "none"),
        ("size x, y, z (m)", ", ".join(f"{n:.3f}" for n in high - low)),
        ("pelvis x, y, z (m)", ", ".join(f"{n:.3f}" for n in body.rest_joints()[0])),
    ]
    typer.echo(tabulate(rows, tablefmt="plain"))


@app.command("convert")
def convert_command(
    source: Annotated[
        str,
        typer.Argument(
            help="SMPL's .pkl, an .npz, or 'default'.", autocompletion=completion.bodies
        ),
    ],
    target: Annotated[
        Path | None, typer.Argument(help="The .npz to write; by default its name, here.")
    ] = None,
) -> None:
    """Convert a body to a plain .npz, without chumpy and without executing the pickle."""
    from chorus_bench.errors import InputError
    from chorus_bench.geometry.body_files import load_body, save_body

    body = load_body(source)
    here = Path(f"{body.name}.npz")
    if target is None and here.exists():
        raise InputError(
            "the file already exists",
            where=here,
            expected="a file that does not exist yet",
            fix=f"name the file to write: chorus-bench body convert {source} TARGET.npz",
        )
    save_body(body, target or here)
    typer.echo(f"wrote {target or here}")
