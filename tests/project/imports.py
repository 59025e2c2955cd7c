"""Which module of the project imports which: read from the source, nothing is run.

Imports inside functions and under ``TYPE_CHECKING`` count like all others. ``from package import
module`` counts for the package and for the module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "chorus_bench": ROOT / "chorus_bench",
    "chorus_baselines": ROOT / "baselines" / "chorus_baselines",
}


@cache
def modules() -> dict[str, Path]:
    """Return the files of all modules, by the modules' names."""
    return {
        name_of(package, file): file
        for package, folder in PACKAGES.items()
        for file in folder.rglob("*.py")
    }


def name_of(package: str, file: Path) -> str:
    """Return a module's name; a package goes by its own, without ``__init__``."""
    parts = file.relative_to(PACKAGES[package]).with_suffix("").parts
    return ".".join([package, *(part for part in parts if part != "__init__")])


@cache
def import_graph() -> dict[str, set[str]]:
    """Return the modules of the project that each of them imports."""
    return {
        name: {other for other in imported(file.read_text()) if other in modules()} - {name}
        for name, file in modules().items()
    }


def imported(source: str) -> Iterator[str]:
    """Yield every name that a source imports, whether a module or something in one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
