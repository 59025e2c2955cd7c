"""Writing a submission: checked first, then written atomically."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

import numpy as np
import safetensors.numpy
import yaml

from chorus_bench.arrays import real_array
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.io.files import FolderKind, atomic_folder, check_new_folder
from chorus_bench.io.findings import Finding, Findings, SubmissionError
from chorus_bench.io.limits import MAX_MANIFEST_BYTES
from chorus_bench.io.untrusted_files import FileEntry
from chorus_bench.submission.arrays import TENSOR_NAME, Raw, to_probabilities
from chorus_bench.submission.check import check_own_grids, value_problems
from chorus_bench.submission.given_grids import FieldLike, GivenGrids, Grids
from chorus_bench.submission.interactions import InteractionField, check_files
from chorus_bench.submission.layout import FieldKey, check_key, find_fields
from chorus_bench.submission.manifest import MANIFEST_NAME, Track, read_manifest

Format = Literal["safetensors", "npz"]
DType = Literal["float32", "float16", "uint8"]

#: For `check_new_folder`, where a submission is going to be written.
SUBMISSION = FolderKind("a submission", (MANIFEST_NAME,))


@checked
def write_submission(
    folder: str | Path,
    *,
    method: str,
    fields: Mapping[str, FieldLike],
    grid: GivenGrids = None,
    overwrite: bool = False,
    format: Format = "safetensors",
    dtype: DType = "float32",
    interactions: Mapping[str, Sequence[InteractionField]] = MappingProxyType({}),
    **metadata: str | list[str] | None,
) -> Path:
    """Write a submission of the canonical track.

    Everything is checked before anything is written, and the folder appears completely or not at
    all.

    Args:
        folder: the folder; it must not exist, unless ``overwrite`` is true and it is a submission.
        method: the method's name, 1 to 80 characters.
        fields: category -> (N, N, N) occupancy probabilities in [0, 1], axes x, y, z of the
            canonical body frame: an array of any real dtype, a tensor (also bfloat16, sparse, on
            a device or with a gradient), or an `OccupancyGrid`, as the reader returns it. As in
            files, uint8 means 255 times the probability.
        grid: the geometry of all fields, metres, or category -> that of its fields. By default an
            `OccupancyGrid` brings its own, and an array has that of the first field if this is an
            `OccupancyGrid`, else 48 voxels a side of a 3 m cube about the origin.
        overwrite: replace an existing submission.
        format: ``safetensors`` or ``npz``.
        dtype: how the values are stored: ``float32``, ``float16`` or ``uint8``.
        interactions: category -> the fields of its interaction types, on the category's grid.
        **metadata: the optional keys of `submission.yaml`; None leaves a key out.

    Returns:
        The folder.

    Raises:
        SubmissionError: lists all problems with the arguments.
        InputError: the folder exists.
        WriteError: the disk is full, the place is not writable, ...
    """
    own = {FieldKey(category): category for category in fields}
    more = [
        (FieldKey(category, interaction=member.kind.name), member)
        for category, members in interactions.items()
        for member in members
    ]
    values = {key: member.values for key, member in more}

    def read(key: FieldKey) -> FieldLike:
        return fields[own[key]] if key in own else values[key]

    types = {name: [one.kind.as_entry() for one in some] for name, some in interactions.items()}
    keys = [*own, *(key for key, _ in more)]
    plan = _Plan("canonical", keys, read, Grids.of(grid, keys, read), format, dtype)
    return _write(Path(folder), plan, {"method": method, **metadata}, overwrite, types)


@checked
def write_posed_submission(
    folder: str | Path,
    *,
    method: str,
    fields: Mapping[str, Mapping[str, FieldLike]] | Mapping[str, Mapping[int, FieldLike]],
    grid: GivenGrids = None,
    overwrite: bool = False,
    format: Format = "safetensors",
    dtype: DType = "float32",
    **metadata: str | list[str] | None,
) -> Path:
    """Write a submission of the posed track.

    Args:
        folder: see `write_submission`, also for everything not described here.
        method: the method's name.
        fields: category -> sample id -> (N, N, N) occupancy probabilities in [0, 1] in the
            posed space of that sample, as for `write_submission`. Ids are texts or whole
            numbers. The mappings may compute their arrays on demand; each is requested twice,
            for the check and for the file, and the first of each category once more if ``grid``
            does not say its geometry.
        grid: the geometry of all fields, see `write_submission`; all samples of a category share
            one.
        overwrite: replace an existing submission.
        format: ``safetensors`` or ``npz``.
        dtype: how the values are stored.
        **metadata: the optional keys of `submission.yaml`.

    Returns:
        The folder.

    Raises:
        SubmissionError: lists all problems with the arguments.
        InputError: the folder exists.
        WriteError: the disk is full, the place is not writable, ...
    """
    ids = [(category, sample) for category in fields for sample in fields[category]]
    keys = [FieldKey(category, _sample_name(sample)) for category, sample in ids]
    given = dict(zip(keys, ids, strict=True))

    def read(key: FieldKey) -> FieldLike:
        category, sample = given[key]
        return cast("Mapping[object, FieldLike]", fields[category])[sample]

    plan = _Plan("posed", keys, read, Grids.of(grid, keys, read), format, dtype)
    return _write(Path(folder), plan, {"method": method, **metadata}, overwrite)


def as_field(field: FieldLike, grid: GridSpec | None = None) -> OccupancyGrid:
    """Return a field as its author has it as an `OccupancyGrid`.

    Args:
        field: see `write_submission`.
        grid: the geometry of an array; by default its own number of voxels a side of a 3 m cube
            about the origin.

    Raises:
        InputError: no cube of probabilities.
    """
    if isinstance(field, OccupancyGrid):
        return field
    raw = real_array(field, "the field")
    values = to_probabilities(raw if raw.dtype == np.uint8 else raw.astype(np.float32))
    spec = grid or GridSpec(values.shape[0] if values.ndim == 3 else GridSpec().resolution)
    return OccupancyGrid(values, spec)


def _sample_name(sample: str | int) -> str:
    """Return the name of a sample's file; what is neither text nor a whole number stays."""
    whole = isinstance(sample, int | np.integer) and not isinstance(sample, bool)
    return str(int(sample)) if whole else cast("str", sample)


