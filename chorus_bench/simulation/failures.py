"""The failures of generated pictures that the filters exist for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import chorus_bench.simulation.poses as poses
from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.seeds import Stream
from chorus_bench.simulation.cameras import look_along
from chorus_bench.simulation.clothing import dress, person_mesh
from chorus_bench.simulation.figure import Figure, rotation
from chorus_bench.simulation.meshes import Mesh, vector
from chorus_bench.simulation.scenes import OBJECT, PERSON, Instance, Person, Scene

#: Kinds of failures and their frequencies; the rest of the pictures are correct.
FAILURES: dict[str, float] = {
    "no_person": 0.04,
    "two_people": 0.08,
    "no_object": 0.08,
    "two_objects": 0.04,
    "object_far": 0.05,
    "cut_torso": 0.04,
    "wrong_pose": 0.04,
}


def draw_failure(stream: Stream) -> str | None:
    """Draw a kind of failure, or None for a correct picture."""
    kinds = (*FAILURES, None)
    shares = [*FAILURES.values()]
    return stream.choice(kinds, (*shares, 1 - float(exact.total(shares))))


def spoil(
    scene: Scene, failure: str | None, stream: Stream, direction: tuple[float, float, float]
) -> Scene:
    """Return the scene with a failure in it.

    Args:
        scene: one person and one object.
        failure: a key of `FAILURES`; failures of the camera or of the annotation leave the scene
            unchanged.
        stream: draws places and poses.
        direction: yaw, elevation and roll of the view, degrees.
    """
    if failure == "no_person":
        mesh = _on_ground(scene, scene.instances[scene.numbers(OBJECT)[0]].mesh)
        return replace(scene, people=(), instances=(Instance(OBJECT, mesh),))
    if failure == "no_object":
        return replace(scene, instances=tuple(i for i in scene.instances if i.kind != OBJECT))
    if failure == "two_people":
        return _second_person(scene, stream, direction)
    if failure == "two_objects":
        return _second_object(scene, stream, direction)
    if failure == "object_far":
        return _object_aside(scene, stream, direction)
    return scene


def _image_right(direction: tuple[float, float, float]) -> Float64:
    """Return the level world direction (3,) that is to the right in the picture."""
    return look_along(direction[0], 0.0, 0.0)[0]


def _extent(scene: Scene, mesh: Mesh, along: Float64) -> tuple[float, float]:
    """Return how far a mesh reaches along a world direction, lowest and highest, metres."""
    reach = exact.inner(scene.placement.to_world(mesh.vertices), along)
    return float(reach.min()), float(reach.max())


def _moved_in_world(scene: Scene, mesh: Mesh, turn: Float64, offset: Float64) -> Mesh:
    """Turn a mesh about the vertical through its middle and shift it, both in the world."""
    world = scene.placement.to_world(mesh.vertices)
    middle = (world.min(axis=0) + world.max(axis=0)) / 2
    moved = exact.product(world - middle, turn.T) + middle + offset
    return replace(mesh, vertices=scene.placement.to_body(moved))


def _beside(
    scene: Scene, mesh: Mesh, stream: Stream, direction: tuple[float, float, float], gap: float
) -> Mesh:
    """Lay a mesh on the ground to the left or right of everyone, as the camera sees it."""
    right = _image_right(direction) * stream.sign()
    turned = _moved_in_world(scene, mesh, rotation((0, 1, 0), stream.uniform(-60, 60)), np.zeros(3))
    taken = max(_extent(scene, scene.instances[k].mesh, right)[1] for k in scene.numbers(PERSON))
    shift = taken + gap - _extent(scene, turned, right)[0]
    return _on_ground(scene, _moved_in_world(scene, turned, np.eye(3), right * shift))


def _on_ground(scene: Scene, mesh: Mesh) -> Mesh:
    """Lay a mesh on the ground."""
    up = vector(0, 1, 0)
    drop = scene.placement.floor - _extent(scene, mesh, up)[0]
    return _moved_in_world(scene, mesh, np.eye(3), up * drop)


def _object_aside(scene: Scene, stream: Stream, direction: tuple[float, float, float]) -> Scene:
    number = scene.numbers(OBJECT)[0]
    instances = list(scene.instances)
    gap = stream.uniform(0.15, 0.6)
    instances[number] = Instance(
        OBJECT, _beside(scene, instances[number].mesh, stream, direction, gap)
    )
    return replace(scene, instances=tuple(instances))


def _second_object(scene: Scene, stream: Stream, direction: tuple[float, float, float]) -> Scene:
    mesh = scene.instances[scene.numbers(OBJECT)[0]].mesh
    another = Instance(OBJECT, _beside(scene, mesh, stream, direction, stream.uniform(0.05, 0.5)))
    return replace(scene, instances=(*scene.instances, another))


def _second_person(scene: Scene, stream: Stream, direction: tuple[float, float, float]) -> Scene:
    figure = Figure(scene.body, scene.people[0].betas.astype(np.float64))
    poses.stand_or_walk(figure, stream)
    pose = figure.pose().astype(np.float32)
    own = scene.body.pose(pose, figure.betas)
    turn = rotation((0, 1, 0), stream.uniform(-90, 90))
    right = _image_right(direction) * stream.sign()
    everything = np.concatenate([scene.instances[k].mesh.vertices for k in scene.numbers(PERSON)])
    taken = float(exact.inner(scene.placement.to_world(everything), right).max())
    reach = exact.inner(exact.product(own - figure.rest[0], turn.T), right)
    shift = right * (taken + stream.uniform(-0.1, 0.4) - reach.min())
    shift[1] = scene.placement.floor - figure.floor
    R = np.asarray(exact.product(scene.placement.root.T, turn))
    offset = scene.placement.to_body(shift[None])[0] - exact.apply(R, figure.rest[0])
    person = Person(pose, scene.people[0].betas, R, offset)
    colors = dress(scene.body, "casual", stream)
    vertices = exact.product(own, R.T) + offset
    instance = Instance(PERSON, person_mesh(scene.body, vertices, colors))
    first, *others = scene.instances
    return replace(scene, people=(*scene.people, person), instances=(first, instance, *others))
