"""The body with which data is used: the one it was made with, or a refusal."""

from __future__ import annotations

from pathlib import Path

from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.names import fingerprint_of

#: A body as an argument: a body, a file, a model object; None for the free body.
BodySource = str | Path | BodyModel | object | None


def is_other_body(known: str | None, body: BodyModel) -> bool:
    """Whether data is known to be made with a body other than this one.

    Args:
        known: ``name@fingerprint`` of the data's body; None if unknown.
        body: the body; its name does not matter.
    """
    return known is not None and fingerprint_of(known) != body.fingerprint


def body_for(
    known: str | None, body: BodySource, where: object, *, allow_other: bool | None = None
) -> BodyModel:
    """Load the body for some data.

    Args:
        known: ``name@fingerprint`` of the data's body; None if unknown.
        body: the body given by the user.
        where: the data, for the error.
        allow_other: whether a body other than the data's is allowed; None if there is no such
            option.

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
            "; poses and cameras match no other. With --allow-other-body (allow_other_body=True) "
            "the other one is used nevertheless, and the signature states it"
        )
    raise InputError(
        f"made with the body {known}, not with {given}{model.label}", where=where, fix=fix
    )
