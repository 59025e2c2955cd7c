"""The JSON schemas in docs/schemas are those of the models, and reading files stays lazy."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "schemas"


def test_the_published_schemas_are_those_of_the_models():
    generated = dict(runpy.run_path(str(ROOT / "tools/schemas/write_schemas.py"))["schema_files"]())
    committed = {file.name: file.read_text() for file in FOLDER.glob("*.json")}
    assert committed == generated, "run python tools/schemas/write_schemas.py"


def test_every_schema_is_linked():
    links = re.findall(r"\]\(([^)]+\.json)\)", (FOLDER / "README.md").read_text())
    assert sorted(links) == sorted(file.name for file in FOLDER.glob("*.json"))


def test_every_key_is_described():
    """What a key means stands in its schema, for editors that show it."""
    bare = []
    for file in FOLDER.glob("*.json"):
        schema = json.loads(file.read_text())
        for name, part in (("", schema), *schema.get("$defs", {}).items()):
            keys = part.get("properties", {}).items()
            bare += [f"{file.name}: {name}.{key}" for key, node in keys if not _described(node)]
    assert not bare


def _described(node: dict) -> bool:
    ways = [node, *node.get("anyOf", ())]
    return any("description" in way or "$ref" in way for way in ways)


def test_help_reads_no_schema():
    code = (
        "import sys\n"
        "from chorus_bench.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    for name in ("pydantic", "pydantic_core", "yaml", "numpy", "pyarrow"):
        assert f"'{name}'" not in done.stderr
