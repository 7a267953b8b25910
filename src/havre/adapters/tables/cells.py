"""What a cell is, whatever tool it came from: one Arrow type for each kind of value.

Three tools spell one text column in three Arrow types. Here they become one, so
that a file's bounds and the hash of its content depend on the cells alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from havre.errors import InvalidInput
from havre.formats.manifest import ColumnBounds
from havre.streams import refusals_heard
from havre.values import TableStream

T = TypeVar("T")

# Most dictionaries are seen to be in use by a few rows.
_LOOKED_AT_ROWS = 8192

# Rows of one row group: DuckDB's default, and the block of the content hash.
BLOCK_ROWS = 245_760

# With the row that brings its texts up to this, a block ends: so it does for the content hash.
BLOCK_TEXT_BYTES = 100_000_000

# Above this a run of rows is cut, however few they are: memory stays bounded for wide tables.
_MAX_PART_BYTES = 160 * 1024 * 1024

# A longer text has no bounds: half a sentence helps nobody to choose a file.
_MAX_BOUND_CHARACTERS = 64


def lake_schema(schema: pa.Schema) -> pa.Schema:
    """Choose the Arrow type in which the lake keeps each column.

    What comes as dictionaries stays so on its way: the file's own type is `plain_schema`.

    Raises:
        InvalidInput: naming the columns whose type the lake does not hold.
    """
    kept = {field.name: _lake_type(field.type) for field in schema}
    if len(kept) != len(schema):
        raise InvalidInput("Two columns of a table have one name.")
    if foreign := [name for name, kind in kept.items() if kind is None]:
        raise InvalidInput(f"The lake does not hold the type of: {', '.join(foreign)}.")
    return pa.schema([pa.field(name, kind) for name, kind in kept.items()])


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The types of the cells themselves, where some columns are dictionaries."""
    return pa.schema([pa.field(field.name, value_type(field.type)) for field in schema])


def whole_block(block: pa.Table) -> pa.RecordBatch:
    """Make one array of each column.

    Where it is encoded, its dictionary has each value of the block once, no other and no
    null: what a file keeps of a value must not outlive the rows that had it.
    """
    columns = [_whole(block[name]) for name in block.column_names]
    return pa.RecordBatch.from_arrays(columns, schema=block.schema)


def decoded(cells: pa.Array) -> pa.Array:
    """The cells one for each row, if they are encoded."""
    if not pa.types.is_dictionary(cells.type):
        return cells
    return pc.take(cells.dictionary, cells.indices, boundscheck=False)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if not pa.types.is_dictionary(column.type):
        return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
    chunks = column.chunks
    if len(chunks) > 1:
        # Dictionaries are put together by their values; a null among them is none.
        chunks = [_used_alone(each) if each.dictionary.null_count else each for each in chunks]
    cells = _used_alone(chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks))
    values = cells.dictionary
    if len(values.unique()) < len(values):
        again = values.dictionary_encode()
        moved = pc.take(again.indices, cells.indices, boundscheck=False)
        cells = pa.DictionaryArray.from_arrays(moved, again.dictionary)
    return cells


