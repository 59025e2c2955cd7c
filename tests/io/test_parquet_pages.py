"""Parquet files of a few bytes that unpack to gigabytes are refused; ordinary ones are not."""

import io
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench.errors import InputError
from chorus_bench.io.parquet_pages import check_pages

LIST = pa.list_(pa.int32())
REPEATED = 1_000_000


def written(table, **options):
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def check(data, values=100_000, size=10**7):
    file = io.BytesIO(data)
    check_pages(file, pq.ParquetFile(io.BytesIO(data)), values=values, size=size)


def varint(value, length):
    """A zigzag number of a fixed length, as Thrift reads it."""
    value *= 2
    digits = [(value >> 7 * i) & 127 for i in range(length)]
    return bytes([digit | 128 for digit in digits[:-1]] + digits[-1:])


def repeated_list(number=REPEATED):
    zeros = pa.repeat(pa.scalar(0, pa.int32()), number)
    return pa.table({"a": pa.ListArray.from_arrays(pa.array([0, number], pa.int32()), zeros)})


def lying(data, says):
    """Change the number of values in the file's end, not in the page."""
    end = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    old = varint(REPEATED, 3)
    assert old in data[end:]
    return data[:end] + data[end:].replace(old, varint(says, 3))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "data_page_version": "2.0"},
        {"use_dictionary": False, "row_group_size": 7},
        {"data_page_size": 50, "write_page_checksum": True},
        {"write_statistics": False, "use_dictionary": ["text"]},
    ],
    ids=["defaults", "zstd and version 2", "no dictionary", "small pages", "no statistics"],
)
def test_ordinary_files_pass(options):
    table = pa.table(
        {
            "text": [f"sample {n % 7}" for n in range(1000)],
            "number": pa.array([None if n % 9 == 0 else n / 7 for n in range(1000)]),
            "flag": [n % 2 == 0 for n in range(1000)],
            "list": pa.array([[n, n + 1] for n in range(1000)], LIST),
        }
    )
    check(written(table, **options))
    check(written(table.slice(0, 0), **options))


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_one_value_repeated_a_million_times(compression):
    data = written(repeated_list(), compression=compression)
    assert len(data) < 2000
    with pytest.raises(InputError, match=f"unpacks to {REPEATED} values"):
        check(data)


def test_pages_that_hold_more_than_the_end_says():
    data = lying(written(repeated_list(), compression="zstd"), 50)
    assert len(pq.read_table(io.BytesIO(data))["a"][0]) == REPEATED  # pyarrow believes the page
    with pytest.raises(InputError, match="not those that its end describes"):
        check(data)


def test_texts_that_share_their_beginnings():
    """A page of such texts names a length only: a short one is as long as it likes."""
    table = pa.table({"a": ["y" * 10_000] * 1000})
    data = written(table, use_dictionary=False, column_encoding={"a": "DELTA_BYTE_ARRAY"})
    with pytest.raises(InputError, match="the encoding 7"):
        check(data)


def test_a_long_page():
    with pytest.raises(InputError, match="bytes so far"):
        check(written(pa.table({"a": ["y" * 2 * 10**7]}), compression="zstd"))


def test_damaged_headers_are_refused_or_read():
    data = written(pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"]}))
    end = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    refused = 0
    for place in range(4, end):
        for value in (0, 0x7F, 0xFF):
            broken = data[:place] + bytes([value]) + data[place + 1 :]
            try:
                check(broken)
            except InputError:
                refused += 1
    assert refused > 20
