"""Poses by TorchScript files of the NLF kind, against people that are known."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.synthesis.annotators.matching import match_one_to_one
from chorus_bench.synthesis.annotators.nlf import make_nlf
from chorus_bench.synthesis.registry import make_component
from tests.synthesis.pose_checks import (
    CONTEXT,
    LEFT,
    RIGHT,
    Hostile,
    detection,
    picture,
    reprojected,
)
from tests.synthesis.tiny_nlf import FOCAL, SIZE, Nlf, Person, saved


@pytest.fixture
def estimate(tmp_path):
    """Return a function that runs a module, saved as TorchScript, on one picture."""

    def run(module, people, *, size=SIZE, **options):
        estimator = make_nlf(CONTEXT, model=saved(module, tmp_path), **options)
        pictures = [picture("one", size)]
        return estimator.estimate(pictures, [[detection(box) for box in people]])[0]

    return run


@pytest.mark.parametrize("unit", [1.0, 1000.0], ids=["m", "mm"])
def test_nlf_camera_projects_the_canonical_body(estimate, unit):
    (fit,) = estimate(Nlf([LEFT], unit), [LEFT.box])
    np.testing.assert_allclose(reprojected(fit, LEFT), LEFT.joints2d, atol=0.01)
    np.testing.assert_allclose(fit.camera.intrinsics[0, 0], FOCAL, rtol=1e-4)
    np.testing.assert_allclose(fit.pose, LEFT.pose, atol=1e-6)
    assert 0 <= fit.camera.reprojection_error < 1e-3


def test_nlf_camera_of_a_shaped_body_keeps_the_pelvis(estimate):
    """The camera serves a body of zero shape, so only what is not shaped can agree exactly."""
    person = Person(3, (0.1, 0.0, 3.0), betas=[2.0, -1.5, 1, 0, 0, 0, 0, 0, 0, 0])
    (fit,) = estimate(Nlf([person]), [person.box])
    off = np.linalg.norm(reprojected(fit, person) - person.joints2d, axis=1)
    assert off[0] < 0.01
    assert 1 < off.max() < 40
    np.testing.assert_allclose(fit.camera.intrinsics[0, 0], FOCAL, rtol=1e-4)
    np.testing.assert_allclose(fit.betas, person.betas)


@pytest.mark.parametrize("unit", [1.0, 1000.0], ids=["m", "mm"])
def test_nlf_translation_that_is_relative_to_the_person(estimate, unit):
    """Early files give ``trans`` relative to the person's middle; then joints3d tell the place."""
    module = Nlf([LEFT], joints3d_unit=unit)
    module.trans *= 0
    (fit,) = estimate(module, [LEFT.box])
    np.testing.assert_allclose(reprojected(fit, LEFT), LEFT.joints2d, atol=0.01)
    assert estimate(Nlf([Person(1, (0, 0, 0.2))]), [LEFT.box]) == [None]


@pytest.mark.parametrize("order", [(LEFT, RIGHT), (RIGHT, LEFT)])
def test_nlf_people_are_matched(estimate, order):
    fits = estimate(Nlf(list(order)), [LEFT.box, (500, 0, 520, 20), RIGHT.box])
    np.testing.assert_allclose(fits[0].pose, LEFT.pose, atol=1e-6)
    assert fits[1] is None
    np.testing.assert_allclose(fits[2].pose, RIGHT.pose, atol=1e-6)


def test_nlf_matching_is_one_to_one(estimate):
    near = Person(1, (-0.75, 0.1, 3.2))
    fits = estimate(Nlf([near, LEFT]), [LEFT.box, near.box])
    np.testing.assert_allclose([fit.camera.translation[0] for fit in fits], [-0.8, -0.75], atol=0.3)
    assert fits[0].camera.translation[0] < fits[1].camera.translation[0]
    assert [fit is None for fit in estimate(Nlf([LEFT]), [LEFT.box, LEFT.box])].count(True) == 1


def test_nlf_sizes_are_grouped(tmp_path):
    estimator = make_nlf(CONTEXT, model=saved(Nlf([LEFT]), tmp_path))
    pictures = [picture("a"), picture("b", (480, 700)), picture("c")]
    fits = estimator.estimate(pictures, [[detection(LEFT.box)], [], [detection(LEFT.box)] * 1])
    assert [len(found) for found in fits] == [1, 0, 1]
    np.testing.assert_array_equal(fits[0][0].pose, fits[2][0].pose)
    assert estimator.estimate([], []) == []


def test_nlf_finds_nobody(estimate):
    assert estimate(Nlf([]), [LEFT.box, RIGHT.box]) == [None, None]
    assert estimate(Nlf([LEFT]), []) == []


@pytest.mark.parametrize("key", ["pose", "betas", "joints2d", "trans"])
def test_nlf_numbers_that_are_not_finite(estimate, key):
    module = Nlf([LEFT, RIGHT])
    getattr(module, key)[0] = float("nan")
    fits = estimate(module, [LEFT.box, RIGHT.box])
    assert fits[0] is None
    np.testing.assert_allclose(fits[1].pose, RIGHT.pose, atol=1e-6)


