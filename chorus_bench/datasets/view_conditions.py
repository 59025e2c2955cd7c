"""The view conditions with which each prompt is repeated.

The prompt alone and 21 endings, which steer a generator toward other viewpoints and distances.

Source: docs/method.md M2; the paper, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from chorus_bench.errors import InputError, unknown_name
from chorus_bench.io.schema_words import ONE_LINE
from chorus_bench.io.schemas import loaded, read_document


@dataclass(frozen=True)
class ViewCondition:
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


_Name = Annotated[str, Field(min_length=1, max_length=80, pattern=ONE_LINE)]
_Suffix = Annotated[
    str,
    Field(max_length=1000, pattern=ONE_LINE, description="text in one line; '' for the prompt"),
]
Suffixes = Annotated[dict[_Name, _Suffix], Field(min_length=1)]

VIEWS: tuple[ViewCondition, ...] = (
    ViewCondition("plain", ""),
    ViewCondition("side_view", "side view"),
    ViewCondition("back_view", "back view"),
    ViewCondition("front_view", "front view"),
    ViewCondition("top_view", "top view"),
    ViewCondition("bottom_view", "bottom view"),
    ViewCondition("realistic", "realistic photo"),
    ViewCondition("from_side", "seen from side"),
    ViewCondition("from_back", "seen from back"),
    ViewCondition("various_views", "seen from various views"),
    ViewCondition("from_close", "seen from close view"),
    ViewCondition("from_far", "seen from far away"),
    ViewCondition("scenic", "scenic view"),
    ViewCondition("full_body", "full body photo"),
    ViewCondition("hand", "hand photo"),
    ViewCondition("face", "face photo"),
    ViewCondition("near_hand", "photo taken close to hand"),
    ViewCondition("near_face", "photo taken close to face"),
    ViewCondition("selfie", "selfie"),
    ViewCondition("close_up", "close-up photo"),
    ViewCondition("hand_only", "hand only"),
    ViewCondition("face_only", "face only"),
)


def get_view(name: str) -> ViewCondition:
    """Return a view of `VIEWS` by name; an unknown name is an `InputError` that lists them."""
    for view in VIEWS:
        if view.name == name:
            return view
    raise unknown_name("view", name, [view.name for view in VIEWS])


class ViewsFile(RootModel[Suffixes], strict=True):
    """View conditions, one line each: 'name: suffix'."""


def read_views(path: str | Path) -> tuple[ViewCondition, ...]:
    """Read view conditions from a YAML file that maps names to suffixes.

    Args:
        path: for example a file with the line ``side_view: side view``; the suffix of the
            prompt alone is an empty text.

    Raises:
        InputError: the file is missing, is not YAML, or is not such a mapping; every problem is
            listed.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError("no such file of views", where=file)
    views = loaded(ViewsFile, read_document(file)).root
    return tuple(ViewCondition(name, suffix) for name, suffix in views.items())
