"""A problem with one entry of a source: it is noted, and the build continues."""

from __future__ import annotations

from chorus_bench.datasets.recipe import Note


class EntryError(Exception):
    """One entry, or a part of it, cannot be used.

    Args:
        reason: what is wrong in a few words, the same for all entries with this error.
        message: what is wrong with this one.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message

    def note(self, entry: str) -> Note:
        """Return the note about an entry that is left out for this reason."""
        return Note(entry, self.reason, self.message)
