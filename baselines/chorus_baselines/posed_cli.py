"""Commands for single fields: a person's posed field, a mesh, the original's exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import chorus_bench.cli.completion as completion
from chorus_bench.cli.options import (
    Body,
    GeometryDevice,
    OutputFolder,
    Overwrite,
    Submission,
    Threads,
    one_category,
)
from chorus_bench.cli.progress import progress_bar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from chorus_baselines.chorus.subject import Subject

Interaction = Annotated[
    str | None,
    typer.Option(
        help="The field of this type of interaction instead of the category's; "
        "`chorus-bench clusters SUBMISSION` lists them."
    ),
]
Pose = Annotated[
    Path | None, typer.Option(help="Pose: .npy or .json with 72 axis-angle numbers, radians.")
]
Split = Annotated[
    str | None,
    typer.Option(
        help="Instead of --pose: a test split or annotated images.",
        autocompletion=completion.splits,
    ),
]
Sample = Annotated[str | None, typer.Option(help="With --split: the sample_id of the person.")]


def infer_command(
    submission: Submission,
    output: Annotated[
        Path, typer.Option(help="The .npz to write; for a whole split the submission's folder.")
    ],
    categories: Annotated[
        list[str] | None,
        typer.Option(
            "--category",
            help="The category of the field, by default the sample's; for a whole split only "
            "this one, may be repeated.",
        ),
    ] = None,
    interaction: Interaction = None,
    pose: Pose = None,
    split: Split = None,
    sample: Sample = None,
    body: Body = None,
    own_types: Annotated[
        bool,
        typer.Option(
            "--own-types",
            help="For a whole split: the field of each sample's own type of interaction.",
        ),
    ] = False,
    workers: Threads = None,
    device: GeometryDevice = "cpu",
    overwrite: Overwrite = False,
) -> None:
    """Write the occupancy around a person in a pose: (N, N, N) in the posed body's frame.

    With --split and no --sample it writes a submission of the posed track: the field of every
    sample of the split, with the same scores.
    """
    if split is not None and sample is None and pose is None:
        _no_interaction(interaction)
        _pose_split(
            submission, split, output, body, categories, own_types, workers, device, overwrite
        )
        return
    from chorus_baselines.chorus.inference import canonical_field, posed_field, save_posed_field
    from chorus_bench.engines.devices import check_geometry_device

    check_geometry_device(device)
    category = category_of(categories, pose, split, sample, body)
    field = canonical_field(submission, category, interaction)
    turned = pose_of(pose, split, sample, body)
    posed = posed_field(field, turned, body or "default", field.spec, device=device)
    save_posed_field(posed, field.spec, output)
    typer.echo(f"wrote {output}: {posed.shape}, largest probability {posed.max():.3f}")


def _pose_split(
    submission: str,
    split: str,
    output: Path,
    body: str | None,
    categories: list[str] | None,
    own_types: bool,
    workers: int | None,
    device: str,
    overwrite: bool,
) -> None:
    from chorus_bench.evaluation.posing import pose_submission

    with progress_bar("Posing fields") as progress:
        pose_submission(
            submission,
            split,
            output,
            body=body,
            categories=categories,
            own_types=own_types,
            workers=workers,
            overwrite=overwrite,
            device=device,
            progress=progress,
        )
    typer.echo(f"wrote {output}, a submission of the posed track")


def _no_interaction(interaction: str | None) -> None:
    """Refuse one type for the samples of a split."""
    from chorus_bench.errors import InputError

    if interaction is not None:
        raise InputError(
            "--interaction names one type, but a split has samples of several",
            expected="--own-types for the field of each sample's own type",
        )


def import_chorus_command(
    files: Annotated[
        list[str],
        typer.Argument(
            help="The original's folder of results, exported pickles, or CATEGORY=FILE."
        ),
    ],
    output: OutputFolder,
    method: Annotated[str, typer.Option(help="The method's name.")] = "CHORUS (original)",
    settings: Annotated[
        str | None,
        typer.Option(help="A part of the file names to take, if a category has several."),
    ] = None,
    side_length: Annotated[float, typer.Option(help="Side of the cube, metres.")] = 3.0,
    overwrite: Overwrite = False,
) -> None:
    """Make a submission from the original project's exports.

    In a folder of results, CATEGORY/total-aggregation/*.pickle, categories are named by folders.
    The fields of its prompts become interaction types. Any other file given without a category is
    of the category in its name.
    """
    from chorus_baselines.chorus.original import import_chorus
    from chorus_baselines.chorus.original_files import find_original_files

    found = find_original_files(files, settings)
    with progress_bar("Reading exports"):
        import_chorus(
            {category: own.total for category, own in found.items()},
            output,
            prompts={category: own.prompts for category, own in found.items() if own.prompts},
            method=method,
            side_length=side_length,
            overwrite=overwrite,
        )
    typer.echo(f"wrote {output}: {', '.join(found)}")


def category_of(
    categories: list[str] | None,
    pose: Path | None,
    split: str | None,
    sample: str | None,
    body: str | None,
) -> str:
    """Return the category that was asked for, or that of the sample; a pose has none."""
    from chorus_bench.errors import InputError

    if categories:
        return one_category(categories)
    if pose is not None:
        raise InputError("no category is named", expected="--category NAME beside --pose")
    return subject_in(split, sample, body).category


def pose_of(
    file: Path | None, split: str | None, sample: str | None, body: str | None
) -> NDArray[np.float64]:
    """Return the pose (72,) of a file or of a sample of a split."""
    from chorus_baselines.chorus.inference import read_pose
    from chorus_bench.errors import InputError

    if file is not None and split is None and sample is None:
        return read_pose(file)
    if file is None:
        return subject_in(split, sample, body).pose
    raise InputError(
        "two poses are given", expected="--pose FILE, or --split SPLIT and --sample ID"
    )


def subject_in(split: str | None, sample: str | None, body: str | None) -> Subject:
    """Return pose and category of a sample of a dataset."""
    from chorus_baselines.chorus.subject import find_subject
    from chorus_bench.errors import InputError

    if split is None or sample is None:
        raise InputError(
            "no person is chosen",
            expected="--split SPLIT and --sample ID, or --pose FILE and --category NAME",
        )
    return find_subject(split, sample, body)
