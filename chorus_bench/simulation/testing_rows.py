"""Test rows of the simulated world: clean pictures with true cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chorus_bench.boundary import checked
from chorus_bench.datasets.masks import encode_mask
from chorus_bench.datasets.occupancy import encode_occupancy
from chorus_bench.datasets.sample_ids import sample_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.boxes import mask_box, overlap_of_smaller
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.seeds import Stream
from chorus_bench.simulation.cameras import PHOTOGRAPH, ViewBias
from chorus_bench.simulation.framing import draw_camera
from chorus_bench.simulation.interactions import (
    CATEGORIES,
    Interaction,
    interaction_at,
    make_scene,
)
from chorus_bench.simulation.occupancy import occupancy
from chorus_bench.simulation.prompts import prompts_of
from chorus_bench.simulation.rows import (
    check_request,
    row_stream,
)
from chorus_bench.simulation.scenes import Rendering, Scene, render
from chorus_bench.simulation.shading import encode_jpeg, shade

TEST_SIZES = ((256, 256), (256, 341), (341, 256))
_ATTEMPTS = 40
_LEAST_OBJECT, _LEAST_PERSON = 0.003, 0.02


@checked
def simulate_test_row(
    category: str,
    index: int,
    *,
    seed: int = 0,
    body: BodyModel | None = None,
    image_size: tuple[int, int] | None = None,
    with_image: bool = True,
) -> dict[str, Any]:
    """Make one test sample, which depends on its arguments only.

    Args:
        category: one of `CATEGORIES`.
        index: its number; the interactions alternate.
        seed: random seed of the whole split.
        body: by default the free body of the package.
        image_size: height and width in pixels; by default one of `TEST_SIZES`.
        with_image: if false, the column ``image`` is None; nothing else changes.

    Returns:
        The columns of `TEST_SCHEMA`, the label of the interaction (``prompt``,
        ``interaction``, ``part``) and ``object_occupancy`` (`encode_occupancy` of the posed
        48-voxel grid). The shape is zero and the camera true, so the reprojection error is 0.

    Raises:
        InputError: the simulated world has no such category, the index is negative, or the size
            is below 32 pixels.
    """
    stream = row_stream("test", seed, category, index)
    size = image_size or stream.fork("size").choice(TEST_SIZES)
    check_request(index, size)
    body = load_body("default") if body is None else body
    interaction = interaction_at(category, index)
    scene = make_scene(interaction, body, stream.fork("scene"))
    camera, rendering = _clear_view(scene, interaction, size, stream)
    image = None
    if with_image:
        picture = shade(scene, rendering, camera, stream.fork("shading"))
        image = {"bytes": encode_jpeg(picture), "path": None}
    number = (CATEGORIES.index(category) + 1) * 1_000_000 + index
    return {
        "sample_id": sample_name("simulated-test", category, f"{index:05d}"),
        "category": category,
        "image_id": number,
        "annotation_id": 2 * number,
        "object_annotation_id": 2 * number + 1,
        "height": size[0],
        "width": size[1],
        "image": image,
        **_mask_columns(rendering),
        "pose": scene.people[0].pose.tolist(),
        "betas": [0.0] * 10,
        **camera.columns(),
        "reprojection_error": 0.0,
        "joints_2d": camera.project(body.bone_transforms(scene.people[0].pose)[1]).tolist(),
        "prompt": stream.fork("prompt").choice(prompts_of(interaction)),
        "interaction": interaction.name,
        "part": interaction.part,
        "object_occupancy": encode_occupancy(occupancy(scene.instances[1].mesh)),
    }


@checked
def simulated_test(
    categories: Sequence[str] = CATEGORIES,
    per_category: int = 30,
    *,
    seed: int = 0,
    body: BodyModel | None = None,
    with_image: bool = True,
) -> list[dict[str, Any]]:
    """Make a test split, category by category.

    Args:
        categories: some of `CATEGORIES`.
        per_category: number of samples of each, from index 0 on.
        seed: random seed of the whole split.
        body: by default the free body of the package.
        with_image: see `simulate_test_row`.

    Raises:
        InputError: the simulated world has no such category.
    """
    return [
        simulate_test_row(category, index, seed=seed, body=body, with_image=with_image)
        for category in categories
        for index in range(per_category)
    ]


def _mask_columns(rendering: Rendering) -> dict[str, Any]:
    masks = [rendering.mask(k) for k in (0, 1)]
    boxes = [mask_box(mask) for mask in masks]
    human, thing = boxes
    overlap = None if human is None or thing is None else overlap_of_smaller(human, thing)
    return {
        "human_mask": encode_mask(masks[0]),
        "object_mask": encode_mask(masks[1]),
        "human_box": human,
        "object_box": thing,
        "box_overlap": overlap,
    }


def _photograph(interaction: Interaction) -> ViewBias:
    """Return the framings of an interaction: closer ones for small objects."""
    return replace(
        PHOTOGRAPH, framings=(("upper", interaction.near), ("full", 1 - interaction.near))
    )


def _clear_view(
    scene: Scene, interaction: Interaction, size: tuple[int, int], stream: Stream
) -> tuple[PerspectiveCamera, Rendering]:
    """Draw cameras until person and object are clearly visible.

    If none of `_ATTEMPTS` cameras achieves that, the one that sees most of the object is used.
    """
    bias = _photograph(interaction)
    pixels = size[0] * size[1]
    views: list[tuple[int, PerspectiveCamera, Rendering]] = []
    for attempt in range(_ATTEMPTS):
        drawn = draw_camera(scene, bias, size, stream.fork(f"camera {attempt}"))
        camera = scene.placement.camera(drawn)
        rendering = render(scene, camera, size)
        owners = rendering.instance_map
        person, thing = (int(np.count_nonzero(owners == k)) for k in (0, 1))
        views.append((thing, camera, rendering))
        if person >= _LEAST_PERSON * pixels and thing >= _LEAST_OBJECT * pixels:
            return camera, rendering
    _, camera, rendering = max(views, key=lambda view: view[0])
    return camera, rendering
