"""Every command that a document shows is one: its name, its options, its arguments."""

from __future__ import annotations

import pytest
import typer

from chorus_bench.cli.app import app
from tests.documents.blocks import Block, blocks

PROGRAM = typer.main.get_command(app)
COMMANDS = [(block, words) for block in blocks() for words in block.commands()]
NAMES = [f"{block} {' '.join(words[:3])}" for block, words in COMMANDS]
#: What the command line raises for arguments that do not fit; typer has no public name for it.
UsageError = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")


def parse(words: list[str]) -> None:
    """Parse a command as the program does, without running it."""
    command, rest = PROGRAM, list(words)
    while hasattr(command, "list_commands"):
        command = command.get_command(None, rest.pop(0))
        assert command is not None, f"no command {' '.join(words)}"
    command.make_context(" ".join(words), rest)


@pytest.mark.parametrize(
    ("block", "words"),
    COMMANDS,
    ids=[f"{block}-{' '.join(words[:3])}" for block, words in COMMANDS],
)
def test_the_command_is_one(block: Block, words: list[str]) -> None:
    parse([word for word in words if word != "..."])


def test_commands_are_found() -> None:
    pages = {block.page for block, _ in COMMANDS}
    assert {"README.md", "docs/evaluation.md", "docs/pictures.md"} <= pages
    assert len(COMMANDS) > 50


@pytest.mark.parametrize("line", ["evaluate example --spilt x", "compare", "convert drawing x"])
def test_wrong_arguments_are_noticed(line: str) -> None:
    with pytest.raises(UsageError):
        parse(line.split())


def test_a_wrong_name_is_noticed() -> None:
    with pytest.raises(AssertionError, match="no command"):
        parse(["datasets", "bild"])
