"""Random draws for the ablations: a share of the views, or views without keypoint filtering.

Rows are drawn by a digest of the seed and their id. So a draw depends neither on the order of the
rows nor on their distribution over files, and needs no more memory than their ids.

Source: docs/method.md M8; the paper, section 4 (ablations).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction
from functools import partial

from chorus_bench.boundary import checked
from chorus_bench.datasets.schema import AnyRow
from chorus_bench.errors import InputError
from chorus_bench.synthesis.filters import KEYPOINTS, FilterSettings, filter_row

_DEFAULT_FILTERS = FilterSettings()


@checked
def draw_ratio(rows: Iterable[AnyRow], ratio: float, *, seed: int = 0) -> frozenset[str]:
    """Draw a share of the views: ceil(ratio * count) for every prompt of every category.

    Args:
        rows: the kept views, with ``sample_id``, ``category`` and ``prompt``.
        ratio: more than 0, at most 1; used as the decimal number that is written.
        seed: random seed of the draw.

    Returns:
        The ids of the drawn rows; see `select_rows`.

    Raises:
        InputError: a ratio out of range, rows without an id, or duplicate ids.
    """
    if not 0 < ratio <= 1:
        raise InputError(f"data ratio {ratio}", expected="more than 0 and at most 1")
    groups: dict[tuple[object, object], list[str]] = {}
    for row, sample_id in _with_ids(rows):
        groups.setdefault((row.get("category"), row.get("prompt")), []).append(sample_id)
    drawn: set[str] = set()
    for ids in groups.values():
        drawn |= _draw(ids, math.ceil(Fraction(str(ratio)) * len(ids)), seed)
    return frozenset(drawn)


def draw_number(rows: Iterable[AnyRow], count: int, *, seed: int = 0) -> frozenset[str]:
    """Draw a number of views, of every prompt of every category its share.

    Args:
        rows: the views, with ``sample_id``, ``category`` and ``prompt``.
        count: how many; all if there are fewer.
        seed: random seed of the draw.

    Returns:
        The ids of the drawn rows; see `select_rows`.

    Raises:
        InputError: rows without an id, or duplicate ids.
    """
    groups: dict[tuple[object, object], list[str]] = {}
    for row, sample_id in _with_ids(rows):
        groups.setdefault((row.get("category"), row.get("prompt")), []).append(sample_id)
    places = [
        ((number + 0.5) / len(ids), _lot(sample_id, seed), sample_id)
        for ids in groups.values()
        for number, sample_id in enumerate(sorted(ids, key=partial(_lot, seed=seed)))
    ]
    return frozenset(sample_id for _, _, sample_id in sorted(places)[:count])


@checked
def draw_without_keypoints(
    rows: Iterable[AnyRow], settings: FilterSettings = _DEFAULT_FILTERS, *, seed: int = 0
) -> frozenset[str]:
    """Draw the views of the ablation without keypoint filtering.

    For each category, the number of images that pass all filters is drawn from these together with
    the images that fail the keypoint filter alone.

    Args:
        rows: training rows, with ``sample_id``.
        settings: the filters, the keypoint filter included.
        seed: random seed of the draw.

    Returns:
        The ids of the drawn rows. Filter with ``keypoints="none"`` and then `select_rows`.

    Raises:
        InputError: rows without an id, or duplicate ids.
    """
    pools: dict[object, list[str]] = {}
    kept: dict[object, int] = {}
    for row, sample_id in _with_ids(rows):
        verdict, category = filter_row(row, settings), row.get("category")
        if verdict.kept or verdict.reason == KEYPOINTS:
            pools.setdefault(category, []).append(sample_id)
            kept[category] = kept.get(category, 0) + verdict.kept
    drawn: set[str] = set()
    for category, pool in pools.items():
        drawn |= _draw(pool, kept[category], seed)
    return frozenset(drawn)


@checked
def select_rows(rows: Iterable[AnyRow], ids: Collection[str]) -> Iterator[AnyRow]:
    """Yield the rows whose ``sample_id`` is among ``ids``."""
    return (row for row in rows if row.get("sample_id") in ids)


def _with_ids(rows: Iterable[AnyRow]) -> Iterator[tuple[AnyRow, str]]:
    seen: set[str] = set()
    for number, row in enumerate(rows):
        sample_id = row.get("sample_id")
        if sample_id is None:
            raise InputError("a row without a sample_id cannot be drawn", where=f"row {number}")
        if sample_id in seen:
            raise InputError(
                f"two rows have the sample_id '{sample_id}'",
                where=f"row {number}",
                fix="give every row a unique id",
            )
        seen.add(sample_id)
        yield row, sample_id


def _draw(ids: Iterable[str], count: int, seed: int) -> set[str]:
    return set(sorted(ids, key=partial(_lot, seed=seed))[:count])


def _lot(sample_id: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{sample_id}".encode()).digest()
