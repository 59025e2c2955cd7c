"""The view conditions that a prompt is repeated with.

The prompt alone and 21 additions, which push a generator towards other viewpoints and
distances (CHORUS, section 3.1, lists their kinds; the wording here is our own).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from chorus_bench.errors import InputError, unknown_name


@dataclass(frozen=True)
class ViewCondition:
    """A view condition.

    Args:
        name: what it is called in rows and file names.
        suffix: what follows the prompt; empty for the prompt alone.
    """

    name: str
    suffix: str

    def extend(self, prompt: str) -> str:
        """Return the prompt with this view's words."""
        return f"{prompt}, {self.suffix}" if self.suffix else prompt


VIEWS: tuple[ViewCondition, ...] = (
    ViewCondition("plain", ""),
    ViewCondition("side_view", "side view"),
    ViewCondition("back_view", "back view"),
    ViewCondition("front_view", "front view"),
    ViewCondition("top_view", "top view"),
    ViewCondition("bottom_view", "bottom view"),
    ViewCondition("realistic", "realistic photo"),
    ViewCondition("from_side", "seen from the side"),
    ViewCondition("from_back", "seen from the back"),
    ViewCondition("various_views", "seen from various views"),
    ViewCondition("from_close", "seen from close"),
    ViewCondition("from_far", "seen from far"),
    ViewCondition("scenic", "scenic"),
    ViewCondition("full_body", "full body"),
    ViewCondition("hand", "hand"),
    ViewCondition("face", "face"),
    ViewCondition("near_hand", "near the hand"),
    ViewCondition("near_face", "near the face"),
    ViewCondition("selfie", "selfie"),
    ViewCondition("close_up", "close-up"),
    ViewCondition("hand_only", "hand only"),
    ViewCondition("face_only", "face only"),
)


def get_view(name: str) -> ViewCondition:
    """Return a view of `VIEWS` by name; an unknown name is an `InputError` that lists them."""
    for view in VIEWS:
        if view.name == name:
            return view
    raise unknown_name("view", name, [view.name for view in VIEWS])


def read_views(path: str | Path) -> tuple[ViewCondition, ...]:
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
    return tuple(ViewCondition(name, suffix) for name, suffix in content.items())
