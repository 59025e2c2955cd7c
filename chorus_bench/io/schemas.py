"""Schemas of files written by hand: pydantic models that report all problems in one pass.

This module imports pydantic, so the command line imports it only when a file is read.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from chorus_bench.errors import InputError
from chorus_bench.io.documents import Document, KeyPath, label, without_odd_values
from chorus_bench.io.findings import Finding, Findings, problems_error, shown
from chorus_bench.io.json_files import parse_json
from chorus_bench.io.limits import MAX_TEXT_LENGTH, MIB
from chorus_bench.io.schema_words import ONE_LINE, RULE, Texts, Words
from chorus_bench.io.untrusted_files import read_regular
from chorus_bench.io.yaml_files import parse_yaml

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

_MAX_LISTED = 20
_MAX_FILE = 64 * MIB


class _Constructor(ModelMetaclass):
    """Makes a call of the class raise the same errors as reading a file."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, N805 - a metaclass
        try:
            return super().__call__(*args, **kwargs)
        except ValidationError as error:
            schema = cls.model_json_schema()  # type: ignore[attr-defined]
            said = Words(schema).explain(error.errors(include_url=False), kwargs)
            found = [Finding(label(path), *texts) for path, texts in said]
            raise problems_error(found, cls.__name__) from None


class Schema(BaseModel, metaclass=_Constructor):
    """Base of all models: strict types, no unknown keys, immutable.

    Raises:
        InputError: a value is wrong; every problem is listed.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True
    )


Model = TypeVar("Model", bound=BaseModel)


def rule(found: str, expected: str) -> PydanticCustomError:
    """Return the error of a validator: what was found and what was expected."""
    return PydanticCustomError(RULE, "{found}", {"found": found, "expected": expected})


def _day(text: str) -> str:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        raise rule(f"is {shown(text)}", "a date, YYYY-MM-DD") from None
    return text


_ONE_LINE = StringConstraints(strip_whitespace=True, min_length=1, pattern=ONE_LINE)

#: Text in one line, without surrounding spaces. The field bounds its length.
Line = Annotated[str, _ONE_LINE]
#: A text that is not empty.
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_LENGTH, pattern=r"\S")]
Day = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_day),
    Field(description="a date, YYYY-MM-DD"),
]
Url = Annotated[
    str,
    StringConstraints(max_length=2000, pattern=r"^https?://[^\s/]+(/\S*)?$"),
    Field(description="an http or https address"),
]
Sha256 = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Field(description="a SHA-256, 64 hexadecimal digits in lower case"),
]
#: A score or share.
Fraction = Annotated[float, Field(ge=0, le=1, description="a fraction from 0 to 1")]
#: A count; the largest one is exact in JSON.
Count = Annotated[int, Field(ge=0, lt=1 << 53, description="a whole number, 0 or more")]


def check(
    model: type[Model], document: Document, *, fix: str | None = None
) -> tuple[Model | None, dict[KeyPath, Finding]]:
    """Compare a document with a model.

    Args:
        model: the expected model.
        document: the document.
        fix: advice for problems without specific advice.

    Returns:
        The value, or None if there is a problem; and the problems by place, in the order of the
        lines.
    """
    content, odd = without_odd_values(document.content)
    value, texts = None, dict[KeyPath, Texts]()
    try:
        value = model.model_validate_json(json.dumps(content))
    except ValidationError as error:
        words = Words(model.model_json_schema(), document.fix)
        texts = dict(words.explain(error.errors(include_url=False), content))
        texts = {p: t for p, t in texts.items() if not any(p[:n] in odd for n in range(len(p) + 1))}
    for path, (found, expected) in odd.items():
        texts[path] = (found, expected or Words(model.model_json_schema()).expected(path), None)
    lines = document.lines
    ordered = sorted(texts.items(), key=lambda item: lines.line(item[0]))
    return (None if texts else value), {
        path: Finding(lines.at(*path), found, expected, advice or fix)
        for path, (found, expected, advice) in ordered
    }


def validated(
    model: type[Model], document: Document, errors: Findings, *, fix: str | None = None
) -> Model | None:
    """Return the value of a document, or None; every problem is added to ``errors``."""
    value, problems = check(model, document, fix=fix)
    report(problems, document, errors)
    return value


def report(problems: Mapping[KeyPath, Finding], document: Document, errors: Findings) -> None:
    """Add the first problems of a document to ``errors``, and the number of the rest."""
    errors.extend(islice(problems.values(), _MAX_LISTED))
    if len(problems) > _MAX_LISTED:
        errors.add(document.lines.file, f"has {len(problems) - _MAX_LISTED} more problems")


def right_parts(
    model: type[Model], data: bytes, file: str, errors: Findings
) -> dict[str | int, Any] | None:
    """Return a file's keys, or numbered items, with null for each that has a problem.

    The other values are unchanged. None if the file as a whole is wrong. Every problem is added to
    ``errors``; for arguments see `read`.
    """
    try:
        document = parse(data, file)
    except InputError as error:
        errors.append(Finding.of(error, error.where or file))
        return None
    _, problems = check(model, document)
    report(problems, document, errors)
    content, wrong = document.content, {path[0] for path in problems if path}
    if () in problems or not isinstance(content, dict | list):
        return None
    parts = content.items() if isinstance(content, dict) else enumerate(content)
    return {key: None if key in wrong else value for key, value in parts}


def read(
    model: type[Model], data: bytes, file: str, errors: Findings, *, fix: str | None = None
) -> Model | None:
    """Return the value in a file's bytes, or None; every problem is added to ``errors``.

    Args:
        model: the expected model.
        data: its bytes.
        file: its name; ``.json`` means JSON, anything else YAML.
        errors: collects the problems, with their lines.
        fix: advice for problems without specific advice.
    """
    try:
        document = parse(data, file)
    except InputError as error:
        errors.append(Finding.of(error, error.where or file, fix))
        return None
    return validated(model, document, errors, fix=fix)


def read_file(
    model: type[Model],
    path: Path,
    file: str,
    errors: Findings,
    *,
    limit: int,
    fix: str | None = None,
) -> Model | None:
    """Return the value in a file of unknown origin, or None; see `read` and `read_regular`."""
    try:
        data = read_regular(path, limit)
    except InputError as error:
        errors.append(Finding.of(error, file, fix))
        return None
    return read(model, data, file, errors, fix=fix)


def load(model: type[Model], path: Path, *, fix: str | None = None) -> Model:
    """Return the value in a file.

    Raises:
        InputError: it cannot be read or is invalid; every problem is listed.
    """
    return loaded(model, read_document(path), fix=fix)


def loaded(model: type[Model], document: Document, *, fix: str | None = None) -> Model:
    """Return the value of a document.

    Raises:
        InputError: it is invalid; every problem is listed.
    """
    errors = Findings()
    value = validated(model, document, errors, fix=fix)
    if value is None:
        raise problems_error(errors, document.lines.file)
    return value


def parse(data: bytes, file: str) -> Document:
    """Read the bytes of a JSON or YAML file.

    Args:
        data: the bytes.
        file: the name to show in messages; ``.json`` means JSON, anything else YAML.

    Raises:
        InputError: it is not UTF-8, not of this format, empty or nested too deeply, or has a
            duplicate key.
    """
    return (parse_json if file.endswith(".json") else parse_yaml)(data, file)


def read_document(path: Path) -> Document:
    """Return the contents of a JSON or YAML file.

    Raises:
        InputError: it is missing, too large, or invalid (see `parse`).
    """
    try:
        size = path.stat().st_size
        if size > _MAX_FILE:
            raise InputError(f"has {size} bytes", where=path, expected=f"at most {_MAX_FILE}")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=path) from error
    return parse(data, str(path))
