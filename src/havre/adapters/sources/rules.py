"""A table's rules, each as an expression over the text of one column.

A column that repeats comes as its distinct values and their places: whatever is asked
of a cell is asked once of each value, and nothing is spread over the rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from havre.domain.schema import Column, ColumnType, TableSchema, Treatment
from havre.errors import InvalidInput

DUPLICATE = "duplicate key"
_DECIMAL_DIGITS = 18
_PERSON = frozenset({Treatment.NIR, Treatment.FOREIGN_PSEUDONYM})
_BROKEN = "_broken"

_MONTH = "^(0[1-9]|1[0-2])$"
_YEARMONTH = "^[0-9]{4}(0[1-9]|1[0-2])$"
_YEAR = "^[0-9]{4}$"
_INTEGER = r"^[+-]?[0-9]+$"
# By the mark of a date's form, how it is spelled.
_DIGITS = {"Y": "[0-9]{4}", "b": "[A-Za-z]{3}", **dict.fromkeys("ymdHMS", "[0-9]{2}")}

Places: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of one batch, typed.

    values: distinct ones, where `places` says which of them each row has; else one a row.
    """

    values: pl.Series
    places: Places | None

    def taken(self, rows: Flags) -> pl.Series:
        """The cells of some rows, one for each."""
        if self.places is None:
            return self.values.filter(pl.Series(rows))
        return self.values.gather(self.places[rows])

    def arrow(self, kind: pa.DataType) -> pa.Array:
        """The cells as `kind` says: dictionaries where it is the type of one."""
        if not pa.types.is_dictionary(kind):
            per_row = self.values if self.places is None else self.values.gather(self.places)
            return per_row.to_arrow().cast(kind)
        values = self.values.to_arrow().cast(kind.value_type)
        if self.places is None:
            return values.dictionary_encode()
        indices = pa.array(self.places)
        if values.null_count:
            # A file's dictionary holds values only: an empty cell has no place.
            there = values.is_valid().to_numpy(zero_copy_only=False)
            moved = pa.array(np.cumsum(there, dtype=np.int32) - 1, pa.int32(), mask=~there)
            values, indices = values.drop_null(), moved.take(indices)
        return pa.DictionaryArray.from_arrays(indices, values)


class TableRules:
    """The rules of one table."""

    def __init__(self, schema: TableSchema) -> None:
        self._rules = {column.name: _column_rules(column, schema) for column in schema.columns}

    def type_cells(self, texts: pa.RecordBatch, columns: Sequence[str]) -> dict[str, Cells]:
        """Type the cells of some columns; one that the batch lacks is empty."""
        typed: dict[str, Cells] = {}
        for name in columns:
            distinct, places = _distinct(texts, name)
            cells = distinct.alias(name).to_frame().select(self._rules[name].cell)
            typed[name] = Cells(cells[name], places)
        return typed

    def judge(self, texts: pa.RecordBatch) -> tuple[dict[str, Cells], Flags]:
        """Type all cells, and say of each row whether it breaks a rule of a column."""
        typed: dict[str, Cells] = {}
        broken = np.zeros(texts.num_rows, dtype=np.bool_)
        for name, rules in self._rules.items():
            distinct, places = _distinct(texts, name)
            judged = distinct.alias(name).to_frame().select(rules.cell, rules.broken)
            typed[name] = Cells(judged[name], places)
            if judged[_BROKEN].any():
                flags = judged[_BROKEN].to_numpy()
                broken |= flags if places is None else flags[places]
        return typed, broken

    def reasons(self, texts: pl.DataFrame) -> pl.Series:
        """Name the first rule that each broken row breaks; one that breaks none has a twin."""
        named = [
            pl.when(broken).then(pl.lit(f"{rule} in {name}"))
            for name, rules in self._rules.items()
            for rule, broken in rules.faults
        ]
        absent = {name: pl.lit(None, pl.String) for name in self._rules if name not in texts}
        reason = pl.coalesce(*named, pl.lit(DUPLICATE))
        return texts.with_columns(**absent).select(reason.alias("reason"))["reason"]


def check_rules(tables: Iterable[TableSchema]) -> None:
    """Make sure that the rules of tables can be applied, before a delivery is held by one.

    Raises:
        InvalidInput: a pattern, a form of dates or a number of decimals cannot be; each
            column is named.
    """
    broken = [
        f"{table.name}.{column.name} ({fault})"
        for table in tables
        for column in table.columns
        if (fault := _rule_fault(column))
    ]
    if broken:
        raise InvalidInput(
            f"These columns have a rule that nothing can be checked by: {', '.join(broken)}.",
            hint="A pattern is a regular expression without looking ahead or back; a form of"
            " dates says day, month and year, as %d/%m/%Y does.",
        )


def _rule_fault(column: Column) -> str:
    """Say which rule of a column cannot be applied; nothing where all can."""
    try:
        if column.pattern is not None:
            pl.Series(["0"]).str.contains(f"^(?:{column.pattern})$")
    except pl.exceptions.PolarsError:
        return "pattern"
    if column.type is ColumnType.DECIMAL and not 0 <= column.scale <= _DECIMAL_DIGITS:
        return "decimals"
    if column.type in {ColumnType.DATE, ColumnType.DATETIME}:
        day = date(2001, 11, 22)
        said = pl.DataFrame({column.name: [day.strftime(column.date_format)]})
        try:
            read = said.select(_CASTS[column.type](pl.col(column.name), column)[0]).item()
        except pl.exceptions.PolarsError:
            read = None
        if read is None or (read.year, read.month, read.day) != (2001, 11, 22):
            return "form of dates"
    return ""


def cell_type(column: Column) -> pa.DataType:
    """The Arrow type of a column's checked cells; a person's are text until the second stage."""
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


def may_stay_encoded(column: Column) -> bool:
    """Whether checked cells may be dictionaries: a person's column is hashed by value anyway."""
    return column.treatment not in _PERSON


def _distinct(texts: pa.RecordBatch, name: str) -> tuple[pl.Series, Places | None]:
    """Part a column that repeats into its values and their places; no places for another."""
    if name not in texts.schema.names:
        return pl.Series([None], dtype=pl.String), np.zeros(texts.num_rows, dtype=np.int32)
    column: Any = texts.column(name)
    if not pa.types.is_dictionary(column.type):
        return pl.Series(column, dtype=pl.String), None
    values, indices = pl.Series(column.dictionary, dtype=pl.String), column.indices
    if indices.null_count:
        indices = indices.fill_null(len(values))
        values = pl.concat([values, pl.Series([None], dtype=pl.String)])
    return values, indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)


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
    return cell, text.is_not_null() & _no_date(text, cell, form=form)


def _moment(text: pl.Expr, column: Column) -> tuple[pl.Expr, pl.Expr]:
    cell = text.str.to_datetime(column.date_format, strict=False, time_unit="us")
    return cell, text.is_not_null() & _no_date(text, cell, form=column.date_format)


def _no_date(text: pl.Expr, cell: pl.Expr, *, form: str) -> pl.Expr:
    """Whether a date could not be read, is misspelled, or is of no year from 0001 to 9999.

    Whoever read it takes blanks and signs for digits, a year such as -001 or +12024, and
    the year 0: no bounds of a file can say these.
    """
    digits = re.sub("%([A-Za-z])", lambda mark: _DIGITS.get(mark[1], ".+"), re.escape(form))
    years = cell.dt.year().is_between(1, 9999)
    return cell.is_null() | ~text.str.contains(f"^{digits}$") | ~years


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
