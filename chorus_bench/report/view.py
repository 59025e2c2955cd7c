"""The 3D view of canonical fields around the body, for notebooks and as a separate page."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.report.web import asset, body_data, fields_data, script_json

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head>
<body><main><div id="view"></div></main>
<script>window.CHORUS_BENCH = window.CHORUS_BENCH || {{}};</script>
<script>{viewer}</script>
<script>CHORUS_BENCH.mountViewer(document.getElementById("view"), {data});</script>
</body></html>
"""


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
    fields: Mapping[str, OccupancyGrid],
    *,
    body: BodyModel | str | Path = "default",
    level: float = 0.5,
    height: int = 560,
) -> FieldsView:
    """Return an interactive 3D view of canonical fields: surfaces at an adjustable level.

    It can be rotated with the mouse, a finger or the arrow keys.

    Args:
        fields: name -> field, all on the same grid.
        body: the body, shown in the canonical pose. The page contains its template: SMPL's must
            not be redistributed.
        level: initial level of the surface, as a share of the field's maximum.
        height: height in a notebook, pixels.

    Raises:
        InputError: no field, or fields on different grids.
    """
    data = {
        "body": body_data(load_body(body)),
        **fields_data(fields),
        "categories": list(fields),
        "level": level,
    }
    page = _PAGE.format(
        title="Fields around the body",
        style=asset("style.css"),
        viewer=asset("viewer.js"),
        data=script_json(data),
    )
    return FieldsView(page, height)
