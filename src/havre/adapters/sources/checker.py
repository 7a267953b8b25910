"""From delivered text to checked values, column by column: `ports.sources.RowChecker`.

A row breaks with its first faulty column, and is set aside with the bytes it was
delivered with. A file is held in memory while its keys are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import polars as pl
import pyarrow as pa

from havre.domain.delivery import LINE_COLUMN, RowCount
from havre.domain.schema import Column, ColumnType, TableSchema, Treatment
from havre.ports.sources import DeliveredFile, SetAsideRow

DUPLICATE = "duplicate key"
_DECIMAL_DIGITS = 18
_PERSON = frozenset({Treatment.NIR, Treatment.FOREIGN_PSEUDONYM})
_REASON = "_reason"
_MONTH = "^(0[1-9]|1[0-2])$"
_YEARMONTH = "^[0-9]{4}(0[1-9]|1[0-2])$"
_YEAR = "^[0-9]{4}$"
_INTEGER = r"^[+-]?[0-9]+$"


class ColumnChecker:
    """Checks files with Polars."""

    def check(self, files: Iterable[DeliveredFile], *, schema: TableSchema) -> CheckedFiles:
        """Check files of one table."""
        return CheckedFiles(files, schema)


class CheckedFiles:
    """`ports.sources.CheckedRows`: works while it is read."""

    def __init__(self, files: Iterable[DeliveredFile], schema: TableSchema) -> None:
        self._files = files
        self._schema = schema
        self.counts: dict[tuple[str, str], RowCount] = {}
        self.set_aside: list[SetAsideRow] = []

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows that keep every rule."""
        arrow = pa.schema([(column.name, _arrow_type(column)) for column in self._schema.columns])
        rows = pa.RecordBatchReader.from_batches(arrow, self._batches(arrow))
        return rows.__arrow_c_stream__(requested_schema)

    def _batches(self, arrow: pa.Schema) -> Iterator[pa.RecordBatch]:
        for file in self._files:
            texts = _read(file)
            cast = _marked(texts, self._schema)
            broken = cast[_REASON].is_not_null()
            self._note(file, texts.filter(broken), cast[_REASON].filter(broken), len(texts))
            accepted = cast.filter(~broken).select(self._schema.column_names)
            yield from accepted.to_arrow().cast(arrow).to_batches()

    def _note(
        self, file: DeliveredFile, broken: pl.DataFrame, reasons: pl.Series, received: int
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


def _read(file: DeliveredFile) -> pl.DataFrame:
    frames = []
    for opened in file.rows:
        with opened as rows:
            frames.append(pl.DataFrame(pa.RecordBatchReader.from_stream(rows).read_all()))
    return pl.concat(frames)


def _marked(texts: pl.DataFrame, schema: TableSchema) -> pl.DataFrame:
    """Cast every column, and say of each row which rule it breaks first, or null."""
    spellings = list(schema.missing)
    cells: list[pl.Expr] = []
    faults: list[pl.Expr] = []
    for column in schema.columns:
        text = pl.lit(None, dtype=pl.String)
        if column.name in texts.columns:
            text = pl.col(column.name)
            empty = text == spellings[0] if len(spellings) == 1 else text.is_in(spellings)
            text = pl.when(empty).then(None).otherwise(text)
        cell, wrong = _rules(text, column)
        cells.append(cell.alias(column.name))
        faults += [
            pl.when(broken).then(pl.lit(f"{rule} in {column.name}")) for rule, broken in wrong
        ]
    reason = pl.coalesce(faults) if faults else pl.lit(None, dtype=pl.String)
    cast = texts.select(*cells, reason.alias(_REASON))
    if not schema.primary_key:
        return cast
    # Only rows that are good otherwise can be told to have the same key.
    key = pl.struct(schema.primary_key)
    twice = pl.col(_REASON).is_null() & key.is_duplicated()
    return cast.with_columns(
        pl.when(twice).then(pl.lit(DUPLICATE)).otherwise(pl.col(_REASON)).alias(_REASON)
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
