"""Fingerprints of rows: the identity of a dataset, independent of its division into files.

A test split's fingerprint is that of `chorus_bench.datasets.samples.EvalSplit`: it covers what
a score depends on. For other datasets it covers every column but the facts that all rows carry.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence

from chorus_bench.datasets.recipe import Row
from chorus_bench.datasets.samples import checked_samples
from chorus_bench.datasets.schema import FACTS, TEST_COLUMNS


class Fingerprint:
    """The fingerprint of rows that arrive in batches, in any order.

    Args:
        split: ``test`` for a test split; anything else covers every column.
    """

    def __init__(self, split: str) -> None:
        self.split = split
        self._digests: list[bytes] = []

    def add(self, rows: Sequence[Row]) -> None:
        """Add some rows.

        Raises:
            InputError: rows of a test split that an evaluation could not use.
        """
        if self.split == "test":
            samples = checked_samples(rows, "rows") if rows else ()
            self._digests += [sample.digest() for sample in samples]
        else:
            self._digests += [row_digest(row) for row in rows]

    @property
    def digests(self) -> list[bytes]:
        """The SHA-256 of every row so far, in the order in which they came."""
        return list(self._digests)

    def add_digests(self, digests: bytes) -> None:
        """Add rows by their SHA-256, one after the other, as another process computed them."""
        size = hashlib.sha256().digest_size
        self._digests += [digests[n : n + size] for n in range(0, len(digests), size)]

    def hexdigest(self) -> str:
        """Return the first 12 hex digits of the SHA-256 over all rows."""
        return hashlib.sha256(b"".join(sorted(self._digests))).hexdigest()[:12]


def fingerprint_columns(split: str, columns: Iterable[str]) -> list[str]:
    """Return the columns that the fingerprint of a split covers."""
    return list(TEST_COLUMNS) if split == "test" else [name for name in columns if name != FACTS]


def row_digest(row: Row) -> bytes:
    """Return a SHA-256 over all columns of a row but its facts, with names, types and lengths."""
    return hashlib.sha256(_encoded({k: v for k, v in row.items() if k != FACTS})).digest()


def _encoded(value: object) -> bytes:
    """Return an unambiguous encoding of a value; floats count as float64."""
    if isinstance(value, dict):
        inner = b"".join(_encoded(name) + _encoded(value[name]) for name in sorted(value))
        return _tagged(b"d", inner)
    if isinstance(value, list | tuple):
        return _tagged(b"l", b"".join(_encoded(item) for item in value))
    if isinstance(value, bytes):
        return _tagged(b"b", value)
    if isinstance(value, float):
        return _tagged(b"f", struct.pack("<d", value))
    return _tagged(type(value).__name__[:1].encode(), str(value).encode())


def _tagged(tag: bytes, content: bytes) -> bytes:
    return tag + str(len(content)).encode() + b":" + content
