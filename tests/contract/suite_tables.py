"""What every writer and reader of table files promises (`ports.tables`).

An adapter's test imports `*` from here and gives a fixture `tables`.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from havre.errors import InvalidInput, NotGenuine
from havre.formats.manifest import ColumnBounds
from havre.ports.tables import TableFacts, TableFiles
from havre.values import TableStream

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def care(rows: int = 1000) -> pa.Table:
    """One row per act: every kind of column the lake holds, with holes."""
    return pa.table(
        {
            "person": pa.array([bytes([n % 251]) * 16 for n in range(rows)], pa.binary(16)),
            "code": pa.array(
                [None if n % 7 == 0 else f"c{n % 5}" for n in range(rows)], pa.string()
            ),
            "number": pa.array([n * 3 - 500 for n in range(rows)], pa.int64()),
            "amount": pa.array([Decimal(n) / 4 for n in range(rows)], pa.decimal128(12, 2)),
            "day": pa.array(
                [date(2021 + n % 3, 1 + n % 12, 1 + n % 28) for n in range(rows)], pa.date32()
            ),
            "moment": pa.array([n % 24 * 3_600_000_000 for n in range(rows)], pa.timestamp("us")),
            "share": pa.array([n / 7 for n in range(rows)], pa.float64()),
            "empty": pa.array([None] * rows, pa.string()),
        }
    )


def written(tables: TableFiles, stream: TableStream, *, key: bytes = KEY) -> bytes:
    return b"".join(tables.write(stream, key=key))


def read(tables: TableFiles, file: bytes, *, key: bytes = KEY) -> pa.Table:
    return pa.table(tables.read(io.BytesIO(file), key=key))


def test_what_is_written_is_read_in_its_order(tables: TableFiles) -> None:
    assert read(tables, written(tables, care())).equals(care())


@pytest.mark.parametrize("texts", [[], ["é", ""]])
def test_texts_in_memory_become_a_table(tables: TableFiles, texts: list[str]) -> None:
    file = written(tables, tables.texts({"a": texts, "b": texts}))

    assert read(tables, file).to_pydict() == {"a": texts, "b": texts}


@pytest.mark.parametrize("rows", [0, 1, 500, 20_000])
def test_encoded_or_not_the_cells_are_the_same(tables: TableFiles, rows: int) -> None:
    file = written(tables, care(rows))
    encoded = pa.table(tables.read(io.BytesIO(file), key=KEY, encoded=True))

    assert encoded.column_names == care().column_names
    assert tables.content_hash(encoded) == tables.content_hash(care(rows))


def test_a_file_that_is_not_described_has_its_number_of_rows_alone(tables: TableFiles) -> None:
    write = tables.write(care(7), key=KEY, described=False)
    file = b"".join(write)

    assert read(tables, file).equals(care(7))
    assert write.facts == TableFacts(7, {}, None)


@pytest.mark.parametrize("rows", [0, 1])
def test_a_table_of_hardly_any_rows_is_a_table(tables: TableFiles, rows: int) -> None:
    assert read(tables, written(tables, care(rows))).equals(care(rows))


def test_another_key_opens_nothing(tables: TableFiles) -> None:
    with pytest.raises(NotGenuine):
        read(tables, written(tables, care()), key=OTHER_KEY)


def test_a_file_in_clear_is_not_taken_for_a_sealed_one(tables: TableFiles) -> None:
    clear = b"".join(tables.write_clear(care()))

    with pytest.raises(NotGenuine):
        read(tables, clear)


def test_a_cut_file_is_refused(tables: TableFiles) -> None:
    file = written(tables, care())

    for length in (0, 4, len(file) // 2, len(file) - 1):
        with pytest.raises(NotGenuine):
            read(tables, file[:length])


def test_no_cell_and_no_column_name_stands_in_a_sealed_file(tables: TableFiles) -> None:
    file = written(tables, pa.table({"canary_column": ["canary-cell"] * 100}))

    assert b"canary" not in file


def test_the_facts_count_rows_holes_and_bounds(tables: TableFiles) -> None:
    write = tables.write(care(), key=KEY)
    list(write)

    assert write.facts.rows == 1000
    assert write.facts.bounds["number"] == ColumnBounds("-500", "2497", 0)
    assert write.facts.bounds["day"] == ColumnBounds("2021-01-01", "2023-12-28", 0)
    assert write.facts.bounds["code"] == ColumnBounds("c0", "c4", 143)
    assert write.facts.bounds["amount"] == ColumnBounds("0.00", "249.75", 0)
    assert write.facts.bounds["empty"] == ColumnBounds(None, None, 1000)
    assert write.facts.bounds["person"] == ColumnBounds(None, None, 0)


def test_a_long_text_has_no_bounds(tables: TableFiles) -> None:
    write = tables.write(pa.table({"note": ["x" * 65]}), key=KEY)
    list(write)

    assert write.facts.bounds["note"] == ColumnBounds(None, None, 0)


def test_facts_before_the_end_are_a_mistake_of_the_caller(tables: TableFiles) -> None:
    with pytest.raises(ValueError, match="not read to the end"):
        _ = tables.write(care(), key=KEY).facts


def test_the_content_hash_knows_cells_and_order_but_no_key_and_no_batches(
    tables: TableFiles,
) -> None:
    write = tables.write(care(), key=OTHER_KEY)
    list(write)
    in_pieces = pa.Table.from_batches(care().to_batches(max_chunksize=17))

    assert tables.content_hash(care()) == write.facts.content_sha256
    assert tables.content_hash(in_pieces) == write.facts.content_sha256
    assert tables.content_hash(care().slice(1)) != write.facts.content_sha256
    assert tables.content_hash(care().take(list(reversed(range(1000))))) != (
        write.facts.content_sha256
    )


_CELLS: list[tuple[list[Any], list[Any]]] = [
    (["a", "bc"], ["ab", "c"]),
    (["", None], [None, ""]),
    ([0, None], [None, 0]),
    ([1, 2], ["1", "2"]),
]


@pytest.mark.parametrize(("one", "other"), _CELLS)
def test_tables_that_differ_hash_differently(
    tables: TableFiles, one: list[Any], other: list[Any]
) -> None:
    assert tables.content_hash(pa.table({"a": one})) != tables.content_hash(pa.table({"a": other}))


def test_the_content_hash_never_changes(tables: TableFiles) -> None:
    assert tables.content_hash(care(10)) == (
        "0ac988ddcf9f3113511c680c10d6c9fa1e625b7ab08c499dce67efaf6c7990fd"
    )


def naive_block(column: pa.ChunkedArray, kind: str) -> bytes:
    """One block of one column, cell by cell."""
    if kind == "date":
        column = column.cast(pa.int32())
    if kind in {"integer", "moment"}:
        column = column.cast(pa.int64())
    cells = column.to_pylist()
    if kind == "decimal":
        cells = [None if cell is None else str(cell) for cell in cells]
    cells = [cell.encode() if isinstance(cell, str) else cell for cell in cells]
    there = {cell for cell in cells if cell is not None}
    if kind != "fraction" and len({*cells[:16_384]} - {None}) <= 4096:
        values = sorted(there)
        size = 1 if len(values) < 256 else 2 if len(values) < 65_536 else 4
        places = {cell: n for n, cell in enumerate(values)} | {None: len(values)}
        return (
            b"values"
            + len(values).to_bytes(4, "little")
            + naive_cells(values, kind)
            + b"".join(places[cell].to_bytes(size, "little") for cell in cells)
        )
    return b"cells" + bytes(cell is not None for cell in cells) + naive_cells(cells, kind)


def naive_cells(cells: list[Any], kind: str) -> bytes:
    if kind in {"text", "bytes", "decimal"}:
        bodies = [cell or b"" for cell in cells]
        return b"".join(len(body).to_bytes(4, "little") for body in bodies) + b"".join(bodies)
    return b"".join(struct.pack("<d" if kind == "fraction" else "<q", cell or 0) for cell in cells)


def naive_content_hash(table: pa.Table) -> str:
    """The method's text, followed word by word; for tables of one block."""
    columns = []
    for name, kind in {
        "person": "bytes",
        "code": "text",
        "number": "integer",
        "amount": "decimal",
        "day": "date",
        "moment": "moment",
        "share": "fraction",
        "empty": "text",
    }.items():
        said = naive_block(table[name], kind) if table.num_rows else b""
        digest = hashlib.sha256(said).hexdigest()
        columns.append({"kind": kind, "name": name, "sha256": digest})
    body = {"columns": columns, "format": "havre/v2/content", "rows": table.num_rows}
    spelled = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
    return hashlib.sha256(spelled).hexdigest()


