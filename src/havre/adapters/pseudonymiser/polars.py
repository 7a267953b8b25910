"""Pseudonyms of whole columns with polars-hash.

Every distinct value is hashed once and put back by its place, because a person
stands in thousands of rows. The HMAC runs in Rust, at more than half the rate
of `openssl speed` (`benchmarks/pseudonyms.py`), where a Python loop does 4 %.

DuckDB could do the same in SQL, but then the key would stand in a query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import polars as pl
import polars_hash as plh
import pyarrow as pa
import pyarrow.compute as pc

from havre.crypto.nir import NIR_PATTERN
from havre.crypto.pseudonym_labels import (
    PSEUDONYM_CHARACTERS,
    PSEUDONYM_PATTERN,
    ROW_ORDER,
    SENTINEL_PATTERN,
    hmac_key,
)
from havre.errors import InvalidInput
from havre.ports.pseudonymiser import Form, HashedColumn, Reading
from havre.streams import kept, refusals_heard
from havre.values import TableStream

# 60 bits of the HMAC order the rows: among 10⁶ of them a tie has odds of 1 in 2 million,
# and which of two different rows then comes first says nothing.
_ORDER_DIGITS = 15

# What is hashed at once: bounds memory, and is large enough for repeats to show.
_BLOCK_ROWS, _BLOCK_BYTES = 250_000, 2**26

# Looking for repeats costs half as much as hashing: not done where there are none.
_JUDGED_ROWS, _MOSTLY_DISTINCT = 20_000, 0.95

# Separate the cells of one row in what is hashed together; neither stands in a
# cell of a delimited file, where a NUL or a control character is set aside.
_CELL_END, _EMPTY = "\x1f", "\x00"


class PolarsPseudonymiser:
    """`ports.pseudonymiser.Pseudonymiser` with polars-hash."""

    def hash_columns(
        self,
        stream: TableStream,
        *,
        columns: Sequence[HashedColumn],
        plain: AbstractSet[str],
        secret: bytes,
    ) -> HashedBlocks:
        """Hash block by block, as the result is read."""
        reader = pa.RecordBatchReader.from_stream(stream)
        named = {column.column for column in columns}
        if unknown := sorted(set(reader.schema.names) - named - plain):
            raise InvalidInput(f"No treatment is declared for: {', '.join(unknown)}.")
        present = [column for column in columns if column.column in reader.schema.names]
        companions = {name for column in present for name in (column.birth, column.sex) if name}
        if missing := sorted(companions - set(reader.schema.names)):
            raise InvalidInput(f"The table lacks: {', '.join(missing)}.")
        return HashedBlocks(reader, present, key=hmac_key(secret))

    def shuffle_rows(self, stream: TableStream, *, secret: bytes) -> TableStream:
        """Sort by the HMAC of each row's text; equal rows are interchangeable."""
        key = hmac_key(secret)
        with refusals_heard():
            table = pa.table(stream)
        cells = [
            _order_text(table[name]).alias(str(n)) for n, name in enumerate(table.column_names)
        ]
        shuffled: TableStream = table
        if cells and table.num_rows:
            texts = pl.DataFrame(cells).select(
                pl.concat_str(pl.all().fill_null(_EMPTY), separator=_CELL_END).alias("cells")
            )
            digests = _hashed(texts["cells"], label=ROW_ORDER, key=key, characters=_ORDER_DIGITS)
            # As numbers they sort several times faster than as text, to the same order.
            order = digests.str.to_integer(base=16, dtype=pl.Int64).arg_sort()
            shuffled = table.take(order.to_arrow())
        return shuffled


