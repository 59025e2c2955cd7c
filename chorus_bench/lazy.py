"""Names that a package exports and imports from its modules on first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_exports(
    package: str, homes: Mapping[str, Sequence[str]], modules: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package.

    Type checkers read the imports under ``TYPE_CHECKING`` beside the call:

        if TYPE_CHECKING:
            from my_package.figures import bars_figure
        else:
            __getattr__, __dir__ = lazy_exports(__name__, {"figures": ["bars_figure"]})

    Args:
        package: ``__name__`` of the package.
        homes: module, relative to the package -> the names from it. No name may be that of a
            module of the package, which would replace it once imported.
        modules: modules of the package that are attributes of it without having been imported.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def get(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
        if name in modules:
            return import_module(f"{package}.{name}")  # which makes it an attribute
        if name not in home_of:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        value = getattr(import_module(f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home_of, *modules})

    return get, names
