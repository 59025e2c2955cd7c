"""Balls and boxes in a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from chorus_bench.adapters.shapes import Ball, Box
from chorus_bench.errors import InputError
from chorus_bench.io.schemas import Schema, loaded, read_document

Three = tuple[float, float, float]


class ShapeEntry(Schema):
    """A ball (center, radius) or a box (center, size, optionally rotation).

    Attributes:
        center: in units of the file.
        radius: of a ball.
        size: edges of a box along its own axes.
        rotation: axis-angle of a box's axes, radians.
        probability: of the object being there.
    """

    center: Annotated[Three, Field(description="three numbers: [x, y, z]")]
    radius: float | None = Field(None, gt=0)
    size: Annotated[Three | None, Field(description="three positive numbers")] = None
    rotation: Annotated[Three, Field(description="three numbers, axis-angle in radians")] = (
        0.0, 0.0, 0.0,
    )  # fmt: skip
    probability: float = Field(1.0, ge=0, le=1)

    def shape(self, metres: float, where: str) -> Ball | Box:
        """Return the shape in metres.

        Raises:
            InputError: neither a radius nor a size, or both.
        """
        x, y, z = (metres * c for c in self.center)
        if (self.radius is None) == (self.size is None):
            raise InputError(
                "has neither a radius nor a size" if self.radius is None else "has both",
                where=where,
                expected="'radius' for a ball, or 'size' for a box",
            )
        if self.radius is not None:
            return Ball((x, y, z), metres * self.radius, self.probability)
        assert self.size is not None
        a, b, c = (metres * side for side in self.size)
        return Box((x, y, z), (a, b, c), self.rotation, self.probability)


class ShapesFile(RootModel[dict[str, list[ShapeEntry] | ShapeEntry]]):
    """Category -> one shape or several."""


def read_shapes(file: Path, metres: float = 1.0) -> dict[str, list[Ball | Box]]:
    """Return the shapes of each category in a YAML file.

    Args:
        file: the file.
        metres: how long a unit is.

    Raises:
        InputError: no such file, not such shapes; every problem is listed.
    """
    if not file.is_file():
        raise InputError("no such file", where=file, expected="a YAML file: category -> shape")
    content = loaded(ShapesFile, read_document(file))
    return {
        name: [
            entry.shape(metres, f"{file}: {name}")
            for entry in (value if isinstance(value, list) else [value])
        ]
        for name, value in content.root.items()
    }
