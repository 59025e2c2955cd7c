"""`annotators --check`: every annotator of a configuration, run on one picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from chorus_bench.calibration import weak_perspective_to_image
from chorus_bench.cli.app import app
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.report.annotations import draw_annotations, project_fit
from chorus_bench.simulation import simulate_train_row
from chorus_bench.synthesis.annotator_check import check_annotators_on_picture
from chorus_bench.synthesis.interfaces import BodyFit
from chorus_bench.synthesis.jobs import RunSettings
from chorus_bench.synthesis.settings import read_settings

TRUTH = {"name": "simulated", "noise": 0.0}
BODY = load_body("default")


@pytest.fixture(scope="module")
def found():
    """Give the check of the true annotators, with two pictures at a time."""
    changes = {f"annotations.{role}": TRUTH for role in ("segmenter", "keypoints", "pose")}
    return check_annotators_on_picture(read_settings("tiny", changes=changes), RunSettings(batch=2))


def truth_of(found):
    address = found.picture.address
    return simulate_train_row(
        address.category, address.prompt, address.view, address.index, size=512, with_image=False
    )


def test_each_annotator_is_loaded_and_run(found):
    assert found.ok
    assert [one.role for one in found.checked] == [
        "segmenter", "keypoint detector", "pose estimator"
    ]  # fmt: skip
    assert found.checked[0].found == "1 x person, 1 x surfboard"
    assert found.checked[2].found == "poses of 1 of 1 people"
    for one in found.checked:
        assert one.seconds > 0
        assert one.model.startswith("truth of simulated-1")


def test_the_overlay_shows_what_was_found(found):
    true = truth_of(found)
    (fit,) = found.fits
    points = project_fit(fit, BODY, found.picture.size)
    camera = PerspectiveCamera.from_row(true, "true_camera_")
    pose = np.array(true["true_pose"])
    pose[:3] = 0
    expected = camera.project(BODY.pose(pose, true["true_betas"]))
    assert np.abs(points - expected).mean() < 12, "weak perspective is near the true camera"
    drawn = draw_annotations(
        found.picture.pixels, found.people, found.objects, found.keypoints, found.fits, BODY
    )
    changed = (drawn != found.picture.pixels).any(axis=-1)
    mask = found.people[0].mask | found.objects[0].mask
    assert changed[mask].mean() > 0.99
    assert changed[~mask].mean() < 0.05, "but for keypoints and a few vertices"


def test_both_kinds_of_cameras_are_drawn(found):
    (fit,) = found.fits
    weak = fit.camera
    posed = BODY.pose(fit.pose, fit.betas)
    assert np.allclose(
        project_fit(fit, BODY, (512, 512)),
        weak_perspective_to_image(posed, weak.camera, weak.center, weak.scale, (512, 512)),
    )
    camera = PerspectiveCamera.from_row(truth_of(found), "true_camera_")
    other = BodyFit(fit.pose, fit.betas, camera)
    still = np.concatenate([np.zeros(3), fit.pose[3:]])
    assert np.allclose(
        project_fit(other, BODY, (512, 512)), camera.project(BODY.pose(still, fit.betas))
    )


def test_one_that_cannot_be_used_does_not_hinder_the_others(tmp_path):
    changes = {"annotations.segmenter": {"name": "ultralytics", "model": "none.onnx"}}
    found = check_annotators_on_picture(read_settings("tiny", changes=changes), RunSettings())
    assert not found.ok
    assert found.given
    assert "none.onnx: no such file" in found.checked[0].problem
    assert found.checked[2].found == "poses of 1 of 1 people"


def test_the_command(tmp_path):
    output = tmp_path / "overlay.png"
    arguments = ["annotators", "--check", "--preset", "tiny", "--category", "tie"]
    done = CliRunner().invoke(app, [*arguments, "--output", str(output)])
    assert done.exit_code == 0, done.output
    assert "1 x person, 1 x tie" in done.stdout
    assert cv2.imread(str(output)).shape == (512, 512, 3)
    refused = CliRunner().invoke(
        app, [*arguments, "--set", "annotations.pose=nlf", "--output", str(output)]
    )
    assert refused.exit_code == 2
    assert "pose estimator 'nlf' cannot be used" in refused.stderr
    assert "github.com/isarandi/nlf/releases" in refused.stderr


def test_nothing_is_drawn_if_no_annotator_can_be_used(tmp_path):
    output = tmp_path / "overlay.png"
    missing = '{"name": "ultralytics", "model": "none.onnx"}'
    pairs = [f"--set=annotations.{role}={missing}" for role in ("segmenter", "keypoints")]
    arguments = ["annotators", "--check", *pairs, "--set=annotations.pose=nlf"]
    done = CliRunner().invoke(app, [*arguments, "--output", str(output)])
    assert done.exit_code == 2
    assert done.stderr.count("cannot be used") == 3
    assert "true one" not in done.stdout
    assert not output.exists()


def test_a_picture_of_ones_own(found, tmp_path):
    file = tmp_path / "photo.png"
    cv2.imwrite(str(file), found.picture.pixels[..., ::-1])
    own = check_annotators_on_picture(read_settings("tiny"), RunSettings(), file)
    assert "photo: is not a picture of the simulated world" in own.checked[0].problem
    assert np.array_equal(own.picture.pixels, found.picture.pixels)
