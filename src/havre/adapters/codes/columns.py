"""Columns of codes against their system: counted, and given their labels.

Each distinct code is looked up once (with its day, where days are given), whatever the
number of rows; nothing of a cell leaves but the counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeAlias

import polars as pl
import pyarrow as pa

from havre.domain.code_system import CodeCounts, CodeState, CodeSystem
from havre.domain.schema import Column, ColumnType, TableSchema, Treatment
from havre.snds.code_lists import Spelling

AnyColumn: TypeAlias = pl.Series | pa.Array | pa.ChunkedArray
_DAYS = {"begins": pl.Date, "ends": pl.Date}


def count_codes(
    column: AnyColumn, system: CodeSystem, on: date | AnyColumn | None = None
) -> CodeCounts:
    """Count what the codes of a column are on their day.

    column: texts; null and blank are empty.
    on: one day for all; or a column of as many days, null where none is known; or null for
        no day in particular. What is of no day is valid once it is known.

    Raises:
        ValueError: the two columns are of different lengths.
    """
    cells = pl.DataFrame({"code": _series(column).cast(pl.String)})
    if on is None or isinstance(on, date):
        cells = cells.with_columns(day=pl.lit(on, dtype=pl.Date))
    else:
        days = _series(on).cast(pl.Date)
        if len(days) != len(cells):
            raise ValueError("a day belongs to each code")
        cells = cells.with_columns(days.alias("day"))
    distinct = cells.group_by("code", "day").len("cells")
    states = _with_states(distinct, system).group_by("state").agg(pl.col("cells").sum())
    counts = dict(states.iter_rows())
    return CodeCounts(
        valid=counts.get(CodeState.VALID.value, 0),
        not_yet=counts.get(CodeState.NOT_YET.value, 0),
        ended=counts.get(CodeState.ENDED.value, 0),
        unknown=counts.get(CodeState.UNKNOWN.value, 0),
        empty=counts.get("empty", 0),
    )


def count_table(
    rows: pa.Table, schema: TableSchema, *, find: Callable[[str], CodeSystem | None]
) -> dict[str, CodeCounts]:
    """Count the codes of every column of a table that has a list, each on the day of its row.

    rows: checked rows of the table, before or after pseudonyms.
    find: gives a list by its name, or null where there is none; asked once for each column.

    Returns the counts by column, in the table's order. Columns that become pseudonyms or keys
    are left out, and dates, whose lists are calendars. The day is the table's own date, where
    it has one; else codes are of no day in particular.
    """
    day = _day_column(rows, schema)
    counts = {}
    for column in schema.columns:
        if column.name in rows.column_names and _has_codes(column):
            system = find(column.code_list)
            if system is not None:
                counts[column.name] = count_codes(rows[column.name], system, day)
    return counts


def add_labels(rows: pl.DataFrame, column: str, system: CodeSystem, *, into: str) -> pl.DataFrame:
    """Add the labels of a column of codes as one more column, behind the others.

    into: the new column's name. It is null where the list has no such code.

    Raises:
        ValueError: the table has a column of that name already.
    """
    if into in rows.columns:
        raise ValueError("the table has a column of that name")
    distinct = rows.select(pl.col(column).unique())
    known = _plain(distinct, column, system).join(
        _listed(system), left_on="plain", right_on="listed", how="left"
    )
    labels = known.select(pl.col(column), pl.col("label").alias(into))
    return rows.join(labels, on=column, how="left", nulls_equal=True, maintain_order="left")


def _has_codes(column: Column) -> bool:
    return (
        column.code_list != ""
        and column.treatment is Treatment.PLAIN
        and column.type in {ColumnType.STRING, ColumnType.INTEGER}
    )


def _day_column(rows: pa.Table, schema: TableSchema) -> pa.ChunkedArray | None:
    name = schema.period_column
    if name is None or name not in rows.column_names:
        return None
    return rows[name] if pa.types.is_date(rows.schema.field(name).type) else None


def _with_states(distinct: pl.DataFrame, system: CodeSystem) -> pl.DataFrame:
    known = _plain(distinct, "code", system).join(
        _listed(system), left_on="plain", right_on="listed", how="left"
    )
    return known.with_columns(
        state=pl.when(pl.col("code").is_null() | (pl.col("code").str.strip_chars() == ""))
        .then(pl.lit("empty"))
        .when(pl.col("label").is_null())
        .then(pl.lit(CodeState.UNKNOWN.value))
        .when(pl.col("day") > pl.col("ends"))
        .then(pl.lit(CodeState.ENDED.value))
        .when(pl.col("day") < pl.col("begins"))
        .then(pl.lit(CodeState.NOT_YET.value))
        .otherwise(pl.lit(CodeState.VALID.value))
    )


def _plain(cells: pl.DataFrame, column: str, system: CodeSystem) -> pl.DataFrame:
    """Spell codes as `CodeSystem.plain` does; a test compares the two."""
    text = pl.col(column).str.to_uppercase()
    if system.spelling is Spelling.DIAGNOSIS:
        plain = text.str.replace_all("[.†* ]", "")
    else:
        plain = text.str.strip_chars()
    if system.spelling is Spelling.NUMBER:
        plain = plain.str.replace("^0+(.)", "$1")
    return cells.with_columns(plain=plain)


def _listed(system: CodeSystem) -> pl.DataFrame:
    codes = system.codes
    return pl.DataFrame(
        {
            "listed": list(codes),
            "label": [each.label for each in codes.values()],
            "begins": [each.begins for each in codes.values()],
            "ends": [each.ends for each in codes.values()],
        },
        schema={"listed": pl.String, "label": pl.String, **_DAYS},
    )


def _series(column: AnyColumn) -> pl.Series:
    if isinstance(column, pl.Series):
        return column
    return pl.Series(pl.from_arrow(column))
