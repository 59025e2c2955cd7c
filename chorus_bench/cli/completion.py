"""What the shell offers for values: names that come along and those of plug-ins.

Where none fits what is typed, the shell offers files, as for any argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Completer = Callable[[str], list[str]]


def _of(names: Callable[[], Iterable[str]]) -> Completer:
    """Return a completer of names, which are looked up when the shell asks."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in sorted(names()) if name.startswith(incomplete)]

    return complete


def _baselines() -> Iterable[str]:
    from chorus_bench.plugins import find_baselines

    return find_baselines().specs


def _splits() -> Iterable[str]:
    from chorus_bench.datasets.named import NAMED_SPLITS

    return NAMED_SPLITS


def _submissions() -> Iterable[str]:
    from chorus_bench.io.shipped import PACKAGED_SUBMISSIONS

    return PACKAGED_SUBMISSIONS


def _results() -> Iterable[str]:
    from chorus_bench.io.shipped import EXAMPLE, packaged_results

    return [EXAMPLE, *packaged_results()]


def _protocols() -> Iterable[str]:
    from chorus_bench.metrics.protocol import PROTOCOLS

    return PROTOCOLS


def _tracks() -> Iterable[str]:
    from chorus_bench.evaluation.arguments import SCORED_TRACKS

    return SCORED_TRACKS


def _populations() -> Iterable[str]:
    from chorus_bench.evaluation.arguments import POPULATIONS

    return POPULATIONS


def _scores() -> Iterable[str]:
    from chorus_bench.metrics.pap import SCORE_NAMES

    return [f"m{name}" for name in SCORE_NAMES]


def _presets() -> Iterable[str]:
    from chorus_bench.io.shipped import packaged_folder

    return [file.stem for file in packaged_folder("synthesis").glob("*.yaml")]


baselines, splits, submissions = _of(_baselines), _of(_splits), _of(_submissions)
results, protocols, tracks = _of(_results), _of(_protocols), _of(_tracks)
populations, scores, presets = _of(_populations), _of(_scores), _of(_presets)
bodies = _of(lambda: ("default",))
