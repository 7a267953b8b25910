"""What a table is: columns, types, keys, and what is to be done with each column.

The value that a Frictionless Table Schema, a holder's layout and our own facts
all become. Reading files into it is `formats.table_schema`; the corrections
of the public SNDS schema are `snds.corrections`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from havre.errors import InvalidInput


class ColumnType(StrEnum):
    """How the text of a cell is read. Codes are strings: they keep their zeros."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"
    MONTH = "month"
    YEAR = "year"
    YEARMONTH = "yearmonth"


class Treatment(StrEnum):
    """What pseudonymisation does with a column (`docs/protocols.md`, section 5).

    UNDECLARED is what an import gives a column that nobody has looked at: a
    table with one cannot be pseudonymised.
    """

    PLAIN = "plain"
    NIR = "nir"
    FOREIGN_PSEUDONYM = "foreign-pseudonym"
    TECHNICAL_KEY = "technical-key"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    treatment: what becomes of it; a pseudonym column is text on the way in and
        16 fixed bytes in the lake.
    realm: for identifying columns, the realm of the value (`nir-psa` for
        BEN_NIR_PSA and NIR_ANO_17, `eta` for an establishment): equal values of
        one realm get equal pseudonyms in every table.
    length: most characters of a cell, or null when unbounded.
    scale: digits after the point of a decimal.
    date_format: `strptime` format, for dates only.
    values: the only allowed values, or empty when any is.
    pattern: a regular expression that the whole cell matches, or null.
    required: an empty cell breaks the row.
    sentinels: spellings that mean "unknown" in an identifying column; they
        become null and never a person. Compared without case.
    code_list: the published code system of its values, such as `IR_NAT_V`, or empty.
    unit: of a number, such as `EUR` or `d`, or empty.
    since, until: first and last year that have the column, or null: what is known of no
        year is in all of its table.
    absent: years between them that lack it.
    """

    name: str
    type: ColumnType = ColumnType.STRING
    treatment: Treatment = Treatment.PLAIN
    realm: str = ""
    length: int | None = None
    scale: int = 2
    date_format: str = "%Y-%m-%d"
    values: tuple[str, ...] = ()
    pattern: str | None = None
    required: bool = False
    sentinels: tuple[str, ...] = ()
    title: str = ""
    code_list: str = ""
    unit: str = ""
    since: int | None = None
    until: int | None = None
    absent: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """How rows of a table without person or date belong to rows of another.

    `columns` have the same names on both sides.
    """

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """One table.

    dataset: the lake dataset it belongs to, such as `dcir`.
    primary_key: columns that no two rows share; empty when none is declared.
    missing: spellings of an empty cell.
    person: the columns of the person pseudonym, empty when `link` finds the person.
    year_column: the column whose year chooses the partition, or null for year 0.
    period_column: the date that a permit's period is about, or null: then through
        `link`. A month or a year cuts too, where the period is of whole ones.
    timeless: why no period cuts the table, or empty. One that has no date, no link
        and no such reason is in no permit: all its years would come out.
    since, until: first and last year that have the table, or null.
    """

    name: str
    dataset: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("",)
    person: tuple[str, ...] = ()
    year_column: str | None = None
    period_column: str | None = None
    link: Link | None = None
    timeless: str = ""
    title: str = ""
    since: int | None = None
    until: int | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Find a column by its name.

        Raises:
            InvalidInput: the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise InvalidInput(f"Table {self.name} has no column {name}.")


# What of a person is hashed: whoever stands in such a column is a person.
PERSON_TREATMENTS = frozenset({Treatment.NIR, Treatment.FOREIGN_PSEUDONYM})


def people_columns(schema: TableSchema) -> tuple[str, ...]:
    """Name the columns that hold numbers of people, in order: of whoever the row is about, and of others."""
    return tuple(column.name for column in schema.columns if column.treatment in PERSON_TREATMENTS)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The tables a hub knows, by name."""

    tables: tuple[TableSchema, ...]

    def table(self, name: str) -> TableSchema:
        """Find a table by its name, without case.

        Raises:
            InvalidInput: the catalogue does not know it.
        """
        for table in self.tables:
            if table.name.casefold() == name.casefold():
                return table
        raise InvalidInput(
            f"The catalogue has no table {name}.",
            hint="List the tables with `havre catalogue show`.",
        )
