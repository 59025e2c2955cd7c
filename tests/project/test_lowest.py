"""The lowest versions that are declared are the ones that CI installs and tests."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SCRIPT = ROOT / "tools" / "compatibility" / "lowest"


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {name: Version(version) for name, version in pairs}


def bounds(requirements: list[str]) -> dict[str, Version]:
    found = {}
    for text in requirements:
        requirement = Requirement(text)
        lowest = [Version(part.version) for part in requirement.specifier if part.operator == ">="]
        assert len(lowest) == 1, f"{text} has no lower bound"
        found[requirement.name] = lowest[0]
    return found


def test_every_bound_is_pinned():
    extras = PROJECT["optional-dependencies"]
    declared = bounds(PROJECT["dependencies"]) | bounds(extras["datasets"])
    tools = bounds([text for text in extras["test"] if not text.startswith("chorus-bench")])
    declared |= {name: tools[name] for name in ("pytest", "pytest-xdist", "hypothesis")}
    assert pins() == declared


def test_ci_runs_the_script():
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    assert re.search(r"run: tools/compatibility/lowest ", workflow)


def test_the_script_names_what_is_there():
    text = SCRIPT.read_text()
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    named = re.findall(r"tests/\w+", text)
    assert len(named) > 10
    assert all((ROOT / name).is_dir() for name in named)
    assert "-c constraints-lowest.txt" in text
