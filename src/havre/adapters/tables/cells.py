"""What a cell is, whatever tool it came from: one Arrow type for each kind of value.

Three tools spell one text column in three Arrow types. Here they become one, so
that a file's bounds and the hash of its content depend on the cells alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from havre.errors import InvalidInput
from havre.formats.canonical import encode_canonical
from havre.formats.manifest import ColumnBounds
from havre.streams import refusals_heard
from havre.values import Digest, TableStream

T = TypeVar("T")

# Rows of one row group: DuckDB's default, and the block of the content hash.
BLOCK_ROWS = 245_760

# A longer text has no bounds: half a sentence helps nobody to choose a file.
_MAX_BOUND_CHARACTERS = 64


def lake_schema(schema: pa.Schema) -> pa.Schema:
    """Choose the Arrow type in which the lake keeps each column.

    Raises:
        InvalidInput: naming the columns whose type the lake does not hold.
    """
    kept = {field.name: _lake_type(field.type) for field in schema}
    if len(kept) != len(schema):
        raise InvalidInput("Two columns of a table have one name.")
    if foreign := [name for name, kind in kept.items() if kind is None]:
        raise InvalidInput(f"The lake does not hold the type of: {', '.join(foreign)}.")
    return pa.schema([pa.field(name, kind) for name, kind in kept.items()])


def read_blocks(
    stream: TableStream, *, rows: int = BLOCK_ROWS
) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Read a stream as tables of exactly `rows` rows, the last with fewer, in lake types."""
    reader = pa.RecordBatchReader.from_stream(stream)
    schema = lake_schema(reader.schema)
    return schema, read_ahead(_blocks(reader, schema, rows=rows))


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Read the next item on a thread of its own while the last is worked on.

    Two items are in memory at a time; what fails there fails here.
    """
    with ThreadPoolExecutor(max_workers=1) as ahead:
        waiting = ahead.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = ahead.submit(next, items, None)
            yield item


def _blocks(reader: pa.RecordBatchReader, schema: pa.Schema, *, rows: int) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    count = 0
    for batch in _heard(reader):
        rest = pa.Table.from_batches([batch])
        rest = rest if rest.schema.equals(schema) else rest.cast(schema)
        while count + rest.num_rows >= rows:
            taken = rest.slice(0, rows - count)
            yield pa.concat_tables([*waiting, taken])
            rest, waiting, count = rest.slice(taken.num_rows), [], 0
        if rest.num_rows:
            waiting.append(rest)
            count += rest.num_rows
    if waiting:
        yield pa.concat_tables(waiting)


def _heard(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    with refusals_heard():
        yield from reader


def _lake_type(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_dictionary(kind):
        return _lake_type(kind.value_type)
    if types.is_null(kind) or _is_text(kind):
        return pa.string()
    if types.is_date(kind):
        return pa.date32()
    if types.is_timestamp(kind):
        return pa.timestamp("us", tz=kind.tz)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return pa.binary()
    as_it_is = (
        types.is_integer,
        types.is_boolean,
        types.is_fixed_size_binary,
        types.is_float64,
        types.is_decimal128,
    )
    return kind if any(check(kind) for check in as_it_is) else None


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


class BoundsCounter:
    """Counts rows, and each column's bounds, block by block."""

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = 0
        self._kinds = {field.name: field.type for field in schema}
        self._spans: dict[str, list[Any]] = {name: [] for name in self._kinds}
        self._nulls = dict.fromkeys(self._kinds, 0)

    def add(self, block: pa.Table) -> None:
        """Count one block."""
        self.rows += block.num_rows
        for name, kind in self._kinds.items():
            column = block[name]
            self._nulls[name] += column.null_count
            if _has_order(kind):
                span = pc.min_max(column).as_py()
                self._spans[name] += [cell for cell in span.values() if cell is not None]

    def bounds(self) -> dict[str, ColumnBounds]:
        """Tell what was counted, by column."""
        return {
            name: ColumnBounds(*_spelled_span(self._spans[name]), nulls=self._nulls[name])
            for name in self._kinds
        }


