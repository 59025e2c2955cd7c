"""Ultralytics' models through our adapters, with the real package, in a process of its own.

The package is under the AGPL-3.0 and is not a dependency of the tests: it is installed into its own
folder beside the virtual environment, where later runs find it. `yolo_script.py` builds models
with random weights from Ultralytics' own descriptions, runs the adapters, and writes what came out.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock

from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.synthesis.annotators import yolo
from chorus_bench.synthesis.interfaces import Context
from chorus_bench.synthesis.registry import get_component

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "synthesis" / "yolo_script.py"
MINOR = int(torch.__version__.split(".")[1])
#: torchvision 0.(n + 15) belongs to torch 2.n. Their dependencies are here already, or not needed.
PACKAGES = (
    "ultralytics==8.4.190",
    f"torchvision==0.{MINOR + 15}.*",
    "clip-anytorch==2.6.0",
    "ftfy==6.3.1",
    "wcwidth==0.2.13",
    "setuptools==80.9.0",  # clip-anytorch imports its pkg_resources
)
CONTEXT = Context(seed=1, body=load_body("default"))


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """Return the folder with the packages; it is made once for each set of versions."""
    key = hashlib.sha256(" ".join((*PACKAGES, sys.version)).encode()).hexdigest()[:12]
    own = sys.prefix != sys.base_prefix
    folder = (Path(sys.prefix) if own else tmp_path_factory.mktemp("p")) / f"ultralytics-{key}"
    with FileLock(f"{folder}.lock"):
        if not (folder / "complete").is_file():
            install(folder)
    return folder


def install(folder):
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    done = subprocess.run(
        [*command, "--upgrade", "--target", str(folder), *PACKAGES], capture_output=True, text=True
    )
    assert done.returncode == 0, f"pip cannot install {PACKAGES}:\n{done.stdout}{done.stderr}"
    (folder / "complete").touch()


@pytest.fixture(scope="session")
def run(packages, tmp_path_factory):
    """Return the folder of a run: what it wrote, and where it had no business to."""
    folder = tmp_path_factory.mktemp("yolo")
    for name in ("work", "home", "here", "temporary"):
        (folder / name).mkdir()
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("YOLO_", "ULTRALYTICS_", "XDG_", "OMP_"))
    } | {
        "PYTHONPATH": os.pathsep.join([str(packages), str(ROOT)]),
        "OMP_WAIT_POLICY": "PASSIVE",  # as in tests/conftest.py
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "temporary"),
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "work"),  # of torch's own
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder / "work")],
        capture_output=True, text=True, env=environment, cwd=folder / "here",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "output.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="session")
def report(run):
    return json.loads((run / "work" / "report.json").read_text())


@pytest.fixture
def segmenters(report):
    return report["segmenters"]


@pytest.fixture
def detectors(report):
    return report["keypoint_detectors"]


@pytest.fixture
def opened(report):
    return report["open_segmenters"]


def test_nothing_goes_out_and_nothing_is_left_behind(run, report):
    assert report["connections"] == []
    assert report["telemetry"] is False
    assert report["environment"]["YOLO_OFFLINE"] == "true"
    assert report["environment"]["YOLO_AUTOINSTALL"] == "false"
    assert "OMP_NUM_THREADS" not in report["environment"]
    for name in ("home", "here", "temporary"):
        assert list((run / name).rglob("*")) == [], name
    assert (run / "output.txt").read_text() == ""


def test_threads_stay_as_they_are(detectors):
    """One more than Ultralytics would set."""
    assert detectors["threads"] == 1


@pytest.mark.parametrize("kind", ["found", "exported"])
def test_segmentation(report, segmenters, kind):
    for size, found in zip(report["sizes"], segmenters[kind], strict=True):
        assert found
        for detection in found:
            left, top, right, bottom = detection["box"]
            assert 0 <= left <= right <= size[1]
            assert 0 <= top <= bottom <= size[0]
            assert 0 < detection["score"] <= 1
            assert detection["category"] in ("person", "bicycle", "tennis racket")
            assert (detection["mask_shape"], detection["mask_type"]) == (size, "bool")
            mask = np.array(detection["mask_box"])
            assert (mask[:2] >= np.floor(detection["box"][:2]) - 1).all()
            assert (mask[2:] <= np.ceil(detection["box"][2:]) + 1).all()
    assert {d["category"] for found in segmenters[kind] for d in found} > {"person"}
    assert sum(len(found) for found in segmenters[kind]) > 20


@pytest.mark.parametrize(("kind", "raw"), [("found", "raw"), ("exported", "exported_raw")])
def test_segmentation_is_what_ultralytics_finds_in_the_file(segmenters, kind, raw):
    """It reads the pictures by itself, so channels, sizes and names must have been right."""
    for found, reference in zip(segmenters[kind], segmenters[raw], strict=True):
        assert [d["category"] for d in found] == reference["classes"]
        assert_close([d["box"] for d in found], reference["boxes"], 0.5)
        assert_close([d["score"] for d in found], reference["scores"], 1e-3)
        pixels = np.array([[d["mask_pixels"] for d in found], reference["mask_pixels"]])
        assert (np.abs(pixels[0] - pixels[1]) <= 5 + 0.02 * pixels[1]).all()


def assert_close(values, expected, tolerance):
    np.testing.assert_allclose(values, expected, atol=tolerance)


def test_segmentation_does_not_depend_on_the_company(segmenters):
    assert segmenters["found"] == segmenters["alone"]


def test_segmentation_of_some_categories(segmenters):
    assert {d["category"] for d in segmenters["bicycles"]} == {"bicycle"}
    assert segmenters["none"] == [0, 0, 0]
    scores = [d["score"] for found in segmenters["found"] for d in found]
    assert_close(segmenters["strict"], [score for score in scores if score >= 0.9], 1e-3)
    assert 0 < len(segmenters["strict"]) < len(scores)


def test_categories(segmenters):
    assert segmenters["known"] == "no error"
    assert "unknown category 'bycicle'" in segmenters["unknown"]
    assert "Did you mean 'bicycle'?" in segmenters["unknown"]
    assert "unknown category 'sofa'" in segmenters["exported_unknown"]


def test_descriptions(segmenters, detectors, opened):
    assert segmenters["description"].startswith("ultralytics 8.4.190, seg.pt (xxh3 ")
    assert segmenters["description"].endswith("score >= 0.0, 160 pixels")
    assert detectors["description"].endswith("160 pixels, overlap >= 0.5")
    assert "yoloe.pt (xxh3 " in opened["description"]
    assert "mobileclip_blt.ts (xxh3 " in opened["description"]


def test_keypoints_are_those_of_the_people_who_were_asked_for(detectors):
    rows = zip(detectors["keypoints"], detectors["chosen"], detectors["raw"], strict=True)
    for keypoints, numbers, reference in rows:
        assert np.shape(keypoints) == (3, 17, 3)
        assert_close(keypoints[:2], [reference["keypoints"][n] for n in numbers], 0.5)
        assert not np.any(keypoints[2])
        assert np.any(np.array(keypoints[0]) != keypoints[1])
    assert detectors["types"] == ["float32"] * 3
    assert detectors["nobody"] == [[0, 17, 3]] * 3


def test_models_for_another_task(segmenters, detectors):
    assert "is a model for the task 'pose'" in segmenters["pose_for_seg"]
    assert "is a model for the task 'segment'" in detectors["exported_task"]


def test_any_name_by_a_text_encoder(opened):
    assert opened["any_name"] == "no error"
    assert {d["category"] for d in opened["found"]} == {"person", "a blue hat"}
    assert {d["category"] for d in opened["again"]} == {"sofa"}
    assert opened["back"] == opened["found"]


def test_names_by_stored_embeddings(opened):
    assert [d["category"] for d in opened["stored"]] == [d["category"] for d in opened["found"]]
    for key, tolerance in (("score", 1e-3), ("box", 0.5)):
        values = [[d[key] for d in opened[kind]] for kind in ("stored", "found")]
        assert_close(*values, tolerance)
    assert "Available: a blue hat, person" in opened["stored_unknown"]
    assert "a YOLOE with a `text_encoder` knows any name" in opened["itself_unknown"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("both", "both are given"),
        ("no_encoder", "none.ts: no such file"),
        ("bad_encoder", "MobileCLIP as a TorchScript file"),
        ("bad_store", "cannot be used"),
        ("no_clip", "pip install clip-anytorch"),
    ],
)
def test_words_that_cannot_be_used(opened, case, expected):
    assert opened[case].startswith("InputError: ")
    assert expected in opened[case]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("missing", "nothing is downloaded"),
        ("kind", "'.yaml' is not a kind of model file"),
        ("damaged", "cannot be loaded"),
        ("hostile", "ULTRALYTICS_SAFE_LOAD=false"),
        ("other", "cannot be loaded"),
    ],
)
def test_files_that_cannot_be_used(report, case, expected):
    assert report["files"][case].startswith("InputError: ")
    assert expected in report["files"][case]
    assert report["files"]["ran"] is False


def test_pickles_are_refused_before_anything_is_imported(tmp_path, segmenters):
    assert "is a pickle, which can execute any code" in segmenters["untrusted"]
    (tmp_path / "model.pt").touch()
    for make in (yolo.make_yolo_segmenter, yolo.make_yolo_open_segmenter, yolo.make_yolo_keypoints):
        with pytest.raises(InputError, match="set `trust_pickle=True`"):
            make(CONTEXT, model=str(tmp_path / "model.pt"))


def test_without_ultralytics(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    for name in ("YOLO_OFFLINE", "YOLO_AUTOINSTALL", "YOLO_VERBOSE", "ULTRALYTICS_SAFE_LOAD"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    (tmp_path / "model.torchscript").touch()
    with pytest.raises(MissingDependencyError, match=r"pip install 'chorus-bench\[ultralytics\]'"):
        yolo.make_yolo_segmenter(CONTEXT, model=str(tmp_path / "model.torchscript"))


@pytest.mark.parametrize(
    ("kind", "name", "factory"),
    [
        ("segmenter", "ultralytics", yolo.make_yolo_segmenter),
        ("segmenter", "ultralytics-open", yolo.make_yolo_open_segmenter),
        ("keypoint detector", "ultralytics", yolo.make_yolo_keypoints),
    ],
)
def test_registered(kind, name, factory):
    assert get_component(kind, name).load() is factory
