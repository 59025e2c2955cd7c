"""`submission.yaml`: every wrong thing in it is named, with what to do."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.findings import Findings
from chorus_bench.submission import check_submission, open_submission
from chorus_bench.submission.manifest import read_manifest
from tests.submission.submission_files import fill, problems

HEAD = "method: m\ntrack: canonical\n"


def read(text: str | bytes):
    errors = Findings()
    manifest = read_manifest(text if isinstance(text, bytes) else text.encode(), errors)
    return manifest, "\n".join(str(error) for error in errors)


def test_the_least_manifest_gets_the_default_grid():
    manifest, errors = read(HEAD)
    assert not errors
    assert (manifest.method, manifest.track) == ("m", "canonical")
    assert manifest.grid == GridSpec(48, 3.0, (0.0, 0.0, 0.0))
    assert manifest.metadata == {}


def test_a_full_manifest_is_read():
    manifest, errors = read(
        "method: '  Ours é  '\ntrack: posed\n"
        "grid: {resolution: 64, side_length: 2, center: [0, -0.5, 0.1]}\n"
        "authors: [A, B]\ndescription: |\n  two\n  lines\ndate: 2024-02-29\nlicense: MIT\n"
    )
    assert not errors
    assert manifest.method == "Ours é"
    assert manifest.grid == GridSpec(64, 2.0, (0.0, -0.5, 0.1))
    assert manifest.metadata == {
        "authors": ["A", "B"],
        "description": "two\nlines\n",
        "date": "2024-02-29",
        "license": "MIT",
    }


def test_a_byte_order_mark_is_allowed():
    assert read(b"\xef\xbb\xbf" + HEAD.encode())[0].method == "m"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metod: m\ntrack: canonical", ["unknown key 'metod'", "Did you mean 'method'?"]),
        (HEAD + "1: x", ["unknown key '1'", "Available: affiliation, authors"]),
        ("track: canonical", ["method: is missing", "1 to 80 characters", "add 'method:"]),
        ("method: 12\ntrack: canonical", ["method: is 12", "put quotes around it"]),
        ("method: no\ntrack: canonical", ["method: is false", "put quotes"]),
        (f"method: {'x' * 81}\ntrack: canonical", ["method: has 81 characters"]),
        ("method: '  '\ntrack: canonical", ["method: has 0 characters"]),
        ('method: "a\\eb"\ntrack: canonical', ["control characters: 'a\\x1bb'"]),
        ('method: "a\\u202eb"\ntrack: canonical', ["control characters: 'a\\u202eb'"]),
        ("method: m", ["track: is missing", "'canonical' or 'posed'"]),
        ("method: m\ntrack: canonic", ["track: is 'canonic'", "Did you mean 'canonical'?"]),
        ("method: m\ntrack: [canonical]", ["track: is a list"]),
        (
            "method: m\ntrack: sideways",
            ["track: is 'sideways'", "'canonical' or 'posed'"],
        ),
        ("method: m\ntrack: 7", ["track: is 7", "put quotes around it"]),
        (HEAD + "grid: 48", [":3: grid: is 48", "resolution, side_length, center"]),
        (HEAD + "grid:", [":3: grid: is null"]),
        (HEAD + "grid: {res: 48}", ["grid.res: unknown key 'res'", "resolution"]),
        (HEAD + "grid: {resolution: 7}", ["grid.resolution: is 7", "from 8 to 256"]),
        (HEAD + "grid: {resolution: 257}", ["grid.resolution: is 257"]),
        (HEAD + "grid: {resolution: 48.0}", ["grid.resolution: is 48.0", "whole number"]),
        (HEAD + "grid: {resolution: true}", ["grid.resolution: is true"]),
        (
            HEAD + "grid: {resolution: 0x" + "f" * 9000 + "}",
            ["is too large: a very long", "8 to 256"],
        ),
        (HEAD + "grid: {resolution: " + "9" * 5000 + "}", ["grid.resolution: is infinite or too"]),
        (HEAD + "grid: {side_length: 0}", ["grid.side_length: is 0", "metres"]),
        (HEAD + "grid: {side_length: .nan}", ["grid.side_length: is NaN", "metres"]),
        (HEAD + "grid: {side_length: 1e300}", ["grid.side_length: is the text '1e300'"]),
        (HEAD + "grid: {side_length: 1.0e+300}", ["grid.side_length: is 1e+300"]),
        (HEAD + "grid: {side_length: 3 m}", ["grid.side_length: is the text '3 m'"]),
        (HEAD + "grid: {center: [0, 0]}", ["grid.center: is a list: [0, 0]", "[x, y, z]"]),
        (HEAD + "grid: {center: [0, 0, .inf]}", ["grid.center[2]"]),
        (HEAD + "grid: {center: [0, 0, a]}", ["grid.center[2]"]),
        (HEAD + "authors: 3", ["authors: is 3", "text or a list of texts", "put quotes"]),
        (HEAD + "authors: [a, 3]", ["authors: is a list: ['a', 3]", "text or a list of texts"]),
        (HEAD + "paper: {a: b}", ["paper: is a table of keys"]),
        (HEAD + "description: " + "x" * 10_001, ["description: has 10001 characters", "10000"]),
        (HEAD + 'code: "a\\x00b"', ["code: has control characters"]),
        ("", ["is empty", "one 'key: value' per line"]),
        ("- a", ["is a list: ['a']", "the keys method, track, grid"]),
        ("just text", ["is the text 'just text'", "the keys method"]),
        ("a: [", ["yaml:1: is not valid YAML", "column 5"]),
        (HEAD + "---\na: b", ["yaml:3: is not valid YAML: expected a single document"]),
        (b"method: \xff", ["is not UTF-8 text: byte 8", "save it as UTF-8"]),
        (HEAD.encode("utf-16"), ["is not UTF-8 text: it is UTF-16", "save it as UTF-8"]),
        (HEAD + "method: n", ["yaml:3: has the key 'method' twice", "remove one"]),
        (HEAD + "grid: {center: [0,0,0], center: [0,0,0]}", ["has the key 'center' twice"]),
        (HEAD + "<<: {code: x}", ["yaml:3: <<: unknown key '<<'"]),
        (HEAD + "authors: &a [x]\npaper: *a", ["yaml:3: has an anchor or alias"]),
        (HEAD + "code: !!python/object/apply:os.system [ls]", ["has the tag", "os.system"]),
        (HEAD + "code: " + "[" * 5000, ["yaml:3: is nested more than 16 deep"]),
        (HEAD + "? [a, b]\n: c", ["yaml:3: has a key that is a list or table"]),
    ],
)
def test_what_is_wrong_is_said(text, said):
    _, errors = read(text)
    for part in said:
        assert part in errors
    assert re.match(r"submission\.yaml(:\d+)?: ", errors)


def test_an_alias_bomb_is_refused_at_once():
    layers = "".join(f"x{i}: &x{i} [{f'*x{i - 1}, ' * 9}]\n" for i in range(1, 12))
    _, errors = read(HEAD + "x0: &x0 [a]\n" + layers)
    assert "submission.yaml:3: has an anchor or alias ('&' or '*')" in errors


def test_a_flood_of_unknown_keys_is_cut_short():
    _, errors = read(HEAD + "\n".join(f"k{i}: 1" for i in range(500)))
    assert errors.count("unknown key '") == 20
    assert "has 480 more problems" in errors


def test_a_long_manifest_is_not_read(tmp_path):
    said = problems(fill(tmp_path, manifest=f"method: m\n# {'x' * 262144}"))
    assert "submission.yaml: has 262156 bytes" in said
    assert "at most 262144 bytes" in said


def test_several_problems_come_together(tmp_path):
    said = problems(fill(tmp_path, manifest="method: 1\ntrak: posed\ngrid: {resolution: 1}"))
    for part in ("method: is", "unknown key 'trak'", "track: is missing", "grid.resolution: is 1"):
        assert part in said


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ("{resolution: 8, side_length: 300}", ["looks like centimetres", "near 0", "by 100"]),
        ("{resolution: 8, side_length: 3000}", ["looks like millimetres", "by 1000"]),
        ("{resolution: 8, side_length: 0.3}", ["less than a body's reach"]),
        ("{resolution: 8, center: [0, 150, 0]}", ["does not reach the body", "score is 0"]),
    ],
)
def test_odd_units_are_a_warning(tmp_path, grid, said):
    report = check_submission(fill(tmp_path, manifest=f"{HEAD}grid: {grid}"))
    assert report.ok
    (warning,) = report.warnings
    assert warning.where == "submission.yaml: grid"
    for part in said:
        assert part in str(warning)


def test_metadata_reaches_the_reader(tmp_path):
    fill(tmp_path, manifest=HEAD + "grid: {resolution: 8}\npaper: https://example.org/1")
    with open_submission(tmp_path) as submission:
        assert submission.metadata == {"paper": "https://example.org/1"}
        assert submission.method == "m"


def test_dates_and_keys_are_text():
    manifest, errors = read("method: m\ntrack: canonical\ndate: 2024-99-99\n")
    assert not errors
    assert manifest.metadata == {"date": "2024-99-99"}


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_a_manifest_or_errors(data):
    manifest, errors = read(data)
    assert errors or (manifest.method and manifest.track and manifest.grid)


YAML = st.sampled_from(
    [
        *"[]{}:,-?&*!|>'\"%@`#\n\t ~<=._a",
        *(
            "method",
            "track: posed",
            ": ",
            "\n  ",
            "---\n",
            "<<: ",
            "= ",
            "!!int",
            "!!set",
            "!!binary",
        ),
        *("0x", "0b", "1:2", "2024-", "1e5", "-.inf"),
    ]
)


@given(st.lists(YAML, max_size=30).map("".join))
def test_any_yaml_gives_a_manifest_or_errors(text):
    manifest, errors = read(text)
    assert errors or (manifest.method and manifest.track and manifest.grid)
