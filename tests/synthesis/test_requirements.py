"""What a run will need is checked before its first image."""

from __future__ import annotations

import pytest

from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.synthesis.estimate import estimate
from chorus_bench.synthesis.generators import simulated
from chorus_bench.synthesis.interfaces import Context
from chorus_bench.synthesis.jobs import RunSettings
from chorus_bench.synthesis.pipeline import synthesize
from chorus_bench.synthesis.requirements import check_request, here
from chorus_bench.synthesis.settings import read_settings
from tests.synthesis.test_documented_plugin import _installed  # noqa: F401 - a fixture
from tests.synthesis.world import small_settings

RUN = RunSettings()
NLF = ("option 'model' is missing", "github.com/isarandi/nlf/releases", "non-commercial research")
FOLDER = ("option 'folder' is missing", "a folder of yours (`folder`)")
YOLO = ("option 'model' is missing", ".torchscript or .onnx", "AGPL-3.0")


@pytest.fixture
def _no_image(monkeypatch):
    """Make every picture of the simulated world a failure of the test."""

    def draw(self, request):
        raise AssertionError("an image was made")

    monkeypatch.setattr(simulated.SimulatedGenerator, "_draw", draw)


def said_by(settings, folder, dry):
    def run():
        return estimate(settings, RUN, sample=2) if dry else synthesize(settings, folder / "d")

    with pytest.raises(InputError) as caught:
        run()
    assert not (folder / "d").exists()
    return str(caught.value)


@pytest.mark.parametrize("dry", [False, True], ids=["run", "dry run"])
@pytest.mark.parametrize("preset", [None, "paper", "paper-24", "current"])
def test_presets_that_need_a_file_say_which(tmp_path, preset, dry):
    settings = read_settings(preset, changes={"categories": ["surfboard"]})
    said = said_by(settings, tmp_path, dry)
    assert said.startswith("pose estimator 'nlf': ")
    assert all(part in said for part in NLF)


@pytest.mark.usefixtures("_no_image", "_installed")
@pytest.mark.parametrize("dry", [False, True], ids=["run", "dry run"])
@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"annotations__pose": "files"}, FOLDER),
        ({"annotations__pose": {"name": "files", "folder": "none"}}, ("none does not exist",)),
        (
            {"annotations__pose": {"name": "nlf", "model": "no.ts"}},
            ("no.ts does not exist", *NLF[1:]),
        ),
        ({"annotations__segmenter": "ultralytics"}, YOLO),
        ({"annotations__keypoints": "ultralytics"}, YOLO),
        ({"annotations__segmenter": "my-masks"}, ("option 'folder' is missing", "a folder")),
        (
            {"annotations__segmenter": {"name": "my-masks", "folder": "none"}},
            ("segmenter 'my-masks': option 'folder': none does not exist",),
        ),
        ({"annotations__pose": {"name": "simulated", "noise": "much"}}, ("'noise' is 'much'",)),
        ({"annotations__pose": {"name": "simulated", "noise": 9.0}}, ("a noise of 9.0",)),
        ({"annotations__keypoints": {"name": "simulated", "nose": 1}}, ("unknown option 'nose'",)),
        ({"images__per_prompt_view": {"tie": 2}}, ("no number of images for the category",)),
        ({"images__views": "none.yaml"}, ("none.yaml: no such file of views",)),
        ({"cameras__joint_regressor": "none.npy"}, ("none.npy: no such file",)),
    ],
)
def test_nothing_is_made_before_all_is_there(tmp_path, changes, parts, dry):
    said = said_by(small_settings(tmp_path, **changes), tmp_path, dry)
    assert all(part in said for part in parts), said


@pytest.mark.usefixtures("_no_image")
@pytest.mark.parametrize("dry", [False, True], ids=["run", "dry run"])
@pytest.mark.parametrize("role", ["segmenter", "keypoints"])
def test_a_model_file_that_is_missing(tmp_path, role, dry):
    component = {"name": "ultralytics", "model": str(tmp_path / "none.torchscript")}
    said = said_by(small_settings(tmp_path, **{f"annotations__{role}": component}), tmp_path, dry)
    assert "none.torchscript: no such file" in said


def test_images_alone_do_not_need_the_poses(tmp_path):
    """They may be made by another tool from the images."""
    settings = small_settings(tmp_path, annotations__pose="files")
    check_request(settings, "images")
    with pytest.raises(InputError, match="option 'folder' is missing"):
        check_request(settings, "annotations")
    for stage in ("prompts", "images"):
        synthesize(settings, tmp_path / "d", stage=stage)


def test_counting_images_loads_and_needs_no_model():
    found = estimate(read_settings("paper"), RUN, sample=0)
    assert found.images["surfboard"] == 73920
    assert found.total == 528_924


def test_models_of_a_cluster_are_checked_on_the_processor(context):
    assert here(context, "ray").device == "cpu"
    assert here(context, "local") is context


@pytest.fixture
def context():
    return Context(0, load_body("default"), device="cuda")
