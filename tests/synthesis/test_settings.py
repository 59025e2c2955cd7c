"""Settings of a synthesis: presets, files, single changes, and what is said about wrong ones."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from chorus_bench.datasets.view_conditions import ViewCondition
from chorus_bench.errors import InputError
from chorus_bench.synthesis.manifests import plan_of
from chorus_bench.synthesis.plan import Plan
from chorus_bench.synthesis.prompts import prompt_categories, shipped_prompts
from chorus_bench.synthesis.registry import check_options
from chorus_bench.synthesis.settings import (
    Component,
    ImageSettings,
    SynthesisSettings,
    preset_names,
    read_settings,
)

ROLES = {
    "generator": lambda s: s.images.generator,
    "segmenter": lambda s: s.annotations.segmenter,
    "keypoint detector": lambda s: s.annotations.keypoints,
    "pose estimator": lambda s: s.annotations.pose,
}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a configuration and returns its path."""

    def write(text):
        file = tmp_path / "settings.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def test_presets():
    assert preset_names() == ("current", "paper", "paper-24", "tiny")
    paper = read_settings("paper")
    generator = paper.images.generator
    assert generator.name == "diffusers"
    assert generator.options["model"] == "CompVis/stable-diffusion-v1-4"
    assert generator.options["scheduler"] == "PNDMScheduler"
    wanted = {"steps": 50, "guidance": 7.5, "height": 512, "width": 512}
    assert {name: generator.options[name] for name in wanted} == wanted
    assert paper.filters.keypoints == "torso"
    assert read_settings("current").images.generator.options["model"] == "Tongyi-MAI/Z-Image-Turbo"
    assert read_settings("tiny").categories == ("surfboard",)
    assert read_settings() == SynthesisSettings()


@pytest.mark.parametrize("preset", ["current", "paper", "paper-24", "tiny"])
def test_components_of_presets_have_these_options(preset):
    settings = read_settings(preset)
    for kind, component in ROLES.items():
        found = component(settings)
        check_options(kind, found.name, found.options)


@pytest.mark.parametrize("preset", [None, "current", "paper", "paper-24", "tiny"])
def test_yaml_is_read_back(preset, write):
    changes = {
        "categories": ["tie", "cell phone"],
        "annotations.object_segmenter": {"name": "open-vocabulary", "threshold": 0.25},
        "prompts.count": 7,
        "filters.keypoints": "none",
    }
    settings = read_settings(preset, changes=changes)
    assert read_settings(file=write(settings.to_yaml())) == settings
    assert settings.as_dict()["annotations"]["object_segmenter"]["threshold"] == 0.25


#: category -> number of images, number of prompts of the original, and batches of 6 images for
#: each prompt and view.
PAPER = {
    "motorcycle": (47520, 12, 30),
    "bench": (31680, 12, 20),
    "backpack": (42240, 20, 16),
    "handbag": (23760, 4, 45),
    "tie": (31680, 10, 24),
    "frisbee": (21780, 3, 55),
    "skis": (34848, 12, 22),
    "snowboard": (7920, 4, 15),
    "sports ball": (19008, 8, 18),
    "baseball glove": (11880, 5, 18),
    "skateboard": (50688, 16, 24),
    "surfboard": (73920, 16, 35),
    "tennis racket": (47520, 15, 24),
    "cell phone": (84480, 20, 32),
}


@pytest.mark.parametrize("shipped", [True, False])
def test_the_paper_has_14_categories_with_so_many_images_of_each(shipped):
    """The numbers are the paper's with any prompts; with the original's, all cells are equal."""
    settings = read_settings("paper")
    assert settings.categories == tuple(PAPER)
    own = {n: tuple(f"{n} {i}" for i in range(count)) for n, (_, count, _) in PAPER.items()}
    prompts = {n: shipped_prompts(n) for n in PAPER} if shipped else own
    plan = plan_of(settings, prompts)
    assert {name: plan.images_of(name) for name in PAPER} == {
        n: c for n, (c, _, _) in PAPER.items()
    }
    for name, (total, _, batches) in PAPER.items():
        assert total == plan.images_of(name)
        cells = Counter(_cell(plan.address(name, number)) for number in range(0, total, 1))
        assert len(cells) == 22 * len(prompts[name])
        assert max(cells.values()) - min(cells.values()) <= (1 if shipped else 0)
        if not shipped:
            assert set(cells.values()) == {6 * batches}


def _cell(address):
    return address.prompt, address.view


def test_the_24_categories_have_prompts_and_a_number():
    settings = read_settings("paper-24")
    assert settings.categories[:14] == tuple(PAPER)
    assert sorted(settings.categories) == list(prompt_categories())
    assert set(settings.images.per_category) == set(settings.categories)
    fourteen = read_settings("paper")
    assert settings.images.generator == fourteen.images.generator
    assert settings.images.per_category.items() >= fourteen.images.per_category.items()
    assert settings.annotations.object_segmenter.name == "open-vocabulary"


