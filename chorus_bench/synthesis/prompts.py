"""Prompts: simple sentences about a person and an object, from files or from a language model.

A category's prompts are a text file ``<category>.txt``: one prompt per line; empty lines and lines
that start with ``#`` are skipped.

Source: docs/method.md M1; the paper, section 3.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Protocol

from chorus_bench.errors import ChorusBenchError, InputError, did_you_mean, unknown_name
from chorus_bench.io.documents import decode
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.limits import MIB
from chorus_bench.io.untrusted_files import read_limited
from chorus_bench.seeds import address_seed

#: The number of prompts to ask for is in this range, both ends included.
FEWEST, MOST = 3, 20

_SUFFIX, _MAX_BYTES = ".txt", 16 * MIB
_COMMENT = "#"
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]')

_NUMBER = re.compile(
    r"""^(?:
        (?:prompt|sentence)?\s*\#?\d{1,3}\s*[.):\]](?!\d)  # 1.  1)  1:  #1:  Sentence 1:
        | [(\[]\d{1,3}[)\]][.:]?                            # (1)  [1]
        | \d{1,3}\s+[-\u2013\u2014](?=\s)                   # 1 -
        | [-*+\u2022\u2013\u2014](?=\s)                     # bullets
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_WRAPPERS = (("**", "**"), ('"', '"'), ("'", "'"), ("`", "`"), ("\u201c", "\u201d"))
_EMPHASIS_BEFORE_NUMBER = re.compile(r"^\*\*(?=\W?\d)|(?<=\d[.):])\*\*")

_QUESTION = """\
Write {count} simple sentences about a person and this object: {category}.
Every sentence has a subject, a verb and an object. The subject is a person. The object is \
the {category}, called by that name.
The person and the object touch or are close together, in a way that is physical and common sense.
Use simple verbs. Use no pronouns. No two sentences are the same.
Answer with the {count} sentences only, one a line."""


class AnswersQuestions(Protocol):
    """A language model, for example `chorus_bench.synthesis.chat.ChatClient`."""

    def ask(self, question: str, *, model: str | None, temperature: float, seed: int | None) -> str:
        """Return the answer to a question; empty if there is none."""


@dataclass(frozen=True)
class PromptList:
    """A language model's prompts for a category.

    Attributes:
        prompts: distinct, cleaned, at most as many as requested.
        attempts: how often the model was asked.
        complete: whether there are as many as requested.
    """

    prompts: tuple[str, ...]
    attempts: int
    complete: bool


def clean_prompts(text: str) -> tuple[str, ...]:
    """Return the prompts in a language model's answer, one per line.

    Numbering, bullets, quotes around a line, its final full stop and repeated spaces are removed.
    Empty lines, repetitions (in any case), headings, code fences, introductory lines (which end
    in a colon) and text between ``<think>`` and ``</think>`` are left out. Cleaning is idempotent.
    """
    readable = text.encode("utf-8", "ignore").decode().replace("\ufeff", "")
    said = readable.rpartition("</think>")[2].partition("<think>")[0]
    found: dict[str, str] = {}
    for line in said.splitlines():
        prompt = _clean_line(line)
        if any(letter.isalpha() for letter in prompt) and not _introduces(prompt):
            found.setdefault(prompt.casefold(), prompt)
    return tuple(found.values())


def _introduces(line: str) -> bool:
    return line.startswith((_COMMENT, "```")) or line.endswith(":")


def _clean_line(line: str) -> str:
    """Return a line without numbering, quotes, final full stop and repeated spaces."""
    before, line = None, " ".join(line.split())
    while line != before:
        before = line
        line = _EMPHASIS_BEFORE_NUMBER.sub("", line)
        line = _NUMBER.sub("", line).rstrip(".,;\u3002 ").lstrip()
        for start, end in _WRAPPERS:
            if line.startswith(start) and line.endswith(end) and len(line) > len(start):
                line = line[len(start) : -len(end)].strip()
    return line


def prompt_categories() -> tuple[str, ...]:
    """Return the categories that have shipped prompts: the 24 of the paper, sorted."""
    names = (file.name for file in _shipped().iterdir())
    return tuple(sorted(n.removesuffix(_SUFFIX) for n in names if n.endswith(_SUFFIX)))


def shipped_prompts(category: str) -> tuple[str, ...]:
    """Return the prompts that come with chorus-bench, so that no language model is needed.

    Raises:
        InputError: there are none for this category; the message lists the categories.
    """
    known = prompt_categories()
    if category not in known:
        raise unknown_name("category", category, known, where="the prompts of chorus-bench")
    return _parse((_shipped() / f"{category}{_SUFFIX}").read_text(encoding="utf-8"))


def _shipped() -> Traversable:
    return resources.files("chorus_bench") / "data" / "prompts"


def read_prompts(folder_or_file: str | Path, category: str) -> tuple[str, ...]:
    """Read a category's prompts.

    Lines are used unchanged except for surrounding spaces; repetitions are dropped.

    Args:
        folder_or_file: a folder with ``<category>.txt`` (or underscores for the spaces of the
            name), or such a file under any name.
        category: for example ``tennis racket``.

    Raises:
        InputError: there is no such file, it is not UTF-8 text, or it contains no prompt.
    """
    file = _find(Path(folder_or_file), category)
    try:
        prompts = _parse(decode(read_limited(file, _MAX_BYTES), file))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=file) from error
    if not prompts:
        raise InputError("holds no prompts", where=file, expected="one prompt per line")
    return prompts


