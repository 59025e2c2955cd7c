"""The arrangement of an interaction, and the scene to picture: people, objects, a place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32, Float64, Int32
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rasterizer import Raster, draw
from chorus_bench.simulation.cameras import WorldCamera
from chorus_bench.simulation.figure import Figure
from chorus_bench.simulation.meshes import Mesh, join

PERSON, OBJECT, PROP = "person", "object", "prop"
_NEAR = 0.05


@dataclass(frozen=True, eq=False)
class Setting:
    """The objects around a posed figure, in the world frame.

    Args:
        target: the object of the interaction.
        props: other objects that belong to the scene but not to the object's mask.
    """

    target: Mesh
    props: Mesh | None = None


@dataclass(frozen=True, eq=False)
class Placement:
    """The placement of a figure's body frame in the world.

    Args:
        root: (3, 3) body frame to world.
        origin: (3,) the pelvis joint in the body frame, which is the world's origin, metres.
        floor: height of the ground in the world, metres.
    """

    root: Float64
    origin: Float64
    floor: float

    @classmethod
    def of(cls, figure: Figure) -> Placement:
        """Return the placement of a figure."""
        return cls(figure.root.copy(), figure.rest[0].copy(), figure.floor)

    def to_body(self, points: Float64) -> Float64:
        """Take points (n, 3) from the world to the body frame."""
        return np.asarray(exact.product(points, self.root) + self.origin)

    def to_world(self, points: Float64) -> Float64:
        """Take points (n, 3) from the body frame to the world."""
        return np.asarray(exact.product(points - self.origin, self.root.T))

    def camera(self, camera: WorldCamera) -> PerspectiveCamera:
        """Return a camera as the dataset holds it: from the body frame, in float32."""
        place = exact.apply(self.root, self.origin) + camera.position
        translation = -exact.apply(camera.rotation, place)
        return PerspectiveCamera(
            exact.product(camera.rotation, self.root).astype(np.float32),
            translation.astype(np.float32),
            camera.intrinsics.astype(np.float32),
        )


@dataclass(frozen=True, eq=False)
class Instance:
    """One person or object of a scene.

    Args:
        kind: `PERSON`, `OBJECT` or `PROP`.
        mesh: the mesh in the body frame of the scene's first person.
    """

    kind: str
    mesh: Mesh


@dataclass(frozen=True, eq=False)
class Person:
    """A person of a scene.

    Args:
        pose: (72,) axis-angle, zero global orientation.
        betas: (S,) shape.
        rotation: (3, 3) from the person's own body frame to the scene's.
        offset: (3,) metres, applied after the rotation.
    """

    pose: Float32
    betas: Float32
    rotation: Float64
    offset: Float64


@dataclass(frozen=True, eq=False)
class Scene:
    """People and objects around the first person's body frame.

    Args:
        body: the body.
        placement: the body frame in the world.
        people: one per instance of kind `PERSON`, in that order; the first one's frame is
            the scene's.
        instances: all people and objects, the people first.
        place: a key of `shading.PLACES`.
    """

    body: BodyModel
    placement: Placement
    people: tuple[Person, ...]
    instances: tuple[Instance, ...]
    place: str

    def numbers(self, kind: str) -> list[int]:
        """Return the numbers of the instances of a kind."""
        return [k for k, instance in enumerate(self.instances) if instance.kind == kind]


@dataclass(frozen=True, eq=False)
class Rendering:
    """A scene seen through a camera.

    Args:
        mesh: all instances together, body frame.
        owner: (F,) the number of the instance that a face belongs to.
        raster: what is in front at each pixel.
    """

    mesh: Mesh
    owner: Int32
    raster: Raster

    def mask(self, instance: int) -> NDArray[np.bool_]:
        """Return the visible pixels (H, W) of an instance."""
        return self.instance_map == instance

    @cached_property
    def instance_map(self) -> Int32:
        """The number of the instance at each pixel (H, W), -1 for none."""
        face = self.raster.face
        return np.where(face >= 0, self.owner[face], -1).astype(np.int32)


def render(scene: Scene, camera: PerspectiveCamera, size: tuple[int, int]) -> Rendering:
    """Render a scene with true mutual occlusion.

    Args:
        scene: the scene.
        camera: from the body frame to pixels.
        size: height and width in pixels.
    """
    meshes = [instance.mesh for instance in scene.instances]
    mesh = join(meshes)
    owner = np.repeat(np.arange(len(meshes)), [len(m.faces) for m in meshes]).astype(np.int32)
    points = camera.to_camera(mesh.vertices)
    raster = draw(points, mesh.faces, camera.intrinsics.astype(np.float64), size, _NEAR)
    return Rendering(mesh, owner, raster)
