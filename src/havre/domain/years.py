"""Which columns a table has in which year, and what one year has that another has not.

The tables of the SNDS change: columns come, go, and stay away for a while. A table of the
catalogue has the columns of all years, each with its own; here they are cut to one year.
What is known ends where the published history ends (`snds.history`): of a later year it
can be said what there was before, not what is new.

The year of a hospital table stands in the name of its file (T_MCO17B), that of an archived
table at its end (ER_PRS_F_2012).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from havre.domain.schema import Column, TableSchema
from havre.errors import NotFound
from havre.snds.history import KNOWN_UNTIL

_HOSPITAL = re.compile(r"T_(?P<field>[A-Z]{3})(?P<year>[0-9]{2})(?P<rest>[A-Z][A-Za-z0-9_]*)")
_ARCHIVED = re.compile(r"(?P<table>ERE?_[A-Z]{3}_F)_(?P<year>20[0-9]{2})")
_MAP = re.compile(r"(?P<start>CT_[A-Z]{3}_)(?P<year>20[0-9]{2})_G[0-9N]+", re.IGNORECASE)
_YEAR = re.compile("[0-9]{4}")

# A column's type and longest text, as they are compared.
Shape: TypeAlias = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class YearsDiffer:
    """What a table of one year has otherwise than that of another; names in the table's order.

    changed: columns with another type or length: before and after.
    """

    table: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, tuple[Shape, Shape]]

    @property
    def is_nothing(self) -> bool:
        """Tell whether the two are the same."""
        return not (self.added or self.removed or self.changed)


def is_of_year(column: Column, year: int) -> bool:
    """Tell whether a column stands in its table's file of a year.

    >>> is_of_year(Column(name="UM_TYP", since=2006, until=2009), 2010)
    False
    """
    return ((column.since or year) <= year <= (column.until or year)) and year not in column.absent


def is_of_some_years(column: Column, table: TableSchema) -> bool:
    """Tell whether a column came after its table, went before it, or was away."""
    came = column.since is not None and column.since > (table.since or column.since)
    went = column.until is not None and column.until < (table.until or column.until + 1)
    return came or went or bool(column.absent)


def schema_of(table: TableSchema, year: int) -> TableSchema:
    """Cut a table to the columns that it has in a year, in the table's order.

    A column of which no year is known stays: it is in all of them.

    Raises:
        NotFound: there was no such table in that year.

    >>> um = TableSchema(name="UM", dataset="d", columns=(Column(name="A", since=2010),), since=2006)
    >>> schema_of(um, 2009).column_names
    ()
    """
    if not (table.since or year) <= year <= (table.until or year):
        raise NotFound(f"There was no table {table.name} in {year}.", hint=_span_text(table))
    return replace(table, columns=tuple(each for each in table.columns if is_of_year(each, year)))


def compare_schemas(before: TableSchema, after: TableSchema) -> YearsDiffer:
    """Say what changed from one state of a table to another: columns added, removed, changed."""
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    shapes = {name: (_shape(old[name]), _shape(new[name])) for name in new if name in old}
    return YearsDiffer(
        after.name,
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        {name: (was, became) for name, (was, became) in shapes.items() if was != became},
    )


def compare_years(table: TableSchema, first: int, second: int) -> YearsDiffer:
    """Say what changed in a table from one year to another.

    A year without the table has no columns: the other one's are all added, or all removed.
    """
    return compare_schemas(_of_year_or_empty(table, first), _of_year_or_empty(table, second))


def known_until(table: str) -> int | None:
    """Say the last year that the published history knows of a table, or null without a history."""
    for start, year in KNOWN_UNTIL.items():
        if table.casefold().startswith(start.casefold()):
            return year
    return None


def name_in_year(table: str, year: int) -> str:
    """Spell the name that a table's file has in a year.

    >>> name_in_year("T_MCOaaB", 2017), name_in_year("CT_IND_AAAA_GN", 2019)
    ('T_MCO17B', 'CT_IND_2019_GN')
    >>> name_in_year("ER_PRS_F", 2017)
    'ER_PRS_F'
    """
    if table.startswith("T_"):
        return table.replace("aa", f"{year % 100:02d}", 1)
    return table.replace("AAAA", f"{year:04d}", 1)


def read_dated_name(name: str) -> tuple[str, int | None]:
    """Find the table and the year in a file's name; null where the name says no year.

    >>> read_dated_name("T_MCO17B"), read_dated_name("ER_PRS_F_2012")
    (('T_MCOaaB', 2017), ('ER_PRS_F', 2012))
    >>> read_dated_name("CT_IND_2019_G8"), read_dated_name("ER_PRS_F")
    (('CT_IND_AAAA_GN', 2019), ('ER_PRS_F', None))
    """
    if found := _HOSPITAL.fullmatch(name):
        return f"T_{found['field']}aa{found['rest']}", 2000 + int(found["year"])
    if found := _ARCHIVED.fullmatch(name):
        return found["table"], int(found["year"])
    if found := _MAP.fullmatch(name):
        return f"{found['start']}AAAA_GN", int(found["year"])
    return name, None


def year_of_constants(table: TableSchema, constants: Mapping[str, str]) -> int | None:
    """Read the year of a delivered file from what its announcement gives, or null.

    constants: columns and their one value, such as MCO_ANN and 2017.
    """
    text = constants.get(table.year_column or "", "")
    return int(text) if _YEAR.fullmatch(text) else None


def years_text(column: Column) -> str:
    """Say in words which years have a column; empty when all have.

    >>> years_text(Column(name="UM_TYP", since=2006, until=2009))
    'from 2006 to 2009'
    """
    words = []
    if column.since is not None:
        words.append(f"from {column.since}")
    if column.until is not None:
        words.append(f"to {column.until}")
    if column.absent:
        words.append(f"but not in {', '.join(map(str, column.absent))}")
    return " ".join(words)


def _of_year_or_empty(table: TableSchema, year: int) -> TableSchema:
    try:
        return schema_of(table, year)
    except NotFound:
        return replace(table, columns=())


def _shape(column: Column) -> Shape:
    return column.type.value, column.length


def _span_text(table: TableSchema) -> str:
    since = f" since {table.since}" if table.since else ""
    until = f" until {table.until}" if table.until else ""
    return f"It is known{since}{until}."
