"""Messages about values that do not match a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chorus_bench.errors import InputError, did_you_mean
from chorus_bench.io.documents import KeyPath
from chorus_bench.io.findings import nearest, printable, shown

#: Type of the errors of validators that state what was found and expected.
RULE = "rule"
#: Pattern of a text in one line.
ONE_LINE = r"^[^\r\n\t]*$"

#: What was found, what was expected, what to do.
Texts = tuple[str, str | None, str | None]
_Error = Mapping[str, Any]
_Node = Mapping[str, Any]

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a table of keys",
    "null": "null",
}


class Words:
    """Formulates errors by means of a JSON schema, which states what was expected.

    Args:
        schema: a schema from `pydantic.BaseModel.model_json_schema`.
        quotes: advice for a number or similar value that should be text; None in a format that
            quotes every text.
    """

    def __init__(self, schema: _Node, quotes: str | None = None) -> None:
        self._root, self._known, self._quotes = schema, schema.get("$defs", {}), quotes

    def explain(self, errors: Sequence[_Error], content: object) -> Iterator[tuple[KeyPath, Texts]]:
        """Yield the place of each problem, with its message.

        Args:
            errors: errors from `pydantic.ValidationError.errors`.
            content: the value that was compared with the schema.
        """
        places: dict[KeyPath, list[_Error]] = {}
        for error in errors:
            places.setdefault(_place(error, content), []).append(error)
        for path, found in places.items():
            alone = found[0]["type"] if len(found) == 1 else "no way of a union"
            yield path, self._texts(path, alone, found[0])

    def expected(self, path: KeyPath) -> str | None:
        """Return what a place accepts; None if the schema does not say."""
        node = self._node(path)
        return self._words(node) if node else None

    def _texts(self, path: KeyPath, kind: str, error: _Error) -> Texts:
        value, context = error["input"], error.get("ctx", {})
        refused = context.get("error")
        if isinstance(refused, InputError):
            return refused.found, refused.expected, refused.fix
        if kind == RULE:
            return context["found"], context["expected"], None
        if kind in _UNKNOWN or error["loc"][-1:] == ("[key]",):
            return self._unknown(path)
        expected = self.expected(path)
        if kind == "missing" and not isinstance(value, list):
            return "is missing", expected, f"add '{path[-1]}: ...'" if self._quotes else None
        if kind in ("string_too_long", "string_too_short"):
            return f"has {len(value.strip())} characters", expected, None
        found, fix = self._wrong(path, value)
        return found, expected, fix

    def _unknown(self, path: KeyPath) -> Texts:
        name, ways = printable(str(path[-1]), 40), self._ways(self._node(path[:-1]))
        known = [name for way in ways for name in _names(way)]
        if known:
            return f"unknown key '{name}'", None, did_you_mean(name, known)
        keys: _Node = next((way["propertyNames"] for way in ways if "propertyNames" in way), {})
        return f"the key '{name}' cannot be used", self._words({"type": "string", **keys}), None

    def _wrong(self, path: KeyPath, value: object) -> tuple[str, str | None]:
        """Return the description of an unacceptable value, and advice."""
        ways = self._ways(self._node(path))
        takes_text = any(way.get("type") == "string" for way in ways)
        if isinstance(value, str):
            near = nearest(value, [choice for way in ways for choice in way.get("enum", [])])
            kind = "" if takes_text else "the text "
            return f"is {kind}{shown(value)}", near and f"Did you mean '{near}'?"
        scalar = isinstance(value, bool | int | float)
        return f"is {shown(value)}", self._quotes if scalar and takes_text else None

    def _resolved(self, node: _Node) -> _Node:
        while "$ref" in node:
            node = self._known[node["$ref"].rpartition("/")[2]]
        return node

    def _ways(self, node: _Node) -> list[_Node]:
        node = self._resolved(node)
        return [leaf for way in node.get("anyOf", ()) for leaf in self._ways(way)] or [node]

    def _node(self, path: KeyPath) -> _Node:
        node = self._root
        for key in path:
            inner = (_inside(way, key) for way in self._ways(node))
            node = next((found for found in inner if found is not None), {})
        return node

    def _words(self, node: _Node) -> str:
        node = {**self._resolved(node), **node}
        if "properties" in node:
            return f"a table with the keys {', '.join(node['properties'])}"
        if "description" in node:
            return str(node["description"]).rstrip(".")
        if "anyOf" in node:
            return _joined(list(dict.fromkeys(map(self._words, node["anyOf"]))))
        if "const" in node or "enum" in node:
            return _joined([repr(value) for value in node.get("enum", [node.get("const")])])
        if node.get("type") == "array":
            return f"a list{_range(node, 'Items')}, each item {self._words(node.get('items', {}))}"
        return _KINDS.get(node.get("type", ""), "another value") + _bounds(node)


def _place(error: _Error, content: object) -> KeyPath:
    """Return the place of an error, without pydantic's names for the members of a union."""
    path: list[str | int] = []
    for key in error["loc"]:
        known: Any = range(len(content)) if isinstance(content, list) else content
        if isinstance(content, list | Mapping) and key in known:
            content = content[key]
            path.append(key)
        else:
            missing = error["type"] == "missing" and isinstance(key, str)
            return (*path, key) if missing else tuple(path)
    return tuple(path)


def _inside(node: _Node, key: str | int) -> _Node | None:
    """Return the schema of a key or item of a node."""
    if isinstance(key, int):
        items = node.get("prefixItems", [])
        return items[key] if key < len(items) else node.get("items")
    others = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    ways = [node.get("properties", {}).get(key), *others]
    return next((way for way in ways if isinstance(way, Mapping)), None)


def _names(node: _Node) -> list[str]:
    return [*node.get("properties", {}), *node.get("propertyNames", {}).get("enum", [])]


def _joined(words: Sequence[str]) -> str:
    comma = "," if any("," in word for word in words) else ""
    return f"{', '.join(words[:-1])}{comma} or {words[-1]}" if len(words) > 1 else words[0]


def _bounds(node: _Node) -> str:
    if node.get("type") == "string":
        line = ", in one line" if node.get("pattern") == ONE_LINE else ""
        return _range(node, "Length", " characters") + line
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    return "" if low is None else f", {low:g} or more"


def _range(node: _Node, what: str, unit: str = "") -> str:
    low, high = node.get(f"min{what}"), node.get(f"max{what}")
    if high is None:
        return ""
    return f" of {low} to {high}{unit}" if low else f" of at most {high}{unit}"
