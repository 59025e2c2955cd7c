"""The 3D view of canonical fields around the body, for notebooks and as a separate page."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path

from chorus_bench.annotations import Count
from chorus_bench.boundary import checked
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.report.fields import SmallFields
from chorus_bench.report.given import FieldsLike, fields_of
from chorus_bench.report.web import body_data, render


@dataclass(frozen=True)
class FieldsView:
    """A page with a 3D view; a notebook shows it if it is the value of a cell.

    Attributes:
        page: self-contained HTML.
        height: height in a notebook, pixels.
    """

    page: str = field(repr=False)
    height: int

    def __repr__(self) -> str:
        return f"FieldsView({len(self.page) / 1000:.0f} kB, height={self.height})"

    def _repr_html_(self) -> str:
        source = html.escape(self.page, quote=True)
        return (
            f'<iframe srcdoc="{source}" width="100%" height="{self.height}" '
            'style="border:0" title="Fields around the body, in 3D"></iframe>'
        )

    def save(self, path: str | Path) -> Path:
        """Write the page to a file."""
        return atomic_write_bytes(path, self.page.encode())


@checked
def view_fields(
    fields: FieldsLike,
    *,
    grid: GridSpec | None = None,
    body: BodyModel | str | Path = "default",
    level: float = 0.5,
    height: Count = 720,
) -> FieldsView:
    """Return an interactive 3D view of canonical fields: surfaces at an adjustable level.

    It can be rotated with the mouse, a finger or the arrow keys.

    Args:
        fields: name -> field: an `OccupancyGrid`, or an array or tensor (N, N, N) as
            `write_submission` takes it; or a canonical submission, open or not. Fields on
            different grids are shown on one cube.
        grid: the geometry of arrays; by default N voxels a side of a 3 m cube about the origin.
        body: the body, shown in the canonical pose. The page contains its template: SMPL's must
            not be redistributed.
        level: initial level of the surface, as a share of the field's maximum.
        height: height in a notebook, pixels.

    Raises:
        InputError: no field, or one that is no cube of probabilities.
    """
    shown = fields_of(fields, grid)
    data = {
        "body": body_data(load_body(body)),
        **SmallFields.of(shown).data(),
        "categories": list(shown),
        "level": level,
    }
    return FieldsView(render("view.html.jinja", data=data), height)
