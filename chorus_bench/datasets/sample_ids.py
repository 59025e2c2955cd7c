"""Ids of generated samples."""

from __future__ import annotations

import re

from chorus_bench.seeds import address_seed


def sample_name(source: str, category: str, *parts: object) -> str:
    """Return a sample's id, for example ``simulated-test-tennis_racket-00012``."""
    return "-".join([source, category.replace(" ", "_"), *map(str, parts)])


def prompt_slug(prompt: str) -> str:
    """Return a prompt as it appears in ids: its words, and four digits that identify it."""
    words = re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")
    return f"{words[:60]}-{address_seed('prompt', prompt) % 0x10000:04x}"