class HashedBlocks:
    """`ports.pseudonymiser.HashedRows`: works while it is read."""

    def __init__(self, reader: Any, columns: Sequence[HashedColumn], *, key: str) -> None:
        self._reader = reader
        self._columns = {column.column: column for column in columns}
        self._key = key
        self._malformed = {column.column: 0 for column in columns}
        self.schema = pa.schema(
            [
                pa.field(field.name, _arrow_type(self._columns[field.name]))
                if field.name in self._columns
                else field
                for field in reader.schema
            ]
        )

    @property
    def malformed(self) -> Mapping[str, int]:
        """By column, cells that are neither empty nor a sentinel nor well formed."""
        return dict(self._malformed)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the hashed rows."""
        rows = pa.RecordBatchReader.from_batches(self.schema, kept(self._batches()))
        return rows.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        waiting: list[Any] = []
        for batch in self._reader:
            waiting.append(batch)
            rows = sum(part.num_rows for part in waiting)
            if rows >= _BLOCK_ROWS or sum(part.nbytes for part in waiting) >= _BLOCK_BYTES:
                yield from self._hash_block(pa.Table.from_batches(waiting))
                waiting = []
        if waiting:
            yield from self._hash_block(pa.Table.from_batches(waiting))

    def _hash_block(self, block: pa.Table) -> Sequence[pa.RecordBatch]:
        hashed = [
            self._hash_column(block, self._columns[name]) if name in self._columns else block[name]
            for name in block.column_names
        ]
        batches: Sequence[pa.RecordBatch] = pa.table(hashed, schema=self.schema).to_batches()
        return batches

    def _hash_column(self, block: pa.Table, column: HashedColumn) -> pa.ChunkedArray:
        encoded = _encoded(_cells(block, column).combine_chunks())
        distinct = pl.Series("value", encoded.dictionary, dtype=pl.String)
        nobody = _nobody(distinct, column)
        messages = _READERS[column.reading](distinct, column).set(nobody, None)
        malformed = _count(messages.is_null() & ~nobody, encoded.indices)
        if malformed and column.reading is Reading.PSEUDONYM:
            raise InvalidInput(
                f"{malformed} cells of {column.column} are not pseudonyms of the stage before.",
                hint="Let the holder deliver the table again.",
            )
        self._malformed[column.column] += malformed
        hashed = _hashed(
            messages, label=column.label, key=self._key, characters=PSEUDONYM_CHARACTERS
        )
        if column.form is Form.BYTES:
            hashed = hashed.str.decode("hex")
        return hashed.to_arrow().cast(_arrow_type(column)).take(encoded.indices)


def _hashed(messages: pl.Series, *, label: str, key: str, characters: int) -> pl.Series:
    frame = messages.alias("message").to_frame().with_columns(pl.lit(label) + pl.col("message"))
    digest = plh.col("literal").chash.hmac_sha256(key=key)
    return frame.select(digest.str.slice(0, characters).alias("hashed"))["hashed"]


def _cells(block: pa.Table, column: HashedColumn) -> Any:
    """Spell the cells that are hashed as one text each; empty where the cell is."""
    cells = block[column.column]
    if column.reading is Reading.NIR:
        parts = [cells, *(pc.fill_null(block[name], "") for name in (column.birth, column.sex))]
        return pc.binary_join_element_wise(*parts, _CELL_END)
    kind = cells.type
    if column.reading is Reading.PSEUDONYM and not _is_text(kind):
        spelled = pl.Series("bytes", cells.cast(pa.large_binary())).bin.encode("hex")
        return pa.chunked_array([spelled.to_arrow().cast(pa.large_string())])
    texts = pa.types.is_integer(kind) or pa.types.is_date32(kind) or _is_text(kind)
    if not texts:
        raise InvalidInput(f"Column {column.column} has a type without a canonical text.")
    return cells.cast(pa.large_string())


def _encoded(cells: Any) -> Any:
    """Part cells into distinct values and their places, unless hardly any repeats."""
    step = max(1, len(cells) // _JUDGED_ROWS)
    judged = cells.take(pa.array(np.arange(0, len(cells), step)))
    if len(judged.unique()) < _MOSTLY_DISTINCT * len(judged):
        return cells.dictionary_encode()
    places = np.arange(len(cells), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(places), cells)


def _is_text(kind: Any) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _read_nir(cells: pl.Series, _column: HashedColumn) -> pl.Series:
    parts = cells.to_frame("cell").select(
        pl.col("cell").str.split_exact(_CELL_END, 2).struct.rename_fields(["nir", "birth", "sex"])
    )
    number = pl.col("nir").str.slice(0, 13)
    whole = number.str.replace("2A", "19", literal=True).str.replace("2B", "18", literal=True)
    key = pl.col("nir").str.slice(13, 2).cast(pl.Int64, strict=False)
    well_formed = (
        _is_like("nir", NIR_PATTERN)
        & _is_like("birth", "[0-9]{8}")
        & _is_like("sex", "[0-9]")
        & (97 - whole.cast(pl.Int64, strict=False) % 97 == key)
    )
    message = pl.concat_str(number, "birth", "sex")
    read = (
        parts.unnest("cell")
        .with_columns(pl.col("nir").str.replace_all(" ", "", literal=True).str.to_uppercase())
        .select(pl.when(well_formed).then(message).alias("message"))
    )
    return read["message"]


def _read_foreign(cells: pl.Series, column: HashedColumn) -> pl.Series:
    trimmed = cells.str.strip_chars()
    if column.length is not None:
        trimmed = trimmed.set(trimmed.str.len_chars() > column.length, None)
    if column.pattern is not None:
        trimmed = trimmed.set(~trimmed.str.contains(f"^(?:{column.pattern})$"), None)
    return trimmed


def _read_pseudonym(cells: pl.Series, _column: HashedColumn) -> pl.Series:
    return cells.set(~cells.str.contains(f"^{PSEUDONYM_PATTERN}$"), None)


def _read_key(cells: pl.Series, _column: HashedColumn) -> pl.Series:
    return cells


_READERS: dict[Reading, Callable[[pl.Series, HashedColumn], pl.Series]] = {
    Reading.NIR: _read_nir,
    Reading.FOREIGN: _read_foreign,
    Reading.PSEUDONYM: _read_pseudonym,
    Reading.KEY: _read_key,
}


def _nobody(cells: pl.Series, column: HashedColumn) -> pl.Series:
    """Say which cells mean that there is no number, as `is_sentinel` does."""
    if column.reading not in {Reading.FOREIGN, Reading.NIR}:
        return cells.is_null()
    value = cells
    if column.reading is Reading.NIR:
        value = cells.str.split_exact(_CELL_END, 2).struct.field("field_0")
    value = value.str.strip_chars()
    nobody = value.str.contains(f"^{SENTINEL_PATTERN}$")
    if listed := [sentinel.strip().lower() for sentinel in column.sentinels]:
        nobody |= value.str.to_lowercase().is_in(listed)
    return nobody.fill_null(value=True)


def _is_like(name: str, pattern: str) -> pl.Expr:
    return pl.col(name).str.contains(f"^(?:{pattern})$")


def _count(flags: pl.Series, indices: Any) -> int:
    return int(pc.sum(flags.to_arrow().take(indices)).as_py() or 0)


def _order_text(column: Any) -> pl.Series:
    if pa.types.is_fixed_size_binary(column.type):
        column = column.cast(pa.binary())
    series = pl.Series("cell", column)
    if series.dtype == pl.Binary:
        return series.bin.encode("hex")
    return series.cast(pl.String)


def _arrow_type(column: HashedColumn) -> Any:
    if column.form is Form.BYTES:
        return pa.binary(PSEUDONYM_CHARACTERS // 2)
    return pa.string()