def write_prompts(folder: str | Path, prompts: Mapping[str, Iterable[str]]) -> tuple[Path, ...]:
    """Write ``<category>.txt`` files, which `read_prompts` reads.

    Files of these categories are replaced, each completely or not at all; others are kept. Nothing
    is written if any prompt cannot be.

    Args:
        folder: created if missing.
        prompts: category -> its prompts.

    Returns:
        The files, in the order of the categories.

    Raises:
        InputError: a category cannot be a file name, has no prompts, or has one that could not be
            read back (empty, with several lines, or starting with ``#``).
        WriteError: the disk is full, the place is not writable, ...
    """
    contents = {_file_name(c): _content(c, texts) for c, texts in prompts.items()}
    return tuple(
        atomic_write_bytes(Path(folder) / name, content) for name, content in contents.items()
    )


def generate_prompts(
    category: str,
    *,
    client: AnswersQuestions,
    model: str | None = None,
    count: int | None = None,
    attempts: int = 5,
    temperature: float = 1.0,
    seed: int = 0,
) -> PromptList:
    """Have a language model write a category's prompts.

    It is asked until a cleaned answer has the requested number of prompts, at most ``attempts``
    times; then the answer with the nearest number is used, cut to the requested length. So there
    are never more than ``count`` prompts (the paper's m).

    Args:
        category: for example ``surfboard``.
        client: asks the language model.
        model: its name at the endpoint; by default the client's own.
        count: number of prompts; by default 3 to 20, drawn from the seed and the category.
        attempts: largest number of attempts.
        temperature: sampling temperature; the paper's is 1.
        seed: random seed; every attempt gets its own, derived from it.

    Raises:
        InputError: an invalid argument, or one that the endpoint refused.
        ChorusBenchError: the endpoint failed, or no answer had any prompt.
    """
    wanted = _draw_count(category, seed) if count is None else count
    _check_arguments(category, wanted, attempts, temperature)
    question = _QUESTION.format(count=wanted, category=category)
    answers: list[tuple[str, ...]] = []
    while len(answers) < attempts and (not answers or len(answers[-1]) != wanted):
        number = address_seed("prompts", seed, category, len(answers)) % 2**31
        said = client.ask(question, model=model, temperature=temperature, seed=number)
        answers.append(clean_prompts(said))
    best = min(answers, key=lambda answer: abs(len(answer) - wanted) if answer else math.inf)
    if not best:
        raise ChorusBenchError(
            f"the language model wrote no prompt for '{category}' in {len(answers)} answers\n"
            "  What to do: choose another model, raise max_tokens, or use a file of prompts"
        )
    return PromptList(best[:wanted], len(answers), len(best) >= wanted)


def _draw_count(category: str, seed: int) -> int:
    return FEWEST + address_seed("prompt count", seed, category) % (MOST - FEWEST + 1)


def _check_arguments(category: str, count: int, attempts: int, temperature: float) -> None:
    if not category.strip():
        raise InputError("no category is named")
    for name, value in (("count", count), ("attempts", attempts)):
        if value < 1:
            raise InputError(f"{name} is {value}", expected="1 or more")
    if not 0 <= temperature < math.inf:
        raise InputError(f"temperature is {temperature}", expected="a number of 0 or more")


def _parse(text: str) -> tuple[str, ...]:
    lines = (line.strip() for line in text.splitlines())
    return tuple(dict.fromkeys(x for x in lines if x and not x.startswith(_COMMENT)))


def _reads_back(line: str) -> bool:
    try:
        return _parse(line.encode().decode("utf-8-sig")) == (line,)
    except UnicodeEncodeError:
        return False


def _find(place: Path, category: str) -> Path:
    """Return the file of a category."""
    if place.is_file():
        return place
    if not place.is_dir():
        raise InputError("no such folder or file of prompts", where=place)
    name = _file_name(category)
    for candidate in (place / name, place / name.replace(" ", "_")):
        if candidate.is_file():
            return candidate
    known = [file.stem for file in place.glob(f"*{_SUFFIX}")]
    raise InputError(
        f"has no prompts of '{category}'",
        where=place,
        expected=f"a file '{name}'",
        fix=did_you_mean(category, known),
    )


def _file_name(category: str) -> str:
    """Return the name of a category's file."""
    name = category.strip()
    if not name or name.startswith(".") or _FORBIDDEN.search(name):
        raise InputError(
            f"the category {category!r} cannot be a file name",
            expected='a name without control characters and \\ / : * ? " < > |',
        )
    return f"{name}{_SUFFIX}"


def _content(category: str, prompts: Iterable[str]) -> bytes:
    """Return the contents of a category's file, checked to read back."""
    lines = list(dict.fromkeys(prompt.strip() for prompt in prompts))
    if not lines:
        raise InputError("has no prompts to write", where=f"category '{category}'")
    for line in lines:
        if not _reads_back(line):
            raise InputError(
                f"the prompt {line!r} cannot be written",
                where=f"category '{category}'",
                expected=f"one line of text that does not start with '{_COMMENT}'",
            )
    return "".join(f"{line}\n" for line in lines).encode()
