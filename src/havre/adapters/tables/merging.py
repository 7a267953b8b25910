"""Merging table files with Arrow and Polars: sampled cuts, then range after range in memory.

An external merge sort would put sorted runs on a disk, in clear. Here the parts are
read again instead, once for each file of the result that they may have rows for. What
arrives month by month and is sorted by month overlaps little.

Keys of the order are compared as Polars has them, an empty cell as the least value of
its type: where that makes two cells alike, they lie side by side and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import ceil
from typing import Any

import polars as pl
import polars_hash as plh
import pyarrow as pa

from havre.adapters.tables.cells import BLOCK_ROWS, read_blocks
from havre.ports.merging import NO_ROWS, RowPart, RowSum
from havre.ports.tables import MAX_FILE_ROWS
from havre.values import TableStream

# What a file of the result is to have, about a million: larger ones are fewer, and a month of
# care opens more of them (`benchmarks/selective.py`). Twice as many fit, when a sample was off.
TARGET_ROWS = 4 * BLOCK_ROWS
# Sampled rows for each file of the result: its size is then off by a tenth at most, nearly always.
_SAMPLED = 1024
_LEAST_DATE, _LEAST_NUMBER = -(2**31), -(2**63)
# Four numbers of 32 bits: their sums over two million rows are exact in 64.
_WORDS, _WORD_DIGITS = 4, 8


class ArrowMerger:
    """`ports.merging.RowMerger`."""

    def __init__(self, *, target_rows: int = TARGET_ROWS) -> None:
        self._target_rows = target_rows

    def survey(
        self, parts: Sequence[RowPart], *, order: Sequence[str], key: bytes
    ) -> Sequence[Merged]:
        """Read all parts once."""
        step = max(1, sum(part.rows for part in parts) // self._sampled(parts))
        shapes: dict[Any, Merged] = {}
        for place, part in enumerate(parts):
            with part.opening() as rows:
                schema, blocks = read_blocks(rows)
                merged = shapes.setdefault(
                    schema.serialize().to_pybytes(),
                    Merged(schema, _ordered(schema, order), self._target_rows),
                )
                merged.add(place, part, blocks, step=step, key=key)
        return list(shapes.values())

    def row_sum(self, stream: TableStream, *, key: bytes) -> RowSum:
        """Sum the rows up."""
        _, blocks = read_blocks(stream)
        return sum((_row_sum(block, key=key) for block in blocks), NO_ROWS)

    def _sampled(self, parts: Sequence[RowPart]) -> int:
        return _SAMPLED * max(1, ceil(sum(part.rows for part in parts) / self._target_rows))


@dataclass
class Merged:
    """`ports.merging.MergedRows`."""

    schema: Any
    order: Sequence[str]
    target_rows: int
    read: RowSum = NO_ROWS
    parts: list[int] = field(default_factory=list)
    _files: list[_File] = field(default_factory=list)
    _sample: list[pl.DataFrame] = field(default_factory=list)

    def add(
        self, place: int, part: RowPart, blocks: Iterator[Any], *, step: int, key: bytes
    ) -> None:
        """Count one part."""
        least: list[Any] = []
        most: list[Any] = []
        for block in blocks:
            self.read += _row_sum(block, key=key)
            if self.order:
                keys = _keys(block, self.order)
                self._sample.append(keys.gather_every(step))
                least.append(keys[self.order[0]].min())
                most.append(keys[self.order[0]].max())
        self.parts.append(place)
        self._files.append(_File(part, min(least, default=None), max(most, default=None)))

    def __iter__(self) -> Iterator[TableStream]:
        """Sort range after range."""
        if not self.order:
            yield from self._as_they_come()
            return
        cuts = self._cuts()
        for low, high in zip([None, *cuts], [*cuts, None], strict=True):
            taken = list(self._between(low, high))
            if not taken:
                continue
            rows = pa.concat_tables(taken)
            taken.clear()
            places = _keys(rows, self.order).select(_places(self.order)).to_series()
            rows = rows.take(places.to_arrow())
            for start in range(0, rows.num_rows, MAX_FILE_ROWS):
                yield rows.slice(start, MAX_FILE_ROWS)

    def _cuts(self) -> list[tuple[Any, ...]]:
        """The keys at which one file of the result ends and the next begins."""
        count = ceil(self.read.rows / self.target_rows)
        sample = pl.concat(self._sample).sort(self.order) if self._sample else pl.DataFrame()
        step = len(sample) / max(1, count)
        rows = [sample.row(int(step * number)) for number in range(1, count)]
        return list(dict.fromkeys(rows))

    def _between(self, low: tuple[Any, ...] | None, high: tuple[Any, ...] | None) -> Iterator[Any]:
        for file in self._files:
            if not file.may_hold(low, high):
                continue
            with file.part.opening() as rows:
                for block in read_blocks(rows)[1]:
                    within = _within(self.order, low, high)
                    kept = _keys(block, self.order).select(within).to_series()
                    if kept.any():
                        yield block.filter(kept.to_arrow())

    def _as_they_come(self) -> Iterator[TableStream]:
        waiting: list[Any] = []
        for block in chain.from_iterable(map(_blocks_of, self._files)):
            if sum(each.num_rows for each in waiting) + block.num_rows > MAX_FILE_ROWS:
                yield pa.concat_tables(waiting)
                waiting = []
            waiting.append(block)
        if waiting:
            yield pa.concat_tables(waiting)


@dataclass(frozen=True, slots=True)
class _File:
    """A part, and the least and the greatest key of the first column, or null of no row."""

    part: RowPart
    least: Any
    most: Any

    def may_hold(self, low: tuple[Any, ...] | None, high: tuple[Any, ...] | None) -> bool:
        if self.least is None:
            return False
        return (low is None or self.most >= low[0]) and (high is None or self.least <= high[0])


def _blocks_of(file: _File) -> Iterator[Any]:
    with file.part.opening() as rows:
        yield from read_blocks(rows)[1]


def _ordered(schema: pa.Schema, order: Sequence[str]) -> list[str]:
    """Which of the columns are there and have an order."""
    types = pa.types
    checks = (
        types.is_string,
        types.is_date,
        types.is_timestamp,
        types.is_integer,
        types.is_binary,
        types.is_fixed_size_binary,
    )
    named = dict.fromkeys(name for name in order if name in schema.names)
    return [name for name in named if any(check(schema.field(name).type) for check in checks)]


def _keys(block: pa.Table, order: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame([_key(block[name], name) for name in order])


def _key(cells: pa.ChunkedArray, name: str) -> pl.Series:
    kind = cells.type
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_binary(kind):
        return pl.Series(name, cells.cast(pa.large_binary())).fill_null(b"")
    if pa.types.is_string(kind):
        return pl.Series(name, cells).fill_null("")
    if pa.types.is_date(kind):
        return pl.Series(name, cells).to_physical().fill_null(_LEAST_DATE)
    return pl.Series(name, cells).to_physical().cast(pl.Int64).fill_null(_LEAST_NUMBER)


def _places(order: Sequence[str]) -> pl.Expr:
    return pl.arg_sort_by(list(order), maintain_order=True)


def _within(
    order: Sequence[str], low: tuple[Any, ...] | None, high: tuple[Any, ...] | None
) -> pl.Expr:
    """Rows from `low` on, and before `high`, by all columns of the order one after the other."""
    within = pl.repeat(value=True, n=pl.len())
    if low is not None:
        within &= ~_before(order, low)
    if high is not None:
        within &= _before(order, high)
    return within.alias("within")


def _before(order: Sequence[str], key: tuple[Any, ...]) -> pl.Expr:
    *rest, last = list(zip(order, key, strict=True))
    before = pl.col(last[0]) < pl.lit(last[1])
    for name, value in reversed(rest):
        before = (pl.col(name) < pl.lit(value)) | ((pl.col(name) == pl.lit(value)) & before)
    return before


def _row_sum(block: pa.Table, *, key: bytes) -> RowSum:
    """Sum up a block: HMAC-SHA-256 of each row's cells, each with its length before it."""
    if not block.num_rows:
        return NO_ROWS
    cells = pl.DataFrame(
        [_spelled(block[name], str(n)) for n, name in enumerate(block.column_names)]
    )
    named = [
        pl.when(pl.col(name).is_null())
        .then(pl.lit("-"))
        .otherwise(pl.concat_str(pl.col(name).str.len_bytes(), pl.lit(":"), pl.col(name)))
        for name in cells.columns
    ]
    rows = cells.select(pl.concat_str(named).alias("row"))
    digest = plh.col("row").chash.hmac_sha256(key=key.hex())
    words = rows.select(digest.alias("digest")).select(
        pl.col("digest")
        .str.slice(_WORD_DIGITS * n, _WORD_DIGITS)
        .str.to_integer(base=16, dtype=pl.UInt64)
        .sum()
        .alias(str(n))
        for n in range(_WORDS)
    )
    total = 0
    for word in words.row(0):
        total = (total << 32) + word
    return RowSum(block.num_rows, total % 2**128)


def _spelled(cells: pa.ChunkedArray, name: str) -> pl.Series:
    if pa.types.is_fixed_size_binary(cells.type) or pa.types.is_binary(cells.type):
        return pl.Series(name, cells.cast(pa.large_binary())).bin.encode("hex")
    return pl.Series(name, cells).cast(pl.String)
