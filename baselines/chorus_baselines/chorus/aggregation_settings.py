"""What an aggregation was made with, and the rows that it could not use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec

_NAMES_KEPT = 20
#: What to do about rows without a column, by the reason for which they are unusable.
_ADVICE = {
    "no object mask": "filter the rows first: filter_rows(rows)",
    "no pose": "filter the rows first: filter_rows(rows)",
    "no camera": "give the kept rows cameras: add_cameras(filter_rows(rows), body)",
}


@dataclass(frozen=True)
class AggregationSettings:
    """The settings that two aggregations must share to be added.

    Args:
        body: the body's label.
        grid: the canonical grid.
        warp: the label of the skinning settings, or ``none`` without canonicalization.
        clusters: cluster name -> its description.
        by_prompt: whether prompts are distinguished.
        mirror: whether every view was counted a second time, mirrored.
    """

    body: str
    grid: GridSpec
    warp: str
    clusters: tuple[tuple[str, str], ...] = ()
    by_prompt: bool = False
    mirror: bool = False

    def check_same(self, other: AggregationSettings) -> None:
        """Raise an `InputError` if votes of these and of other settings cannot be added."""
        for item in fields(AggregationSettings):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            if mine != theirs:
                raise InputError(
                    f"these aggregations have another {item.name}: {mine} and {theirs}",
                    expected="the same body, grid, warp, clusters and kind of views",
                    fix="aggregate the rows again with equal settings",
                )


@dataclass
class Skipped:
    """Rows that could not be used: by reason, their number and the first names in order."""

    counts: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The number of skipped rows."""
        return Counter(self.counts).total()

    def add(self, reason: str, name: str) -> None:
        """Count one row."""
        self._merge(reason, 1, [name])

    @property
    def advice(self) -> str:
        """What to do when all rows were skipped."""
        reasons = sorted(self.counts, key=lambda reason: -self.counts[reason])
        known = (_ADVICE[reason] for reason in reasons if reason in _ADVICE)
        return next(known, "aggregate rows that passed the filters and have a pose and a camera")

    def __add__(self, other: Skipped) -> Skipped:
        total = Skipped()
        for skipped in (self, other):
            for reason, count in skipped.counts.items():
                total._merge(reason, count, skipped.names[reason])
        return total

    def __str__(self) -> str:
        return "; ".join(
            f"{count} with {reason} ({', '.join(self.names[reason][:5])}{', ...' * (count > 5)})"
            for reason, count in sorted(self.counts.items())
        )

    def _merge(self, reason: str, count: int, names: Sequence[str]) -> None:
        self.counts[reason] = self.counts.get(reason, 0) + count
        self.names[reason] = sorted([*self.names.get(reason, []), *names])[:_NAMES_KEPT]
