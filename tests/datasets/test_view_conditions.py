"""View conditions."""

import pytest

from chorus_bench.datasets.view_conditions import VIEWS, ViewCondition, get_view, read_views
from chorus_bench.errors import InputError

#: What follows the prompt in the original's 22 views, in its order.
ENDINGS = """
side view; back view; front view; top view; bottom view; realistic photo; seen from side;
seen from back; seen from various views; seen from close view; seen from far away; scenic view;
full body photo; hand photo; face photo; photo taken close to hand; photo taken close to face;
selfie; close-up photo; hand only; face only
"""


def test_the_endings_are_those_of_the_original():
    endings = [" ".join(ending.split()) for ending in ENDINGS.split(";")]
    texts = [view.extend("a person sits") for view in VIEWS]
    assert texts == ["a person sits", *(f"a person sits, {ending}" for ending in endings)]


def test_there_are_the_prompt_alone_and_21_additions():
    assert len(VIEWS) == 22
    assert [view.name for view in VIEWS if not view.suffix] == ["plain"]
    assert len({view.name for view in VIEWS}) == len({view.suffix for view in VIEWS}) == 22


def test_prompts_are_extended():
    assert get_view("plain").extend("a person sits") == "a person sits"
    assert get_view("from_back").extend("a person sits") == "a person sits, seen from back"


def test_unknown_views_are_named():
    with pytest.raises(InputError, match="Did you mean 'selfie'"):
        get_view("selfy")


def test_views_are_read_from_a_file(tmp_path):
    path = tmp_path / "views.yaml"
    path.write_text("plain: ''\nabove: from above\nno: from nowhere\n1: from one side\n")
    assert read_views(path) == (
        ViewCondition("plain", ""),
        ViewCondition("above", "from above"),
        ViewCondition("no", "from nowhere"),
        ViewCondition("1", "from one side"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("- a\n- b", r"views\.yaml:1: is a list.*\n.*one line each: 'name: suffix'"),
        ("{}", "one line each"),
        ("a: 3", r"views\.yaml:1: a: is 3\n.*text in one line.*\n.*put quotes around it"),
        ("a: x\nb:\nc: [d]", r"2 problems in .*\n- .*:2: b: is null\n.*\n- .*:3: c: is a list"),
        ("a: x\na: y", r"views\.yaml:2: has the key 'a' twice"),
        ("{", r"views\.yaml:1: is not valid YAML"),
        ("side_view: 'side view'\n".encode("utf-16"), "is not UTF-8 text: it is UTF-16"),
        (b"side_view: 'f\xfcr alle'", "is not UTF-8 text: byte 13"),
    ],
)
def test_files_that_hold_no_views_are_refused(tmp_path, text, message):
    path = tmp_path / "views.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=message):
        read_views(path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"views\.yaml: no such file"):
        read_views(tmp_path / "views.yaml")
