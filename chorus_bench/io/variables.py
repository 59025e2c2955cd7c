"""The environment variables that are read, for the help, the checkup and the docs."""

from __future__ import annotations

from collections.abc import Mapping

CACHE = "CHORUS_BENCH_CACHE"
#: Variable -> what it sets.
VARIABLES: Mapping[str, str] = {
    "CHORUS_BENCH_SPLIT": "default of --split",
    "CHORUS_BENCH_BODY": "default of --body",
    CACHE: "folder of prepared geometry and built splits",
    "CHORUS_BENCH_CHAT_URL": "language model that writes prompts: address",
    "CHORUS_BENCH_CHAT_MODEL": "language model that writes prompts: name",
    "CHORUS_BENCH_CHAT_KEY": "language model that writes prompts: key",
    "CHORUS_BENCH_TRACEBACK": "show where errors of the system came from",
}


def variables_text() -> str:
    """Return a table of the variables for a help page, which Click shows line by line."""
    rows = (f"  {name:24}  {meaning}" for name, meaning in VARIABLES.items())
    return "\n".join(["\b", "Environment variables:", *rows])
