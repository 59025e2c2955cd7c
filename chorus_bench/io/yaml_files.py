"""Reading YAML of unknown origin: one mapping of plain values, or a clear error."""

from __future__ import annotations

import yaml

from chorus_bench.errors import InputError
from chorus_bench.io.findings import printable

_MAX_DEPTH = 8
# PyYAML's constructors raise these, besides its own errors, on values they cannot construct.
_YAML_ERRORS = (
    yaml.YAMLError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)


def load_mapping(data: bytes) -> dict[object, object]:
    """Return the keys and values of a YAML file.

    Raises:
        InputError: not UTF-8, not YAML, not a mapping, or it uses features that plain values do
            not need and attacks do: anchors, aliases, tags, deep nesting, duplicate keys.
    """
    try:
        text = data.decode("utf-8-sig")
        _refuse_constructs(text)
        _refuse_duplicates(yaml.compose(text, Loader=yaml.SafeLoader))
        content = yaml.safe_load(text)
    except InputError:
        raise
    except UnicodeDecodeError as error:
        raise InputError(
            f"is not UTF-8 text: byte {error.start} cannot be decoded", fix="save it as UTF-8"
        ) from error
    except _YAML_ERRORS as error:
        raise InputError(f"is not valid YAML: {_summary(error)}", fix="correct the YAML") from error
    if not isinstance(content, dict):
        raise InputError(
            "is empty" if content is None else "holds no keys",
            expected="keys and values, one 'key: value' to a line",
        )
    return content


def _summary(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{printable(str(error.problem))} (line {mark.line + 1}, column {mark.column + 1})"
    return printable(str(error) or type(error).__name__)


def _refuse_constructs(text: str) -> None:
    """Refuse anchors, aliases, tags and deep nesting before anything is built from them."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if getattr(event, "anchor", None) is not None:
            raise InputError(
                f"has an anchor or alias ('&' or '*'){_line(event)}",
                expected="plain values",
                fix="write the value out, or put quotes around it",
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise InputError(
                f"has the tag '{printable(tag)}'{_line(event)}",
                expected="plain values",
                fix="remove the tag, or put quotes around the value",
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise InputError(
                f"is nested more than {_MAX_DEPTH} deep{_line(event)}",
                expected="keys and values",
            )


def _refuse_duplicates(node: yaml.Node | None) -> None:
    """Refuse duplicate keys in a mapping, and the merge key, which hides them."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _refuse_duplicates(child)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if key.tag == "tag:yaml.org,2002:merge":
                raise InputError(f"has the merge key '<<'{_line(key)}", expected="plain keys")
            if name in seen:
                raise InputError(
                    f"has the key '{printable(name)}' twice, again{_line(key)}",
                    fix="remove one of them",
                )
            seen.add(name)
            _refuse_duplicates(value)


def _line(part: yaml.Event | yaml.Node) -> str:
    return "" if part.start_mark is None else f" in line {part.start_mark.line + 1}"
