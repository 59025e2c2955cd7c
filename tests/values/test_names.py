"""Names of categories: LVIS's are taken, paths and names of hidden files are not."""

from __future__ import annotations

import pytest

from chorus_bench.datasets.folder import category_folder
from chorus_bench.errors import InputError
from chorus_bench.names import category_name


@pytest.mark.parametrize(
    "name", ["bow_(weapon)", "Band_Aid", "tennis racket", "Ärmel", "__x", "c+"]
)
def test_names_that_are_taken(name):
    assert category_name(f" {name} ") == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "has 0 characters"),
        ("x" * 81, "has 81 characters"),
        ("a/b", "is a path"),
        ("..", "is a path"),
        (".tie", "begins with a dot"),
        ("tie\x1b[31m", "cannot be displayed"),
        ("tie\u202e", "cannot be displayed"),
        ("a|b", r"has the characters \|"),
    ],
)
def test_names_that_are_refused(name, message):
    with pytest.raises(InputError, match=message):
        category_name(name)


def test_no_two_categories_share_a_folder():
    names = [
        "surf board",
        "surf_board",
        "Surf board",
        "surf(board)",
        "surf[board]",
        "__x",
        "x",
        "_x",
    ]
    folders = {category_folder(name).casefold() for name in names}
    assert len(folders) == len(names)
    assert category_folder("tennis racket") == "tennis_racket"
    assert not any(set(folder) & set("*?[]()|") or folder[0] in "._" for folder in folders)