@pytest.mark.parametrize(("total", "views"), [(1, 3), (2, 3), (5, 2), (12, 2), (13, 4)])
def test_images_are_spread_evenly(total, views):
    names = tuple(ViewCondition(str(n), "") for n in range(views))
    plan = Plan({"tie": ("one", "two", "three")}, names, {"tie": total})
    addresses = [plan.address("tie", number) for number in range(total)]
    assert len(set(addresses)) == total
    cells = Counter(map(_cell, addresses))
    assert max(cells.values()) - min((*cells.values(), total // (3 * views))) <= 1
    for cell, count in cells.items():
        assert [a.index for a in addresses if _cell(a) == cell] == list(range(count))


def test_numbers_of_images_by_category():
    changes = {"images.per_prompt_view": {"tie": 2, "tennis racket": 3}}
    images = read_settings(changes=changes).images
    assert images.total_of("tie", prompts=5, views=22) == 220
    assert images.total_of("tennis racket", prompts=1, views=2) == 6
    with pytest.raises(InputError) as caught:
        images.total_of("bench", prompts=1, views=1)
    assert "images.per_prompt_view: no number of images for the category 'bench'" in str(
        caught.value
    )
    assert "(tie, tennis racket)" in str(caught.value)


def test_a_number_per_prompt_and_view_replaces_those_per_category(write):
    file = write("images: {per_prompt_view: 2}\n")
    for settings in (
        read_settings("paper", changes={"images.per_prompt_view": 2}),
        read_settings("paper", file),
    ):
        assert settings.images.total_of("tie", prompts=3, views=22) == 132
    one = read_settings("paper", changes={"images.per_category.tie": 7}).images
    assert one.total_of("tie", prompts=3, views=22) == 7
    assert one.total_of("bench", prompts=3, views=22) == 31680


def test_a_file_changes_a_preset_and_changes_a_file(write):
    file = write("seed: 3\nimages:\n  per_prompt_view: 2\n  generator: {size: 64}\n")
    settings = read_settings("tiny", file, {"images.per_prompt_view": 5})
    assert (settings.seed, settings.images.per_prompt_view) == (3, 5)
    assert settings.images.generator == Component("simulated", {"size": 64})
    assert settings.categories == ("surfboard",)


def test_empty_yaml_values_are_none(write):
    settings = read_settings(file=write("annotations: {object_segmenter: }\nprompts: {count: }\n"))
    assert settings.annotations.object_segmenter is None
    assert settings.prompts.count is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"images.generator.size": 48}, Component("simulated", {"size": 48})),
        ({"images.generator": "diffusers"}, Component("diffusers")),
        ({"images.generator": {"name": "simulated"}}, Component("simulated", {"size": 160})),
        (
            {"images.generator.name": "diffusers", "images.generator.model": "a/b"},
            Component("diffusers", {"model": "a/b"}),
        ),
        ({"images.generator": {"name": "mine", "steps": 1}}, Component("mine", {"steps": 1})),
        ({"images.generator": "mine", "images.generator.x": 2}, Component("mine", {"x": 2})),
    ],
)
def test_changes_of_a_component(changes, expected):
    """Another name drops the old options; the same name keeps those that are not named."""
    assert read_settings("tiny", changes=changes).images.generator == expected


def test_a_component_that_is_a_name_takes_options():
    settings = read_settings(changes={"annotations.keypoints.model": "somewhere"})
    assert settings.annotations.keypoints == Component("transformers", {"model": "somewhere"})


def test_options_of_options():
    name = "images.generator.scheduler_options.skip_prk_steps"
    options = read_settings("paper", changes={name: False}).images.generator.options
    assert options["scheduler_options"] == {"skip_prk_steps": False}
    assert options["scheduler"] == "PNDMScheduler"


def test_categories_are_named_once():
    assert read_settings(changes={"categories": ["tie", "tie"]}).categories == ("tie",)


