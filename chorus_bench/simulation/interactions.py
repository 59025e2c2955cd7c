"""The categories of the simulated world, their interactions, and scenes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

import chorus_bench.simulation.handling as handling
import chorus_bench.simulation.riding as riding
import chorus_bench.simulation.seated as seated
import chorus_bench.simulation.throwing as throwing
import chorus_bench.simulation.wearing as wearing
from chorus_bench.boundary import checked
from chorus_bench.errors import unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.seeds import Stream
from chorus_bench.simulation.clothing import dress, person_mesh
from chorus_bench.simulation.figure import Figure
from chorus_bench.simulation.meshes import Mesh
from chorus_bench.simulation.scenes import (
    OBJECT,
    PERSON,
    PROP,
    Instance,
    Person,
    Placement,
    Scene,
    Setting,
)


@checked
@dataclass(frozen=True)
class Interaction:
    """One way in which a person and an object belong together.

    Args:
        category: COCO's name of the object.
        name: the activity, for example ``ride``.
        part: the part of the body that the object touches most, see `PARTS`.
        build: poses a figure and returns the objects around it.
        places: possible places, keys of `shading.PLACES`.
        outfits: possible clothes, keys of `clothing.STYLES`.
        near: share of photographs that show only the upper body.
    """

    category: str
    name: str
    part: str
    build: Callable[[Figure, Stream], Setting]
    places: tuple[str, ...]
    outfits: tuple[str, ...] = ("casual", "long")
    near: float = 0.0


#: The parts of the body that interactions name: of either side, and the whole trunk.
PARTS = ("hands", "arms", "feet", "hips", "torso")

_WALK = ("street", "park", "room")
_FIELD = ("park", "beach")

_TABLE = (
    Interaction(
        "motorcycle", "ride", "hands", seated.ride_motorcycle, ("street",), ("long", "winter")
    ),
    Interaction("bench", "sit", "hips", seated.sit_on_bench, ("park", "street")),
    Interaction("backpack", "wear", "torso", wearing.wear_backpack, ("street", "park"), near=0.25),
    Interaction("handbag", "carry", "hands", wearing.carry_handbag, _WALK),
    Interaction("handbag", "on_forearm", "arms", wearing.handbag_on_forearm, _WALK, near=0.25),
    Interaction("handbag", "on_shoulder", "torso", wearing.handbag_on_shoulder, _WALK),
    Interaction(
        "tie", "wear", "torso", wearing.wear_tie, ("room", "street"), ("formal", "suit"), near=0.6
    ),
    Interaction("frisbee", "throw", "hands", throwing.throw_frisbee, _FIELD, ("sport", "casual")),
    Interaction(
        "frisbee", "catch", "hands", throwing.catch_frisbee, _FIELD, ("sport", "casual"), near=0.25
    ),
    Interaction("skis", "ride", "feet", riding.ride_skis, ("snow",), ("winter",)),
    Interaction("snowboard", "ride", "feet", riding.ride_snowboard, ("snow",), ("winter",)),
    Interaction("snowboard", "carry", "arms", riding.carry_snowboard, ("snow",), ("winter",)),
    Interaction("sports ball", "kick", "feet", throwing.kick_ball, ("park",), ("sport",)),
    Interaction(
        "sports ball", "hold", "hands", throwing.hold_ball, ("park", "court"), ("sport",), near=0.25
    ),
    Interaction(
        "sports ball",
        "throw",
        "hands",
        throwing.throw_ball,
        ("court", "beach"),
        ("sport",),
        near=0.25,
    ),
    Interaction(
        "baseball glove",
        "catch",
        "hands",
        throwing.catch_with_glove,
        ("diamond",),
        ("sport", "long"),
    ),
    Interaction(
        "baseball glove",
        "throw",
        "hands",
        throwing.throw_with_glove,
        ("diamond",),
        ("sport", "long"),
    ),
    Interaction("skateboard", "ride", "feet", riding.ride_skateboard, ("street",)),
    Interaction("skateboard", "carry", "arms", riding.carry_skateboard, ("street", "park")),
    Interaction("surfboard", "ride", "feet", riding.ride_surfboard, ("sea",), ("swim", "wetsuit")),
    Interaction(
        "surfboard", "carry", "hands", riding.carry_surfboard, ("beach",), ("swim", "wetsuit")
    ),
    Interaction("tennis racket", "swing", "hands", handling.swing_racket, ("court",), ("sport",)),
    Interaction("tennis racket", "serve", "hands", handling.serve_racket, ("court",), ("sport",)),
    Interaction("tennis racket", "ready", "hands", handling.ready_racket, ("court",), ("sport",)),
    Interaction("cell phone", "call", "hands", handling.call_with_phone, _WALK, near=0.6),
    Interaction("cell phone", "look", "hands", handling.look_at_phone, _WALK, near=0.6),
    Interaction(
        "cell phone", "photograph", "hands", handling.photograph_with_phone, _WALK, near=0.6
    ),
    Interaction("umbrella", "hold", "hands", handling.hold_umbrella, ("street", "park")),
)

#: The categories of the simulated world under COCO's names; the first 14 are the paper's.
CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(row.category for row in _TABLE))


def interactions(category: str) -> tuple[Interaction, ...]:
    """Return the interactions of a category.

    Raises:
        InputError: the simulated world has no such category; the message lists those it has.
    """
    found = tuple(row for row in _TABLE if row.category == category)
    if not found:
        raise unknown_name("simulated category", category, CATEGORIES)
    return found


def interaction_at(category: str, index: int) -> Interaction:
    """Return the interaction of a test sample: the interactions alternate."""
    known = interactions(category)
    return known[index % len(known)]


def make_scene(
    interaction: Interaction, body: BodyModel, stream: Stream, betas: ArrayLike | None = None
) -> Scene:
    """Make a person in an interaction with an object, in a place.

    Args:
        interaction: the interaction.
        body: the body.
        stream: draws pose, object, clothes and place.
        betas: (S,) shape of the person; None for the mean shape.

    Returns:
        The scene, in the person's body frame; pose and shape are rounded to float32 first, so
        that the scene matches the numbers in a row exactly.
    """
    shape = np.zeros(10, np.float32) if betas is None else np.asarray(betas, dtype=np.float32)
    figure = Figure(body, shape.astype(np.float64))
    setting = interaction.build(figure, stream.fork("interaction"))
    placement = Placement.of(figure)
    pose = figure.pose().astype(np.float32)
    colors = dress(body, stream.fork("style").choice(interaction.outfits), stream.fork("clothes"))
    instances = [Instance(PERSON, person_mesh(body, body.pose(pose, shape), colors))]
    instances.append(Instance(OBJECT, _in_body_frame(setting.target, placement)))
    if setting.props is not None:
        instances.append(Instance(PROP, _in_body_frame(setting.props, placement)))
    place = stream.fork("place").choice(interaction.places)
    person = Person(pose, shape, np.eye(3), np.zeros(3))
    return Scene(body, placement, (person,), tuple(instances), place)


def _in_body_frame(mesh: Mesh, placement: Placement) -> Mesh:
    return mesh.moved(placement.root.T, placement.origin)
