"""The recipe of the extended COCO-EFT split."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from chorus_bench.calibration import EFT, SOLVERS
from chorus_bench.datasets.coco_eft.annotations import PERSON, CocoFile, read_annotations
from chorus_bench.datasets.coco_eft.card import TEXT
from chorus_bench.datasets.coco_eft.fits import read_fits
from chorus_bench.datasets.coco_eft.pairs import Candidate, Selection, select_pairs
from chorus_bench.datasets.coco_eft.pictures import CocoImages
from chorus_bench.datasets.coco_eft.points import point_set
from chorus_bench.datasets.coco_eft.rows import SCHEMA, SharedInputs, rows_of_people
from chorus_bench.datasets.recipe import Note, Piece, Recipe, SourceFile
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

NAME = "coco-eft"

#: Of the builder: it changes whenever the rows do.
VERSION = "1.0.0"

DEFAULT_SOLVER = "adam"

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
    categories: Collection[str] | None = None,
    command: str = "",
) -> Recipe:
    """Read the sources, apply rules 1 and 2, and say how the rows are made.

    Args:
        annotations: ``instances_val2014.json``, gzip'ed or not.
        fits: ``COCO2014-Val-ver10.json`` or another file of that format.
        body: the body to fit cameras to; SMPL for figures that compare with the paper's.
        joint_regressor: SPIN's ``J_regressor_extra.npy``.
        images: a folder with images of val2014, to embed them.
        solver: ``adam`` (the original's path) or ``lm`` (the least-squares minimum).
        categories: only objects of these.
        command: the command line, for the card.

    Returns:
        The recipe for `chorus_bench.datasets.export.export`.

    Raises:
        InputError: a source is missing or is not what its name says, an unknown category or
            solver, or no pair is left.

    Source: coco_eft.md, rules 1 to 3.
    """
    if solver not in SOLVERS:
        raise unknown_name("solver", solver, SOLVERS)
    paths = require_sources([(COCO_ANNOTATIONS, annotations), (EFT_FITS, fits)])
    model = _load_body(body)
    points = point_set(model, joint_regressor)
    people, fit_notes = read_fits(paths[1])
    coco = read_annotations(paths[0], {fit.image_name for fit in people})
    _check_categories(categories, coco)
    selection = select_pairs(people, coco, categories)
    pictures = None if images is None else _pictures(images, selection.candidates)
    shared = SharedInputs(coco, points, solver, pictures)
    settings = {
        "body": model.label,
        "solver": solver,
        "joints": points.name,
        "calibration": EFT.name,
        "only_categories": None if categories is None else sorted(set(categories)),
        "pictures": pictures is not None,
    }
    return Recipe(
        name=_split_name(solver, points.name),
        version=VERSION,
        split="test",
        schema=SCHEMA,
        pieces=_pieces(shared, selection.candidates, paths[0]),
        inputs=settings,
        metadata={**settings, **_counts(len(people) + len(fit_notes), coco, selection)},
        card=TEXT,
        sources=_sources(paths, body, joint_regressor),
        notes=(*fit_notes, *coco.notes, *selection.notes, *_regressor_note(joint_regressor, model)),
        command=command,
    )


def _load_body(body: str | Path | BodyModel) -> BodyModel:
    """Load the body; a path where nothing is makes the error that says where SMPL is."""
    named = isinstance(body, str | Path) and str(body) != "default"
    return load_body(SMPL_BODY.require(str(body)) if named else body)


def _counts(entries: int, coco: CocoFile, selection: Selection) -> dict[str, Any]:
    return {
        "complete_annotations": coco.complete,
        "entries": entries,
        "people_with_pairs": len(selection.candidates),
        "ruled_out": dict(sorted(selection.ruled_out.items())),
    }


def _split_name(solver: str, joints: str) -> str:
    """Return the split's name for signatures: what differs from the original's way is in it."""
    name = NAME if solver == DEFAULT_SOLVER else f"{NAME}+{solver}"
    return name if joints == "spin24" else f"{name}+{joints}"


def _check_categories(categories: Collection[str] | None, coco: CocoFile) -> None:
    known = set(coco.categories.values()) - {PERSON}
    for name in categories or ():
        if name not in known:
            raise unknown_name("category", name, known, where="--categories")


def _pictures(folder: str | Path, candidates: Sequence[Candidate]) -> CocoImages:
    """Open the folder of images, and refuse one that has none of them."""
    pictures = CocoImages(folder)
    if candidates and not any(pictures.find(c.image) for c in candidates):
        raise InputError(
            f"has none of the {len(candidates)} images, {candidates[0].image['file_name']} for one",
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
    paths: Sequence[Path], body: str | Path | BodyModel, regressor: str | Path | None
) -> tuple[SourceFile, ...]:
    files = [(COCO_ANNOTATIONS.title, paths[0]), (EFT_FITS.title, paths[1])]
    if not isinstance(body, BodyModel) and body != "default":
        files.append((SMPL_BODY.title, Path(body)))
    if regressor is not None:
        files.append((SPIN_REGRESSOR.title, SPIN_REGRESSOR.require(regressor)))
    return tuple(describe_file(title, path) for title, path in files)


def _pieces(shared: SharedInputs, candidates: Sequence[Candidate], where: Path) -> list[Piece]:
    if not candidates:
        raise InputError(
            "none of the fits has a person-object pair in this annotation file",
            where=where,
            expected="images with one person and one object whose boxes overlap",
            fix="check that the two files belong together, and the --categories",
        )
    chunks = [
        candidates[first : first + PEOPLE_A_PIECE]
        for first in range(0, len(candidates), PEOPLE_A_PIECE)
    ]
    return [
        Piece(f"from {chunk[0].fit.entry}", partial(rows_of_people, shared, chunk), len(chunk))
        for chunk in chunks
    ]
