"""Stage `prompts`: the prompts of all categories, in files of the work folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from chorus_bench.synthesis.prompts import (
    generate_prompts,
    read_prompts,
    shipped_prompts,
    write_prompts,
)
from chorus_bench.synthesis.settings import CHAT, SHIPPED, PromptSettings

Prompts = dict[str, tuple[str, ...]]


def make_prompts(
    categories: tuple[str, ...], settings: PromptSettings, *, seed: int, folder: Path
) -> Prompts:
    """Return the prompts of all categories, and write the missing ones.

    An existing file of a category is kept, so an interrupted run asks nothing twice.

    Args:
        categories: categories of the objects.
        settings: settings of the prompts.
        seed: random seed of a language model.
        folder: folder of ``<category>.txt``.

    Raises:
        InputError: a category has no prompts there, or a language model refuses.
        ChorusBenchError: a language model failed.
    """
    for category in categories:
        if not prompt_file(folder, category).is_file():
            write_prompts(folder, {category: _make(category, settings, seed)})
    return load_prompts(categories, folder)


def load_prompts(categories: tuple[str, ...], folder: Path) -> Prompts:
    """Return the prompts that `make_prompts` has written.

    Raises:
        InputError: a category has none.
    """
    return {category: read_prompts(folder, category) for category in categories}


def prompts_digest(prompts: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the first 12 hex digits of a SHA-256 over each category's prompts."""
    return {
        category: hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
        for category, texts in prompts.items()
    }


def prompt_file(folder: Path, category: str) -> Path:
    """Return the file of a category's prompts."""
    return folder / f"{category}.txt"


def _make(category: str, settings: PromptSettings, seed: int) -> tuple[str, ...]:
    if settings.source == SHIPPED:
        return shipped_prompts(category)
    if settings.source != CHAT:
        return read_prompts(settings.source, category)
    from dataclasses import replace

    from chorus_bench.synthesis.chat import ChatClient, ChatSettings

    chat = ChatSettings.from_environment(model=settings.model, base_url=settings.base_url)
    chat = replace(chat, send_seed=settings.send_seed, max_tokens=settings.max_tokens)
    written = generate_prompts(
        category,
        client=ChatClient(chat),
        count=settings.count,
        attempts=settings.attempts,
        temperature=settings.temperature,
        seed=seed,
    )
    return written.prompts
