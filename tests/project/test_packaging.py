"""What an installed chorus-bench must carry, and what the README and CI promise."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from tests.project.imports import PACKAGES, ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_is_found():
    """The folders that setuptools searches and the names that it takes give every package."""
    settings = PYPROJECT["tool"]["setuptools"]["packages"]["find"]
    for package, folder in PACKAGES.items():
        assert str(folder.parent.relative_to(ROOT)) in settings["where"]
        assert f"{package}*" in settings["include"]
        files = folder.rglob("*.py")
        assert all((file.parent / "__init__.py").is_file() for file in files)


def test_ci_runs_the_readme_command():
    """The README's test command stands in .ci/run to the letter."""
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"^(python3 -m venv .*pytest)$", readme, re.MULTILINE)
    assert len(commands) == 1
    assert commands[0] in (ROOT / ".ci/run").read_text().splitlines()


def test_readme_names_files_that_exist():
    """Links and code spans of the documents that look like paths of the repository."""
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        text = document.read_text()
        links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text)
        for link in links:
            assert (document.parent / link).exists(), f"{document.name} links to {link}"


def test_core_needs_no_torch():
    """An evaluation runs where torch, datasets and smplx cannot be imported."""
    code = (
        "import sys\n"
        "for name in ('torch', 'datasets', 'smplx', 'transformers', 'diffusers', 'ray', 'jinja2',\n"
        "             'ultralytics'):\n"
        "    sys.modules[name] = None\n"
        "import chorus_bench\n"
        "result = chorus_bench.evaluate('example', categories=['surfboard'])\n"
        "assert result.scores['mPAP'] > 0"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