@pytest.mark.parametrize("rows", [0, 1, 1000, 20_000])
def test_the_content_hash_is_the_published_method(tables: TableFiles, rows: int) -> None:
    assert tables.content_hash(care(rows)) == naive_content_hash(care(rows))


def long_texts(rows: int = 200) -> pa.Table:
    """One text of a mebibyte in all rows, beside a short one: 96 rows are a block."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * 2**20])
    return pa.table({"code": pa.array([f"c{n}" for n in range(rows)]), "empty": text})


def test_a_block_of_long_texts_ends_before_its_rows_do(tables: TableFiles) -> None:
    digests = {
        name: hashlib.sha256(
            b"".join(
                naive_block(long_texts()[name][a:b], "text")
                for a, b in [(0, 96), (96, 192), (192, 200)]
            )
        ).hexdigest()
        for name in ("code", "empty")
    }
    columns = [{"kind": "text", "name": name, "sha256": digests[name]} for name in digests]
    body = {"columns": columns, "format": "havre/v2/content", "rows": 200}
    spelled = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
    in_pieces = pa.Table.from_batches(long_texts().to_batches(max_chunksize=60))
    write = tables.write(long_texts(), key=KEY)
    list(write)

    assert tables.content_hash(long_texts()) == hashlib.sha256(spelled).hexdigest()
    assert tables.content_hash(in_pieces) == hashlib.sha256(spelled).hexdigest()
    assert write.facts.content_sha256 == hashlib.sha256(spelled).hexdigest()


def test_years_part_a_table_without_losing_a_row(tables: TableFiles) -> None:
    table = pa.table(
        {
            "day": [date(2021, 5, 1), None, date(1600, 1, 1), date(2023, 1, 1), date(2021, 1, 1)],
            "n": [1, 2, 3, 4, 5],
        }
    )

    parts = [
        (year, pa.table(part)) for year, part in tables.split_by_year(table, year_column="day")
    ]

    assert [(year, part["n"].to_pylist()) for year, part in parts] == [
        (0, [2, 3]),
        (2021, [1, 5]),
        (2023, [4]),
    ]


@pytest.mark.parametrize(
    "cells",
    [["2021", "202103", "", None], [2021, 202103, 0, None], ["2021-02-01", "2021", "x", None]],
)
def test_a_year_is_found_in_texts_and_numbers(tables: TableFiles, cells: list[Any]) -> None:
    parts = tables.split_by_year(pa.table({"year": cells}), year_column="year")

    assert [(year, pa.table(part).num_rows) for year, part in parts] == [(0, 2), (2021, 2)]


def test_a_table_without_a_year_column_is_of_year_0(tables: TableFiles) -> None:
    parts = tables.split_by_year(care(3), year_column=None)

    assert [(year, pa.table(part).num_rows) for year, part in parts] == [(0, 3)]


def test_a_table_without_rows_is_one_file_or_none(tables: TableFiles) -> None:
    whole = list(tables.split_by_year(care(0), year_column=None))

    assert [(year, pa.table(part).schema) for year, part in whole] == [(0, care(0).schema)]
    assert list(tables.split_by_year(care(0), year_column="day")) == []


def test_a_type_the_lake_does_not_hold_is_named(tables: TableFiles) -> None:
    with pytest.raises(InvalidInput, match="nested"):
        written(tables, pa.table({"nested": [[1, 2]], "fine": [1]}))


def test_a_key_of_another_length_is_a_mistake_of_the_caller(tables: TableFiles) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tables.write(care(), key=b"short")


def test_a_source_that_fails_half_way_fails_the_write(tables: TableFiles) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield care(5).to_batches()[0]
        raise RuntimeError

    stream = pa.RecordBatchReader.from_batches(care(5).schema, batches())

    with pytest.raises((RuntimeError, pa.ArrowException)):
        written(tables, stream)
