"""Plug-ins: what is known of one without importing it, and how they are found.

A baseline, a generator, an annotator or a builder of a dataset is a function of some package. A
spec says its name and where it is, and an entry point says where the spec is. A package registers
its baselines, for example, by naming a `BaselineSpec` or several of them in its pyproject.toml:

    [project.entry-points."chorus_bench.baselines"]
    my_package = "my_package.specs:SPECS"
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Generic, Literal, TypeVar

from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, MissingDependencyError, install_command, unknown_name
from chorus_bench.option_types import (
    annotation_of,
    check_exists,
    check_value,
    meanings_of,
    type_text,
)

GROUP = "chorus_bench.baselines"
_OURS = ("chorus_baselines.", "chorus_bench.")

#: What a baseline reads: a training set, a test split, or only the categories of any dataset.
Reads = Literal["train", "test", "any"]


@checked
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


#: Longer defaults are not shown.
_LONGEST_DEFAULT = 60


@checked
@dataclass(frozen=True)
class Option:
    """An option of a plug-in, as the signature of its function has it.

    Attributes:
        name: of the parameter.
        type: what it takes, as text; empty where the function does not say.
        default: its value where none is given; `inspect.Parameter.empty` where one must be.
        meaning: what it is for, as the function's docstring says; empty where it does not.
    """

    name: str
    type: str
    default: Any
    meaning: str = ""

    @property
    def default_text(self) -> str:
        """The default as text; empty where a value must be given."""
        if self.default is inspect.Parameter.empty:
            return ""
        value = repr(self.default)
        return value if len(value) <= _LONGEST_DEFAULT else "..."

    def __str__(self) -> str:
        typed = f"{self.name}: {self.type}" if self.type else self.name
        return f"{typed} = {self.default_text}" if self.default_text else f"{typed} (must be given)"


@checked
@dataclass(frozen=True)
class PluginSpec:
    """What is known of a plug-in without importing it.

    Attributes:
        name: its name, for example ``body-proximity``.
        summary: one line.
        function: ``module:function``.
        options: passed to the function where nobody gives others.
        license: of its code, and of what it brings or makes.
        extra: the extra of chorus-bench that installs what it needs; empty for none.
    """

    name: str
    summary: str
    function: str
    options: Mapping[str, Any] = field(default_factory=dict)
    license: str = ""
    extra: str = ""

    #: What one is called in messages.
    kind: ClassVar[str] = "plug-in"
    #: How many positional arguments the function is called with, and which named ones.
    positional: ClassVar[int] = 0
    given: ClassVar[tuple[str, ...]] = ()

    def load(self) -> Callable[..., Any]:
        """Import and return the function.

        Raises:
            InputError: there is no such module or function, or the module cannot be imported.
            MissingDependencyError: a package is missing that an extra brings.
        """
        module, _, name = self.function.partition(":")
        try:
            function = getattr(import_module(module), name)
        except MissingDependencyError:
            raise
        except (ImportError, AttributeError, ValueError) as error:
            fix = install_command(self.extra) if self.extra else None
            raise InputError(
                f"its function '{self.function}' cannot be imported: {error}",
                where=self._label(),
                fix=fix or "install what it needs, or correct its spec",
            ) from error
        if not callable(function):
            raise InputError(f"'{self.function}' is not a function", where=self._label())
        loaded: Callable[..., Any] = function
        return loaded

    def option_table(self) -> tuple[Option, ...]:
        """Return the options of the function, with the defaults that the spec gives them.

        Raises:
            InputError: see `load`.
            MissingDependencyError: see `load`.
        """
        function = self.load()
        known, meanings = self._parameters(function), meanings_of(function)
        return tuple(
            Option(
                parameter.name,
                type_text(parameter.annotation),
                self.options.get(parameter.name, parameter.default),
                meanings.get(parameter.name, ""),
            )
            for parameter in known.values()
            if parameter.kind is not parameter.VAR_KEYWORD
        )

    @checked
    def check_options(
        self, options: Mapping[str, Any], *, kind: str | None = None, complete: bool = True
    ) -> None:
        """Check options without calling the function.

        Args:
            options: name -> value; those of the spec are added.
            kind: what the plug-in is called in messages.
            complete: options without a default must be there, and so must the files and folders
                that options name.

        Raises:
            InputError: an option that the function does not have, a value of another type than
                it says, none for an option without a default, a file that is not there; or see
                `load`.
            MissingDependencyError: see `load`.
        """
        function, where = self.load(), self._label(kind)
        known = self._parameters(function)
        open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
        chosen = {**self.options, **options}
        for name, value in chosen.items():
            if name in known:
                check_value(name, value, annotation_of(function, known[name]), where)
            elif not open_ended:
                raise unknown_name("option", name, known, where=where)
        if complete:
            self._check_complete(function, known, chosen, where)

    def _check_complete(
        self,
        function: Callable[..., Any],
        known: Mapping[str, inspect.Parameter],
        chosen: Mapping[str, Any],
        where: str,
    ) -> None:
        """Check that nothing is missing, neither an option nor a file that one names."""
        for name, parameter in known.items():
            named = parameter.kind is not parameter.VAR_KEYWORD
            if named and parameter.default is parameter.empty and name not in chosen:
                raise InputError(
                    f"option '{name}' is missing",
                    where=where,
                    expected=type_text(parameter.annotation) or "a value",
                    fix=self.source(name),
                )
        for name in known.keys() & chosen.keys():
            hint = annotation_of(function, known[name])
            check_exists(name, chosen[name], hint, where, self.source(name))

    @checked
    def source(self, option: str) -> str | None:
        """Return where to get what an option names, and under which license; None if unknown."""
        return None

    @checked
    def configured(
        self, options: Mapping[str, Any] | None = None, *, kind: str | None = None
    ) -> Callable[..., Any]:
        """Return the function with its options, ready to be called.

        Args:
            options: they replace those of the spec.
            kind: what the plug-in is called in messages.

        Raises:
            InputError: see `check_options`.
            MissingDependencyError: see `load`.
        """
        self.check_options(options or {}, kind=kind)
        return partial(self.load(), **{**self.options, **(options or {})})

    def _parameters(self, function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
        """Return the parameters of a function that are options."""
        parameters = list(inspect.signature(function).parameters.items())[self.positional :]
        return {name: parameter for name, parameter in parameters if name not in self.given}

    def _label(self, kind: str | None = None) -> str:
        return f"{kind or self.kind} '{self.name}'"


@checked
@dataclass(frozen=True)
class BaselineSpec(PluginSpec):
    """What is known of a baseline without importing it.

    The function is called as ``function(data, body, grid, *, seed, progress, **options)`` with
    a `DatasetRows`, a `BodyModel`, a `GridSpec`, an int and a callback ``(done, total)``. It
    returns category -> (N, N, N) float32 probabilities on the grid; on the posed track
    category -> sample id -> (N, N, N), where the inner mappings may compute arrays when asked.
    One that learns interaction types returns a `LearnedFields`.
    One that can share its work among many workers (``engines``) is given ``engine``, an
    `EngineSettings`, and ``work``, a folder, where the user asks for that.

    Attributes:
        license: of its code.
        reads: a training set, a test split (for oracles), or of any dataset the categories.
        track: of the submission.
        needs: columns without which it cannot work.
        engines: its function takes ``engine`` and ``work``.
        paper: the publication it comes from; empty for none.
        expected: published figures.
    """

    license: str = "Apache-2.0"
    reads: Reads = "train"
    track: Literal["canonical", "posed"] = "canonical"
    needs: tuple[str, ...] = ()
    engines: bool = False
    paper: str = ""
    expected: tuple[ExpectedScores, ...] = ()

    kind: ClassVar[str] = "baseline"
    positional: ClassVar[int] = 3
    given: ClassVar[tuple[str, ...]] = ("seed", "progress", "engine", "work")


SpecType = TypeVar("SpecType", bound=PluginSpec)


@checked
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


@checked
@dataclass(frozen=True)
class Plugins(Generic[SpecType]):
    """The registered plug-ins.

    Attributes:
        specs: name -> spec, sorted by name.
        broken: entry points without a usable plug-in.
    """

    specs: Mapping[str, SpecType]
    broken: tuple[BrokenPlugin, ...] = ()

    @checked
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

    def not_loaded(self) -> Iterator[BrokenPlugin]:
        """Yield the plug-ins of other packages whose function cannot be imported."""
        for spec in self.specs.values():
            if spec.function.startswith(_OURS):
                continue
            try:
                spec.load()
            except Exception as error:  # whatever somebody else's module does when it is imported
                reason = error.found if isinstance(error, InputError) else f"{error}"
                yield BrokenPlugin(spec.name, spec.function.partition(":")[0], reason)


@checked
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


@checked
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
