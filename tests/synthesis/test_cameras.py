"""Cameras of training rows: the points that are fitted, and the settings."""

import numpy as np
import pytest

from chorus_bench.calibration import SYNTHESIZED, calibrate, weak_perspective_to_image
from chorus_bench.datasets.coco_eft.points import SmplPoints, SpinPoints
from chorus_bench.datasets.statistics import row_statistics
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import without_global_orientation
from chorus_bench.selftest.data import golden_body
from chorus_bench.synthesis.cameras import add_cameras
from chorus_bench.synthesis.card import dataset_card
from chorus_bench.synthesis.manifests import row_manifests
from chorus_bench.synthesis.recipe import CARD
from chorus_bench.synthesis.settings import CameraSettings, read_settings

SIZE = (240, 320)
WEAK, CENTER, SCALE = [0.9, 0.02, 0.1], [150.0, 120.0], 1.0


@pytest.fixture(scope="module")
def body():
    return golden_body()


@pytest.fixture(scope="module")
def regressor():
    """Return a made-up regressor of SPIN's kind: each joint is a mean of 40 vertices."""
    rng = np.random.default_rng(3)
    matrix = np.zeros((9, 6890))
    for row in matrix:
        row[rng.choice(6890, 40, replace=False)] = 1 / 40
    return matrix


def kept_row(seed):
    rng = np.random.default_rng(seed)
    pose = rng.normal(0, 0.25, 72)
    pose[:3] = rng.normal([np.pi, 0, 0], 0.4)
    person = {
        "pose": pose.astype(np.float32).tolist(),
        "betas": [0.0] * 10,
        "weak_camera": WEAK,
        "crop_center": CENTER,
        "crop_scale": SCALE,
    }
    return {"verdict": "kept", "people": [person], "height": SIZE[0], "width": SIZE[1]}


def degrees(first, second):
    """The angle between the rotations of two rows' cameras."""
    R = np.array(first["camera_rotation"]).T @ np.array(second["camera_rotation"])
    return np.degrees(np.arccos(np.clip((np.trace(R) - 1) / 2, -1, 1)))


def test_cameras_are_fitted_to_the_points_of_the_regressor(body, regressor):
    """As many as the paper's 24, from posed vertices; other cameras than those of the joints."""
    rows = [kept_row(seed) for seed in range(4)]
    settings = CameraSettings(max_steps=400).calibration
    spin = SpinPoints(body, regressor)
    found = list(add_cameras(rows, body, settings=settings, points=spin))
    joints = list(add_cameras(rows, body, settings=settings))
    for row, mine, other in zip(rows, found, joints, strict=True):
        assert mine["verdict"] == "kept"
        pose = np.array(row["people"][0]["pose"], dtype=np.float64)
        seen, still = (spin.points(p, None) for p in (pose, without_global_orientation(pose)))
        targets = weak_perspective_to_image(seen, np.array(WEAK), np.array(CENTER), SCALE, SIZE)
        alone = calibrate(
            still[None], targets[None], pose[None, :3], np.array([WEAK]), np.array([SIZE]),
            settings=settings,
        )  # fmt: skip
        np.testing.assert_allclose(mine["camera_rotation"], alone.rotation[0], atol=1e-5)
        assert degrees(mine, other) > 0.01


def test_settings_of_the_cameras():
    assert read_settings().cameras.calibration == SYNTHESIZED
    settings = read_settings(
        changes={"cameras": {"max_steps": 7, "fov_deg": 60, "drop_above": 2.5}}
    )
    made = settings.cameras.calibration
    assert (made.max_steps, made.fov_deg, made.drop_above) == (7, 60.0, 2.5)
    assert made.learning_rate == 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_steps": 0}, "max_steps is 0"),
        ({"fov_deg": 3.0}, "fov_deg is 3.0"),
        ({"stop_below": -1.0}, "stop_below is -1.0"),
        ({"learning_rte": 0.1}, "unknown key 'learning_rte'(?s:.*)Did you mean 'learning_rate'"),
    ],
)
def test_settings_that_make_no_sense(changes, message):
    with pytest.raises(InputError, match=message):
        read_settings(changes={"cameras": changes})


def test_the_regressor_decides_where_the_body_is_smpl(tmp_path, body, regressor):
    file = tmp_path / "J_regressor_extra.npy"
    np.save(file, regressor)
    settings = CameraSettings(joint_regressor=str(file))
    assert settings.points(body).name == "spin24"
    assert isinstance(CameraSettings().points(body), SmplPoints)
    with pytest.raises(InputError, match=r"none\.npy: no such file(?s:.*)nkolot/SPIN"):
        CameraSettings(joint_regressor=str(tmp_path / "none.npy")).points(body)


def test_stages_know_the_content_of_the_regressor_not_its_place(tmp_path, regressor):
    files = [tmp_path / name for name in ("a.npy", "b.npy", "c.npy")]
    for file, matrix in zip(files, (regressor, regressor, 2 * regressor), strict=True):
        np.save(file, matrix)
    names = {}
    for file in files:
        changes = {"categories": ["tie"], "cameras.joint_regressor": str(file)}
        settings = read_settings("tiny", changes=changes)
        chosen = row_manifests(settings, {"tie": ("a tie",)})["cameras"].settings["cameras"]
        names[file.name] = chosen["joint_regressor"]
    assert names["a.npy"] == names["b.npy"] != names["c.npy"]
    assert names["a.npy"].startswith("smpl24 ("), "the free body has another topology"


@pytest.mark.parametrize("points", ["spin24", "smpl24"])
def test_the_card_says_which_points_were_fitted(monkeypatch, body, regressor, tmp_path, points):
    np.save(tmp_path / "J.npy", regressor)
    monkeypatch.setattr("chorus_bench.synthesis.card.load_body", lambda name: body)
    given = {"spin24": {"cameras.joint_regressor": str(tmp_path / "J.npy")}, "smpl24": {}}
    settings = read_settings("tiny", changes=given[points])
    card = dataset_card(CARD, "synthesize", settings, row_statistics([]), {}).construction
    assert f"(`{points}`)" in card
    assert ("1.7 degrees in the median" in card) == (points == "smpl24")