@pytest.mark.parametrize(
    ("name", "wrong", "near"),
    [
        ("sed", "sed", "seed"),
        ("catgories", "catgories", "categories"),
        ("image.batch", "image", "images"),
        ("images.bach", "images.bach", "batch"),
        ("annotations.key_points", "annotations.key_points", "keypoints"),
        ("filters.keypoint", "filters.keypoint", "keypoints"),
        ("cameras.slover", "cameras.slover", "solver"),
        ("prompts.modle", "prompts.modle", "model"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(name, wrong, near):
    with pytest.raises(InputError) as caught:
        read_settings(changes={name: 1})
    key = wrong.rpartition(".")[2]
    assert str(caught.value).startswith(f"{wrong}: unknown key '{key}'")
    assert f"Did you mean '{near}'?" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": "zero"}, "seed: is the text 'zero'\n  Expected: a whole number"),
        ({"seed": True}, "seed: is true\n  Expected: a whole number"),
        ({"seed": None}, "seed: is null"),
        ({"seed": 10**5000}, "seed: is too large: a very long number\n  Expected: a whole number"),
        ({"images.batch": 1.5}, "images.batch: is 1.5\n  Expected: a whole number, 1 or more"),
        ({"images.batch.size": 2}, "images.batch: is a table of keys: {'size': 2}"),
        ({"images": 3}, "images: is 3\n  Expected: a table with the keys per_prompt_view, per_c"),
        ({"images": None}, "images: is null\n  Expected: a table"),
        ({"images.generator": 3}, "images.generator: is 3\n  Expected: a name, or a table with"),
        ({"annotations.object_segmenter.threshold": 0.1}, "annotations.object_segmenter: is a tab"),
        ({"images.generator": {"name": 3}}, "images.generator: is a table of keys: {'name': 3"),
        ({"images.generator.size": object()}, "images.generator.size: is <object object"),
        (
            {"categories": "tie"},
            "categories: is the text 'tie'\n  Expected: a list, each item text",
        ),
        ({"categories": ["tie", 3]}, "categories[1]: is 3\n  Expected: text of 1 to 80 characters"),
        ({"prompts.send_seed": "yes"}, "prompts.send_seed: is the text 'yes'"),
        ({"prompts.model": "\ud800"}, "prompts.model: has control characters: '\\ud800'"),
        ({"annotations.min_overlap": "much"}, "annotations.min_overlap: is the text 'much'"),
        ({"annotations.min_overlap": float("nan")}, "annotations.min_overlap: is NaN"),
        (
            {"images.per_prompt_view": 0},
            "per_prompt_view: is 0\n  Expected: a whole",
        ),
        (
            {"images.per_category": {"tie": 0}},
            "images.per_category: is a table of keys: {'tie': 0}\n  Expected: a whole",
        ),
        ({"images.per_category": "all"}, "images.per_category: is the text 'all'"),
        ({"images.batch": 0}, "images.batch: is 0"),
        ({"shard_size": 0}, "shard_size: is 0"),
        ({"threads": -1}, "threads: is -1"),
        (
            {"images.layout": "fix"},
            "images.layout: is 'fix'\n  Expected: 'fixed' or 'free'\n  What",
        ),
        ({"images.format": "jpg"}, "Expected: 'jpeg' or 'png'\n  What to do: Did you mean 'jpeg'"),
        ({"cameras.solver": "adm"}, "Expected: 'adam' or 'lm'\n  What to do: Did you mean 'adam'"),
        ({"filters.keypoints": "tors"}, "filter 'tors'\n  What to do: Did you mean 'torso'"),
        ({"filters.min_overlap": 2.0}, "min_overlap is 2.0\n  Expected: 0 to 1"),
        ({"images.quality": 101}, "quality: is 101\n  Expected: a whole number from 1 to 100"),
        ({"annotations.min_overlap": 1.5}, "min_overlap: is 1.5\n  Expected: a number from 0 to 1"),
    ],
)
def test_values_that_make_no_sense(changes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_settings(changes=changes)


def test_whole_numbers_are_numbers():
    assert read_settings(changes={"filters.min_overlap": 0}).filters.min_overlap == 0.0


def test_unknown_presets_and_files(tmp_path):
    with pytest.raises(InputError, match=r"unknown preset 'papr'\n.*Did you mean 'paper'"):
        read_settings("papr")
    with pytest.raises(InputError, match=r"none\.yaml: no such configuration"):
        read_settings(file=tmp_path / "none.yaml")
    with pytest.raises(InputError, match="no such configuration"):
        read_settings(file=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("images: [", "is not valid YAML"),
        ("- a\n- b\n", "is a list: ['a', 'b']\n  Expected: one 'setting: value' per line"),
        ("", "is empty"),
        ("a: &a 1\nb: *a\n", "has an anchor or alias"),
        ("seed: !!python/name:os.system\n", "has the tag"),
        ("seed: 1\nseed: 2\n", "seed"),
        (b"seed: \xff", "is not UTF-8 text"),
        ("1: 2\n", "settings.yaml:1: 1: unknown key '1'"),
        ("images: {1: 2}\n", "images.1: unknown key '1'"),
        ("seed: 2026-01-01\n", "seed: is the text '2026-01-01'\n  Expected: a whole number"),
    ],
)
def test_bad_yaml(write, text, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_settings(file=write(text))


def test_every_problem_is_listed_with_its_line(write):
    file = write("seed: zero\nimages:\n  batch: 0\n  format: jpg\ncategores: [tie]\n")
    with pytest.raises(InputError) as caught:
        read_settings("tiny", file, {"images.format": "jpeg", "threads": 0})
    said = str(caught.value)
    assert "4 problems in the settings" in said
    for line in ("1: seed: is", "3: images.batch: is 0", "5: categores: unknown key"):
        assert f"- {file}:{line}" in said
    assert "\n- threads: is 0" in said, "what an option sets has no line"


def test_settings_made_in_python_are_checked_too():
    with pytest.raises(InputError, match="2 problems in ImageSettings\n- batch: is 0"):
        ImageSettings(batch=0, quality=0)
    with pytest.raises(InputError, match="threads: is -1"):
        SynthesisSettings(threads=-1)


def test_a_wrong_file_is_named(write):
    with pytest.raises(InputError, match=r"settings\.yaml:1: has an anchor"):
        read_settings(file=write("seed: &x 1\n"))
