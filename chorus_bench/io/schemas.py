"""Schemas of files written by hand: pydantic models that report all problems in one pass.

This module imports pydantic, so the command line imports it only when a file is read.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Mapping
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
from chorus_bench.io.documents import Document, KeyPath, Lines, label, without_odd_values
from chorus_bench.io.findings import Finding, Findings, ProblemsError, shown
from chorus_bench.io.json_files import parse_json
from chorus_bench.io.limits import MAX_TEXT_LENGTH, MIB
from chorus_bench.io.schema_words import ONE_LINE, RULE, Texts, Words
from chorus_bench.io.untrusted_files import read_limited
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
            raise ProblemsError(found, cls.__name__) from None


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


def loaded(model: type[Model], document: Document, *, fix: str | None = None) -> Model:
    """Return what a document says.

    Args:
        model: the expected model.
        document: the document.
        fix: advice for problems without specific advice.

    Raises:
        ProblemsError: something in it is wrong; every problem is listed with its line.
    """
    content, odd = without_odd_values(document.content)
    texts: dict[KeyPath, Texts] = {}
    try:
        value = model.model_validate_json(json.dumps(content))
        if not odd:
            return value
    except ValidationError as error:
        words = Words(model.model_json_schema(), document.fix)
        texts = dict(words.explain(error.errors(include_url=False), content))
        texts = {p: t for p, t in texts.items() if not any(p[:n] in odd for n in range(len(p) + 1))}
    for path, (found, expected) in odd.items():
        texts[path] = (found, expected or Words(model.model_json_schema()).expected(path), None)
    raise _problems(texts, document.lines, fix)


def _problems(texts: Mapping[KeyPath, Texts], lines: Lines, fix: str | None) -> ProblemsError:
    findings = Findings()
    for path in sorted(texts, key=lines.line)[:_MAX_LISTED]:
        found, expected, advice = texts[path]
        findings.add(lines.at(*path), found, expected=expected, fix=advice or fix)
    if len(texts) > _MAX_LISTED:
        findings.add(lines.file, f"has {len(texts) - _MAX_LISTED} more problems")
    return ProblemsError(findings, lines.file, {path[0] if path else None for path in texts})


def right_parts(model: type[BaseModel], document: Document, errors: Findings) -> dict[Any, Any]:
    """Return a document's keys, or numbered items, with null for each that has a problem.

    The other values are as they stand there. Nothing when the document as a whole is wrong. Every
    problem is added to ``errors``.
    """
    wrong: Collection[object] = ()
    try:
        loaded(model, document)
    except ProblemsError as error:
        errors.take(error, document.lines.file)
        wrong = error.keys
    content = document.content
    if None in wrong or not isinstance(content, dict | list):
        return {}
    parts = content.items() if isinstance(content, dict) else enumerate(content)
    return {key: None if key in wrong else value for key, value in parts}


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
        data = read_limited(path, _MAX_FILE)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=path) from error
    return parse(data, str(path))
