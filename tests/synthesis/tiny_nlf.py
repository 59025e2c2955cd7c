"""A TorchScript file of the NLF kind whose people are known: the same in every picture."""

import warnings

import numpy as np
import torch

from chorus_bench.geometry.body import without_global_orientation
from chorus_bench.geometry.body_files import load_body

SIZE = (480, 640)
FOCAL = 700.0
BODY = load_body("default")
SHAPES = {"pose": (72,), "betas": (10,), "joints2d": (24, 2), "joints": (24, 3), "trans": (3,)}


class Person:
    """A person whose pose, shape and place in the camera's frame are known."""

    def __init__(self, seed, trans, betas=None, size=SIZE, focal=FOCAL):
        rng = np.random.default_rng(seed)
        self.pose = rng.normal(0, 0.2, 72)
        self.pose[:3] = (np.pi - 0.2, 0.1 + 0.4 * seed, 0.2)  # upright in an image, y down
        self.betas = np.zeros(10) if betas is None else np.array(betas, dtype=float)
        self.trans = np.array(trans, dtype=float)
        self.joints = BODY.bone_transforms(self.pose, self.betas)[1] + self.trans
        K = np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1]])
        self.joints2d = project(K, self.joints)

    @property
    def box(self):
        return np.concatenate([self.joints2d.min(axis=0) - 5, self.joints2d.max(axis=0) + 5])

    @property
    def seen(self):
        """The canonical body's joints, zero shape and orientation, which a camera is to place."""
        return BODY.bone_transforms(without_global_orientation(self.pose))[1]


def project(K, points):
    pixels = points @ K.T
    return pixels[:, :2] / pixels[:, 2:]


class Nlf(torch.nn.Module):
    """Returns the same people for every picture, as an NLF file does."""

    def __init__(self, people, unit=1.0, joints3d_unit=0.0):
        super().__init__()
        for key in ("pose", "betas", "joints2d", "joints", "trans"):
            stacked = [torch.tensor(getattr(p, key), dtype=torch.float32) for p in people]
            empty = torch.zeros((0, *SHAPES[key]))
            self.register_buffer(key, torch.stack(stacked) if people else empty)
        self.trans *= unit
        self.joints3d_unit = joints3d_unit

    @torch.jit.export
    def detect_smpl_batched(
        self,
        images: torch.Tensor,
        default_fov_degrees: float = 55.0,
        model_name: str = "smpl",
    ) -> dict[str, list[torch.Tensor]]:
        assert images.dtype == torch.uint8
        assert images.shape[1] == 3
        n = images.shape[0]
        found = {
            "boxes": [self.pose[:, :5]] * n,
            "pose": [self.pose] * n,
            "betas": [self.betas] * n,
            "trans": [self.trans] * n,
            "joints2d": [self.joints2d] * n,
        }
        if self.joints3d_unit > 0:
            found["joints3d"] = [self.joints * self.joints3d_unit] * n
        return found


def saved(module, folder):
    """Save a module as TorchScript and return the path."""
    path = folder / "nlf.torchscript"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.script itself
        torch.jit.script(module).save(str(path))
    return str(path)
