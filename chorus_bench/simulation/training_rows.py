"""Training rows of the simulated world, as from a generator and annotators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from chorus_bench.array_types import Float32
from chorus_bench.boundary import checked
from chorus_bench.datasets.occupancy import encode_occupancy
from chorus_bench.datasets.sample_ids import prompt_slug, sample_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.seeds import Stream, address_seed
from chorus_bench.simulation.annotators import (
    annotate_objects,
    annotate_people,
    check_noise,
)
from chorus_bench.simulation.cameras import VIEW_BIAS, ViewBias, draw_direction
from chorus_bench.simulation.failures import draw_failure, spoil
from chorus_bench.simulation.framing import draw_camera
from chorus_bench.simulation.interactions import make_scene
from chorus_bench.simulation.occupancy import occupancy
from chorus_bench.simulation.prompts import interaction_of
from chorus_bench.simulation.rows import (
    WORLD,
    check_request,
    row_stream,
)
from chorus_bench.simulation.scenes import OBJECT, Scene, render
from chorus_bench.simulation.shading import encode_jpeg, shade

_SHAPE_SPREAD = 0.7
_LEGS = (("legs", 1.0),)
#: Columns that later stages fill.
_UNFILLED = (
    "verdict", "reason", "human_mask", "object_mask", "pose", "betas", "camera_rotation",
    "camera_translation", "camera_intrinsics", "reprojection_error",
)  # fmt: skip


@checked
def simulate_train_row(
    category: str,
    prompt: str,
    view: str,
    index: int,
    *,
    seed: int = 0,
    body: BodyModel | None = None,
    size: int = 256,
    with_image: bool = True,
    noise: float = 1.0,
) -> dict[str, Any]:
    """Make one training image with annotations, which depends on its arguments only.

    Args:
        category: one of `CATEGORIES`.
        prompt: one of `PROMPTS` or any other text; it decides the interaction.
        view: name of a view condition; an unknown one is treated like the prompt alone.
        index: the image's number under that prompt and view.
        seed: random seed of the whole set.
        body: by default the free body of the package.
        size: height and width in pixels.
        with_image: if false, the column ``image`` is None; nothing else changes.
        noise: noise level of the annotations, 0 to 2; with 0 they are true (images still fail).

    Returns:
        The columns of `TRAIN_SCHEMA`, those of later stages None, and the ground truth:
        ``true_failure`` (a key of `FAILURES` or None), ``true_interaction``, ``true_pose``,
        ``true_betas``, ``true_camera_rotation``, ``true_camera_translation``,
        ``true_camera_intrinsics`` and ``true_object_occupancy`` (None without an object).

    Raises:
        InputError: the simulated world has no such category, the index is negative, or the size
            is below 32 pixels.
    """
    check_request(index, (size, size))
    check_noise(noise)
    interaction = interaction_of(category, prompt)
    body = load_body("default") if body is None else body
    address = (category, prompt, view, index)
    stream = row_stream("train", seed, *address)
    failure = draw_failure(stream.fork("failure"))
    bias = _view_bias(view, failure)
    direction = draw_direction(bias, stream.fork("direction"))
    person = make_scene(interaction, body, stream.fork("scene"), _shape(body, stream))
    scene = spoil(person, failure, stream.fork("spoil"), direction)
    drawn = draw_camera(scene, bias, (size, size), stream.fork("camera"), direction)
    camera = scene.placement.camera(drawn)
    rendering = render(scene, camera, (size, size))
    image = None
    if with_image:
        picture = shade(scene, rendering, camera, stream.fork("shading"))
        image = {"bytes": encode_jpeg(picture), "path": None}
    wrong = failure == "wrong_pose" and noise > 0
    parts = (prompt_slug(prompt), view, f"{index:05d}")
    return {
        "sample_id": sample_name("simulated-train", category, *parts),
        "category": category,
        "prompt": prompt,
        "view": view,
        "index": index,
        "seed": address_seed(WORLD, "train", seed, *address),
        "source": "simulated",
        "generator": WORLD,
        "height": size,
        "width": size,
        "image": image,
        "people": annotate_people(scene, rendering, camera, stream, wrong_pose=wrong, noise=noise),
        "objects": annotate_objects(scene, rendering, category, stream, noise),
        **dict.fromkeys(_UNFILLED),
        "true_failure": failure,
        "true_interaction": interaction.name,
        **_truth(person, scene, camera),
    }


def _view_bias(view: str, failure: str | None) -> ViewBias:
    bias = VIEW_BIAS.get(view, VIEW_BIAS["plain"])
    if failure == "cut_torso":
        return replace(bias, framings=_LEGS, fill=(1.0, 1.2))
    if failure in ("two_people", "two_objects", "object_far"):
        return replace(bias, framings=(("full", 1.0),))
    return bias


def _shape(body: BodyModel, stream: Stream) -> Float32:
    """Draw the person's shape; zero for a body without shape blend shapes."""
    if body.shape_directions is None:
        return np.zeros(10, dtype=np.float32)
    return (_SHAPE_SPREAD * stream.fork("shape").normals(10)).astype(np.float32)


def _truth(person: Scene, scene: Scene, camera: PerspectiveCamera) -> dict[str, Any]:
    """Return the ground truth of the first person, in its body frame, and of its object."""
    objects = scene.numbers(OBJECT)
    voxels = encode_occupancy(occupancy(scene.instances[objects[0]].mesh)) if objects else None
    return {
        "true_pose": person.people[0].pose.tolist(),
        "true_betas": person.people[0].betas.tolist(),
        **camera.columns("true_camera_"),
        "true_object_occupancy": voxels,
    }
