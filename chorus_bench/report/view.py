"""The 3D view of canonical fields around the body, for notebooks and as a separate page."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.report.fields import SmallFields
from chorus_bench.report.web import body_data, render
from chorus_bench.submission.write import FieldLike, as_field


@dataclass(frozen=True)
class FieldsView:
    """A page with a 3D view; a notebook shows it if it is the value of a cell.

    Attributes:
        page: self-contained HTML.
        height: height in a notebook, pixels.
    """

    page: str
    height: int

    def _repr_html_(self) -> str:
        source = html.escape(self.page, quote=True)
        return (
            f'<iframe srcdoc="{source}" width="100%" height="{self.height}" '
            'style="border:0" title="Fields around the body, in 3D"></iframe>'
        )

    def save(self, path: str | Path) -> Path:
        """Write the page to a file."""
        return atomic_write_bytes(path, self.page.encode())


def view_fields(
    fields: Mapping[str, FieldLike],
    *,
    grid: GridSpec | None = None,
    body: BodyModel | str | Path = "default",
    level: float = 0.5,
    height: int = 720,
) -> FieldsView:
    """Return an interactive 3D view of canonical fields: surfaces at an adjustable level.

    It can be rotated with the mouse, a finger or the arrow keys.

    Args:
        fields: name -> field, all on the same grid: an `OccupancyGrid`, or an array or tensor
            (N, N, N) as `write_submission` takes it.
        grid: the geometry of arrays; by default N voxels a side of a 3 m cube about the origin.
        body: the body, shown in the canonical pose. The page contains its template: SMPL's must
            not be redistributed.
        level: initial level of the surface, as a share of the field's maximum.
        height: height in a notebook, pixels.

    Raises:
        InputError: no field, one that is no cube of probabilities, or fields on different grids.
    """
    data = {
        "body": body_data(load_body(body)),
        **SmallFields.of({name: as_field(field, grid) for name, field in fields.items()}).data(),
        "categories": list(fields),
        "level": level,
    }
    return FieldsView(render("view.html.jinja", data=data), height)
