"""Write the JSON schemas of files written by hand: docs/schemas/*.schema.json.

Usage: python tools/schemas/write_schemas.py

Editors and validators read them; the package itself checks against the models. The two differ in
one respect: the package refuses control characters in every text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from chorus_bench.datasets.metadata import DatasetFile
from chorus_bench.datasets.view_conditions import ViewsFile
from chorus_bench.evaluation.result_schema import ResultFile
from chorus_bench.evaluation.truth_schema import TruthFile
from chorus_bench.leaderboard.board_schema import BoardFile
from chorus_bench.leaderboard.manifest import EntryManifest
from chorus_bench.leaderboard.pictures import PictureList
from chorus_bench.leaderboard.published import PublishedFile
from chorus_bench.submission.manifest import ManifestFile
from chorus_bench.synthesis.settings import Component, SynthesisSettings

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"

MODELS: dict[str, type[BaseModel]] = {
    "submission.yaml": ManifestFile,
    "results.json": ResultFile,
    "truth.json": TruthFile,
    "entry.yaml": EntryManifest,
    "published.yaml": PublishedFile,
    "board.json": BoardFile,
    "pictures.json": PictureList,
    "chorus_bench.json": DatasetFile,
    "synthesis.yaml": SynthesisSettings,
    "views.yaml": ViewsFile,
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    def encode_default(self, dft: object) -> object:
        return dft.to_yaml() if isinstance(dft, Component) else super().encode_default(dft)


def schema_files() -> Iterator[tuple[str, str]]:
    """Yield name and text of each schema."""
    for name, model in MODELS.items():
        schema = model.model_json_schema(schema_generator=_Generator)
        for part in (schema, *schema.get("$defs", {}).values()):
            _describe(part)
        schema = {"$schema": _DIALECT, "title": name} | {**schema, "title": name}
        yield f"{name}.schema.json", json.dumps(schema, indent=2) + "\n"


def _describe(part: dict[str, Any]) -> None:
    """Move the descriptions of attributes from a class to the attributes, and drop the titles."""
    summary, _, rest = part.get("description", "").partition("\n\n")
    said = dict(re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", rest, re.MULTILINE))
    if summary:
        part["description"] = summary.replace("\n", " ")
    for name, node in part.get("properties", {}).items():
        node.pop("title", None)
        texts = [" ".join(said.get(name, "").split()).rstrip("."), node.get("description", "")]
        if any(texts):
            node["description"] = "; ".join(filter(None, texts))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files():
        (FOLDER / name).write_text(text, encoding="utf-8")
