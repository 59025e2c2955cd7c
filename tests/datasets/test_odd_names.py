"""Names that are not UTF-8: in the command line, of sources, and in notes on them."""

from __future__ import annotations

import dataclasses
import json
import os
import sys

from chorus_bench.cli.options import command_line
from chorus_bench.datasets.export import export
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.recipe import Note
from chorus_bench.datasets.sources import describe_file
from tests.datasets.recipes import squares

ODD = os.fsdecode(b"a\xff")


def test_a_dataset_of_odd_names_is_built_and_read(tmp_path, monkeypatch):
    """What the system calls by bytes is plain text in the description and the card."""
    source = tmp_path / f"{ODD}.json"
    source.write_bytes(b"{}")
    monkeypatch.setattr(sys, "argv", ["chorus-bench", "x", "--output", f"{ODD}\n```"])
    recipe = dataclasses.replace(
        squares((("skateboard", 2),)),
        sources=(describe_file("a file", source),),
        command=command_line(),
        notes=(Note(ODD, "broken", f"{ODD} is broken"),),
    )
    folder = export(recipe, tmp_path / ODD).path
    info = DatasetInfo.load(folder)
    assert info.command == r"chorus-bench x --output a\udcff\n```"
    assert info.sources[0].name == r"a\udcff.json"
    assert r"a\udcff" in (folder / "README.md").read_text("utf-8")
    notes = [json.loads(line) for line in (folder / "notes.jsonl").read_text("utf-8").splitlines()]
    assert notes[0]["message"] == f"{ODD} is broken"