def _has_order(kind: pa.DataType) -> bool:
    types = pa.types
    checks = (
        types.is_integer,
        types.is_string,
        types.is_date,
        types.is_timestamp,
        types.is_decimal,
    )
    return any(check(kind) for check in checks)


def _spelled_span(cells: list[Any]) -> tuple[str | None, str | None]:
    if not cells:
        return None, None
    spelled = _spelled(min(cells)), _spelled(max(cells))
    if any(len(text) > _MAX_BOUND_CHARACTERS for text in spelled):
        return None, None
    return spelled


def _spelled(cell: Any) -> str:
    if isinstance(cell, date | datetime):
        return cell.isoformat()
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


class ContentHash:
    """The hash `havre/v1/content` of a table's cells, in their order.

    Per column a SHA-256 over blocks of 245,760 rows: one byte per row (1 for a
    cell, 0 for none); then, for text, bytes and decimals (as text), the lengths
    as little-endian 32-bit integers and all the bytes; for other kinds one
    little-endian 64-bit number per row (integers and truth values; days since
    1970 for dates, microseconds for moments; IEEE 754 for fractions), 0 for none.
    The result is the SHA-256 of the canonical JSON of names, kinds, column hashes
    and the number of rows. Integer widths and batch sizes change nothing.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._columns = {field.name: (_kind(field.type), hashlib.sha256()) for field in schema}
        self._rows = 0

    def add(self, block: pa.Table) -> None:
        """Hash one block; all but the last have 245,760 rows."""
        self._rows += block.num_rows
        for name, (kind, digest) in self._columns.items():
            cells = block[name].combine_chunks()
            if isinstance(cells, pa.ChunkedArray):
                cells = pa.concat_arrays(cells.chunks)
            digest.update(_presence(cells))
            for piece in _cell_bytes(cells, kind):
                digest.update(piece)

    def digest(self) -> Digest:
        """Close the hash."""
        body = encode_canonical(
            {
                "columns": [
                    {"kind": kind, "name": name, "sha256": digest.hexdigest()}
                    for name, (kind, digest) in self._columns.items()
                ],
                "format": "havre/v1/content",
                "rows": self._rows,
            }
        )
        return Digest(hashlib.sha256(body).hexdigest())


def _kind(kind: pa.DataType) -> str:
    types = pa.types
    names = {
        "text": types.is_string,
        "date": types.is_date,
        "moment": types.is_timestamp,
        "fraction": types.is_float64,
        "decimal": types.is_decimal128,
        "bytes": lambda kind: types.is_binary(kind) or types.is_fixed_size_binary(kind),
    }
    return next((name for name, check in names.items() if check(kind)), "integer")


def _presence(cells: pa.Array) -> bytes:
    if not cells.null_count:
        return b"\x01" * len(cells)
    return np.asarray(pc.is_valid(cells).cast(pa.uint8())).tobytes()


def _cell_bytes(cells: pa.Array, kind: str) -> Iterator[Any]:
    if kind in {"text", "bytes", "decimal"}:
        variable = pa.binary() if kind == "bytes" else pa.string()
        text = cells if cells.type == variable else cells.cast(variable)
        if text.null_count:
            text = pc.fill_null(text, b"" if kind == "bytes" else "")
        offsets = np.frombuffer(text.buffers()[1], np.int32)[text.offset :][: len(text) + 1]
        yield np.diff(offsets).astype("<u4", copy=False).data
        if text.buffers()[2] is not None:
            yield memoryview(text.buffers()[2])[int(offsets[0]) : int(offsets[-1])]
        return
    if kind == "date":
        cells = cells.cast(pa.int32())
    numbers = cells.cast(pa.float64() if kind == "fraction" else pa.int64())
    if numbers.null_count:
        numbers = pc.fill_null(numbers, 0)
    yield np.asarray(numbers).astype("<f8" if kind == "fraction" else "<i8", copy=False).data
