"""Models: what is said about every kind of problem, and that all are said together."""

from __future__ import annotations

import json
import pickle
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, Field, RootModel

from chorus_bench.errors import InputError
from chorus_bench.io.findings import Findings, ProblemsError, shown
from chorus_bench.io.schemas import (
    Count,
    Day,
    Fraction,
    Line,
    Schema,
    Sha256,
    Text,
    Url,
    loaded,
    parse,
    read_document,
    right_parts,
    rule,
)


def _even(value: int) -> int:
    if value % 2:
        raise rule(f"is {value}", "an even number")
    return value


class Inner(Schema):
    """A part."""

    kind: Literal["left", "right"]
    size: Annotated[int, AfterValidator(_even)] = 0


class Thing(Schema):
    """A made-up file."""

    name: Line = Field(max_length=5)
    share: Fraction = 0.5
    number: Count = 0
    level: int = Field(3, ge=1, le=9)
    flag: bool = False
    day: Day | None = None
    url: Url | None = None
    sha256: Sha256 | None = None
    note: Text | None = None
    words: str | list[str] | None = None
    parts: tuple[Inner, ...] = ()
    pair: tuple[float, float] | None = None
    scores: dict[Literal["a", "b"], Fraction] = Field(default_factory=dict)
    labels: dict[Annotated[str, Field(max_length=3)], str] = Field(default_factory=dict)


def said(text: str | bytes, file: str = "x.yaml", **options) -> str:
    errors = Findings()
    data = text.encode() if isinstance(text, str) else text
    value = errors.collect(lambda: loaded(Thing, parse(data, file), **options), file)
    assert (value is None) == bool(errors)
    return "\n".join(map(str, errors))


@pytest.mark.parametrize(
    "text",
    [
        "name: a",
        "name: ' a '\nday: 2024-02-29\nurl: https://example.org/a?b=c#d\n",
        f"name: a\nsha256: {'0f' * 32}\nshare: 1\nparts: [{{kind: left, size: 2}}]",
        "name: a\nwords: [a, b]\npair: [1, 2.5]\nscores: {a: 0}\nlabels: {no: '1'}",
        "name: a\nnote: |\n  two\n  lines\nwords: x",
    ],
)
def test_good_files(text):
    assert said(text) == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "nam: b",
            "x.yaml:2: nam: unknown key 'nam'\n  What to do: Did you mean 'name'? Available:",
        ),
        ("share: 1.5", "share: is 1.5\n  Expected: a fraction from 0 to 1"),
        ("share: '1'", "share: is the text '1'\n  Expected: a fraction"),
        ("share: true", "share: is true\n  Expected: a fraction"),
        ("share: .inf", "share: is infinite or too large\n  Expected: a fraction"),
        ("number: 3.0", "number: is 3.0\n  Expected: a whole number, 0 or more"),
        ("number: -1", "number: is -1\n  Expected: a whole number, 0 or more"),
        (f"number: {10**400}", "number: is too large: 1000"),
        ("level: 10", "level: is 10\n  Expected: a whole number from 1 to 9"),
        ("level:", "level: is null\n  Expected: a whole number from 1 to 9"),
        ("flag: 1", "flag: is 1\n  Expected: true or false"),
        ("day: 2023-02-29", "day: is '2023-02-29'\n  Expected: a date, YYYY-MM-DD"),
        (
            "day: 20230201",
            "day: is 20230201\n  Expected: a date, YYYY-MM-DD, or null\n  What to do: p",
        ),
        ("url: ftp://x", "url: is 'ftp://x'\n  Expected: an http or https address or null"),
        ("sha256: abc", "sha256: is 'abc'\n  Expected: a SHA-256, 64 hexadecimal digits"),
        ("note: ''", "note: has 0 characters\n  Expected: text of 1 to 10000 characters or null"),
        ("note: ' '", "note: is ' '\n  Expected: text of 1 to 10000 characters or null"),
        ('note: "\\e[2J"', "note: has control characters: '\\x1b[2J'\n  Expected: plain text"),
        (
            "words: 3",
            "words: is 3\n  Expected: text, a list, each item text, or null\n  What to do",
        ),
        ("words: [a, 3]", "words: is a list: ['a', 3]"),
        ("parts: [{kind: up}]", "parts[0].kind: is 'up'\n  Expected: 'left' or 'right'"),
        ("parts: [{kind: rigt}]", "Did you mean 'right'?"),
        (
            "parts: [{kind: no}]",
            "parts[0].kind: is false\n  Expected: 'left' or 'right'\n  What to",
        ),
        ("parts: [{kind: left, size: 3}]", "parts[0].size: is 3\n  Expected: an even number"),
        (
            "parts: [{}]",
            "parts[0].kind: is missing\n  Expected: 'left' or 'right'\n  What to do: add",
        ),
        (
            "parts: [left]",
            "parts[0]: is the text 'left'\n  Expected: a table with the keys kind, s",
        ),
        ("parts: {}", "parts: is a table of keys: {}\n  Expected: a list, each item a table with"),
        ("pair: [1]", "pair: is a list: [1]"),
        ("pair: [1, x]", "pair[1]: is the text 'x'\n  Expected: a number"),
        ("scores: {c: 1}", "scores.c: unknown key 'c'\n  What to do: Available: a, b"),
        ("labels: {long: x}", "labels.long: the key 'long' cannot be used\n  Expected: text of at"),
        ('"k\\u202e": 1', "k\\u202e: the key 'k\\u202e' has control characters"),
    ],
)
def test_what_is_said(line, message):
    text = said(f"name: a\n{line}")
    assert message in text
    assert text.count("x.yaml:2: ") == 1, "one problem, said once"


