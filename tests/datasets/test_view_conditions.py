"""View conditions."""

import pytest

from chorus_bench.datasets.view_conditions import VIEWS, ViewCondition, get_view, read_views
from chorus_bench.errors import InputError


def test_there_are_the_prompt_alone_and_21_additions():
    assert len(VIEWS) == 22
    assert [view.name for view in VIEWS if not view.suffix] == ["plain"]
    assert len({view.name for view in VIEWS}) == len({view.suffix for view in VIEWS}) == 22


def test_prompts_are_extended():
    assert get_view("plain").extend("a person sits") == "a person sits"
    assert get_view("from_back").extend("a person sits") == "a person sits, seen from the back"


def test_unknown_views_are_named():
    with pytest.raises(InputError, match="Did you mean 'selfie'"):
        get_view("selfy")


def test_views_are_read_from_a_file(tmp_path):
    path = tmp_path / "views.yaml"
    path.write_text("plain: ''\nabove: from above\n")
    assert read_views(path) == (ViewCondition("plain", ""), ViewCondition("above", "from above"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no views"),
        ("- a\n- b", "holds no views"),
        ("a: 3", "is not text"),
        ("{", "not YAML"),
    ],
)
def test_files_that_hold_no_views_are_refused(tmp_path, text, message):
    path = tmp_path / "views.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_views(path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"views\.yaml: no such file"):
        read_views(tmp_path / "views.yaml")
