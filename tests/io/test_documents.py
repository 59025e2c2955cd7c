"""Small JSON and YAML files: lines, refusals, and values that no file may hold."""

from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from chorus_bench.errors import InputError
from chorus_bench.io.documents import MAX_DEPTH, label, without_odd_values
from chorus_bench.io.json_files import read_json
from chorus_bench.io.schemas import parse
from chorus_bench.io.yaml_files import yaml_value

JSON = """{
 "a": [1, {"b": 2,
   "c": []}],
 "a.b": {"a":
  "}, \\"a\\": [", "e\\n": null}
}"""
PLACES = {
    (): 1,
    ("a",): 2,
    ("a", 0): 2,
    ("a", 1): 2,
    ("a", 1, "b"): 2,
    ("a", 1, "c"): 3,
    ("a.b",): 4,
    ("a.b", "a"): 4,
    ("a.b", "e\n"): 5,
}


def test_every_key_of_json_has_its_line():
    lines = parse(JSON.encode(), "x.json").lines
    assert {path: lines.line(path) for path in PLACES} == PLACES
    assert lines.at("a", 1, "c") == "x.json:3: a[1].c"
    assert lines.at("a", 1, "nothing", "here") == "x.json:2: a[1].nothing.here"
    assert lines.at() == "x.json:1"


def test_every_key_of_yaml_has_its_line():
    text = "# first\na:\n- 1\n- b: 2\n  c: []\nno: {d: 1,\n  1: 2}\n"
    document = parse(text.encode(), "x.yaml")
    assert document.content == {"a": [1, {"b": 2, "c": []}], "no": {"d": 1, "1": 2}}
    lines = document.lines
    wanted = {("a",): 2, ("a", 0): 3, ("a", 1, "c"): 5, ("no",): 6, ("no", "1"): 7}
    assert {path: lines.line(path) for path in wanted} == wanted


def test_labels():
    assert label(("a", 0, "b", "c")) == "a[0].b.c"
    assert label((3, "file")) == "[3].file"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "x.json:1: is not JSON"),
        ('{"a": 1,\n oops', "x.json:2: is not JSON: .*column 2"),
        ('{"a": 1,\n"b": {"a": 1,\n"a": 2}}', "x.json:3: has the key 'a' twice"),
        ("[" * 100_000, "x.json: is nested too deep"),
        ('{"a":' * 100_000, "x.json: is nested too deep"),
        (b'{"a": "\xff"}', "x.json: is not UTF-8 text: byte 7"),
        ('{"a": 1}'.encode("utf-16"), "x.json: is not UTF-8 text: it is UTF-16"),
    ],
)
def test_json_that_is_refused(text, found):
    with pytest.raises(InputError, match=found):
        parse(text if isinstance(text, bytes) else text.encode(), "x.json")


ODD = {
    "nan": "NaN",
    "inf": "1.0e+400",
    "digits": "1" * 5000,
    "hex": "9223372036854775808",
    "half": '"a\\uD800"',
    "escape": '"\\u001b[2J"',
    "turned": '"\\u202e"',
    "k\\u202e": "1",
    "big": "9223372036854775807",
    "lines": '"a\\n\\tb"',
}


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_values_that_no_file_may_hold(name):
    deep = "[" * 30 + "]" * 30 if name == "x.json" else "[]"
    parts = [f'"{key}": {value}' for key, value in {**ODD, "deep": deep}.items()]
    text = "{" + ", ".join(parts) + "}"
    text = text if name == "x.json" else text.replace("NaN", ".nan")
    content, odd = without_odd_values(parse(text.encode(), name).content)
    names = {"nan", "inf", "digits", "hex", "half", "escape", "turned", "k\u202e"}
    assert {path[0] for path in odd} == names | ({"deep"} if name == "x.json" else set())
    assert content["lines"] == "a\n\tb"
    assert content["big"] == 2**63 - 1
    assert all(content[name] is None for name in names)
    assert odd[("nan",)][0] == "is NaN"
    assert odd[("digits",)][0] == odd[("inf",)][0] == "is infinite or too large"
    assert odd[("half",)][0] == "has control characters: 'a\\ud800'"
    json.dumps(content, allow_nan=False).encode()


def test_a_key_with_half_a_character_is_left_out():
    content, odd = without_odd_values({"a": 1, "b\ud800": 2})
    assert content == {"a": 1}
    assert list(odd) == [("b\ud800",)]


def test_what_is_too_deep_is_cut():
    value = 1
    for _ in range(MAX_DEPTH + 3):
        value = [value]
    _, odd = without_odd_values(value)
    assert [len(path) for path in odd] == [MAX_DEPTH]


def test_python_values_that_no_file_can_hold():
    _, odd = without_odd_values({"a": object(), "b": {1: 2}, "c": (1, 2)})
    assert set(odd) == {("a",), ("b",)}


def test_values_of_options():
    assert yaml_value("", "x") is None
    assert yaml_value("null", "x") is None
    assert yaml_value("[a, 0.5, true, 2024-01-01]", "x") == ["a", 0.5, True, "2024-01-01"]
    with pytest.raises(InputError, match="option x:1: is not valid YAML"):
        yaml_value("[1", "option x")
    with pytest.raises(InputError, match="has the tag"):
        yaml_value("!!python/name:os.system x", "x")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[" * 100_000, "is nested too deep"),
        ('{"a": %s}' % ("1" * 5000), "holds a number too large"),
        ('[1,\n"\\\\\\ud83d x"]', r"half of a character, \\ud83d, in line 2"),
        ('"\\udc00\\ud83d"', r"half of a character, \\udc00, in line 1"),
        (b'{"a": "\xed\xa0\x80"}', "is not UTF-8 text: byte 7"),
    ],
)
def test_large_json_that_is_refused(tmp_path, text, found):
    file = tmp_path / "large.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=found):
        read_json(file)


def test_large_json_takes_whole_characters_and_numbers_that_are_not_finite(tmp_path):
    file = tmp_path / "large.json"
    file.write_text('["\\ud83d\\ude00", "\\\\ud83d", NaN, 1e400]')
    found = read_json(file)
    assert found[:2] == ["\U0001f600", "\\ud83d"]
    assert math.isnan(found[2])
    assert found[3] == math.inf


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(values, st.sampled_from([None, 1]))
def test_json_comes_back_with_the_line_of_every_key(value, indent):
    document = parse(json.dumps(value, indent=indent).encode(), "x.json")
    assert document.content == value
    text = json.dumps(value, indent=indent).splitlines()
    for path in document.lines._known:
        if path and isinstance(path[-1], str):
            assert json.dumps(path[-1]) in text[document.lines.line(path) - 1]


@given(values.filter(lambda value: value is not None))
def test_yaml_comes_back(value):
    plain, odd = without_odd_values(value)
    if plain is not None and not odd:
        text = yaml.dump(plain, Dumper=_Dumper, allow_unicode=True)
        assert parse(text.encode(), "x.yaml").content == plain


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
def test_any_bytes_are_read_or_refused(data):
    for name in ("x.json", "x.yaml"):
        try:
            document = parse(data, name)
        except InputError as error:
            said = str(error)
        else:
            said = name
            content, _ = without_odd_values(document.content)
            json.dumps(content, allow_nan=False).encode()
        assert said.startswith(name)
