"""The geometries of fields that a writer is given: one for all, and those of some categories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from numpy.typing import ArrayLike

from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.submission.layout import FieldKey

#: A field as its author has it: an array or tensor of any library, or what the reader returns.
FieldLike = ArrayLike | OccupancyGrid
#: One geometry for all fields, or that of some categories, or none: then fields bring their own.
GivenGrids = GridSpec | Mapping[str, GridSpec] | None


@dataclass(frozen=True)
class Grids:
    """The geometries of a submission's fields.

    Attributes:
        shared: of every category that has none of its own.
        own: category -> its geometry, where it is another one.
    """

    shared: GridSpec
    own: Mapping[str, GridSpec] = field(default_factory=dict)

    @classmethod
    def of(
        cls, given: GivenGrids, keys: Sequence[FieldKey], read: Callable[[FieldKey], FieldLike]
    ) -> Grids:
        """Return the geometries as they are given, else those that the fields bring with them.

        Args:
            given: see `GivenGrids`.
            keys: of all fields; the first of a category speaks for all of it.
            read: returns a field.
        """
        if isinstance(given, GridSpec):
            return cls(given)
        known = dict(given or {})
        firsts = {key.category: key for key in reversed(keys)}
        for category in dict.fromkeys(key.category for key in keys):
            first = None if category in known else read(firsts[category])
            if isinstance(first, OccupancyGrid):
                known[category] = first.spec
        shared = known.get(keys[0].category, GridSpec()) if keys else GridSpec()
        return cls(shared, {name: spec for name, spec in known.items() if spec != shared})

    def grid_of(self, category: str) -> GridSpec:
        """Return the geometry of a category's fields."""
        return self.own.get(category, self.shared)

    def check(self, category: str, brought: GridSpec) -> None:
        """Raise an `InputError` if a field brings another geometry than its category's."""
        grid = self.grid_of(category)
        if brought != grid:
            raise InputError(
                f"is on the grid {brought.label}",
                expected=f"the category's grid {grid.label} (voxels x metres @ centre)",
                fix="leave out grid=, so that each category keeps its own, or read it at the "
                "other grid's voxels: field.at(grid.centers()).reshape(grid.shape)",
            )

    def entries(self) -> dict[str, object]:
        """Return ``grid`` and, if there are any, ``grids`` for `submission.yaml`."""
        own = {name: _entry(spec) for name, spec in self.own.items()}
        return {"grid": _entry(self.shared), **({"grids": own} if own else {})}


def _entry(spec: GridSpec) -> dict[str, object]:
    return {
        "resolution": int(spec.resolution),
        "side_length": float(spec.side_length),
        "center": [float(c) for c in spec.center],
    }
