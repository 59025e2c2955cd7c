"""The recipe of the extended COCO-EFT split."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from chorus_bench.calibration import EFT, SOLVERS
from chorus_bench.datasets.coco_eft.annotations import PERSON, CocoFile, read_annotations
from chorus_bench.datasets.coco_eft.card import card_text
from chorus_bench.datasets.coco_eft.categories import BENCHMARK
from chorus_bench.datasets.coco_eft.fits import read_fits
from chorus_bench.datasets.coco_eft.makers import Makers, makers_of
from chorus_bench.datasets.coco_eft.pairs import Candidate, Selection, select_pairs
from chorus_bench.datasets.coco_eft.pictures import CocoImages
from chorus_bench.datasets.coco_eft.points import point_set
from chorus_bench.datasets.coco_eft.rows import SCHEMA, SharedInputs, rows_of_people
from chorus_bench.datasets.recipe import Note, Piece, Recipe, SourceFile, count_reasons
from chorus_bench.datasets.sources import (
    COCO_ANNOTATIONS,
    EFT_FITS,
    SMPL_BODY,
    SPIN_REGRESSOR,
    describe_file,
    require_sources,
)
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.names import given_categories

#: Name of the split of EFT's fits, and how the names of others begin.
NAME, OTHER_NAME = "coco-eft", "coco"

#: Version of the builder; it changes whenever the rows do.
VERSION = "1.1.0"

DEFAULT_SOLVER = "adam"

#: So many notes explain why nothing is left.
_SHOWN_NOTES = 5

#: People whose cameras are fitted together: one piece of the build.
PEOPLE_A_PIECE = 256


def coco_eft_recipe(
    annotations: str | Path | None = None,
    fits: str | Path | None = None,
    *,
    body: str | Path | BodyModel = "default",
    joint_regressor: str | Path | None = None,
    images: str | Path | None = None,
    solver: str = DEFAULT_SOLVER,
    categories: str | Collection[str] | None = None,
    fits_name: str | None = None,
) -> Recipe:
    """Read the sources, select the pairs, and return how the rows are made.

    Args:
        annotations: ``instances_val2014.json``, gzipped or not.
        fits: ``COCO2014-Val-ver10.json`` or another file of that format.
        body: the body to fit cameras to; SMPL for numbers comparable with the paper's.
        joint_regressor: SPIN's ``J_regressor_extra.npy``.
        images: a folder with images of val2014 that are to be embedded.
        solver: ``adam`` (the original's path) or ``lm`` (the least-squares minimum).
        categories: only objects of these.
        fits_name: whose fits they are, where the file does not say so: ``eft``, or another name.

    Returns:
        The recipe for `chorus_bench.datasets.export.export`.

    Raises:
        InputError: a source is missing or is not what its name says, the category or solver is
            unknown, the fits say that somebody else made them, or no pair is left.

    Source: docs/protocol.md P30 to P34.
    """
    if solver not in SOLVERS:
        raise unknown_name("solver", solver, SOLVERS)
    paths = require_sources([(COCO_ANNOTATIONS, annotations), (EFT_FITS, fits)])
    model = _load_body(body)
    points = point_set(model, joint_regressor)
    read = read_fits(paths[1])
    people = read.fits
    makers = makers_of(read.statement, describe_file("", paths[1]).sha256, fits_name)
    fit_notes = (*makers.note(), *read.notes)
    coco = read_annotations(paths[0], {fit.image_name for fit in people})
    chosen = given_categories(categories)
    _check_categories(chosen, coco)
    selection = select_pairs(people, coco, chosen)
    pictures = None if images is None else _pictures(images, selection.candidates)
    shared = SharedInputs(coco, points, solver, pictures)
    settings = {
        "body": model.label,
        "fits": makers.name,
        "solver": solver,
        "joints": points.name,
        "calibration": EFT.name,
        "only_categories": None if chosen is None else sorted(chosen),
        "pictures": pictures is not None,
    }
    return Recipe(
        name=_split_name(makers, solver, points.name),
        version=VERSION,
        split="test",
        schema=SCHEMA,
        pieces=_pieces(shared, selection, (*fit_notes, *coco.notes), paths[0]),
        inputs=settings,
        metadata={
            **settings,
            "fits_known_by": makers.known_by,
            **_counts(len(people) + len(read.notes), coco, selection),
            "population": list(BENCHMARK),
        },
        card=card_text(makers),
        sources=_sources(paths, makers, body, joint_regressor),
        notes=(*fit_notes, *coco.notes, *selection.notes, *_regressor_note(joint_regressor, model)),
    )


def _load_body(body: str | Path | BodyModel) -> BodyModel:
    """Load the body; for a missing file, the error says where to get SMPL."""
    named = isinstance(body, str | Path) and str(body) != "default"
    return load_body(SMPL_BODY.require(str(body)) if named else body)


def _counts(entries: int, coco: CocoFile, selection: Selection) -> dict[str, Any]:
    return {
        "complete_annotations": coco.complete,
        "entries": entries,
        "people_with_pairs": len(selection.candidates),
        "ruled_out": dict(sorted(selection.ruled_out.items())),
    }


def _split_name(makers: Makers, solver: str, joints: str) -> str:
    """Return the split's name for signatures, which states differences from the original's way."""
    name = NAME if makers.eft else f"{OTHER_NAME}+{makers.name}"
    name = name if solver == DEFAULT_SOLVER else f"{name}+{solver}"
    return name if joints == "spin24" else f"{name}+{joints}"


def _check_categories(categories: Collection[str] | None, coco: CocoFile) -> None:
    known = set(coco.categories.values()) - {PERSON}
    for name in categories or ():
        if name not in known:
            raise unknown_name("category", name, known, where="--category")


def _pictures(folder: str | Path, candidates: Sequence[Candidate]) -> CocoImages:
    """Open the folder of images, and refuse one without any of them."""
    pictures = CocoImages(folder)
    if candidates and not any(pictures.find(c.image) for c in candidates):
        raise InputError(
            f"has none of the {len(candidates)} images, such as {candidates[0].image['file_name']}",
            where=folder,
            expected="the folder that val2014.zip unpacks to",
        )
    return pictures


def _regressor_note(regressor: str | Path | None, body: BodyModel) -> list[Note]:
    if regressor is None or body.vertices == 6890:
        return []
    message = (
        f"not used: it is for SMPL's 6890 vertices, the body '{body.name}' has {body.vertices}; "
        "cameras are fitted to the 24 SMPL joints"
    )
    return [Note(SPIN_REGRESSOR.option, "a regressor of another topology", message, False)]


def _sources(
    paths: Sequence[Path],
    makers: Makers,
    body: str | Path | BodyModel,
    regressor: str | Path | None,
) -> tuple[SourceFile, ...]:
    fits = EFT_FITS.title if makers.eft else f"body fits, not EFT's ({makers.name})"
    files = [(COCO_ANNOTATIONS.title, paths[0]), (fits, paths[1])]
    if not isinstance(body, BodyModel) and body != "default":
        files.append((SMPL_BODY.title, Path(body)))
    if regressor is not None:
        files.append((SPIN_REGRESSOR.title, SPIN_REGRESSOR.require(regressor)))
    return tuple(describe_file(title, path) for title, path in files)


def _pieces(
    shared: SharedInputs, selection: Selection, notes: Sequence[Note], where: Path
) -> list[Piece]:
    candidates = selection.candidates
    if not candidates:
        raise _nothing_left(selection, [*notes, *selection.notes], where)
    chunks = [
        candidates[first : first + PEOPLE_A_PIECE]
        for first in range(0, len(candidates), PEOPLE_A_PIECE)
    ]
    return [
        Piece(f"from {chunk[0].fit.entry}", partial(rows_of_people, shared, chunk), len(chunk))
        for chunk in chunks
    ]


def _nothing_left(selection: Selection, notes: Sequence[Note], where: Path) -> InputError:
    """Return the error of a split without rows; it says what was left out, and why."""
    left_out = count_reasons(notes, left_out=True)
    reasons = {**selection.ruled_out, **left_out}
    lines = [f"    {count} x {reason}" for reason, count in sorted(reasons.items())]
    lines += [f"    {note}" for note in notes if note.left_out][:_SHOWN_NOTES]
    return InputError(
        "none of the fits has a person-object pair in this annotation file"
        + ("; left out:\n" + "\n".join(lines) if lines else ""),
        where=where,
        expected="images with one person and one object whose boxes overlap",
        fix="check that the two files belong together, and the --category",
    )
