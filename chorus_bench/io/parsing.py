"""Documents from the bytes of files, in the format that the file's name says."""

from __future__ import annotations

from chorus_bench.io.documents import Document
from chorus_bench.io.json_files import parse_json
from chorus_bench.io.yaml_files import parse_yaml


def parse(data: bytes, file: str) -> Document:
    """Read the bytes of a JSON or YAML file.

    Args:
        data: the bytes.
        file: the name that messages show; ``.json`` makes it JSON, anything else is YAML.

    Raises:
        InputError: it is not UTF-8, not of this format, empty, or nested too deep; or a key
            stands twice.
    """
    return (parse_json if file.endswith(".json") else parse_yaml)(data, file)
