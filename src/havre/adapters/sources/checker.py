"""From delivered text to checked values, column by column: `ports.sources.RowChecker`.

A row breaks with its first faulty column, and is set aside with the bytes it was
delivered with. Files are checked one by one, each in memory, or several that are small
together; keys that repeat are looked for in all of them before (`sources.keys`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa

from havre.adapters.sources.keys import KeysThatRepeat
from havre.domain.delivery import LINE_COLUMN, RowCount
from havre.domain.schema import Column, ColumnType, TableSchema, Treatment
from havre.ports.sources import DeliveredFile, SetAsideRow
from havre.streams import kept
from havre.values import TableStream

DUPLICATE = "duplicate key"
_DECIMAL_DIGITS = 18
_PERSON = frozenset({Treatment.NIR, Treatment.FOREIGN_PSEUDONYM})
_BROKEN = "_broken"

# Files of no more rows than this are read once and held together while their keys are
# compared; of more, the keys are read first. One file of the lake has about as many.
_TOGETHER_ROWS = 2_000_000
_NULL = pl.Series([None], dtype=pl.String)
_MONTH = "^(0[1-9]|1[0-2])$"
_YEARMONTH = "^[0-9]{4}(0[1-9]|1[0-2])$"
_YEAR = "^[0-9]{4}$"
_INTEGER = r"^[+-]?[0-9]+$"


# A file as text, piece by piece; its typed cells; and the rows whose key another row has.
_FileRead: TypeAlias = tuple[DeliveredFile, list[pa.Table], pl.DataFrame, pl.Series]


class ColumnChecker:
    """Checks files with Polars."""

    def check(
        self,
        files: Iterable[DeliveredFile],
        *,
        schema: TableSchema,
        progress: Callable[[int], None],
    ) -> CheckedFiles:
        """Check files of one table."""
        return CheckedFiles(tuple(files), schema, progress=progress)


class CheckedFiles:
    """`ports.sources.CheckedRows`: works while it is read."""

    def __init__(
        self,
        files: Sequence[DeliveredFile],
        schema: TableSchema,
        *,
        progress: Callable[[int], None],
    ) -> None:
        self._files = files
        self._schema = schema
        self._arrow = pa.schema([(each.name, _arrow_type(each)) for each in schema.columns])
        self._progress = progress
        self._rows = 0
        self.counts: dict[tuple[str, str], RowCount] = {}
        self.set_aside: list[SetAsideRow] = []

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows that keep every rule."""
        batches = (batch for _, rows in self._batches() for batch in rows)
        rows = pa.RecordBatchReader.from_batches(self._arrow, kept(batches))
        return rows.__arrow_c_stream__(requested_schema)

    def by_delivery(self) -> Iterator[tuple[str, TableStream]]:
        """Offer them delivery by delivery."""
        for delivery, files in groupby(self._batches(), key=itemgetter(0)):
            batches = (batch for _, rows in files for batch in rows)
            yield delivery, pa.RecordBatchReader.from_batches(self._arrow, kept(batches))

    def _batches(self) -> Iterator[tuple[str, list[pa.RecordBatch]]]:
        """Check file after file; what keeps every rule, with the delivery that it came with."""
        rules = _TableRules(self._schema)
        for file, texts, cells, twice in self._files_read(rules):
            broken = cells[_BROKEN] | twice
            delivered = _spelled(texts, broken)
            self._note(file, delivered, rules.reasons(delivered), received=len(cells))
            accepted = cells.filter(~broken).select(self._schema.column_names)
            yield file.delivery, accepted.to_arrow().cast(self._arrow).to_batches()

    def _files_read(self, rules: _TableRules) -> Iterator[_FileRead]:
        """Read file after file, and say of each row whether another has its key."""
        key = self._schema.primary_key
        if len(self._files) == 1 or sum(file.rows for file in self._files) <= _TOGETHER_ROWS:
            held = [(file, *self._read(file, rules)) for file in self._files]
            repeated = KeysThatRepeat(key, lambda: (cells for _, _, cells in held))
            while held:
                file, texts, cells = held.pop(0)
                yield file, texts, cells, repeated.rows_of(cells)
            return

        def keys() -> Iterator[pl.DataFrame]:
            for file in self._files:
                for text in _read_parts(file, columns=key):
                    yield rules.cast(text, key)

        repeated = KeysThatRepeat(key, keys)
        for file in self._files:
            texts, cells = self._read(file, rules)
            yield file, texts, cells, repeated.rows_of(cells)

    def _read(self, file: DeliveredFile, rules: _TableRules) -> tuple[list[pa.Table], pl.DataFrame]:
        """Read a file as text, part after part, and as typed cells, in the same order."""
        texts: list[pa.Table] = []
        cells: list[pl.DataFrame] = []
        for text in _read_parts(file):
            texts.append(text)
            cells.append(rules.cast(text))
            self._rows += text.num_rows
            self._progress(self._rows)
        return texts, pl.concat(cells, rechunk=False)

    def _note(
        self, file: DeliveredFile, broken: pl.DataFrame, reasons: pl.Series, *, received: int
    ) -> None:
        delivered = [
            pl.col(name).fill_null("")
            for name in broken.columns
            if name != LINE_COLUMN and name not in file.constants
        ]
        if len(broken):
            lines = broken.select(pl.concat_str(delivered, separator=file.delimiter)).to_series()
            for number, reason, line in zip(broken[LINE_COLUMN], reasons, lines, strict=True):
                self.set_aside.append(
                    SetAsideRow(file.delivery, file.path, int(number), reason, line.encode())
                )
        counts = {str(reason): count for reason, count in sorted(Counter(reasons).items())}
        self.counts[file.delivery, file.path] = RowCount(received, received - len(broken), counts)


