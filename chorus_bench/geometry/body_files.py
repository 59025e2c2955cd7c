"""Reading and writing bodies: .npz, SMPL's own .pkl, `smplx` model objects, the default body."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, reason, suggestion
from chorus_bench.geometry.body import JOINTS, BodyModel
from chorus_bench.geometry.skeleton import PARENTS
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.limits import GIB
from chorus_bench.io.npz_files import read_npz

#: Fields of `BodyModel` and the names that SMPL's files give them.
_REQUIRED = {
    "template": "v_template",
    "weights": "weights",
    "joint_regressor": "J_regressor",
    "faces": "f",
}
_OPTIONAL = {
    "pose_directions": "posedirs",
    "shape_directions": "shapedirs",
    "keypoint_vertices": "keypoint_vertices",
}
#: SMPL's largest files hold 300 shape directions, 50 MB.
_MAX_BYTES = GIB


@checked
def load_body(source: str | Path | BodyModel | object = "default") -> BodyModel:
    """Load a body.

    Args:
        source: ``"default"`` for the free body inside the package, the path of an .npz or of
            SMPL's own .pkl, or a model object of the `smplx` package. A `BodyModel` is
            returned as it is.

    Raises:
        InputError: the file is missing, is not a body, or holds anything unexpected.
    """
    if isinstance(source, BodyModel):
        return source
    if isinstance(source, str) and source == "default":
        return _default_body()
    if isinstance(source, str | Path):
        return _load_file(Path(source))
    return _from_model_object(source)


def save_body(body: BodyModel, path: str | Path) -> Path:
    """Write a body as a plain .npz under SMPL's key names, atomically."""
    arrays: dict[str, NDArray[Any]] = {
        key: getattr(body, field)
        for field, key in (_REQUIRED | _OPTIONAL).items()
        if getattr(body, field) is not None
    }
    arrays["kintree_table"] = np.array([PARENTS, range(JOINTS)], dtype=np.int64)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return atomic_write_bytes(path, buffer.getvalue())


@lru_cache(maxsize=1)
def _default_body() -> BodyModel:
    with resources.as_file(resources.files("chorus_bench") / "data/default_body.npz") as path:
        return _from_arrays(_read_npz(path), "default", path)


def _load_file(path: Path) -> BodyModel:
    if not path.is_file():
        raise InputError(
            "no such body file",
            where=path,
            expected="an SMPL-format .npz or .pkl, or 'default' for the free body",
            fix=suggestion(str(path), ["default"]),
        )
    if path.suffix == ".npz":
        return _from_arrays(_read_npz(path), path.stem, path)
    if path.suffix == ".pkl":
        from chorus_bench.io.safe_pickle import load_pickle  # imports SciPy's sparse matrices

        content = load_pickle(path)
        if not isinstance(content, Mapping):
            raise InputError("not a body: the pickle holds no dictionary", where=path)
        return _from_arrays(content, path.stem, path)
    raise InputError(
        f"unknown kind of body file '{path.suffix}'", where=path, expected=".npz or SMPL's .pkl"
    )


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return read_npz(stream, limit=_MAX_BYTES)
    except (InputError, OSError) as error:
        raise InputError(
            f"cannot be read as .npz: {reason(error)}",
            where=path,
            expected="plain arrays (no pickled objects)",
        ) from error


def _from_arrays(content: Mapping[str, Any], name: str, where: object) -> BodyModel:
    missing = [key for key in _REQUIRED.values() if key not in content]
    if missing:
        raise InputError(
            f"not an SMPL-format body: no {', '.join(missing)}",
            where=where,
            expected=f"the arrays {', '.join(_REQUIRED.values())}",
        )
    _check_parents(content.get("kintree_table"), where)
    arrays = {field: _dense(content[key]) for field, key in _REQUIRED.items()}
    arrays |= {field: _dense(content[key]) for field, key in _OPTIONAL.items() if key in content}
    try:
        return BodyModel(name=name, **{k: _typed(k, v) for k, v in arrays.items()})
    except InputError as error:
        raise InputError(error.found, where=where, expected=error.expected, fix=error.fix) from None


def _check_parents(kintree: ArrayLike | None, where: object) -> None:
    if kintree is None:
        return
    table = np.asarray(kintree)
    parents = np.ravel(table[:1] if table.ndim == 2 else table)
    if len(parents) != JOINTS or parents[1:].tolist() != list(PARENTS[1:]):
        raise InputError(
            f"a skeleton of {len(parents)} joints with other parents than SMPL's",
            where=where,
            expected=f"SMPL's {JOINTS} joints",
            fix="use an SMPL-format body; SMPL-H, SMPL-X and MANO have other joints",
        )


def _typed(field: str, value: NDArray[Any]) -> NDArray[Any]:
    kind = np.int32 if field in ("faces", "keypoint_vertices") else np.float32
    if value.dtype.kind not in "biuf":
        name = (_REQUIRED | _OPTIONAL)[field]
        raise InputError(f"its array '{name}' is of type {value.dtype}", expected="numbers")
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is found by the checks
        return np.ascontiguousarray(value, dtype=kind)


def _dense(value: Any) -> NDArray[Any]:  # noqa: ANN401 - arrays, tensors and sparse matrices
    for method in ("detach", "toarray"):
        if hasattr(value, method):
            value = getattr(value, method)()
    return np.asarray(value.cpu() if hasattr(value, "cpu") else value)


def _from_model_object(model: Any) -> BodyModel:  # noqa: ANN401 - an smplx model, not imported here
    names = {
        "v_template": "v_template",
        "weights": "lbs_weights",
        "J_regressor": "J_regressor",
        "f": "faces",
        "posedirs": "posedirs",
        "shapedirs": "shapedirs",
        "kintree_table": "parents",
    }
    content = {
        key: getattr(model, attribute)
        for key, attribute in names.items()
        if getattr(model, attribute, None) is not None
    }
    if "v_template" in content and "posedirs" in content:  # smplx keeps them as (207, V * 3)
        V = len(content["v_template"])
        content["posedirs"] = _dense(content["posedirs"]).reshape(-1, V, 3).transpose(1, 2, 0)
    return _from_arrays(content, type(model).__name__.lower(), f"{type(model).__name__} object")
