"""Categories of a test split that have no score, or no hoa score, and what is said about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chorus_bench.errors import InputError, count_of


def availability_warnings(unavailable: Mapping[str, int], hidden: Iterable[str]) -> list[str]:
    """Return warnings about categories that are left out of the means.

    Args:
        unavailable: categories without any target pixel, with their number of samples.
        hidden: categories of which the person hides every target pixel.
    """
    texts = [
        f"No sample of '{name}' has a target pixel ({count_of(n, 'sample')}): not available, "
        "left out of the means."
        for name, n in unavailable.items()
    ]
    return texts + [
        f"The person hides every target of '{name}': its hoa scores are not available and left "
        "out of the hoa means."
        for name in hidden
    ]


def nothing_available(unavailable: Iterable[str], split: str) -> InputError:
    """Return the error about a split without any target pixel."""
    return InputError(
        f"no sample of {', '.join(unavailable)} has a target pixel",
        where=f"split '{split}'",
        expected="object masks that are visible at 32 pixels",
    )


def single_samples(counted: Mapping[str, int]) -> list[str]:
    """Return a warning about categories whose mean rests on one sample, which has no spread.

    Args:
        counted: category -> number of samples with a target pixel.
    """
    single = [name for name, n in counted.items() if n == 1]
    if not single:
        return []
    return [
        f"One sample only in {', '.join(single)}: the intervals of the means do not contain how "
        "uncertain that is."
    ]
