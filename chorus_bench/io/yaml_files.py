"""YAML from others: plain values, or a clear error."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import yaml

from chorus_bench.errors import InputError
from chorus_bench.io.documents import MAX_DEPTH, Document, KeyPath, Lines, decode
from chorus_bench.io.findings import printable

# PyYAML's constructors raise these, beside its own errors, on values that they cannot make.
_YAML_ERRORS = (yaml.YAMLError, ValueError, ArithmeticError, LookupError, TypeError)
_TAG = "tag:yaml.org,2002:"
# What is no text without quotes. Dates, the merge key and the value key are text here.
_NO_TEXT = [_TAG + kind for kind in ("null", "bool", "int", "float")]
_RESOLVERS = {
    first: [(tag, form) for tag, form in pairs if tag in _NO_TEXT]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(data: bytes, file: str) -> Document:
    """Read the bytes of a YAML file.

    Keys are text, whatever they look like. Dates stay text.

    Raises:
        InputError: not UTF-8, not YAML, empty, or it uses what plain values do not need and
            attacks do: anchors, aliases, tags, deep nesting, a key that occurs twice.
    """
    content, node = _read(decode(data, file), file)
    if content is None:
        raise InputError("is empty", where=file, expected="one 'key: value' per line")
    return Document(content, Lines(file, lambda: _lines(node)), fix="put quotes around it")


def yaml_value(text: str, where: str) -> Any:  # noqa: ANN401 - whatever the text says
    """Return the value of a user's text, as YAML reads it: 3, 0.5, true, [a, b], ...

    Args:
        text: the value; None for an empty one.
        where: what it was given for, for errors.

    Raises:
        InputError: it is not such a value.
    """
    return _read(text, where)[0]


def _read(text: str, file: str) -> tuple[Any, yaml.Node | None]:
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        content = None if node is None else loader.construct_document(node)
    except InputError as error:
        where = f"{file}:{error.where}"
        raise InputError(error.found, where=where, expected=error.expected, fix=error.fix) from None
    except _YAML_ERRORS as error:
        raise _not_yaml(error, file) from error
    return content, node


def _not_yaml(error: Exception, file: str) -> InputError:
    where, found = file, str(error) or type(error).__name__
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        context = f"{error.context} " if str(error.problem).startswith("but ") else ""
        found = f"{context}{error.problem} (column {mark.column + 1})"
        where = f"{file}:{mark.line + 1}"
    return InputError(f"is not valid YAML: {printable(found)}", where=where, fix="correct the YAML")


class _Loader(yaml.SafeLoader):
    """Refuses what plain values do not need, before anything is built of it.

    Errors of `compose_node` have the line as their ``where``.
    """

    yaml_implicit_resolvers = _RESOLVERS
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            fix = "write the value out, or put quotes around it"
            raise _refusal(event, "has an anchor or alias ('&' or '*')", fix)
        tag = getattr(event, "tag", None)
        if tag is not None:
            fix = "remove the tag, or put quotes around the value"
            raise _refusal(event, f"has the tag '{printable(tag)}'", fix)
        if self._depth > MAX_DEPTH:
            raise _refusal(event, f"is nested more than {MAX_DEPTH} deep", None)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - PyYAML's
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal(key, "has a key that is a list or table", "write a text")
            if key.value in seen:
                shown = printable(key.value, 60)
                raise _refusal(key, f"has the key '{shown}' twice", "remove one of them")
            seen.add(key.value)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:  # noqa: ANN401
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}

    def construct_whole(self, node: Any) -> float:  # noqa: ANN401 - PyYAML's
        """Return a whole number; infinity for one that Python does not read (4300 digits)."""
        try:
            return int(self.construct_yaml_int(node))
        except ValueError:
            return math.inf


_Loader.add_constructor(f"{_TAG}int", _Loader.construct_whole)


def _refusal(part: Any, found: str, fix: str | None) -> InputError:  # noqa: ANN401 - event or node
    line = part.start_mark.line + 1
    return InputError(found, where=line, expected="keys and plain values", fix=fix)


def _lines(node: yaml.Node | None) -> dict[KeyPath, int]:
    found: dict[KeyPath, int] = {}
    _walk(node, (), found)
    return found


def _walk(node: yaml.Node | None, path: KeyPath, found: dict[KeyPath, int]) -> None:
    if node is None:
        return
    found.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found[(*path, key.value)] = key.start_mark.line + 1
            _walk(value, (*path, key.value), found)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _walk(value, (*path, number), found)
