"""The rules for several entries: which may be compared, and that none occurs twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from chorus_bench.errors import count_of, list_some
from chorus_bench.evaluation.results import SAMPLES_FILE
from chorus_bench.io.findings import Findings, printable
from chorus_bench.leaderboard.entries import Entry
from chorus_bench.leaderboard.places import ENTRIES_FOLDER, ENTRY_FILE
from chorus_bench.metrics.protocol import signature_key


def by_signature(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return what comparable signatures share -> the entries that have it."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(signature_key(entry.signature), []).append(entry)
    return groups


def duplicates_rule(entries: Sequence[Entry], errors: dict[str, Findings]) -> None:
    """No submission and no method occurs twice under one signature."""
    first: dict[tuple[str, str, str], str] = {}
    for entry in entries:
        manifest = entry.manifest
        for label, value in (
            ("submission", manifest.sha256),
            ("method", manifest.method.casefold()),
        ):
            other = first.setdefault((signature_key(entry.signature), label, value), entry.slug)
            if other != entry.slug:
                errors[entry.slug].add(
                    f"{ENTRIES_FOLDER}/{entry.slug}/{ENTRY_FILE}:1",
                    f"the same {label} with the same signature as {ENTRIES_FOLDER}/{other}",
                    fix="remove one of the two, or replace the older one",
                )


def same_samples_rule(entries: Sequence[Entry], errors: dict[str, Findings]) -> None:
    """Under one signature all entries have the same samples, and the same targets."""
    for group in by_signature(entries).values():
        keys = [_samples_key(entry) for entry in group]
        usual = Counter(keys).most_common(1)[0][0]
        model = group[keys.index(usual)]
        for entry, key in zip(group, keys, strict=True):
            if key != usual:
                errors[entry.slug].add(
                    f"entries/{entry.slug}/{SAMPLES_FILE}",
                    _sample_difference(entry, model),
                    expected=f"the samples of entries/{model.slug}, which has the same signature",
                    fix="evaluate again on the split that the signature names",
                )


def _samples_key(entry: Entry) -> int:
    areas = b"".join(entry.tables[name][1].tobytes() for name in sorted(entry.tables))
    return hash((entry.ids, entry.categories, areas))


def _sample_difference(entry: Entry, model: Entry) -> str:
    missing = sorted(set(model.ids) - set(entry.ids))
    extra = sorted(set(entry.ids) - set(model.ids))
    if not missing and not extra:
        return "has the samples in another order, or with different targets"
    return printable(
        f"lacks {count_of(len(missing), 'sample')} ({list_some(missing)}) "
        f"and has {count_of(len(extra), 'other')} ({list_some(extra)})",
        400,
    )
