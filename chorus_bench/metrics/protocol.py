"""Evaluation protocols: how a score is computed, as a value that prints its signature.

Source: docs/protocol.md P29.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chorus_bench._version import __version__
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import SkinningSettings
from chorus_bench.metrics.pap import THRESHOLDS

_GRID, _SKINNING = GridSpec(), SkinningSettings()


@dataclass(frozen=True)
class Protocol:
    """Everything besides the data that determines a score.

    Args:
        name: the metric's name, the first part of a signature.
        closed: also count the recall that remains at the last threshold.
        image_side: shorter side of the small images that are compared, pixels.
        min_samples: a category with fewer test samples is not scored.
        thresholds: ascending.
        grid: the probe grid of the posed space.
        skinning: how voxels follow the body.
    """

    name: str = "PAP"
    closed: bool = False
    image_side: int = 32
    min_samples: int = 30
    thresholds: tuple[float, ...] = field(default=THRESHOLDS, repr=False)
    grid: GridSpec = _GRID
    skinning: SkinningSettings = _SKINNING

    @property
    def threshold_label(self) -> str:
        """The thresholds as first:last:step."""
        first, last = self.thresholds[0], self.thresholds[-1]
        step = (last - first) / max(1, len(self.thresholds) - 1)
        return f"{first:g}:{last:g}:{step:g}"

    def signature(
        self,
        split: str,
        body: str,
        *,
        track: str = "canonical",
        categories: Sequence[str] | None = None,
        other_body: str | None = None,
    ) -> str:
        """Return the string that states how a score was computed.

        Args:
            split: ``name@fingerprint`` of the test split.
            body: ``name@fingerprint`` of the body.
            track: ``canonical`` or ``posed``; only ``posed`` appears in the signature.
            categories: the categories that the evaluation was restricted to, if it was.
            other_body: fingerprint of the body that the split was made with, where that is
                another one.
        """
        parts = [self.name, "v1", f"split:{split}", f"grid:{self.grid.label}"]
        parts += [f"thr:{self.threshold_label}", f"px:{self.image_side}", f"body:{body}"]
        parts += [f"warp:{self.skinning.label}"]
        if track != "canonical":
            parts.append(f"track:{track}")
        if self.min_samples != Protocol.min_samples:
            parts.append(f"min:{self.min_samples}")
        if categories is not None:
            parts.append("cat:" + ",".join(sorted(categories)))
        if other_body is not None:
            parts.append(f"other-body:{other_body}")
        return "|".join([*parts, f"chorus-bench:{__version__}"])


#: The paper's numbers.
OFFICIAL = Protocol()
#: The same, but counting the recall that remains at the last threshold.
CLOSED = Protocol(name="PAP-closed", closed=True)

PROTOCOLS = {"official": OFFICIAL, "closed": CLOSED}


def get_protocol(name: str) -> Protocol:
    """Return a protocol by name; an unknown name is an `InputError` that lists them."""
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def signature_parts(signature: str) -> dict[str, str]:
    """Split a signature into its parts, ``{"split": ..., "grid": ..., ...}``."""
    head, *rest = signature.split("|")
    if not rest:
        raise InputError(f"not a signature: {signature!r}")
    parts = {"metric": head, "version": rest[0]}
    for item in rest[1:]:
        key, _, value = item.partition(":")
        parts[key] = value
    return parts


def signature_differences(first: str, second: str) -> list[str]:
    """Return what differs between two signatures, as sentences; empty when comparable.

    The software version may differ.
    """
    a, b = signature_parts(first), signature_parts(second)
    keys = [k for k in dict.fromkeys([*a, *b]) if k != "chorus-bench"]
    return [
        f"{key}: {a.get(key, 'not given')} against {b.get(key, 'not given')}"
        for key in keys
        if a.get(key) != b.get(key)
    ]
