"""Evaluation protocols: how a score is computed, as a value that prints its signature.

Source: docs/protocol.md P29.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chorus_bench._version import __version__
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import SkinningSettings
from chorus_bench.metrics.pap import THRESHOLDS
from chorus_bench.names import fingerprint_of

_GRID, _SKINNING = GridSpec(), SkinningSettings()


@checked
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

    @checked
    def signature(
        self,
        split: str,
        body: str,
        *,
        track: str = "canonical",
        labels: str | None = None,
        categories: Sequence[str] | None = None,
        population: Sequence[str] | None = None,
        other_body: str | None = None,
    ) -> str:
        """Return the string that states how a score was computed.

        Args:
            split: ``name@fingerprint`` of the test split.
            body: ``name@fingerprint`` of the body.
            track: ``canonical``, ``posed`` or ``conditioned``; the first is not in the signature.
            labels: fingerprint of the samples' labels, on the track ``conditioned``.
            categories: the categories that the evaluation was restricted to, if it was.
            population: the categories of the benchmark, where the split has others too.
            other_body: fingerprint of the body that the split was made with, where that is
                another one.
        """
        parts = [self.name, "v1", f"split:{split}", f"grid:{self.grid.label}"]
        parts += [f"thr:{self.threshold_label}", f"px:{self.image_side}", f"body:{body}"]
        parts += [f"warp:{self.skinning.label}"]
        if track != "canonical":
            parts.append(f"track:{track}")
        if labels is not None:
            parts.append(f"labels:{labels}")
        if self.min_samples != Protocol.min_samples:
            parts.append(f"min:{self.min_samples}")
        if categories is not None:
            parts.append("cat:" + ",".join(sorted(categories)))
        if population is not None:
            parts.append(f"pop:{population_label(population)}")
        if other_body is not None:
            parts.append(f"other-body:{other_body}")
        return "|".join([*parts, f"chorus-bench:{__version__}"])


#: The paper's numbers.
OFFICIAL = Protocol()
#: The same, but counting the recall that remains at the last threshold.
CLOSED = Protocol(name="PAP-closed", closed=True)

PROTOCOLS = {"official": OFFICIAL, "closed": CLOSED}

#: The parts of a signature that choose categories.
SCOPE_PARTS = ("min", "cat", "pop")


@checked
def get_protocol(name: str) -> Protocol:
    """Return a protocol by name; an unknown name is an `InputError` that lists them."""
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def protocol_of(parts: Mapping[str, str]) -> Protocol:
    """Return the protocol of a signature, with its smallest number of samples.

    Args:
        parts: the signature's parts, see `signature_parts`.
    """
    known = {protocol.name: protocol for protocol in PROTOCOLS.values()}
    if parts["metric"] not in known:
        raise unknown_name("metric", parts["metric"], known)
    chosen, limit = known[parts["metric"]], parts.get("min", "")
    few = re.fullmatch(r"[1-9][0-9]{0,8}", limit, re.ASCII) is not None
    return replace(chosen, min_samples=int(limit)) if few else chosen


def population_label(categories: Sequence[str]) -> str:
    """Return a benchmark's categories as they appear in a signature: ``number@fingerprint``."""
    text = "\n".join(sorted(categories))
    return f"{len(categories)}@{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def signature_parts(signature: str) -> dict[str, str]:
    """Split a signature into its parts, ``{"split": ..., "grid": ..., ...}``.

    Raises:
        InputError: it is not a signature, or a part occurs twice: a name with ``|`` in it could
            then pass for another split.
    """
    head, *rest = signature.split("|")
    if not rest or not signature.isprintable():
        raise InputError(f"not a signature: {signature[:200]!r}")
    parts = {"metric": head, "version": rest[0]}
    for item in rest[1:]:
        key, divided, value = item.partition(":")
        if key in parts or not divided:
            raise InputError(
                f"a signature whose part '{key}' "
                + ("occurs twice" if divided else "has no value")
                + f": {signature[:200]}",
                expected="each part once, as `evaluate` writes it",
                fix="evaluate again; a split's name may not contain '|'",
            )
        parts[key] = value
    return parts


def signature_identity(signature: str) -> dict[str, str]:
    """Return what has to be equal for two scores to be comparable.

    Split and body count by their fingerprints: their names are for reading. The software's
    version does not count.
    """
    parts = signature_parts(signature)
    for key in ("split", "body"):
        if key in parts:
            parts[key] = fingerprint_of(parts[key])
    return {key: value for key, value in parts.items() if key != "chorus-bench"}


def signature_key(signature: str) -> str:
    """Return a text that is the same for all comparable signatures."""
    parts = signature_identity(signature)
    return "|".join(f"{key}:{parts[key]}" for key in sorted(parts))


def signature_differences(first: str, second: str, *, besides: Collection[str] = ()) -> list[str]:
    """Return what differs between two signatures, as sentences; empty when comparable.

    Names of splits and bodies, and the software's version, may differ.

    Args:
        first: a signature.
        second: the other one.
        besides: parts that may differ too, for example `SCOPE_PARTS`.
    """
    a, b = signature_identity(first), signature_identity(second)
    shown, against = signature_parts(first), signature_parts(second)
    return [
        f"{key}: {shown.get(key, 'not given')} against {against.get(key, 'not given')}"
        for key in dict.fromkeys([*a, *b])
        if a.get(key) != b.get(key) and key not in besides
    ]
