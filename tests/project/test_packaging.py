"""What an installed chorus-bench must carry, and what the README and CI promise."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_is_listed():
    """A package that is not listed in pyproject would be missing from the wheel."""
    mapping = PYPROJECT["tool"]["setuptools"]["package-dir"]
    folders = {_folder(name, mapping) for name in _packages()}
    found = {
        str(file.parent.relative_to(ROOT))
        for top in ("chorus_bench", "baselines")
        for file in (ROOT / top).rglob("__init__.py")
    }
    assert found <= folders
    assert all((ROOT / folder).is_dir() for folder in folders)


def _folder(package: str, mapping: dict[str, str]) -> str:
    """Return where a package lies, as setuptools finds it: the mapping holds for what is inside."""
    for name, folder in mapping.items():
        if package == name or package.startswith(name + "."):
            return folder + package[len(name) :].replace(".", "/")
    return package.replace(".", "/")


def _packages() -> list[str]:
    return PYPROJECT["tool"]["setuptools"]["packages"]


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


def test_imports_run_one_way():
    """Values know no files, formats no jobs, jobs no faces; the package knows no baseline."""
    problems = []
    for file in (ROOT / "chorus_bench").rglob("*.py"):
        module = ".".join(file.relative_to(ROOT / "chorus_bench").with_suffix("").parts)
        for name in _module_imports(file):
            if name.startswith("chorus_baselines") or _layer(name) > _layer(module):
                problems.append(f"{module} imports {name}")
    assert not problems


_LAYERS = (
    ("errors", "grid", "rotations", "body", "skinning", "camera", "metrics"),
    (
        "files",
        "locks",
        "safe_pickle",
        "body_io",
        "submission",
        "datasets.schema",
        "datasets.masks",
        "datasets.samples",
    ),
    (
        "calibration",
        "datasets",
        "engines",
        "evaluation",
        "baseline",
        "golden",
        "plugins",
        "selftest",
        "synthesis",
    ),
    ("report", "leaderboard", "cli"),
)


def _layer(module: str) -> int:
    """Return the layer of a module, 0 for values; 0 too for what is not ours."""
    name = module.removeprefix("chorus_bench.")
    for depth, members in enumerate(_LAYERS):
        if any(name == member or name.startswith(member + ".") for member in members):
            return depth
    return 0


def _module_imports(file: Path) -> list[str]:
    """Return what a file imports at its top level (lazy imports inside functions are free)."""
    lines = file.read_text().splitlines()
    return re.findall(r"^(?:from|import) ([\w.]+)", "\n".join(lines), re.MULTILINE)
