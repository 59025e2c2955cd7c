"""The page: static files that work from any web host and from disk, offline."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.geometry.body_files import load_body
from chorus_bench.io.files import FolderKind, atomic_folder, check_new_folder
from chorus_bench.io.findings import Finding
from chorus_bench.leaderboard.board import Group, board_json, make_board
from chorus_bench.leaderboard.changes import changes, changes_feed
from chorus_bench.leaderboard.checking import check_leaderboard
from chorus_bench.leaderboard.entries import REQUIRED, Entry
from chorus_bench.leaderboard.fields import in_steps, read_fields
from chorus_bench.leaderboard.page_pictures import (
    drawn,
    heats_data,
    listed,
    masks_data,
    picture_files,
)
from chorus_bench.metrics.curves import MeanCurve, curve_of_categories
from chorus_bench.metrics.pap import SCORE_NAMES, counted
from chorus_bench.progress import Progress
from chorus_bench.report.board_measures import (
    measures_table,
    method_measures,
    shown_measures,
)
from chorus_bench.report.conditioned import reading_rows
from chorus_bench.report.leaderboard_tables import LOST, board_rows, category_rows
from chorus_bench.report.web import (
    ASSETS,
    asset_file,
    body_data,
    curve_data,
    encode_fractions,
    render,
    script_json,
)

_SKIP = "correct the entries, or leave them out with --skip-invalid"
_DIGITS = 6
_PAGE = FolderKind("a leaderboard page", ("index.html", "data/board.js"))


def build_site(
    leaderboard: str | Path,
    output: str | Path,
    *,
    date: str,
    skip_invalid: bool = False,
    progress: Progress = lambda done, total: None,
) -> tuple[Finding, ...]:
    """Build the leaderboard's page. The same entries and date give the same bytes.

    Args:
        leaderboard: folder with ``entries`` and ``published.yaml``.
        output: folder for the page; an older page there is replaced, anything else is refused.
        date: ISO date, shown as the date of the build.
        skip_invalid: leave out entries with problems instead of stopping.
        progress: called with (entries read, entries in all).

    Returns:
        The problems of the entries left out.

    Raises:
        LeaderboardError: there are problems, all listed, and ``skip_invalid`` is false.
        InputError: no leaderboard there, or an output folder that is not a page.
        WriteError: the output cannot be written.
    """
    target = Path(output)
    check_new_folder(target, overwrite=True, kind=_PAGE)
    checked = check_leaderboard(leaderboard, progress=progress)
    if not skip_invalid:
        checked.raise_problems(_SKIP)
    board = make_board(checked.entries, checked.published)
    site = board_json(board, date)
    with atomic_folder(target, overwrite=True, kind=_PAGE) as folder:
        for name, content in _files(site, board.groups):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return tuple(checked.findings)


def _files(site: dict[str, Any], groups: tuple[Group, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every file of the page."""
    for name, text in _texts(site, groups):
        yield name, text.encode()
    for group in groups:
        for entry in group.entries:
            yield from ((name, file.read_bytes()) for name, file in picture_files(entry).items())
            for name in REQUIRED:
                yield f"entries/{entry.slug}/{name}", (entry.folder / name).read_bytes()
    for name in ASSETS:
        yield f"assets/{name}", asset_file(name).read_bytes()


def _texts(site: dict[str, Any], groups: tuple[Group, ...]) -> Iterator[tuple[str, str]]:
    shown = _rounded(site)
    data = script_json({**shown, "measures": shown_measures(site["boards"])})
    yield "data/board.js", f"{_SCRIPT_START}window.CHORUS_BENCH.board={data};\n"
    yield "board.json", json.dumps(download(site), indent=1, ensure_ascii=False) + "\n"
    yield "board.csv", board_csv(site)
    yield "categories.csv", category_csv(site)
    yield "changes.xml", changes_feed(site)
    entries = [entry for group in groups for entry in group.entries]
    for group in groups:
        yield f"data/samples-{group.id}.js", _script("sampleIds", group.id, _sample_ids(group))
        if any(drawn(entry) for entry in group.entries):
            masks = masks_data(group.entries)
            yield f"data/masks-{group.id}.js", _script("masks", group.id, masks)
    for entry in entries:
        yield f"data/{entry.slug}.js", _script("methods", entry.slug, _method_data(entry))
        if drawn(entry):
            heats = _script("pictures", entry.slug, heats_data(entry))
            yield f"data/{entry.slug}-pictures.js", heats
        if entry.fields is not None:
            fields = in_steps(read_fields(entry.fields)).data()
            yield f"data/{entry.slug}-fields.js", _script("fields", entry.slug, fields)
    if any(entry.fields is not None for entry in entries):
        body = script_json(body_data(load_body("default")))
        yield "data/body.js", f"{_SCRIPT_START}window.CHORUS_BENCH.body={body};\n"
    yield from _pages(shown, groups)