def _read_parts(file: DeliveredFile, *, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read a file piece by piece, in order; the first piece of each part has no row."""
    for part in file.parts:
        with part(columns=columns) as rows:
            reader = pa.RecordBatchReader.from_stream(rows)
            yield reader.schema.empty_table()
            for batch in reader:
                yield pa.Table.from_batches([batch])


def _spelled(texts: Sequence[pa.Table], mask: pl.Series) -> pl.DataFrame:
    """Take some rows, as text, out of all parts of a file."""
    taken, at = [], 0
    for part in texts:
        rows = part.filter(mask.slice(at, part.num_rows).to_arrow())
        kinds = {field.name: getattr(field.type, "value_type", field.type) for field in rows.schema}
        taken.append(pl.DataFrame(rows.cast(pa.schema(kinds))))
        at += part.num_rows
    return pl.concat(taken)


class _TableRules:
    """A table's rules, each as an expression over the text of one column."""

    def __init__(self, schema: TableSchema) -> None:
        self._schema = schema
        self._columns = {column.name: _column_rules(column, schema) for column in schema.columns}

    def cast(self, texts: pa.Table, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Type cells, and say of each row whether it breaks a rule of a column.

        columns: those alone; null for all.
        """
        cells: list[pl.Series] = []
        broken = pl.repeat(value=False, n=texts.num_rows, eager=True)
        for name in self._columns if columns is None else columns:
            rules = self._columns[name]
            column = texts[name] if name in texts.column_names else pa.nulls(texts.num_rows)
            distinct, places = _distinct(column)
            judged = distinct.alias(name).to_frame().select(rules.cell, rules.broken)
            if places is not None and judged[_BROKEN].any():
                broken |= judged[_BROKEN].gather(places)
            elif places is None:
                broken |= judged[_BROKEN]
            cells.append(judged[name] if places is None else judged[name].gather(places))
        return pl.DataFrame([*cells, broken.alias(_BROKEN)])

    def reasons(self, texts: pl.DataFrame) -> pl.Series:
        """Name the first rule that each broken row breaks; one that breaks none has a twin."""
        named = [
            pl.when(broken).then(pl.lit(f"{rule} in {name}"))
            for name, rules in self._columns.items()
            for rule, broken in rules.faults
        ]
        absent = {name: pl.lit(None, pl.String) for name in self._columns if name not in texts}
        reason = pl.coalesce(*named, pl.lit(DUPLICATE))
        return texts.with_columns(**absent).select(reason.alias("reason"))["reason"]


def _distinct(column: Any) -> tuple[pl.Series, pl.Series | None]:
    """Part a column that repeats into its values and their places; no places for another.

    Whatever is asked of a text is then asked once of each value.
    """
    if not pa.types.is_dictionary(column.type):
        return pl.Series(column, dtype=pl.String), None
    encoded = column.combine_chunks()
    values = pl.Series(encoded.dictionary, dtype=pl.String)
    places = pl.Series(encoded.indices)
    if places.null_count():
        places, values = places.fill_null(len(values)), pl.concat([values, _NULL])
    return values, places


@dataclass(frozen=True, slots=True)
class _ColumnRules:
    """One column: its typed cell, the rules it may break, and whether it breaks one."""

    cell: pl.Expr
    faults: list[tuple[str, pl.Expr]]
    broken: pl.Expr


def _column_rules(column: Column, schema: TableSchema) -> _ColumnRules:
    spellings = list(schema.missing)
    text = pl.col(column.name)
    empty = text == spellings[0] if len(spellings) == 1 else text.is_in(spellings)
    cell, faults = _rules(pl.when(empty).then(None).otherwise(text), column)
    broken = pl.any_horizontal([broken for _, broken in faults] or [pl.lit(value=False)])
    return _ColumnRules(
        cell.alias(column.name), faults, broken.fill_null(value=False).alias(_BROKEN)
    )


_Rules = tuple[pl.Expr, list[tuple[str, pl.Expr]]]


def _rules(text: pl.Expr, column: Column) -> _Rules:
    """The typed cell, and the rules it may break, the first that counts first."""
    wrong: list[tuple[str, pl.Expr]] = []
    if column.required:
        wrong.append(("empty cell", text.is_null()))
    if column.treatment in _PERSON:
        # Stage 1 has been over it: its form is checked where the second stage is made.
        return text, wrong
    cell, broken = _CASTS[column.type](text, column)
    wrong.append(("wrong type", broken))
    if column.type is ColumnType.STRING and column.length is not None:
        wrong.append(("text too long", text.str.len_chars() > column.length))
    if column.values:
        wrong.append(("unknown value", ~text.is_in(list(column.values))))
    if column.pattern is not None:
        wrong.append(("unknown form", ~text.str.contains(f"^(?:{column.pattern})$")))
    return cell, wrong


_Cast = Callable[[pl.Expr, Column], tuple[pl.Expr, pl.Expr]]


def _string(text: pl.Expr, _column: Column) -> tuple[pl.Expr, pl.Expr]:
    return text, pl.lit(value=False)


def _integer(text: pl.Expr, _column: Column) -> tuple[pl.Expr, pl.Expr]:
    cell = text.cast(pl.Int64, strict=False)
    return cell, text.is_not_null() & (cell.is_null() | ~text.str.contains(_INTEGER))


def _decimal(text: pl.Expr, column: Column) -> tuple[pl.Expr, pl.Expr]:
    plain = rf"^[+-]?[0-9]+(\.[0-9]{{0,{column.scale}}}0*)?$"
    fits = text.str.contains(plain)
    cell = text.cast(pl.Decimal(_DECIMAL_DIGITS, column.scale), strict=False)
    return cell, text.is_not_null() & (cell.is_null() | ~fits)


def _date(text: pl.Expr, column: Column) -> tuple[pl.Expr, pl.Expr]:
    form = column.date_format
    timed = "%H" in form
    cell = (
        text.str.to_datetime(form, strict=False).dt.date()
        if timed
        else text.str.to_date(form, strict=False)
    )
    return cell, text.is_not_null() & (cell.is_null() | (text.str.len_bytes() != _width(form)))


def _moment(text: pl.Expr, column: Column) -> tuple[pl.Expr, pl.Expr]:
    cell = text.str.to_datetime(column.date_format, strict=False, time_unit="us")
    return cell, text.is_not_null() & cell.is_null()


def _width(form: str) -> int:
    """How many characters a date has in a format: a shorter one is misspelled."""
    return len(datetime(2000, 11, 22, 10, 11, 12).strftime(form))  # noqa: DTZ001 - a form, no moment


def _like(pattern: str) -> _Cast:
    def cast(text: pl.Expr, _column: Column) -> tuple[pl.Expr, pl.Expr]:
        return text, ~text.str.contains(pattern)

    return cast


def _year(text: pl.Expr, _column: Column) -> tuple[pl.Expr, pl.Expr]:
    return text.cast(pl.Int64, strict=False), ~text.str.contains(_YEAR)


_CASTS: dict[ColumnType, _Cast] = {
    ColumnType.STRING: _string,
    ColumnType.INTEGER: _integer,
    ColumnType.DECIMAL: _decimal,
    ColumnType.DATE: _date,
    ColumnType.DATETIME: _moment,
    ColumnType.MONTH: _like(_MONTH),
    ColumnType.YEARMONTH: _like(_YEARMONTH),
    ColumnType.YEAR: _year,
}


def _arrow_type(column: Column) -> pa.DataType:
    if column.treatment in _PERSON:
        return pa.string()
    types: dict[ColumnType, pa.DataType] = {
        ColumnType.INTEGER: pa.int64(),
        ColumnType.YEAR: pa.int64(),
        ColumnType.DECIMAL: pa.decimal128(_DECIMAL_DIGITS, column.scale),
        ColumnType.DATE: pa.date32(),
        ColumnType.DATETIME: pa.timestamp("us"),
    }
    return types.get(column.type, pa.string())
