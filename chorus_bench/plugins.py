"""Plug-ins: baselines, and the discovery of plug-ins without importing them.

A package registers its baselines in the entry-point group `chorus_bench.baselines`; an entry
point names a `BaselineSpec` or several of them. In its pyproject.toml:

    [project.entry-points."chorus_bench.baselines"]
    my_package = "my_package.specs:SPECS"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Literal, Protocol, TypeVar

from chorus_bench.errors import InputError, unknown_name

GROUP = "chorus_bench.baselines"
_OURS = ("chorus_baselines.", "chorus_bench.")

#: What a baseline reads: a training set, a test split, or only the categories of any dataset.
Reads = Literal["train", "test", "any"]


@dataclass(frozen=True)
class ExpectedScores:
    """Published or measured figures of a method.

    Attributes:
        setting: the setting in which they were measured.
        source: where they were published.
        scores: for example ``{"mPAP": 19.86}``, percent.
    """

    setting: str
    source: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class BaselineSpec:
    """A description of a baseline that does not import it.

    The function is called as ``function(data, body, grid, *, seed, progress, **options)`` with
    a `DatasetRows`, a `BodyModel`, a `GridSpec`, an int and a callback ``(done, total)``. It
    returns category -> (N, N, N) float32 probabilities on the grid; on the posed track
    category -> sample id -> (N, N, N), where the inner mappings may compute arrays on demand.

    Attributes:
        name: its name, for example ``body-proximity``.
        summary: one line.
        function: ``module:function``.
        reads: a training set, a test split (for oracles), or only the categories of any dataset.
        track: track of the submission.
        options: passed to the function.
        needs: required columns.
        paper: the publication that describes it; may be empty.
        licence: of its code.
        expected: published figures.
    """

    name: str
    summary: str
    function: str
    reads: Reads = "train"
    track: Literal["canonical", "posed"] = "canonical"
    options: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    paper: str = ""
    licence: str = "Apache-2.0"
    expected: tuple[ExpectedScores, ...] = ()

    def load(self) -> Callable[..., Any]:
        """Import and return the function.

        Raises:
            InputError: there is no such module or function, or the module cannot be imported.
        """
        module, _, name = self.function.partition(":")
        try:
            function = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise InputError(
                f"its function '{self.function}' cannot be imported: {error}",
                where=f"baseline '{self.name}'",
                fix="install what it needs, or correct its spec",
            ) from error
        if not callable(function):
            raise InputError(
                f"'{self.function}' is not a function", where=f"baseline '{self.name}'"
            )
        loaded: Callable[..., Any] = function
        return loaded


class Spec(Protocol):
    """Anything with a name, as plug-ins have."""

    @property
    def name(self) -> str:
        """Its name."""


SpecType = TypeVar("SpecType", bound=Spec)


@dataclass(frozen=True)
class BrokenPlugin:
    """An entry point without a usable plug-in.

    Attributes:
        entry: the entry point's name and value.
        package: the package that registered it.
        reason: what is wrong with it.
    """

    entry: str
    package: str
    reason: str

    def __str__(self) -> str:
        return f"{self.package}: {self.entry}: {self.reason}"


@dataclass(frozen=True)
class Plugins(Generic[SpecType]):
    """The registered plug-ins.

    Attributes:
        specs: name -> spec, sorted by name.
        broken: entry points without a usable plug-in.
    """

    specs: Mapping[str, SpecType]
    broken: tuple[BrokenPlugin, ...] = ()

    def get(self, kind: str, name: str) -> SpecType:
        """Return a plug-in by name.

        Raises:
            InputError: there is none of that name; the message suggests the nearest one and names
                broken plug-ins.
        """
        if name in self.specs:
            return self.specs[name]
        error = unknown_name(kind, name, self.specs)
        if not self.broken:
            raise error
        faults = "; ".join(map(str, self.broken))
        raise InputError(error.found, fix=f"{error.fix}. Plug-ins that cannot be used: {faults}")


def find_plugins(group: str, spec_type: type[SpecType]) -> Plugins[SpecType]:
    """Return the plug-ins of an entry-point group; a broken one does not affect the others.

    Of two plug-ins with the same name, the project's own is used, or else the one whose package
    comes first in the alphabet.

    Args:
        group: the entry-point group.
        spec_type: type of what its entry points name, one or several.
    """
    specs: dict[str, SpecType] = {}
    broken: list[BrokenPlugin] = []
    for entry in sorted(entry_points(group=group), key=_order):
        loaded, reason = _load(entry, spec_type)
        for spec in loaded:
            if specs.setdefault(spec.name, spec) is not spec:
                reason = f"the name '{spec.name}' is taken"
        if reason:
            broken.append(BrokenPlugin(f"{entry.name} = {entry.value}", _package(entry), reason))
    return Plugins(dict(sorted(specs.items())), tuple(broken))


def find_baselines() -> Plugins[BaselineSpec]:
    """Return all registered baselines, see `find_plugins`."""
    return find_plugins(GROUP, BaselineSpec)


def get_baseline(name: str) -> BaselineSpec:
    """Return a baseline by name; an unknown one is an `InputError`, see `Plugins.get`."""
    return find_baselines().get("baseline", name)


def _order(entry: EntryPoint) -> tuple[bool, str, str]:
    return not entry.value.startswith(_OURS), _package(entry), entry.name


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown package"


def _load(entry: EntryPoint, spec_type: type[SpecType]) -> tuple[tuple[SpecType, ...], str]:
    """Return the specs of an entry point, and its problems."""
    try:
        value = entry.load()
    except Exception as error:  # whatever somebody else's module does when it is imported
        return (), f"{type(error).__name__}: {error}"
    if isinstance(value, spec_type):
        return (value,), ""
    found = tuple(value) if isinstance(value, Iterable) else (value,)
    specs = tuple(spec for spec in found if isinstance(spec, spec_type))
    wrong = [type(spec).__name__ for spec in found if not isinstance(spec, spec_type)]
    return specs, f"expected {spec_type.__name__}, found {', '.join(wrong)}" if wrong else ""
