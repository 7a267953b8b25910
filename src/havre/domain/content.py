"""What is counted of a table's cells, before anything of it may be shown.

Exact numbers, in memory, from the rows of one version, and never kept: what may be known
of them is worked out by `domain.description`, at once. Who counts is
`ports.describing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from havre.domain.schema import Column, ColumnType, TableSchema, Treatment, people_columns
from havre.snds.code_systems import find_code_system


class Grain(StrEnum):
    """Whose a table's rows are: by that it is known how many people share a value.

    PEOPLE: each row names its person. FOLLOWING: its person is found through the table
    that it is linked to. NOBODY: it is of no patient, and each row counts as one person,
    since it may be a professional.
    """

    PEOPLE = "people"
    FOLLOWING = "following"
    NOBODY = "nobody"


class Shape(StrEnum):
    """How a column's cells can be summed up.

    CODES: values of a code system. SPAN: a number or a date, which lies between two others.
    TREATED: a person or a key, of which nothing is counted but holes. WORDS: text that may
    say anything; the same.
    """

    CODES = "codes"
    SPAN = "span"
    TREATED = "treated"
    WORDS = "words"


_ORDERED = frozenset(
    {
        ColumnType.INTEGER,
        ColumnType.DECIMAL,
        ColumnType.DATE,
        ColumnType.DATETIME,
        ColumnType.YEAR,
        ColumnType.YEARMONTH,
    }
)


def grain_of(schema: TableSchema) -> Grain:
    """Say whose a table's rows are."""
    if people_columns(schema):
        return Grain.PEOPLE
    return Grain.FOLLOWING if schema.link else Grain.NOBODY


def person_column(schema: TableSchema) -> str | None:
    """Name the column by which people are counted, or null when the table has none.

    The first pseudonym that says whose row it is; where a person has several columns,
    such as a rank among twins, the others are left out: twins then count as one, which
    shows less and never more.
    """
    named = people_columns(schema)
    return next((each for each in schema.person if each in named), next(iter(named), None))


def shape_of(column: Column) -> Shape:
    """Say how a column can be summed up, from its declaration alone.

    >>> shape_of(Column(name="NOTE")).value, shape_of(Column(name="DGN_PAL")).value
    ('words', 'codes')
    >>> shape_of(Column(name="DAY", type=ColumnType.DATE, code_list="IR_DTE_V")).value
    'span'
    """
    if column.treatment is not Treatment.PLAIN:
        return Shape.TREATED
    # The SNDS lists even the days of the calendar: a date is none the less no code.
    if column.type in _ORDERED - {ColumnType.INTEGER}:
        return Shape.SPAN
    if column.values or code_system_of(column) or column.type is ColumnType.MONTH:
        return Shape.CODES
    return Shape.SPAN if column.type is ColumnType.INTEGER else Shape.WORDS


def code_system_of(column: Column) -> str:
    """Name a column's code system: as its description says, or as the SNDS is known; or nothing."""
    return column.code_list or find_code_system(column.name)


@dataclass(frozen=True, slots=True)
class ValueCount:
    """One value of a column, or all between two near ones, and who shares it.

    value: a code; a month as AAAA-MM; a year; a number cut to two digits that count.
    people: a number that at least this many different people share it; counted no further
        than `MOST_PEOPLE`, and it may be too low, never too high.
    """

    value: str
    rows: int
    people: int


# Who asks whether eleven people share something need not count to twelve.
MOST_PEOPLE = 11


@dataclass(frozen=True, slots=True)
class ColumnCount:
    """One column.

    missing: rows without a cell; for dates also those before 1900 and after 2199, by which
        the SNDS says "unknown".
    missing_people, present_people: that at least so many different people have rows without
        a cell, and rows with one; as `ValueCount.people`.
    values: for codes in any order; for spans in rising order. None of a column of which
        nothing but holes is counted, or that has `too_many`.
    """

    name: str
    missing: int
    values: tuple[ValueCount, ...] = ()
    too_many: bool = False
    missing_people: int = 0
    present_people: int = 0


@dataclass(frozen=True, slots=True)
class LinkCount:
    """How many rows of a table that follows another find their row there.

    looked_at: of how many it was tried; the tables must have come in one version.
    """

    looked_at: int
    found: int


@dataclass(frozen=True, slots=True)
class TableCount:
    """One table of one version.

    people: how many different people its rows name, to about two in a hundred (exact
        below 4,096); null where rows do not name theirs.
    link: null where there is none, or where nothing could be looked at.
    """

    table: str
    rows: int
    people: int | None
    columns: tuple[ColumnCount, ...]
    link: LinkCount | None = None
