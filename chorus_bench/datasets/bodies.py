"""The body that data is used with: the one it was made with, or a refusal."""

from __future__ import annotations

from pathlib import Path

from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.names import fingerprint_of

#: A body as functions take it: a body, a file, a model object; None for the free body.
BodySource = str | Path | BodyModel | object | None


def is_other_body(known: str | None, body: BodyModel) -> bool:
    """Whether data is known to be made with another body than this one.

    Args:
        known: ``name@fingerprint`` of the data's body; None where nobody says.
        body: the body; its name does not matter.
    """
    return known is not None and fingerprint_of(known) != body.fingerprint


def body_for(
    known: str | None, body: BodySource, where: object, *, allow_other: bool | None = None
) -> BodyModel:
    """Load the body to use data with.

    Args:
        known: ``name@fingerprint`` of the data's body; None where nobody says.
        body: what the user gave.
        where: the data, for the error.
        allow_other: whether another body than the data's will do; None where nobody can ask
            for that.

    Raises:
        InputError: the body is not the data's.
    """
    model = load_body("default" if body is None else body)
    if allow_other or not is_other_body(known, model):
        return model
    given = "the default one, " if body is None else ""
    fix = "give that body with --body FILE"
    if allow_other is not None:
        fix += (
            "; poses and cameras fit no other one. With --allow-other-body (allow_other_body=True) "
            "it is used all the same, and the signature says so"
        )
    raise InputError(
        f"made with the body {known}, not with {given}{model.label}", where=where, fix=fix
    )
