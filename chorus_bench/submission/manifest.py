"""`submission.yaml`: what it may say, and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from chorus_bench.geometry.grid import MAX_RESOLUTION, MIN_RESOLUTION, GridSpec
from chorus_bench.io.findings import Findings
from chorus_bench.io.limits import (
    MAX_METHOD_LENGTH,
    MAX_SIDE_LENGTH,
    MAX_TEXT_LENGTH,
    MIN_SIDE_LENGTH,
)
from chorus_bench.io.schemas import Line, Schema, parse, right_parts, rule
from chorus_bench.submission.interactions import (
    InteractionEntry,
    InteractionType,
    check_types,
    types_of,
)

MANIFEST_NAME = "submission.yaml"

Track = Literal["canonical", "posed"]
TRACKS: tuple[Track, ...] = get_args(Track)

#: The optional keys: each a text or a list of texts.
METADATA_KEYS = (
    "authors",
    "affiliation",
    "paper",
    "code",
    "description",
    "training_data",
    "license",
    "date",
    "conversion",
)


def _moderate(texts: str | list[str]) -> str | list[str]:
    length = len(texts) if isinstance(texts, str) else sum(map(len, texts))
    if length > MAX_TEXT_LENGTH:
        raise rule(f"has {length} characters", f"at most {MAX_TEXT_LENGTH} characters")
    return texts


#: Keys that look as if other axes and units were read: the option that converts them.
_CONVERTED = {
    "unknown key 'axes'": '--axes "z-up, x-left"',
    "unknown key 'units'": "--units cm",
    "unknown key 'unit'": "--units cm",
}

Texts = Annotated[
    str | list[str], AfterValidator(_moderate), Field(description="text or a list of texts")
]
Coordinate = Annotated[float, Field(ge=-MAX_SIDE_LENGTH, le=MAX_SIDE_LENGTH)]


class Grid(Schema):
    """The geometry of every grid of a submission.

    Attributes:
        resolution: voxels along each axis.
        side_length: of the cube, metres.
        center: of the cube, metres.
    """

    resolution: int = Field(GridSpec().resolution, ge=MIN_RESOLUTION, le=MAX_RESOLUTION)
    side_length: float = Field(
        GridSpec().side_length,
        ge=MIN_SIDE_LENGTH,
        le=MAX_SIDE_LENGTH,
        description="a positive number of metres",
    )
    center: tuple[Coordinate, Coordinate, Coordinate] = Field(
        GridSpec().center, description="three numbers in metres: [x, y, z]"
    )


class OwnGrid(Schema):
    """The geometry of one category's grids; what is not given is as under ``grid``.

    Attributes:
        resolution: voxels along each axis.
        side_length: of the cube, metres.
        center: of the cube, metres.
    """

    resolution: int | None = Field(None, ge=MIN_RESOLUTION, le=MAX_RESOLUTION)
    side_length: float | None = Field(
        None,
        ge=MIN_SIDE_LENGTH,
        le=MAX_SIDE_LENGTH,
        description="a positive number of metres",
    )
    center: tuple[Coordinate, Coordinate, Coordinate] | None = Field(
        None, description="three numbers in metres: [x, y, z]"
    )


class ManifestFile(Schema):
    """The keys of `submission.yaml`.

    Attributes:
        method: the method's name.
        track: whether grids are in the canonical pose or in that of each sample.
        grid: the geometry of every grid.
        grids: category -> the geometry of its grids, where it differs.
        interactions: category -> the types of interaction that have fields of their own.
        authors: who made the method.
        affiliation: of the authors.
        paper: its title or address.
        code: its address.
        description: the method in a few words.
        training_data: what the method was trained on.
        license: of the submission.
        date: of the submission.
        conversion: how it was made from predictions of another kind.
    """

    method: Line = Field(max_length=MAX_METHOD_LENGTH)
    track: Track
    grid: Grid = Grid()
    grids: dict[str, OwnGrid] = Field(default_factory=dict)
    interactions: dict[str, list[InteractionEntry]] | None = None
    authors: Texts | None = None
    affiliation: Texts | None = None
    paper: Texts | None = None
    code: Texts | None = None
    description: Texts | None = None
    training_data: Texts | None = None
    license: Texts | None = None
    date: Texts | None = None
    conversion: Texts | None = None


@dataclass(frozen=True)
class Manifest:
    """What `submission.yaml` says. ``None`` stands for what is missing or wrong.

    Attributes:
        method: the method's name.
        track: ``canonical`` or ``posed``.
        grid: the geometry of every grid of the submission that has none of its own.
        metadata: the optional keys that are there, each a text or a list of texts.
        interactions: category -> its types of interaction.
        grids: category -> the geometry of its grids, where it is stated; None if it is wrong.
    """

    method: str | None = None
    track: Track | None = None
    grid: GridSpec | None = None
    metadata: dict[str, str | list[str]] = field(default_factory=dict)
    interactions: dict[str, list[InteractionType]] = field(default_factory=dict)
    grids: dict[str, GridSpec] | None = field(default_factory=dict)

    def grid_of(self, category: str) -> GridSpec | None:
        """Return the geometry of a category's grids; None if what the file says is wrong."""
        return None if self.grids is None else self.grids.get(category, self.grid)