@dataclass(frozen=True)
class _Plan:
    """What is to be written, and how to get each field."""

    track: Track
    keys: Sequence[FieldKey]
    read: Callable[[FieldKey], FieldLike]
    grids: Grids
    format: Format
    dtype: DType

    def name(self, key: FieldKey) -> str:
        """Return the name of a field's file below the submission's folder."""
        return f"{key.path}.{self.format}"

    def array(self, key: FieldKey) -> Raw:
        """Return a field as an array that can be written: uint8 or float32."""
        field = self.read(key)
        if isinstance(field, OccupancyGrid):
            self.grids.check(key.category, field.spec)
        values = real_array(field.values if isinstance(field, OccupancyGrid) else field)
        if values.dtype == np.uint8:
            return values
        with np.errstate(over="ignore"):
            return values.astype(np.float32)


def _write(
    folder: Path,
    plan: _Plan,
    texts: Mapping[str, object],
    overwrite: bool,
    types: Mapping[str, Sequence[object]] = MappingProxyType({}),
) -> Path:
    """Check everything, then write it."""
    if plan.format not in get_args(Format):
        raise unknown_name("format", str(plan.format), get_args(Format))
    if plan.dtype not in get_args(DType):
        raise unknown_name("dtype", str(plan.dtype), get_args(DType))
    check_new_folder(folder, overwrite=overwrite, kind=SUBMISSION)
    errors = Findings()
    manifest = _manifest(plan, texts, types, errors)
    _check_keys(plan, errors)
    for key in plan.keys:
        _check_values(plan, key, errors)
    if errors:
        raise SubmissionError(folder, errors)
    with atomic_folder(folder, overwrite=overwrite, kind=SUBMISSION) as temporary:
        (temporary / MANIFEST_NAME).write_bytes(manifest)
        for key in plan.keys:
            path = temporary / plan.name(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_encode(plan.array(key), plan))
    return folder


