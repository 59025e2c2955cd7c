"""Names of categories: LVIS's are taken, paths and names of hidden files are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from chorus_bench.datasets.coco_eft import coco_eft_recipe
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.folder import category_folder
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.errors import InputError
from chorus_bench.names import category_name, given_categories
from chorus_bench.simulation.recipe import simulated_recipe

REAL = Path(__file__).parents[1] / "data" / "real_coco"


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


def test_the_categories_of_a_caller():
    """A text is one name, not a series of letters."""
    assert given_categories(None) is None
    assert given_categories("tennis racket") == ("tennis racket",)
    assert given_categories(["tie", "bench", "tie"]) == ("tie", "bench")
    assert given_categories(name for name in ("tie",)) == ("tie",)
    for wrong in ([], (), [1], ["tie", None]):
        with pytest.raises(InputError, match="categories"):
            given_categories(wrong)


def test_every_door_takes_one_category_as_a_text(tmp_path):
    world = simulated_recipe(categories="tie", per_category=1, images=False)
    assert world.inputs == simulated_recipe(categories=["tie"], per_category=1, images=False).inputs
    split = load_split("example")
    assert split.select("backpack") == split.select(["backpack"])
    rows = DatasetRows.open("example").select("backpack")
    assert rows.categories == ("backpack",)
    people = coco_eft_recipe(
        REAL / "instances.json", REAL / "fits.json", categories="skateboard", solver="lm"
    )
    assert people.metadata["only_categories"] == ["skateboard"]
    for door in (split.select, DatasetRows.open("example").select):
        with pytest.raises(InputError, match="unknown category 'sky'"):
            door("sky")