_SCRIPT_START = "window.CHORUS_BENCH=window.CHORUS_BENCH||{};\n"


def _script(table: str, key: str, value: object) -> str:
    place = f"window.CHORUS_BENCH.{table}"
    return f"{_SCRIPT_START}({place}={place}||{{}})[{script_json(key)}]={script_json(value)};\n"


def _rounded(value: Any) -> Any:  # noqa: ANN401
    """Return plain values with numbers rounded to the page's precision."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, _DIGITS) if isinstance(value, float) else value


def download(site: Mapping[str, Any]) -> dict[str, Any]:
    """Return the board in full precision, without the matrices of differences."""
    boards = [{k: v for k, v in board.items() if k != "differences"} for board in site["boards"]]
    return {**site, "boards": boards}


def board_csv(site: Mapping[str, Any]) -> str:
    """Return the board as CSV: one row per method, numbers in full precision.

    Args:
        site: result of `board_json`.
    """
    return _csv(board_rows(site))


def category_csv(site: Mapping[str, Any]) -> str:
    """Return the scores within categories as CSV: one row per method and category.

    Args:
        site: result of `board_json`.
    """
    return _csv(category_rows(site))


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["board"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a value for a spreadsheet, in which a text cannot start a formula."""
    risky = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if risky else value


def _sample_ids(group: Group) -> dict[str, Any]:
    entry = group.entries[0]
    names = sorted(entry.tables)
    numbers = np.array([names.index(name) for name in entry.categories])
    used = np.zeros((len(entry.ids), len(SCORE_NAMES)), dtype=bool)
    for number, name in enumerate(names):
        used[numbers == number] = counted(entry.tables[name][1])
    return {
        "ids": list(entry.ids),
        "categories": numbers.tolist(),
        "counted": used[:, 0].astype(int).tolist(),
        "counted_hoa": used[:, 2].astype(int).tolist(),
    }


def _method_data(entry: Entry) -> dict[str, Any]:
    return {
        "scores": {n: encode_fractions(entry.scores[:, i]) for i, n in enumerate(SCORE_NAMES)},
        "curves": _curves(entry.curves),
        "curves_hoa": _curves(entry.curves_hoa),
    }


def _curves(curves: Mapping[str, MeanCurve]) -> dict[str, Any]:
    """Return the curves of a method as the page reads them; "" is the mean over categories."""
    named = {"": curve_of_categories(list(curves.values())), **curves}
    return {name: curve_data(curve) for name, curve in named.items()}


def _pages(site: dict[str, Any], groups: tuple[Group, ...]) -> Iterator[tuple[str, str]]:
    measures = {board["id"]: measures_table(board) for board in site["boards"]}
    yield "index.html", render("index.html.jinja", site=site, lost=LOST, measures=measures)
    yield "changes.html", render("changes.html.jinja", site=site, changes=changes(site))
    for group, board in zip(groups, site["boards"], strict=False):
        among = others(board)
        for entry, method in zip(group.entries, board["methods"], strict=True):
            text = render(
                "method.html.jinja",
                site=site,
                board=board,
                among=among,
                method=method,
                lost=LOST,
                entry=_entry_texts(entry),
                pictures=listed(entry),
                measures=method_measures(method),
                readings=reading_rows(entry.content.get("conditioned")),
            )
            yield str(method["page"]), text


def others(board: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a method's page says of the board's other methods, gathered once for all pages.

    Args:
        board: a board of the board's JSON.

    Returns:
        ``leader``, the name of the method that leads by mPAP, or ""; the numbers of those that
        are ``ranked`` and ``pictured``; and ``with_fields``, those with fields.
    """
    methods, best = board["methods"], board["summary"]["mPAP"]
    names = {method["slug"]: method["method"] for method in methods}
    return {
        "leader": names.get(best["leader"], "") if best else "",
        "ranked": sum(not method["sees_truth"] for method in methods),
        "pictured": sum(bool(method["pictured"]) for method in methods),
        "with_fields": [method for method in methods if method["has_fields"]],
    }


def _entry_texts(entry: Entry) -> dict[str, Any]:
    manifest = entry.manifest
    names = ("authors", "affiliation", "license", "citation")
    return {
        **{name: manifest.texts.get(name) for name in names},
        "parameters": manifest.parameters or None,
        "verified": None if manifest.verified is None else manifest.verified.model_dump(),
        "recipe": manifest.as_dict().get("recipe"),
        "files": [f"entries/{entry.slug}/{name}" for name in REQUIRED],
    }