def _manifest(
    plan: _Plan,
    texts: Mapping[str, object],
    types: Mapping[str, Sequence[object]],
    errors: Findings,
) -> bytes:
    """Return the bytes of `submission.yaml`, checked by reading them back."""
    content = {
        "method": texts["method"],
        "track": plan.track,
        **plan.grids.entries(),
        **{key: text for key, text in texts.items() if key != "method" and text is not None},
    }
    if types:
        content["interactions"] = {name: list(listed) for name, listed in types.items() if listed}
    try:
        text = yaml.dump(content, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True)
        data = text.encode()
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        errors.add(MANIFEST_NAME, f"cannot be written: {error}", expected="texts")
        return b""
    manifest = read_manifest(data, errors)
    own = {key.category for key in plan.keys if key.interaction is None}
    files = [(key.category, key.interaction) for key in plan.keys if key.interaction is not None]
    check_files(manifest.interactions, files, own, errors, Findings())
    check_own_grids(manifest, own, errors)
    if len(data) > MAX_MANIFEST_BYTES:
        expected = f"at most {MAX_MANIFEST_BYTES} bytes"
        errors.add(MANIFEST_NAME, f"has {len(data)} bytes", expected=expected, fix="shorten it")
    return data


class _PlainDumper(yaml.SafeDumper):
    """Writes repeated lists in full, because readers refuse aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _check_keys(plan: _Plan, errors: Findings) -> None:
    """Check names and numbers exactly as a reader does."""
    size = np.dtype(plan.dtype).itemsize
    files = [
        FileEntry(plan.name(key), Path(), size * plan.grids.grid_of(key.category).voxels)
        for key in plan.keys
        if _is_text(key, errors) and check_key("fields", key, errors)
    ]
    if files or not plan.keys:
        find_fields(files, plan.track, errors, Findings())


def _is_text(key: FieldKey, errors: Findings) -> bool:
    """Whether the names are text, as the types require."""
    for kind, name in zip(("category", "sample", "interaction type"), key, strict=True):
        if not isinstance(name, str) and not (kind != "category" and name is None):
            errors.add("fields", f"the {kind} name is not text: {name!r}", fix="use str(...)")
            return False
    return True


def _check_values(plan: _Plan, key: FieldKey, errors: Findings) -> None:
    where = f"fields[{']['.join(repr(part) for part in key if part is not None)}]"
    try:
        values = plan.array(key)
    except InputError as error:
        errors.append(Finding.of(error, where))
        return
    grid = plan.grids.grid_of(key.category)
    if values.shape != grid.shape:
        errors.add(
            where,
            f"has shape {values.shape}",
            expected=f"{grid.shape}, by the grid's resolution",
            fix=_shape_fix(values.shape, key.category),
        )
    errors.extend(value_problems(values, where))


def _shape_fix(shape: tuple[int, ...], category: str) -> str:
    """Return how to make a field of the right shape, in code."""
    squeezed = tuple(n for n in shape if n != 1)
    if len(shape) > 3 and len(squeezed) == 3:
        return "remove the axes of length 1: values.squeeze()"
    if len(shape) == 3 and len(set(shape)) > 1:
        return (
            "a box comes to a cube with chorus_bench.adapters: "
            "box = box_grid({'occupancy': values}, "
            "side_length=LONGEST_SIDE); field = grid_field(box, cube_of(box))"
        )
    return (
        "give the grid of the values: grid=GridSpec(resolution=...), or "
        f"grid={{{category!r}: GridSpec(resolution=...)}} for this category alone"
    )


def _encode(values: Raw, plan: _Plan) -> bytes:
    """Return the bytes of a grid file."""
    if plan.dtype != "uint8":
        values = to_probabilities(values).astype(plan.dtype)
    elif values.dtype != np.uint8:
        values = np.rint(values * np.float32(255)).astype(np.uint8)
    if plan.format == "safetensors":
        encoded: bytes = safetensors.numpy.save({TENSOR_NAME: np.ascontiguousarray(values)})
        return encoded
    file = io.BytesIO()
    np.savez_compressed(file, occupancy=values)
    return file.getvalue()
