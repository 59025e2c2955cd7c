"""What the pages of a Parquet file hold, before anything is unpacked.

A Parquet reader allocates what the headers of the pages say: a page of a few bytes may repeat one
value a billion times, or build a thousand long texts from one. So an untrusted file's pages are
counted first. The format: https://parquet.apache.org/docs/file-format/ (page
headers are Thrift structures in the compact protocol).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow.parquet as pq

from chorus_bench.errors import InputError
from chorus_bench.io.limits import MIB

#: Encodings in which a page's content is no longer than its bytes, or stands in a dictionary.
_PLAIN, _DICTIONARY_2, _RLE, _DICTIONARY = 0, 2, 3, 8
_ENCODINGS = frozenset((_PLAIN, _DICTIONARY_2, _RLE, _DICTIONARY))
_DATA, _DICTIONARY_PAGE, _DATA_2 = 0, 2, 3
#: For each kind of page: its field of the header, therein the number of values and the encoding.
_FIELDS = {_DATA: (5, 1, 2), _DICTIONARY_PAGE: (7, 1, 2), _DATA_2: (8, 1, 4)}
_LONGEST_HEADER, _DEEPEST = MIB, 16
_AGAIN = "write it again with pyarrow's defaults"

_Struct = dict[int, object]


@dataclass(frozen=True)
class Page:
    """The header of a page.

    Attributes:
        is_data: whether it holds values, not a dictionary.
        values: number of values.
        size: unpacked size in bytes.
    """

    is_data: bool
    values: int
    size: int


def check_pages(file: BinaryIO, opened: pq.ParquetFile, *, values: int, size: int) -> None:
    """Refuse a file whose pages unpack to more than is allowed.

    Args:
        file: the file's bytes, which can be sought in.
        opened: the same file.
        values: largest number of values of a column.
        size: largest size of all pages, unpacked, in bytes.

    Raises:
        InputError: more values or bytes, pages that differ from what the file's end says, or
            encodings that let a short page be long. The error does not name the file.
    """
    metadata, total = opened.metadata, 0
    counts: dict[int, int] = {}
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            pages = list(_pages(file, metadata.row_group(group).column(number)))
            total += sum(page.size for page in pages)
            counts[number] = counts.get(number, 0) + sum(p.values for p in pages if p.is_data)
            if counts[number] > values or total > size:
                raise InputError(
                    f"unpacks to {counts[number]} values in one column, {total} bytes so far",
                    expected=f"at most {values} values and {size} bytes",
                )


def _pages(file: BinaryIO, chunk: pq.ColumnChunkMetaData) -> Iterator[Page]:
    """Yield the pages of a column's chunk; their values are those that the file's end states."""
    starts = (chunk.dictionary_page_offset, chunk.data_page_offset)
    place = min((start for start in starts if start), default=0)
    if min(place, chunk.total_compressed_size) < 0:
        raise _damaged("has pages at impossible places")
    end, left = place + chunk.total_compressed_size, chunk.num_values
    while place < end:
        file.seek(place)
        header = _Compact(file.read(min(_LONGEST_HEADER, end - place)))
        page, length = _page(header.struct())
        place += header.place + length
        left -= page.values if page.is_data else 0
        yield page
    if left or place != end:
        raise _damaged("its pages are not those that its end describes")


def _page(header: _Struct) -> tuple[Page, int]:
    """Return a page and the length of its content in the file."""
    kind, size, length = (header.get(field) for field in (1, 2, 3))
    if kind not in _FIELDS:
        raise _damaged("has pages of an unknown kind")
    field, at, encoded = _FIELDS[kind]
    content = header.get(field)
    table: _Struct = content if isinstance(content, dict) else {}
    values, encoding = table.get(at), table.get(encoded)
    numbers = [n for n in (size, length, values) if isinstance(n, int) and n >= 0]
    if len(numbers) < 3:
        raise _damaged("has pages without a size")
    if encoding not in _ENCODINGS:
        raise InputError(f"has pages in the encoding {encoding}", expected="plain", fix=_AGAIN)
    return Page(kind != _DICTIONARY_PAGE, numbers[2], numbers[0]), numbers[1]


class _Compact:
    """A reader of Thrift's compact protocol: numbers and structures; the rest is skipped.

    Args:
        data: the bytes of a structure, and more.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self.place = data, 0

    def struct(self, depth: int = 0) -> _Struct:
        """Return the fields of a structure: numbers and structures by field number."""
        if depth > _DEEPEST:
            raise _damaged("is nested too deep")
        found: _Struct = {}
        number = 0
        while kind := self._byte():
            step, kind = kind >> 4, kind & 15
            number = number + step if step else self._signed()
            found[number] = self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> object:
        match kind:
            case 1 | 2:
                return kind == 1
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                return self._signed()
            case 7:
                self._skip(8)
                return None
            case 8:
                self._skip(self._unsigned())
                return None
            case 12:
                return self.struct(depth + 1)
        raise _damaged("has headers of an unknown kind")

    def _byte(self) -> int:
        if self.place >= len(self._data):
            raise _damaged("ends within a page's header")
        self.place += 1
        return self._data[self.place - 1]

    def _skip(self, length: int) -> None:
        self.place += length

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise _damaged("has numbers that do not end")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)


def _damaged(found: str) -> InputError:
    return InputError(found, expected="a whole Parquet file", fix=_AGAIN)
