"""Reading what is converted: arrays and meshes by category and sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.adapters.kinds import Kind
from chorus_bench.arrays import real_array
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.io.untrusted_files import visible_files

Arrays = dict[str, NDArray[Any]]
#: The file of a category, or the files of its samples.
Found = dict[str, Path | dict[str, Path]]

#: The name of an array in a file that holds one without a name.
ONE = "array"
#: Names of contact on the body's vertices; the second one is that of DAMON's files.
CONTACT_NAMES = ("contact", "contact_label")


def find_inputs(place: Path, kind: Kind) -> Found:
    """Return the files to convert, by category, or by category and sample.

    Args:
        place: a file, whose name is the category; or a folder with ``<category>.<suffix>`` and
            ``<category>/<sample>.<suffix>``.
        kind: gives the suffixes.

    Raises:
        InputError: nothing there, or a category or sample with two files.
    """
    if place.is_file():
        return {place.stem: place}
    expected = f"<category> or <category>/<sample>, ending in {', '.join(kind.suffixes)}"
    if not place.is_dir():
        raise InputError("no such file or folder", where=place, expected=expected)
    found: Found = {}
    for folder in [place, *sorted(path for path in place.iterdir() if path.is_dir())]:
        files = _by_name(folder, kind)
        if folder == place:
            found |= files
        elif files:
            if folder.name in found:
                raise InputError(
                    f"'{folder.name}' is a file and a folder", where=place, expected="one of them"
                )
            found[folder.name] = files
    if not found:
        raise InputError("nothing to convert", where=place, expected=expected)
    return found


def _by_name(folder: Path, kind: Kind) -> dict[str, Path]:
    """Return the files directly in a folder by name; a mesh takes the .npz beside it along."""
    found: dict[str, Path] = {}
    for suffix in kind.suffixes:
        for file in visible_files(folder, suffix):
            if file.parent != folder or (file.stem in found and file.suffix == ".npz"):
                continue
            if file.stem in found:
                raise InputError(
                    f"is a second file of '{file.stem}', beside {found[file.stem].name}",
                    where=file,
                    fix="remove one of them",
                )
            found[file.stem] = file
    return found


def read_item(file: Path, kind: Kind) -> Arrays:
    """Return the named arrays of a file; a mesh as ``vertices`` and ``faces``.

    Raises:
        InputError: it cannot be read, or holds Python objects.
        MissingDependencyError: the library of its format is not installed.
    """
    if file.suffix not in kind.suffixes:
        raise InputError(
            f"'{file.suffix}' is no format of the kind '{kind.name}'",
            where=file,
            expected=", ".join(kind.suffixes),
        )
    try:
        if file.suffix in _READERS:
            return _READERS[file.suffix](file)
        beside = file.with_suffix(".npz")
        return _mesh(file) | (_npz(beside) if beside.is_file() else {})
    except (InputError, MissingDependencyError):
        raise
    except Exception as error:
        # Every library raises what it likes for a damaged file.
        raise InputError(
            f"cannot be read: {str(error).partition(chr(10))[0]}",
            where=file,
            expected="plain arrays, without Python objects, which are never opened",
            fix="write it again: numpy.savez(file, name=array, ...)",
        ) from error


def contact_of(item: Arrays, where: Path | None = None) -> NDArray[Any]:
    """Return the contact among a file's arrays, as it stands there.

    Args:
        item: the arrays of `read_item`.
        where: the file, for errors.

    Raises:
        InputError: there is none.
    """
    for name in (*CONTACT_NAMES, ONE):
        if name in item:
            return item[name]
    raise InputError(
        f"holds {', '.join(item) or 'nothing'}",
        where=where,
        expected=f"an array named {' or '.join(CONTACT_NAMES)}, (V,) or (samples, V)",
    )


def _npz(file: Path) -> Arrays:
    with np.load(file, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _npy(file: Path) -> Arrays:
    return {ONE: np.load(file, allow_pickle=False)}


def _safetensors(file: Path) -> Arrays:
    from safetensors.numpy import load_file

    return dict(load_file(file))


def _pt(file: Path) -> Arrays:
    """Read a file of torch.save as weights only: no code in it is executed."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("torch", extra="torch", purpose="Reading .pt files") from error
    content = torch.load(file, map_location="cpu", weights_only=True)
    named = content if isinstance(content, Mapping) else {ONE: content}
    return {
        str(name): np.asarray(value) if isinstance(value, str) else real_array(value, str(name))
        for name, value in named.items()
    }


_READERS = {".npz": _npz, ".npy": _npy, ".safetensors": _safetensors, ".pt": _pt}


def _mesh(file: Path) -> Arrays:
    try:
        import trimesh
    except ImportError as error:
        raise MissingDependencyError("trimesh", extra="mesh", purpose="Reading meshes") from error
    mesh: Any = trimesh.load(file, force="mesh", process=False, skip_materials=True)
    faces = getattr(mesh, "faces", np.zeros((0, 3)))
    if not len(faces):
        raise InputError(
            "has no faces",
            where=file,
            expected="a triangle mesh",
            fix="a cloud of points is converted with the kind 'points'",
        )
    return {"vertices": np.asarray(mesh.vertices), "faces": np.asarray(faces)}
