"""Options that many commands have alike, added by a decorator: ``--quiet`` and ``--cache``."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

import typer

from chorus_bench.cli.progress import silenced
from chorus_bench.io.variables import CACHE

Command = TypeVar("Command", bound=Callable[..., Any])

_Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no notes on standard error.")
]
_Cache = Annotated[
    str | None,
    typer.Option(
        "--cache",
        envvar=CACHE,
        help="Folder of prepared geometry and built splits; ~/.cache/chorus-bench by default.",
    ),
]


def long_command(command: Command) -> Command:
    """Give a command that may take long the option ``--quiet``."""
    return _with_option(command, "quiet", _Quiet, False, _long_running)


@contextlib.contextmanager
def _long_running(quiet: bool) -> Iterator[None]:
    """Keep the memory that is freed, and be quiet if that is asked."""
    from chorus_bench.engines.memory import keep_freed_memory

    keep_freed_memory()
    with silenced(quiet):
        yield


def uses_cache(command: Command) -> Command:
    """Give a command that reads or fills the cache the option ``--cache``."""
    return _with_option(command, "cache", _Cache, None, _cache_in)


def _with_option(
    command: Command,
    name: str,
    annotation: object,
    default: object,
    around: Callable[[Any], contextlib.AbstractContextManager[None]],
) -> Command:
    """Return a command with one more option.

    Args:
        command: the command.
        name: of the option's parameter.
        annotation: of the parameter.
        default: of the parameter.
        around: given the option's value, makes what the command runs in.
    """

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - the command's
        with around(options.pop(name, default)):
            return command(*args, **options)

    signature = inspect.signature(command, eval_str=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    added = inspect.Parameter(name, kind, default=default, annotation=annotation)
    parameters = [*signature.parameters.values(), added]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run  # type: ignore[return-value]


@contextlib.contextmanager
def _cache_in(folder: str | None) -> Iterator[None]:
    """Use a folder as the cache, also in processes that a command starts; None changes nothing."""
    before = os.environ.get(CACHE)
    if folder is not None:
        os.environ[CACHE] = folder
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(CACHE, None)
        else:
            os.environ[CACHE] = before
