"""The original project's folder of results: which file is the field of which category.

``<category>/<prompt or total-aggregation>/<filter and settings>.pickle``: the category is the name
of the folder two levels up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chorus_bench.errors import InputError, list_some

TOTAL = "total-aggregation"
_SUFFIXES = (".pickle", ".pkl")
#: In the names of files over all body parts, which the quantitative evaluation uses.
_FULL = "quant:full"


@dataclass(frozen=True)
class OriginalFiles:
    """The exported files of one category.

    Attributes:
        total: the field over all prompts.
        prompts: prompt -> its field, with the same filter and settings.
    """

    total: Path
    prompts: Mapping[str, Path] = field(default_factory=dict)


def find_original_files(
    places: Iterable[str | Path], settings: str | None = None
) -> dict[str, OriginalFiles]:
    """Return the files of each category.

    Args:
        places: folders of results, of several categories or of one; files of such a folder; other
            files, which are named by their category; or ``CATEGORY=FILE``.
        settings: a part of the names of the files to take, where there are several for a
            category; by default ``quant:full``.

    Raises:
        InputError: nothing is there, two files for a category, or several without a choice.
    """
    found: dict[str, OriginalFiles] = {}
    for place in places:
        for category, files in _files_of(place, settings):
            if category in found:
                raise InputError(f"two files for the category '{category}'", where=files.total)
            found[category] = files
    return found


def _files_of(place: str | Path, settings: str | None) -> Iterable[tuple[str, OriginalFiles]]:
    category, sign, path = str(place).partition("=")
    if sign and not Path(place).exists():
        return [(category, OriginalFiles(Path(path)))]
    file = Path(place)
    if not file.is_dir():
        return [(_category(file), OriginalFiles(file))]
    return list(_files_below(file, settings))


def _category(file: Path) -> str:
    """Return the category of a file: of its folder of results, else its own name."""
    inside = file.parent.name == TOTAL or file.stem.startswith("filter(")
    name = file.resolve().parent.parent.name if inside else file.stem
    return name.replace("_", " ")


def _files_below(folder: Path, settings: str | None) -> Iterable[tuple[str, OriginalFiles]]:
    totals = sorted(place for place in folder.rglob(TOTAL) if place.is_dir())
    if not totals:
        raise InputError(
            f"no folder '{TOTAL}'",
            where=folder,
            expected=f"<category>/{TOTAL}/*.pickle, as the original writes them",
            fix="give the folder of results, or single files as CATEGORY=FILE",
        )
    for place in totals:
        chosen = _chosen(place, settings)
        prompts = {
            other.name: other / chosen.name
            for other in sorted(place.parent.iterdir())
            if other != place and (other / chosen.name).is_file()
        }
        yield place.resolve().parent.name.replace("_", " "), OriginalFiles(chosen, prompts)


def _chosen(folder: Path, settings: str | None) -> Path:
    """Return the file of a folder; of several, the one with these settings in its name."""
    files = sorted(file for file in folder.iterdir() if file.suffix in _SUFFIXES)
    wanted = [file for file in files if (settings or _FULL) in file.name]
    some = wanted if wanted or settings else files
    if len(some) == 1:
        return some[0]
    names = list_some([file.name for file in some or files]) or "nothing"
    raise InputError(
        f"{len(some)} files to choose from: {names}" if some else f"no such file: {names} is there",
        where=folder,
        expected="one file for the category",
        fix="choose one with --settings, a part of its name",
    )