def test_all_problems_come_together_in_the_order_of_their_lines():
    text = 'level: 0\nparts:\n- kind: up\n  sise: 2\n- size: 1\nflag: maybe\nnote: "\\u202e"\n'
    lines = [line.partition(":")[2] for line in said(text).splitlines() if line[0] != " "]
    starts = ["1: name: is missing", "1: level", "3: parts[0].kind", "4: parts[0].sise"]
    starts += ["5: parts[1].kind", "5: parts[1].size", "6: flag", "7: note"]
    assert len(lines) == len(starts)
    assert all(any(line.startswith(start) for line in lines) for start in starts)
    numbers = [int(line.partition(":")[0]) for line in lines]
    assert numbers == sorted(numbers)


def test_json_has_lines_and_no_advice_about_quotes():
    text = said('{\n "name": 3,\n "share":\n  2\n}', "x.json", fix="copy it again")
    assert text.splitlines() == [
        "x.json:2: name: is 3",
        "  Expected: text of 1 to 5 characters, in one line",
        "  What to do: copy it again",
        "x.json:3: share: is 2",
        "  Expected: a fraction from 0 to 1",
        "  What to do: copy it again",
    ]


def test_a_flood_of_problems_is_cut_short():
    text = said("name: a\n" + "\n".join(f"k{n}: 1" for n in range(500)))
    assert text.count("unknown key") == 20
    assert text.endswith("x.yaml: has 480 more problems")


def test_right_parts():
    errors = Findings()
    document = parse(b"name: a\nlevel: 0\nflag: true\nsha: 1\n", "x.yaml")
    right = {"name": "a", "level": None, "flag": True, "sha": None}
    assert right_parts(Thing, document, errors) == right
    assert len(errors) == 2
    assert right_parts(Thing, parse(b"- a", "x.yaml"), errors) == {}
    assert len(errors) == 3


class Items(RootModel[tuple[Inner, ...]], strict=True):
    """A list of parts."""


def test_files_that_are_lists():
    errors = Findings()
    document = parse(b'[{"kind": "left"},\n {"kind": "up"}]', "x.json")
    assert right_parts(Items, document, errors) == {0: {"kind": "left"}, 1: None}
    assert str(errors[0]).startswith("x.json:2: [1].kind: is 'up'")
    with pytest.raises(InputError, match=r"is a table of keys: {}\n  Expected: A list of parts"):
        loaded(Items, parse(b"{}", "x.json"))


def test_values_made_in_python_are_checked():
    assert Inner(kind="left", size=4).size == 4
    with pytest.raises(InputError, match="2 problems in Inner\n- kind: is 'up'"):
        Inner(kind="up", size=3)
    with pytest.raises(InputError, match="siz: unknown key 'siz'"):
        Inner(kind="left", siz=3)


def test_files_that_users_name(tmp_path):
    file = tmp_path / "thing.yaml"
    for text, message in (
        ("name: a\nlevel: 0\n", r"thing\.yaml:2: level: is 0"),
        ("level: 0\n", r"2 problems in .*thing\.yaml\n- .*thing\.yaml:1: name: is missing"),
        ("", r"thing\.yaml: is empty"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            loaded(Thing, read_document(file))
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        read_document(tmp_path / "none.yaml")


def test_the_error_travels_with_all_its_problems():
    with pytest.raises(ProblemsError) as caught:
        loaded(Thing, parse(b"level: 0\nflag: 3", "x.yaml"))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert copy.findings == caught.value.findings
    assert copy.keys == {"name", "level", "flag"}


def test_errors_without_a_place_are_about_the_file():
    errors = Findings()

    def fail():
        raise InputError("is odd")

    assert errors.collect(fail, "x.yaml", "copy it again") is None
    assert str(errors[0]) == "x.yaml: is odd\n  What to do: copy it again"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("a\x1b", "'a\\x1b'"),
        ([1], "a list: [1]"),
        ({"a": 1}, "a table of keys: {'a': 1}"),
        (0.5, "0.5"),
    ],
)
def test_values_as_text(value, text):
    assert shown(value) == text
    assert shown(10**5000) == "a very long number"


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*Thing.model_fields, "other"]), ANY, max_size=8))
def test_any_values_are_a_thing_or_findings(content):
    text = said(json.dumps(content), "x.json")
    assert all(part.isprintable() for part in text.splitlines())
