"""The settings of batches of images: their layout and their size."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from chorus_bench.io.schemas import rule

FIXED, FREE = "fixed", "free"
AUTO = "auto"

Positive = Annotated[int, Field(ge=1)]


def _suits_layout(batch: int | str, info: ValidationInfo) -> int | str:
    """Refuse a fixed layout whose batch depends on the device."""
    if batch == AUTO and info.data.get("layout") == FIXED:
        raise rule(f"is '{AUTO}' with the layout '{FIXED}'", f"a number, or the layout '{FREE}'")
    return batch


#: A size; it stands behind the field ``layout``.
Batch = Annotated[
    Positive | Literal["auto"],
    AfterValidator(_suits_layout),
    Field(description="a whole number, 1 or more, or 'auto'"),
]
