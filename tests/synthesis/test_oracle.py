"""Annotators that know the truth of the simulated world."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from chorus_bench.calibration.weak_perspective import weak_perspective_to_image
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.simulation import PROMPTS, simulate_train_row
from chorus_bench.simulation.failures import draw_failure
from chorus_bench.simulation.rows import row_stream
from chorus_bench.synthesis.interfaces import Address, Context, Detection, Picture
from chorus_bench.synthesis.registry import make_component

SIZE, SEED = 96, 7
BODY = load_body("default")
CONTEXT = Context(seed=SEED, body=BODY, categories=("surfboard", "backpack"))
ADDRESSES = [
    Address(category, PROMPTS[category][0], view, index)
    for category in CONTEXT.categories
    for view in ("plain", "full_body", "side_view")
    for index in range(2)
]
CATEGORIES = ("person", "surfboard", "backpack")


@functools.cache
def simulated(address, noise):
    return simulate_train_row(
        *dataclasses.astuple(address), seed=SEED, body=BODY, size=SIZE, with_image=False,
        noise=noise,
    )  # fmt: skip


def picture(address, size=(SIZE, SIZE)):
    return Picture("a-picture", address, np.zeros((*size, 3), np.uint8))


PICTURES = [picture(address) for address in ADDRESSES]


def oracles(noise=1.0):
    kinds = ("segmenter", "keypoint detector", "pose estimator")
    return [make_component(kind, "simulated", CONTEXT, {"noise": noise}) for kind in kinds]


def annotated(noise):
    """Return detections, keypoints and fits of all pictures."""
    segmenter, keypoints, poses = oracles(noise)
    found = segmenter.segment(PICTURES, CATEGORIES)
    people = [[d for d in some if d.category == "person"] for some in found]
    return found, people, keypoints.detect(PICTURES, people), poses.estimate(PICTURES, people)


@pytest.fixture(scope="module")
def truth():
    return annotated(0.0)


@pytest.fixture(scope="module")
def noisy():
    return annotated(1.0)


def test_noise_1_is_that_of_the_simulated_training_images(noisy):
    """Bit for bit, in the numbers that a row holds."""
    for address, found, people, points, fits in zip(ADDRESSES, *noisy, strict=True):
        row = simulated(address, 1.0)
        things = [d for d in found if d.category != "person"]
        assert (len(people), len(things)) == (len(row["people"]), len(row["objects"]))
        for known, own in zip(row["people"] + row["objects"], people + things, strict=True):
            np.testing.assert_array_equal(own.mask, decode_mask(known["mask"]))
            np.testing.assert_array_equal(own.box, np.array(known["box"], np.float32))
            assert own.score == known["score"]
        for known, fit, own in zip(row["people"], fits, points, strict=True):
            np.testing.assert_array_equal(own, np.array(known["keypoints"], np.float32))
            camera = fit.camera
            pairs = {
                "pose": fit.pose, "betas": fit.betas, "weak_camera": camera.camera,
                "crop_center": camera.center, "crop_scale": np.float64(camera.scale),
            }  # fmt: skip
            for name, value in pairs.items():
                np.testing.assert_array_equal(value, np.array(known[name], value.dtype))


def _alone(truth):
    """Yield (row, person, object, keypoints, fit) of pictures with one person and one object."""
    for address, found, people, points, fits in zip(ADDRESSES, *truth, strict=True):
        things = [d for d in found if d.category != "person"]
        row = simulated(address, 0.0)
        if row["true_failure"] is None and len(people) == len(things) == 1:
            yield row, people[0], things[0], points[0], fits[0]


def test_noise_0_is_the_true_body(truth):
    found = list(_alone(truth))
    assert len(found) > 5
    for row, _, _, _, fit in found:
        np.testing.assert_allclose(fit.betas, row["true_betas"], atol=1e-6)
        np.testing.assert_allclose(fit.pose[3:], row["true_pose"][3:], atol=1e-5)
        turn = axis_angle_to_matrix(np.asarray(fit.pose[:3], np.float64))
        np.testing.assert_allclose(turn, row["true_camera_rotation"], atol=1e-5)


def test_noise_0_is_the_rendering(truth):
    """Masks cut at nothing: what is the person's is not the object's, and boxes are tight."""
    for _, person, thing, _, _ in _alone(truth):
        assert not (person.mask & thing.mask).any()
        for found in (person, thing):
            rows, columns = found.mask.nonzero()
            tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose(found.box, tight, atol=1)


def test_noise_0_masks_are_where_the_true_camera_sees_the_body(truth):
    """Almost every pixel of the person's mask is near the projection of a vertex of the truth."""
    for row, person, _, _, _ in _alone(truth):
        posed = BODY.pose(_without_orientation(row["true_pose"]), row["true_betas"])
        camera = PerspectiveCamera.from_row(row, "true_camera_")
        uv = camera.project(posed)
        inside = ((uv >= 0) & (uv < SIZE)).all(axis=1)
        assert inside.any()
        painted = np.zeros((SIZE, SIZE), bool)
        column, line = uv[inside].astype(int).T
        painted[line, column] = True
        rows, columns = person.mask.nonzero()
        seen = [painted[max(r - 3, 0) : r + 4, max(c - 3, 0) : c + 4].any()
                for r, c in zip(rows, columns, strict=True)]  # fmt: skip
        assert np.mean(seen) > 0.9


