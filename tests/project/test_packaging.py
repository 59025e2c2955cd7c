"""What an installed chorus-bench must carry, and what the README and CI promise."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import chorus_bench
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


def test_types_are_shipped():
    """Type checkers read the annotations of an installed package only beside this file."""
    data = PYPROJECT["tool"]["setuptools"]["package-data"]
    for package, folder in PACKAGES.items():
        assert (folder / "py.typed").is_file()
        assert "py.typed" in data[package]


def test_ci_runs_the_readme_command_and_then_the_checks():
    """The README's test command stands in .ci/run to the letter, the checks come after it."""
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"^(python3 -m venv .*pytest)$", readme, re.MULTILINE)
    assert len(commands) == 1
    lines = (ROOT / ".ci/run").read_text().splitlines()
    after = lines[lines.index(commands[0]) + 1 :]
    assert after == [
        ".venv/bin/pip install -q -c constraints.txt -e '.[dev]'",
        ".venv/bin/ruff check .",
        ".venv/bin/ruff format --check .",
        ".venv/bin/mypy",
        ".venv/bin/python tools/site/build_site.py --output site",
    ]
    assert "set -euo pipefail" in lines


def test_constraints_name_everything_that_the_tests_install():
    """A fresh installation of the extra `test` has nothing that constraints.txt does not name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    named = {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line}
    installed = _requirements("chorus-bench", "test")
    assert {"numpy", "pytest", "torch", "ray", "pydantic-core"} <= installed
    assert installed - named == set()


def _requirements(name: str, extra: str) -> set[str]:
    """Return the distributions that are installed because a distribution needs them.

    What torch pins to one version are the libraries of a graphics card, which its build for
    processors does not bring.
    """
    found: set[tuple[str, str]] = set()
    todo = [(canonicalize_name(name), extra)]
    while todo:
        one, its_extra = todo.pop()
        if (one, its_extra) in found or not _is_installed(one):
            continue
        found.add((one, its_extra))
        for text in requires(one) or []:
            need = Requirement(text)
            wanted = need.marker is None or need.marker.evaluate({"extra": its_extra})
            pinned = any(s.operator == "==" for s in need.specifier)
            if wanted and not (one == "torch" and pinned):
                todo += [(canonicalize_name(need.name), e) for e in ("", *need.extras)]
    return {one for one, _ in found} - {canonicalize_name(name)}


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def test_type_checkers_see_the_baselines(tmp_path, pytestconfig):
    """A wrong call of a baseline is refused by mypy --strict, as the project's own check runs."""
    file = tmp_path / "wrong.py"
    file.write_text(
        "from chorus_baselines.chorus import aggregate\n\naggregate('not rows', nonsense=True)\n"
    )
    cache = pytestconfig.cache.mkdir("mypy")  # what is read again only where it has changed
    options = ("--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(cache))
    command = [sys.executable, "-m", "mypy", *options, "--follow-imports", "silent", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert 'Unexpected keyword argument "nonsense" for "aggregate"' in done.stdout
    assert 'Argument 1 to "aggregate" has incompatible type "str"' in done.stdout
    assert PYPROJECT["tool"]["mypy"]["strict"]


def test_the_package_is_a_command():
    """``python -m chorus_bench`` is ``chorus-bench``."""
    command = [sys.executable, "-m", "chorus_bench", "--version"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, chorus_bench.__version__)


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
