"""Description of a dataset as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from chorus_bench.errors import count_of

if TYPE_CHECKING:
    from chorus_bench.datasets.folder import DatasetInfo
    from chorus_bench.datasets.statistics import DatasetStatistics

_SHOWN = 12


def render_dataset(info: DatasetInfo, statistics: DatasetStatistics) -> str:
    """Return a dataset's description, counts, and camera statistics.

    Args:
        info: contents of its metadata file.
        statistics: statistics of its rows.
    """
    head = f"{info.label}, version {info.version}, split {info.split}, {count_of(info.rows, 'row')}"
    details = [(key, value) for key, value in info.details.items() if value is not None]
    blocks = [head, tabulate(details, tablefmt="plain")]
    blocks += [_counts(column, counts) for column, counts in statistics.counts.items()]
    return "\n\n".join([*(block for block in blocks if block), _cameras(statistics)])


def _counts(column: str, counts: dict[str, int]) -> str:
    rows = [(value or "(none)", number) for value, number in list(counts.items())[:_SHOWN]]
    if len(counts) > _SHOWN:
        rows.append((f"and {len(counts) - _SHOWN} more", sum(list(counts.values())[_SHOWN:])))
    return tabulate(rows, headers=(column, "rows"))


def _cameras(statistics: DatasetStatistics) -> str:
    lines = []
    if statistics.rejection_rate is not None:
        lines.append(f"rejection rate: {100 * statistics.rejection_rate:.2f} %")
    if statistics.entropy is None:
        return "\n".join([*lines, "no cameras"])
    entropy = statistics.entropy
    bins = [(f"{30 * i}-{30 * i + 30}", n) for i, n in enumerate(statistics.azimuth_histogram)]
    lines.append(
        f"camera entropy: {entropy.bits:.2f} bits in {entropy.cells} equal-area cells, "
        f"{entropy.differential_bits:.2f} bits differential ({entropy.cameras} cameras, "
        f"sigma {entropy.sigma} rad)"
    )
    return "\n".join([*lines, "", tabulate(bins, headers=("azimuth (degrees)", "cameras"))])