def test_nlf_fit_that_does_not_explain_the_joints(estimate):
    module = Nlf([LEFT])
    module.joints2d += 60 * torch.randn(24, 2, generator=torch.Generator().manual_seed(1))
    box = np.concatenate([module.joints2d[0].amin(0), module.joints2d[0].amax(0)])
    assert estimate(module, [box]) == [None]
    (fit,) = estimate(module, [box], max_error=0.5)
    assert fit.camera.reprojection_error > 5


class Renamed(torch.nn.Module):
    """Says ``poses`` where ``pose`` is expected, and takes no settings."""

    @torch.jit.export
    def detect_smpl_batched(self, images: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        zeros = [torch.zeros(1, 72)]
        return {"poses": zeros, "betas": zeros, "trans": zeros, "joints2d": zeros}


class SmplX(torch.nn.Module):
    @torch.jit.export
    def detect_smpl_batched(
        self, images: torch.Tensor, model_name: str = "smpl"
    ) -> dict[str, list[torch.Tensor]]:
        joints2d = [torch.zeros(1, 55, 2)]
        return {
            "pose": [torch.zeros(1, 165)],
            "betas": [torch.zeros(1, 10)],
            "trans": [torch.zeros(1, 3)],
            "joints2d": joints2d,
        }


class Uneven(torch.nn.Module):
    def __init__(self, entries: int):
        super().__init__()
        self.entries = entries

    @torch.jit.export
    def detect_smpl_batched(self, images: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        return {
            "pose": [torch.zeros(2, 72)] * self.entries,
            "betas": [torch.zeros(1, 10)],
            "trans": [torch.zeros(1, 3)],
            "joints2d": [torch.zeros(1, 24, 2)],
        }


class Pair(torch.nn.Module):
    @torch.jit.export
    def detect_smpl_batched(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [images]


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Renamed(), "without pose\n  Expected: a dictionary with pose, betas, trans, joints2d"),
        (SmplX(), r"'pose' of detect_smpl_batched is of shape \(1, 165\)"),
        (Uneven(1), "different numbers of people"),
        (Uneven(3), "has 3 entries for 1 picture"),
        (Pair(), "returned list"),
    ],
)
def test_nlf_wrong_output(estimate, module, message):
    with pytest.raises(InputError) as caught:
        estimate(module, [LEFT.box])
    assert re.search(message, str(caught.value))


def test_nlf_wrong_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        make_nlf(CONTEXT, model=str(tmp_path / "none.torchscript"))
    damaged = tmp_path / "damaged.torchscript"
    damaged.write_bytes(Path(saved(Nlf([LEFT]), tmp_path)).read_bytes()[:5000])
    with pytest.raises(InputError, match="cannot be loaded"):
        make_nlf(CONTEXT, model=str(damaged))
    damaged = saved(torch.nn.Identity(), tmp_path)
    with pytest.raises(InputError, match="has no method 'detect_smpl_batched'"):
        make_nlf(CONTEXT, model=str(damaged))


def test_nlf_is_not_read_as_a_pickle(tmp_path):
    """A pickle of torch.save, which could run code, is not a TorchScript file."""
    path = tmp_path / "model.torchscript"
    torch.save(Hostile(tmp_path / "ran"), path)
    with pytest.raises(InputError, match="cannot be loaded"):
        make_nlf(CONTEXT, model=str(path))
    assert not (tmp_path / "ran").exists()


def test_nlf_options(tmp_path):
    model = saved(Nlf([LEFT]), tmp_path)
    estimator = make_component(
        "pose estimator", "nlf", CONTEXT, {"model": model, "fov_degrees": 40.0}
    )
    assert "default_fov_degrees=40.0" in estimator.description
    assert "nlf.torchscript (xxh3 " in estimator.description
    with pytest.raises(InputError, match="does not accept num_aug"):
        make_nlf(CONTEXT, model=model, augmentations=3)
    old = saved(Renamed(), tmp_path)
    assert "its defaults" in make_nlf(CONTEXT, model=old).description
    with pytest.raises(InputError, match="does not accept model_name"):
        make_nlf(CONTEXT, model=old, model_name="smplx")


def test_nlf_without_torch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"chorus-bench\[torch\]"):
        make_nlf(CONTEXT, model=str(tmp_path / "x"))


# Files.


def test_matching():
    overlaps = np.array([[0.9, 0.8], [0.85, 0.2], [0.0, 0.0]])
    assert match_one_to_one(overlaps, 0.3) == [1, 0, None]
    assert match_one_to_one(overlaps, 0.82) == [0, None, None]
    assert match_one_to_one(np.zeros((1, 1)), 0.0) == [None]
    assert match_one_to_one(np.zeros((2, 0)), 0.5) == [None, None]
