"""``chorus-bench reconstruct``: person and object as a mesh, from a photograph or a pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import chorus_bench.cli.completion as completion
from chorus_baselines.posed_cli import Interaction, Pose, Sample, Split, category_of, pose_of
from chorus_bench.cli.options import Body, key_values, one_category
from chorus_bench.cli.progress import progress_bar

if TYPE_CHECKING:
    from chorus_baselines.chorus.photograph import Photograph
    from chorus_baselines.chorus.reconstruction import Scene
    from chorus_bench.geometry.body import BodyModel
    from chorus_bench.geometry.grid import OccupancyGrid


def reconstruct_command(
    fields: Annotated[
        str,
        typer.Option(
            help="The fields: a submission, or an entry of a leaderboard.",
            autocompletion=completion.submissions,
        ),
    ],
    output: Annotated[Path, typer.Option(help="The mesh: .obj, .ply or .glb.")],
    photo: Annotated[
        Path | None, typer.Argument(help="A photograph; or else --pose, or --split and --sample.")
    ] = None,
    categories: Annotated[
        list[str] | None,
        typer.Option(
            "--category",
            help="By default that of the object nearest to the person, or the sample's.",
        ),
    ] = None,
    interaction: Interaction = None,
    person: Annotated[
        int | None,
        typer.Option(min=1, help="Only this person of the photograph, 1 for the leftmost."),
    ] = None,
    pose: Pose = None,
    split: Split = None,
    sample: Sample = None,
    body: Body = None,
    level: Annotated[
        float | None,
        typer.Option(
            help="The object is where the field reaches this level; by default 0.7 of its largest."
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="A shipped configuration, for its annotators.", autocompletion=completion.presets
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML configuration.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="One setting, e.g. annotations.pose.model=FILE; repeatable."),
    ] = None,
    device: Annotated[str, typer.Option(help="Device of the models: cpu, cuda, mps.")] = "cpu",
) -> None:
    """Write a mesh of a person and the expected object, from a photograph or a pose.

    In a photograph, people and objects are detected; of the categories with a field, a person's is
    that of the object whose box overlaps theirs most. A picture beside each mesh, .overlay.png,
    shows it over the photograph.
    """
    from chorus_baselines.chorus.reconstruction import check_mesh_output
    from chorus_bench.errors import InputError, unknown_name

    check_mesh_output(output)
    found = open_fields(fields, interaction)
    category = one_category(categories) if categories else None
    if category is not None and category not in found.categories:
        raise unknown_name("category", category, found.categories, where=fields)
    order = _Order(found, output, category, level)
    if photo is None:
        _from_pose(order, pose, split, sample, body)
        return
    if pose is not None or split is not None or sample is not None:
        raise InputError(
            "a photograph and another pose",
            expected="a photograph, or --pose, or --split and --sample",
        )
    changes = key_values(set_, "--set") | ({"body": body} if body else {})
    _from_photo(order, photo, person, (preset, config, changes), device)


@dataclass(frozen=True)
class FieldSet:
    """Canonical fields by category.

    Attributes:
        categories: the categories.
        field: returns the field of one.
    """

    categories: tuple[str, ...]
    field: Callable[[str], OccupancyGrid]


def open_fields(place: str | Path, interaction: str | None = None) -> FieldSet:
    """Open the fields of a submission, or the small ones of a leaderboard's entry.

    Args:
        place: a submission, see `open_submission`, or the folder of an entry.
        interaction: of a submission, the type of interaction whose fields these are.

    Raises:
        InputError: a damaged entry, or types of one; an invalid submission, or one of the posed
            track.
    """
    import numpy as np

    from chorus_baselines.chorus.inference import canonical_field
    from chorus_bench.errors import InputError
    from chorus_bench.geometry.grid import OccupancyGrid
    from chorus_bench.leaderboard.fields import read_fields
    from chorus_bench.leaderboard.places import EARLIER_FIELDS_FILE, ENTRY_FILE, FIELDS_FILE
    from chorus_bench.submission import open_submission

    if not Path(place, ENTRY_FILE).is_file():
        with open_submission(place) as submission:
            categories = tuple(submission.categories)
        return FieldSet(categories, lambda category: canonical_field(place, category, interaction))
    if interaction is not None:
        raise InputError(
            "an entry of a leaderboard has no fields of types of interaction",
            where=place,
            fix="give the submission, or leave --interaction out",
        )
    files = [Path(place, name) for name in (FIELDS_FILE, EARLIER_FIELDS_FILE)]
    small = read_fields(next((file for file in files if file.is_file()), files[0]))
    return FieldSet(
        tuple(small.values),
        lambda category: OccupancyGrid(
            small.values[category].astype(np.float32) / np.float32(255), small.grid
        ),
    )


@dataclass(frozen=True)
class _Order:
    """What is asked for, whoever it is for."""

    fields: FieldSet
    output: Path
    category: str | None
    level: float | None

    def scene(self, category: str, pose: Any, body: BodyModel) -> Scene:  # noqa: ANN401
        from chorus_baselines.chorus.reconstruction import scene_of

        field = self.fields.field(category)
        return scene_of(field, pose, body, grid=field.spec, level=self.level)


def _from_pose(
    order: _Order, pose: Path | None, split: str | None, sample: str | None, body: str | None
) -> None:
    from chorus_baselines.chorus.reconstruction import save_meshes
    from chorus_bench.errors import InputError, unknown_name
    from chorus_bench.geometry.body_files import load_body

    if pose is None and split is None and sample is None:
        raise InputError(
            "no person is chosen",
            expected="a photograph, or --split SPLIT and --sample ID, or --pose FILE and "
            "--category NAME",
        )
    chosen = [order.category] if order.category else None
    category = category_of(chosen, pose, split, sample, body)
    if category not in order.fields.categories:
        raise unknown_name("category", category, order.fields.categories, where="the fields")
    scene = order.scene(category, pose_of(pose, split, sample, body), load_body(body or "default"))
    save_meshes(order.output, scene.meshes)
    typer.echo(f"wrote {order.output}: {_described(category, scene)}")


def _from_photo(
    order: _Order,
    photo: Path,
    number: int | None,
    sources: tuple[str | None, Path | None, dict[str, Any]],
    device: str,
) -> None:
    from chorus_baselines.chorus.photograph import annotate_photo, read_photo
    from chorus_bench.geometry.body_files import load_body
    from chorus_bench.synthesis.settings import read_settings

    settings = read_settings(*sources)
    body = load_body(settings.body)
    looked_for = order.fields.categories if order.category is None else ()
    with progress_bar("Annotating the photograph"):
        seen = annotate_photo(
            read_photo(photo), settings, body, categories=looked_for, device=device
        )
    _write_people(order, seen, number, body)


def _write_people(order: _Order, seen: Photograph, number: int | None, body: BodyModel) -> None:
    """Write the mesh and the overlay of each person that can be reconstructed."""
    from chorus_baselines.chorus.photograph import chosen_people, missing
    from chorus_bench.errors import InputError

    people = chosen_people(seen, number)
    reasons = {one.number: missing(one, order.category, seen) for one in people}
    usable = [one for one in people if reasons[one.number] is None]
    lacking = [f"person {one} {reason}" for one, reason in reasons.items() if reason is not None]
    if not usable:
        raise InputError(
            "; ".join(lacking),
            where=seen.picture.sample_id,
            expected="a person with a pose, and a detected object whose box overlaps them",
            fix="give the category with --category if only the object was not found",
        )
    for reason in lacking:
        typer.echo(f"note: {reason}", err=True)
    for one in usable:
        file = order.output
        if len(usable) > 1:
            file = file.with_name(f"{file.stem}-{one.number}{file.suffix}")
        _write_person(order, file, seen, one, body)


def _write_person(
    order: _Order,
    file: Path,
    seen: Photograph,
    one: Any,  # noqa: ANN401 - a PhotoPerson with a pose
    body: BodyModel,
) -> None:
    from chorus_baselines.chorus.reconstruction import save_meshes
    from chorus_baselines.photo_overlay import save_overlay

    category = order.category or one.category
    scene = order.scene(category, one.pose, body)
    save_meshes(file, scene.meshes)
    who = f"person {one.number} of {len(seen.people)}, {_described(category, scene)}"
    typer.echo(f"wrote {file}: {who}")
    if one.camera is None:
        typer.echo(f"note: person {one.number} has no camera, so there is no overlay", err=True)
        return
    picture = file.with_suffix(".overlay.png")
    save_overlay(picture, seen.picture.pixels, scene.meshes, one.camera)
    typer.echo(f"wrote {picture}")


def _described(category: str, scene: Scene) -> str:
    share = scene.level / scene.highest
    return f"{category}, level {scene.level:.3g} ({100 * share:.0f} % of the largest)"
