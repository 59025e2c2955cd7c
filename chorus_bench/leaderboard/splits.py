"""What a split is, in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class _About:
    """A split for readers who have never heard of it.

    Attributes:
        text: one or two sentences.
        page: the page of the documentation that describes it, below ``docs/``.
    """

    text: str
    page: str


_SIMULATED = _About(
    "Made-up people with objects, drawn by a program that knows every pose, camera and shape. "
    "Nothing to download, the same bits everywhere, and no photograph: scores on it say how "
    "methods compare in that world, not how they do on real images.",
    "simulated_world.md",
)
_EXAMPLE = _About("A few samples of the simulated world, for trying things.", "simulated_world.md")
_COCO_EFT = _About(
    "Photographs of COCO val2014 with one person and one object of a category, the person's pose "
    "fitted by EFT: the extended COCO-EFT split of the paper, built from files that may not be "
    "republished.",
    "datasets.md",
)
_KNOWN = {"simulated": _SIMULATED, "example": _EXAMPLE, "coco-eft": _COCO_EFT}


def split_json(label: str) -> dict[str, str] | None:
    """Return ``text`` and ``page`` of a split; None for one that chorus-bench does not make.

    Args:
        label: the split in a signature, ``name@fingerprint``; ``coco-eft+lm`` is a ``coco-eft``.
    """
    name = label.partition("@")[0].partition("+")[0]
    found = _KNOWN.get(name)
    return None if found is None else asdict(found)
