"""Prompts of the simulated world, each tied to an interaction.

Subject, verb, object, as a language model is asked to write them (docs/method.md M1).
"""

from __future__ import annotations

from chorus_bench.boundary import checked
from chorus_bench.seeds import address_seed
from chorus_bench.simulation.interactions import CATEGORIES, Interaction, interactions

_WRITTEN: dict[tuple[str, str], tuple[str, ...]] = {
    ("motorcycle", "ride"): ("a person rides a motorcycle", "a person sits on a motorcycle"),
    ("bench", "sit"): ("a person sits on a bench", "a person rests on a bench"),
    ("backpack", "wear"): ("a person wears a backpack", "a person carries a backpack on the back"),
    ("handbag", "carry"): ("a person carries a handbag",),
    ("handbag", "on_forearm"): ("a person holds a handbag on the forearm",),
    ("handbag", "on_shoulder"): ("a person wears a handbag over the shoulder",),
    ("tie", "wear"): ("a person wears a tie", "a person adjusts a tie"),
    ("frisbee", "throw"): ("a person throws a frisbee",),
    ("frisbee", "catch"): (
        "a person catches a frisbee",
        "a person holds a frisbee with both hands",
    ),
    ("skis", "ride"): ("a person rides on skis", "a person skis down a slope"),
    ("snowboard", "ride"): ("a person rides a snowboard",),
    ("snowboard", "carry"): ("a person carries a snowboard",),
    ("sports ball", "kick"): ("a person kicks a ball",),
    ("sports ball", "hold"): ("a person holds a ball",),
    ("sports ball", "throw"): ("a person throws a ball",),
    ("baseball glove", "catch"): ("a person catches with a baseball glove",),
    ("baseball glove", "throw"): (
        "a person wears a baseball glove",
        "a person throws with a baseball glove on",
    ),
    ("skateboard", "ride"): ("a person rides a skateboard", "a person stands on a skateboard"),
    ("skateboard", "carry"): ("a person carries a skateboard",),
    ("surfboard", "ride"): ("a person rides a surfboard", "a person stands on a surfboard"),
    ("surfboard", "carry"): ("a person carries a surfboard",),
    ("tennis racket", "swing"): ("a person swings a tennis racket",),
    ("tennis racket", "serve"): ("a person serves with a tennis racket",),
    ("tennis racket", "ready"): ("a person holds a tennis racket with both hands",),
    ("cell phone", "call"): ("a person talks on a cell phone",),
    ("cell phone", "look"): ("a person looks at a cell phone", "a person types on a cell phone"),
    ("cell phone", "photograph"): ("a person takes a picture with a cell phone",),
    ("umbrella", "hold"): ("a person holds an umbrella", "a person walks under an umbrella"),
}

#: Every category's prompts.
PROMPTS: dict[str, tuple[str, ...]] = {
    category: tuple(
        prompt for (owner, _), texts in _WRITTEN.items() if owner == category for prompt in texts
    )
    for category in CATEGORIES
}


def prompts_of(interaction: Interaction) -> tuple[str, ...]:
    """Return the prompts that are tied to an interaction."""
    return _WRITTEN[interaction.category, interaction.name]


@checked
def interaction_of(category: str, prompt: str) -> Interaction:
    """Return the interaction that a prompt describes.

    Args:
        category: one of `CATEGORIES`.
        prompt: one of `PROMPTS`; any other text stands for one of the interactions, always
            the same one.

    Raises:
        InputError: the simulated world has no such category.
    """
    known = interactions(category)
    for interaction in known:
        if prompt in prompts_of(interaction):
            return interaction
    return known[address_seed("prompt", category, prompt) % len(known)]
