"""Frames made column by column, and only of the columns that somebody asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import polars as pl

from havre.adapters.synthetic.draws import Flags, Ints

Column: TypeAlias = Callable[[], pl.Series]


@dataclass(frozen=True)
class Wanted:
    """Which tables are to be written, and with which columns.

    columns: table, and its columns in order; null for all that can be made. A table that
    is not named is not wanted.
    of_years: the columns of tables of one year, where they are not those above.
    """

    columns: Mapping[str, Sequence[str] | None]
    of_years: Mapping[tuple[str, int], Sequence[str]] = field(default_factory=dict)

    def has(self, table: str) -> bool:
        """Whether a table is wanted."""
        return table in self.columns

    def of_year(self, table: str, year: int) -> Sequence[str] | None:
        """The columns of a table in a year."""
        return self.of_years.get((table, year), self.columns[table])

    def frame(self, table: str, makers: Mapping[str, Column], rows: int) -> pl.DataFrame:
        """Make a table's wanted columns; one that nobody knows how to make is empty."""
        wanted = self.columns[table]
        names = list(makers) if wanted is None else list(wanted)
        empty = pl.Series([None], dtype=pl.String).new_from_index(0, rows)
        made = {name: makers[name]() if name in makers else empty for name in names}
        return pl.DataFrame([column.alias(name) for name, column in made.items()])


def constant(text: str, rows: int) -> Column:
    """A column that says the same in every row."""
    return lambda: pl.Series([text], dtype=pl.String).new_from_index(0, rows)


def number(value: int, rows: int) -> Column:
    """A column with one number in every row."""
    return lambda: pl.Series([value], dtype=pl.Int64).new_from_index(0, rows)


def integers(values: Ints) -> Column:
    """A column of whole numbers."""
    return lambda: pl.Series(np.ascontiguousarray(values))


def euros(cents: Ints) -> Column:
    """A column of amounts, from cents."""
    return lambda: pl.Series(cents / 100.0)


def texts(listed: Sequence[str], places: Ints) -> Column:
    """A column of texts out of a short list."""
    return lambda: pl.Series(list(listed), dtype=pl.String).gather(places.astype(np.uint32))


def flags(marked: Flags) -> Column:
    """A column of 1 and 0."""
    return texts(("0", "1"), marked.astype(np.int64))


def whole(values: Ints, *, width: int) -> Column:
    """A column of numbers as texts, with zeros before them."""
    return lambda: pl.Series(values).cast(pl.String).str.zfill(width)


def dates(days: Ints) -> Column:
    """A column of dates, from days since 1970."""
    return lambda: pl.Series(days.astype(np.int32)).cast(pl.Date)


def formatted(days: Ints, form: str) -> Column:
    """A column of dates as texts, `%Y%m` for one."""
    return lambda: pl.Series(days.astype(np.int32)).cast(pl.Date).dt.strftime(form)


def years(days: Ints) -> Column:
    """A column of the years of some days."""
    found = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return integers(found)