def _used_alone(cells: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same cells, with a dictionary of what stands in some row."""
    values, indices = cells.dictionary, cells.indices
    there = (indices.drop_null() if indices.null_count else indices).to_numpy()
    used = np.zeros(len(values), np.bool_)
    for at in range(0, len(there), _LOOKED_AT_ROWS):
        used |= np.bincount(there[at : at + _LOOKED_AT_ROWS], minlength=len(values)) > 0
        if used.all():
            break
    if values.null_count:
        used &= values.is_valid().to_numpy(zero_copy_only=False)
    if used.all():
        return cells
    moved = pa.array(np.cumsum(used, dtype=np.int32) - 1, pa.int32(), mask=~used)
    again = pc.take(moved, indices, boundscheck=False)
    return pa.DictionaryArray.from_arrays(again, values.filter(pa.array(used)))


def read_blocks(
    stream: TableStream, *, rows: int = BLOCK_ROWS
) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Read a stream as tables of exactly `rows` rows, the last with fewer, in lake types.

    Wide tables are cut earlier: a block by its texts (`BLOCK_TEXT_BYTES`), what is more than a
    block by what it takes in memory.
    """
    reader = pa.RecordBatchReader.from_stream(stream)
    schema = lake_schema(reader.schema)
    return schema, read_ahead(_blocks(reader, schema, rows=rows))


class _Block:
    """Rows that wait until they are a whole block, or a whole run of blocks."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._begin()

    def _begin(self) -> None:
        self.count = 0
        self.is_full = False
        self._pieces: list[pa.Table] = []
        # What the texts take at most; exactly, of as many of the pieces as were looked at.
        self._most_bytes = self._text_bytes = self._looked_at = 0

    def add(self, rows: pa.Table) -> int:
        """Take as many of the rows as belong to it; returns how many."""
        taken = rows.slice(0, self._rows - self.count)
        if self._rows <= BLOCK_ROWS:
            taken = self._up_to_the_limit(taken)
        self._pieces.append(taken)
        self.count += taken.num_rows
        self.is_full |= self.count == self._rows or (
            self._rows > BLOCK_ROWS and sum(each.nbytes for each in self._pieces) > _MAX_PART_BYTES
        )
        return int(taken.num_rows)

    def take(self) -> pa.Table:
        """Give the rows, and begin the next block."""
        whole = pa.concat_tables(self._pieces)
        self._begin()
        return whole

    def _up_to_the_limit(self, rows: pa.Table) -> pa.Table:
        self._most_bytes += _most_text_bytes(rows)
        if self._most_bytes < BLOCK_TEXT_BYTES:
            return rows
        for piece in self._pieces[self._looked_at :]:
            self._text_bytes += int(_text_bytes(piece).sum())
        sizes = self._text_bytes + np.cumsum(_text_bytes(rows))
        ends = np.flatnonzero(sizes >= BLOCK_TEXT_BYTES)
        if len(ends):
            self.is_full = True
            return rows.slice(0, int(ends[0]) + 1)
        self._looked_at = len(self._pieces) + 1
        self._most_bytes = self._text_bytes = int(sizes[-1])
        return rows


def _texts(rows: pa.Table) -> Iterator[pa.Array]:
    for column in rows.columns:
        if _is_spelled(value_type(column.type)):
            yield from column.chunks


def _most_text_bytes(rows: pa.Table) -> int:
    """What the texts of some rows take at most, found without a look at each."""
    most = 0
    for cells in _texts(rows):
        if not pa.types.is_dictionary(cells.type):
            most += cells.nbytes
        elif len(cells):
            longest = pc.max(pc.binary_length(cells.dictionary)).as_py() or 0
            most += longest * len(cells)
    return most


def _text_bytes(rows: pa.Table) -> npt.NDArray[np.int64]:
    """What the texts of each row take; nothing where there is none."""
    total = np.zeros(rows.num_rows, np.int64)
    for column in rows.columns:
        if _is_spelled(value_type(column.type)):
            total += np.concatenate([_lengths(cells) for cells in column.chunks])
    return total


def _lengths(cells: pa.Array) -> npt.NDArray[np.int64]:
    values = cells.dictionary if pa.types.is_dictionary(cells.type) else cells
    lengths = pc.binary_length(values)
    if values is not cells:
        lengths = pc.take(lengths, cells.indices, boundscheck=False)
    return np.asarray(pc.fill_null(lengths, 0)).astype(np.int64)


def _is_spelled(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


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
    waiting = _Block(rows)
    for batch in _heard(reader):
        rest = pa.Table.from_batches([batch])
        rest = rest if rest.schema.equals(schema) else _cast(rest, schema)
        while rest.num_rows:
            rest = rest.slice(waiting.add(rest))
            if waiting.is_full:
                yield waiting.take()
    if waiting.count:
        yield waiting.take()


def _heard(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    with refusals_heard():
        yield from reader


def _cast(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        column if column.type.equals(field.type) else _as_plain(column).cast(field.type)
        for column, field in zip(rows.columns, schema, strict=True)
    ]
    return pa.table(columns, schema=schema)


def _as_plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([decoded(chunk) for chunk in column.chunks], value_type(column.type))


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of the cells themselves, where a column is dictionaries."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _lake_type(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_dictionary(kind):
        values = _lake_type(kind.value_type)
        stays = kind.value_type.equals(values) and types.is_int32(kind.index_type)
        return pa.dictionary(pa.int32(), values) if stays else values
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
        """Count columns of these types, each as cells or as dictionaries of them."""
        self.rows = 0
        self._kinds = {field.name: value_type(field.type) for field in schema}
        self._spans: dict[str, list[Any]] = {name: [] for name in self._kinds}
        self._nulls = dict.fromkeys(self._kinds, 0)

    def add(self, block: pa.RecordBatch) -> None:
        """Count one block, made by `whole_block`."""
        self.rows += block.num_rows
        for name, kind in self._kinds.items():
            cells = block[name]
            self._nulls[name] += cells.null_count
            if _has_order(kind):
                values = cells.dictionary if pa.types.is_dictionary(cells.type) else cells
                span = pc.min_max(values).as_py()
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
