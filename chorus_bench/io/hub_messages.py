"""Messages of the Hugging Face hub's library."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from importlib import import_module
from typing import Any


@contextlib.contextmanager
def quiet_hub() -> Iterator[None]:
    """Silence what the hub's library says on every retry; its errors and download bars remain.

    It needs `huggingface_hub`, which comes with the libraries that read from the hub.
    """
    talk: Any = import_module("huggingface_hub.utils.logging")
    level = talk.get_verbosity()
    talk.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        talk.set_verbosity(level)
