"""What a reader asks of the tables of a hub's catalogue by year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from havre.bootstrap.hub import OpenHub
from havre.domain.schema import TableSchema
from havre.domain.years import (
    compare_years,
    known_until,
    name_in_year,
    read_dated_name,
    schema_of,
    years_text,
)
from havre.errors import NotFound

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class YearOfTable:
    """A table in one year.

    file: the name of its file in that year.
    columns: one row per column, in the table's order.
    beyond: the last year that is known, where the year lies after it; else null.
    """

    file: str
    columns: Sequence[Row]
    beyond: int | None


def columns_of_year(hub: OpenHub, table: str, year: int) -> YearOfTable:
    """List a table's columns of one year.

    table: as the catalogue spells it, or as its file is called in any year.

    Raises:
        NotFound: the catalogue has no such table, or it had none in that year.
    """
    schema = _table(hub, table)
    last = known_until(schema.name)
    columns = [
        {
            "column": column.name,
            "type": column.type.value,
            "length": column.length or "",
            "codes": column.code_list,
            "years": years_text(column),
        }
        for column in schema_of(schema, year).columns
    ]
    beyond = last if last is not None and last < year else None
    return YearOfTable(name_in_year(schema.name, year), columns, beyond)


def differences_of_years(hub: OpenHub, pattern: str, first: int, second: int) -> list[Row]:
    """List what tables have in one year otherwise than in another: a row per column.

    pattern: a table, or many with `*`, compared without case.

    Raises:
        NotFound: no table of the catalogue has such a name.
    """
    known = hub.catalogue.known().catalogue.tables
    fitting = [each for each in known if fnmatchcase(each.name.casefold(), pattern.casefold())]
    rows: list[Row] = []
    for table in fitting or [_table(hub, pattern)]:
        found = compare_years(table, first, second)
        spans = {column.name: years_text(column) for column in table.columns}
        for change, names in (("added", found.added), ("removed", found.removed)):
            rows += [_row(table.name, change, name, spans[name]) for name in names]
        rows += [
            _row(table.name, "changed", name, f"{was[0]} to {became[0]}")
            for name, (was, became) in found.changed.items()
        ]
    return rows


def _table(hub: OpenHub, name: str) -> TableSchema:
    known = hub.catalogue.known()
    built = known.find(name) or known.find(read_dated_name(name)[0])
    if built is None:
        raise NotFound(
            "The catalogue knows no table of that name.", hint="List them: `havre catalogue show`."
        )
    return built.schema


def _row(table: str, change: str, column: str, what: str) -> Row:
    return {"table": table, "change": change, "column": column, "what": what}