def read_manifest(data: bytes, errors: Findings) -> Manifest:
    """Read the bytes of `submission.yaml`; every problem is added to ``errors``."""
    document = errors.collect(lambda: parse(data, MANIFEST_NAME), MANIFEST_NAME)
    parts = {} if document is None else right_parts(ManifestFile, document, errors)
    if not parts:
        return Manifest()
    _advise(errors)
    method, grid = parts.get("method"), parts.get("grid", {})
    types = _types(parts.get("interactions") or {}, parts.get("track"), errors)
    return Manifest(
        method=None if method is None else method.strip(),
        track=parts.get("track"),
        grid=None if grid is None else _spec(grid),
        grids=_specs(grid, parts.get("grids", {})),
        metadata={key: parts[key] for key in METADATA_KEYS if parts.get(key) is not None},
        interactions=types,
    )


def _advise(errors: Findings) -> None:
    """Say of keys for other axes and units that such grids are converted."""
    for number, finding in enumerate(errors):
        option = _CONVERTED.get(finding.found)
        if option is not None:
            fix = f"convert the grids: `chorus-bench convert grids FOLDER --output NEW {option}`"
            errors[number] = replace(finding, fix=fix)


def _types(
    content: Mapping[str, list[object]], track: Track | None, errors: Findings
) -> dict[str, list[InteractionType]]:
    where = f"{MANIFEST_NAME}: interactions"
    if content and track == "posed":
        errors.add(
            where,
            "stands in a submission of the posed track",
            expected="types of interaction on the canonical track only",
            fix="remove the key: a posed field is of one sample, whose interaction it shows",
        )
        return {}
    read = {
        category: [InteractionEntry.model_validate(item, strict=False) for item in items]
        for category, items in content.items()
    }
    types = types_of(read)
    check_types(types, where, errors)
    return types


def _specs(shared: object, own: Mapping[str, object] | None) -> dict[str, GridSpec] | None:
    """Return the geometry of each category that has its own; None if it or the shared is wrong."""
    if own is None or shared is None:
        return None
    base = Grid.model_validate(shared, strict=False)
    entries = {name: OwnGrid.model_validate(one, strict=False) for name, one in own.items()}
    return {
        name: _spec({**base.model_dump(), **entry.model_dump(exclude_none=True)})
        for name, entry in entries.items()
    }


def _spec(content: object) -> GridSpec:
    grid = Grid.model_validate(content, strict=False)
    return GridSpec(grid.resolution, grid.side_length, grid.center)
