"""The view conditions with which each prompt is repeated.

The prompt alone and 21 endings, which steer a generator toward other viewpoints and distances.

Source: docs/method.md M2; the paper, section 3.2. Ten endings are worded differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from chorus_bench.errors import InputError, unknown_name


@dataclass(frozen=True)
class View:
    """A view condition.

    Args:
        name: its name in rows and file names.
        suffix: the words after the prompt; empty for the prompt alone.
    """

    name: str
    suffix: str

    def extend(self, prompt: str) -> str:
        """Return the prompt with this view's words."""
        return f"{prompt}, {self.suffix}" if self.suffix else prompt


VIEWS: tuple[View, ...] = (
    View("plain", ""),
    View("side_view", "side view"),
    View("back_view", "back view"),
    View("front_view", "front view"),
    View("top_view", "top view"),
    View("bottom_view", "bottom view"),
    View("realistic", "realistic photo"),
    View("from_side", "seen from the side"),
    View("from_back", "seen from the back"),
    View("various_views", "seen from various views"),
    View("from_close", "seen from close"),
    View("from_far", "seen from far"),
    View("scenic", "scenic"),
    View("full_body", "full body"),
    View("hand", "hand"),
    View("face", "face"),
    View("near_hand", "near the hand"),
    View("near_face", "near the face"),
    View("selfie", "selfie"),
    View("close_up", "close-up"),
    View("hand_only", "hand only"),
    View("face_only", "face only"),
)


def get_view(name: str) -> View:
    """Return a view of `VIEWS` by name; an unknown name is an `InputError` that lists them."""
    for view in VIEWS:
        if view.name == name:
            return view
    raise unknown_name("view", name, [view.name for view in VIEWS])


def read_views(path: str | Path) -> tuple[View, ...]:
    """Read view conditions from a YAML file that maps names to suffixes.

    Args:
        path: for example a file with the line ``side_view: side view``; the suffix of the
            prompt alone is an empty text.

    Raises:
        InputError: the file is missing, is not YAML, or is not such a mapping.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError("no such file of views", where=file)
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {error}", where=file) from error
    if not isinstance(content, Mapping) or not content:
        raise InputError("holds no views", where=file, expected="one line per view, 'name: suffix'")
    wrong = [k for k, v in content.items() if not isinstance(k, str) or not isinstance(v, str)]
    if wrong:
        raise InputError(
            f"the view {wrong[0]!r} is not text",
            where=file,
            expected="names and suffixes in quotes; '' for the prompt alone",
        )
    return tuple(View(name, suffix) for name, suffix in content.items())
