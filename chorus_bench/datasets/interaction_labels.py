"""The label of a sample's interaction: what its person does, with which part of the body.

Test splits may say it in three optional columns. No fingerprint of a split covers them, because
only the track `conditioned` reads them; its signature has a fingerprint of their own.

Source: docs/protocol.md P35.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chorus_bench.errors import InputError
from chorus_bench.io.findings import printable

#: The columns of a label, each a text or null.
LABEL_COLUMNS = ("interaction", "prompt", "part")

#: What the fingerprint of the labels is where no sample has one.
NO_LABELS = "none"

_LONGEST = 300


@dataclass(frozen=True)
class InteractionLabel:
    """What is known of a sample's interaction; None stands for what is not.

    Attributes:
        interaction: the activity's short name, for example ``ride``.
        prompt: a sentence that describes it.
        part: the part of the body that the object belongs to, for example ``hands``.
    """

    interaction: str | None = None
    prompt: str | None = None
    part: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> InteractionLabel | None:
        """Return the label of a row, or None if it has none.

        Raises:
            InputError: something in it is not a short text.
        """
        values = {name: _checked(name, row.get(name)) for name in LABEL_COLUMNS}
        return cls(**values) if any(values.values()) else None


def labels_fingerprint(labels: Iterable[tuple[str, InteractionLabel | None]]) -> str:
    """Return ``number@fingerprint`` of (sample id, label) pairs: the distinct labels, and all.

    `NO_LABELS` where no sample has one.
    """
    known = sorted((name, label) for name, label in labels if label is not None)
    if not known:
        return NO_LABELS
    sha = hashlib.sha256()
    for name, label in known:
        for text in (name, label.interaction, label.prompt, label.part):
            data = b"-" if text is None else text.encode()
            sha.update(f"{len(data)}:{text is None};".encode() + data)
    return f"{len({label for _, label in known})}@{sha.hexdigest()[:12]}"


def _checked(column: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise InputError(
            f"{column} is {printable(repr(value), 60)}",
            expected=f"a text of at most {_LONGEST} characters in one line, or null",
        )
    return value