def _without_orientation(pose):
    pose = np.array(pose, np.float64)
    pose[:3] = 0
    return pose


def test_noise_0_weak_cameras_place_the_joints(truth):
    """Weak perspective is not the true camera, but its joints lie where the person is."""
    for _, person, _, points, fit in _alone(truth):
        camera = fit.camera
        joints = BODY.bone_transforms(fit.pose, fit.betas)[1]
        placed = weak_perspective_to_image(
            joints, camera.camera, camera.center, camera.scale, (SIZE, SIZE)
        )
        side = max(person.box[2] - person.box[0], person.box[3] - person.box[1])
        limbs = points[[5, 6, 11, 12], :2].mean(axis=0)
        trunk = placed[[16, 17, 1, 2], :2].mean(axis=0)
        assert np.linalg.norm(limbs - trunk) < 0.15 * side


def test_more_noise_is_more_error():
    errors = []
    for noise in (0.0, 0.5, 2.0):
        found = annotated(noise)
        errors.append([_mask_error(found), *_body_errors(found)])
    assert np.all(np.diff(errors, axis=0) > 0), errors
    np.testing.assert_allclose(errors[0], 0, atol=1e-5)


def _mask_error(found):
    """Return the share of people's pixels that differ from the truth."""
    wrong, all_of_them = 0, 0
    for address, some in zip(ADDRESSES, found[1], strict=True):
        true = simulated(address, 0.0)["people"]
        if len(true) != len(some):
            continue
        for person, known in zip(some, true, strict=True):
            mask = decode_mask(known["mask"]).astype(bool)
            wrong += np.count_nonzero(mask ^ person.mask)
            all_of_them += np.count_nonzero(mask)
    return wrong / all_of_them


def _body_errors(found):
    """Return mean errors of bends, shapes and keypoints (pixels)."""
    errors = []
    for address, points, fits in zip(ADDRESSES, found[2], found[3], strict=True):
        row = simulated(address, 0.0)
        if row["true_failure"] is None and len(fits) == 1 == len(row["people"]):
            known = row["people"][0]
            errors.append(
                [
                    np.abs(fits[0].pose[3:] - np.array(known["pose"][3:])).mean(),
                    np.abs(fits[0].betas - np.array(known["betas"])).mean(),
                    np.abs(points[0] - np.array(known["keypoints"]))[:, :2].mean(),
                ]
            )
    return np.mean(errors, axis=0)


def test_people_are_matched_in_any_order():
    segmenter, keypoints, poses = oracles()
    one = picture(_address_of_two())
    people = segmenter.segment([one], ["person"])[0]
    stranger = Detection("person", np.array([0, 0, 2, 2], np.float32), 0.9, people[0].mask)
    there = keypoints.detect([one], [people])[0]
    fits = poses.estimate([one], [people])[0]
    assert not np.array_equal(there[0], there[1])
    turned = [people[1], stranger, people[0]]
    points, back = keypoints.detect([one], [turned])[0], poses.estimate([one], [turned])[0]
    np.testing.assert_array_equal(points[[2, 0]], there)
    assert not points[1].any()
    assert back[1] is None
    for own, known in ((back[2], fits[0]), (back[0], fits[1])):
        np.testing.assert_array_equal(own.pose, known.pose)


def _address_of_two():
    """Return the address of a picture into which a second person walked, both of them seen."""
    for index in range(500):
        address = Address("surfboard", PROMPTS["surfboard"][0], "plain", index)
        stream = row_stream("train", SEED, *dataclasses.astuple(address))
        two = draw_failure(stream.fork("failure")) == "two_people"
        if two and len(simulated(address, 1.0)["people"]) == 2:
            return address
    raise AssertionError("there is none")


def test_nobody_asked_for():
    segmenter, keypoints, poses = oracles()
    one = picture(ADDRESSES[0])
    assert segmenter.segment([one], []) == [[]]
    assert keypoints.detect([one], [[]])[0].shape == (0, 17, 3)
    assert poses.estimate([one], [[]]) == [[]]
    assert segmenter.segment([], ["person"]) == []


def test_only_the_categories_asked_for():
    found = oracles()[0].segment(PICTURES, ["surfboard"])
    assert {d.category for some in found for d in some} == {"surfboard"}


def test_the_description_says_what_decides_the_annotations():
    text = oracles(0.25)[0].description
    for part in ("seed 7", "noise 0.25", BODY.label):
        assert part in text


def test_wrong_pictures_noise_and_categories():
    segmenter = oracles()[0]
    for wrong in (picture(None), picture(ADDRESSES[0], (96, 64))):
        with pytest.raises(InputError, match=r"a-picture: is not a picture of the simulated world"):
            segmenter.segment([wrong], ["person"])
    for noise in (-0.1, 2.5, float("nan")):
        with pytest.raises(InputError, match="a noise of"):
            oracles(noise)
    segmenter.check_categories(["person", "surfboard"])
    with pytest.raises(InputError, match="Did you mean 'backpack'"):
        segmenter.check_categories(["bagpack"])
