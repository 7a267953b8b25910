"""What may be known of a table's content: the disclosure rules of the catalogue.

Five rules, and nothing is shown that does not keep them all:

* a value is shown only if at least eleven different people share it, be it a code or an
  end of a range; a range is cut to where 98 of 100 rows lie, and its ends are rounded;
* every count is rounded to hundreds, and so are both parts of a share;
* how many rows lack a cell is shown only if it is so for eleven people at least, and not so
  for eleven others, or if the smaller part rounds to nothing;
* one code that is held back keeps another company: what the shown codes, and the rows without
  a cell where their number is shown, leave over is of nobody, or of eleven people at least;
* where all rows that have a cell have the same code, it is not shown: it would be known of everyone.

A description is of the rows that one version added, and of them alone: two versions share
no row, but those that a correction delivers anew. Descriptions of several versions are put
together from what is shown already (`join_tables`), which tells nothing new.

Not protected against: somebody who knows all rows but a few, and sees a rounded number
change its step; and one patient with eleven pseudonyms. The table's declared values, its
title and the rounded rows are public anyway.

Source: counts below 11 are not given back (ATIH at the CNIL's request; Health Data Hub).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from havre.domain.content import (
    ColumnCount,
    Grain,
    Shape,
    TableCount,
    ValueCount,
    code_system_of,
    grain_of,
    shape_of,
)
from havre.domain.events import rounded_count
from havre.domain.schema import Column, TableSchema
from havre.snds.code_systems import find_unit

FEWEST_PEOPLE = 11
SHOWN_CODES = 10
# Of a thousand rows, how many lie outside a range at each of its ends.
_OUTSIDE = 10


class Withheld(StrEnum):
    """Why no value of a column is shown."""

    TREATED = "treated"
    WORDS = "words"
    FEW_PEOPLE = "few-people"
    TOO_MANY = "too-many"
    NOT_COUNTED = "not-counted"


@dataclass(frozen=True, slots=True)
class CodeRows:
    """A code, and rows that have it, rounded to hundreds."""

    code: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableDescription:
    """One column, as everybody may know it.

    type, unit, code_system: as declared; unit and code_system empty when there is none.
    missing: rows without a cell, rounded to hundreds; null where it is not shown.
    low, high: the outermost values past one row in a hundred that enough people share; of a
        small table much nearer to each other than the data; null where no range is shown.
    codes: the most frequent first.
    withheld: why neither is shown, or null when one is.
    """

    name: str
    title: str
    type: str
    missing: int | None
    unit: str = ""
    code_system: str = ""
    required: bool = False
    low: str | None = None
    high: str | None = None
    codes: tuple[CodeRows, ...] = ()
    withheld: Withheld | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDescription:
    """One table of one version, or of several.

    grain: whose the rows are. rows: added, rounded to hundreds; withdrawn: rows of versions
        before that a correction took back, rounded too.
    people: rounded to hundreds; null where rows name nobody, or fewer than eleven.
    people_are: `counted` in one version; `at-least` where several were put together.
    links_found: of a thousand rows that were looked at, how many have their row in the
        table that they follow; null when it is not known.
    """

    name: str
    title: str
    grain: Grain
    rows: int
    people: int | None
    variables: tuple[VariableDescription, ...]
    people_are: str = "counted"
    links_found: int | None = None
    withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class DatasetDescription:
    """What one version added to a dataset.

    version: the event's id, by which the log's entry is found.
    """

    dataset: str
    version: str
    tables: tuple[TableDescription, ...]


def describe_table(
    count: TableCount, *, schema: TableSchema, withdrawn: int = 0
) -> TableDescription:
    """Say what may be known of a table.

    withdrawn: rows of versions before that this one takes back.

    Columns that were not counted are described as declared, without a number.
    """
    grain = grain_of(schema)
    counted = {each.name: each for each in count.columns}
    few = grain is Grain.PEOPLE and (count.people or 0) < FEWEST_PEOPLE
    few = few or (grain is Grain.NOBODY and count.rows < FEWEST_PEOPLE)
    return TableDescription(
        name=schema.name,
        title=schema.title,
        grain=grain,
        rows=rounded_count(count.rows),
        people=None if few or count.people is None else rounded_count(count.people),
        variables=tuple(
            _variable(column, counted.get(column.name), rows=count.rows, few=few)
            for column in schema.columns
        ),
        links_found=_links_found(count),
        withdrawn=rounded_count(withdrawn),
    )


def _links_found(count: TableCount) -> int | None:
    link = count.link
    looked_at = rounded_count(link.looked_at) if link else 0
    if link is None or not looked_at:
        return None
    # Both are rounded, so that one row without its own cannot be told.
    return 1000 - 1000 * rounded_count(link.looked_at - link.found) // looked_at


def _variable(
    column: Column, count: ColumnCount | None, *, rows: int, few: bool
) -> VariableDescription:
    declared = VariableDescription(
        name=column.name,
        title=column.title,
        type=column.type.value,
        unit=column.unit or find_unit(column.name),
        code_system=code_system_of(column),
        required=column.required,
        missing=None if few or count is None else shown_holes(count, rows=rows),
    )
    return _with_values(declared, count, shape=shape_of(column), few=few)


def _with_values(
    declared: VariableDescription,
    count: ColumnCount | None,
    *,
    shape: Shape,
    few: bool,
) -> VariableDescription:
    if shape in {Shape.TREATED, Shape.WORDS}:
        return replace(declared, withheld=Withheld(shape.value))
    if count is None:
        return replace(declared, withheld=Withheld.NOT_COUNTED)
    if count.too_many:
        return replace(declared, withheld=Withheld.TOO_MANY)
    hidden = count.missing_people if declared.missing is None else None
    if not few and shape is Shape.CODES and (codes := shown_codes(count.values, hidden=hidden)):
        return replace(declared, codes=codes)
    if not few and shape is Shape.SPAN and (span := shown_range(count.values)):
        return replace(declared, low=span[0], high=span[1])
    return replace(declared, withheld=Withheld.FEW_PEOPLE)


def shown_holes(count: ColumnCount, *, rows: int) -> int | None:
    """Choose whether to show how many rows lack a cell, rounded; null when it is of too few.

    rows: of the table, which is no secret.

    >>> shown_holes(ColumnCount("A", 4, missing_people=1), rows=900)
    0
    >>> shown_holes(ColumnCount("A", 400, missing_people=1, present_people=11), rows=900)
    """
    missing, present = rounded_count(count.missing), rounded_count(rows - count.missing)
    if not missing:
        return 0
    if not present:
        return rounded_count(rows)
    both = min(count.missing_people, count.present_people) >= FEWEST_PEOPLE
    return missing if both else None


def shown_codes(values: Sequence[ValueCount], *, hidden: int | None = None) -> tuple[CodeRows, ...]:
    """Choose the codes that may be shown: the most frequent, at most ten, the rest not to be told.

    hidden: how many people have the rows without a cell, where the number of those is not
        shown: whoever subtracts the shown codes from all rows finds these too. Null where it is.

    >>> many = [ValueCount("A", 900, 11), ValueCount("B", 500, 11), ValueCount("C", 20, 3)]
    >>> shown_codes(many)
    (CodeRows(code='A', rows=900),)
    >>> shown_codes(many[:2]) == shown_codes(many[:2], hidden=1)
    False
    """
    ranked = sorted(values, key=lambda each: (-each.rows, each.value))
    shown = [
        each for each in ranked if each.people >= FEWEST_PEOPLE and rounded_count(each.rows) > 0
    ][:SHOWN_CODES]
    rest = [each.people for each in ranked if each not in shown]
    rest += [] if hidden is None else [hidden]
    if len(ranked) == 1:
        return ()
    if rest and max(rest) < FEWEST_PEOPLE:
        # The last one shown is held back too: otherwise a total gives away the few.
        shown = shown[:-1]
    return tuple(CodeRows(each.value, rounded_count(each.rows)) for each in shown)


def shown_range(values: Sequence[ValueCount]) -> tuple[str, str] | None:
    """Choose between which two values nearly all rows lie, each shared by enough people.

    values: in rising order.

    Returns the ends, or null when no two values are shared by enough people.
    """
    last = len(values) - 1
    low, from_right = _end(values), _end(values[::-1])
    if low is None or from_right is None or low >= last - from_right:
        return None
    return values[low].value, values[last - from_right].value


def _end(values: Sequence[ValueCount]) -> int | None:
    """From one side, the place of the first value past one row in a hundred that enough share."""
    total, seen = sum(each.rows for each in values), 0
    for place, each in enumerate(values):
        seen += each.rows
        if 1000 * seen >= _OUTSIDE * total and each.people >= FEWEST_PEOPLE:
            return place
    return None


def join_tables(parts: Sequence[TableDescription]) -> TableDescription:
    """Put descriptions of one table together, of versions in their order.

    Made from what is shown already: rows and codes are added up (a code that one version
    holds back is lacking in the sum; rows that were taken back are deducted from the rows,
    and cannot be from the codes), ranges reach as far as any, and of people it is only
    known that there are at least as many as in the greatest version. What was declared
    counts as the newest version has it.
    """
    newest = parts[-1]
    if len(parts) == 1:
        return newest
    people = [each.people for each in parts if each.people is not None]
    found = [each.links_found for each in parts if each.links_found is not None]
    columns: dict[str, list[VariableDescription]] = {}
    for part in parts:
        for variable in part.variables:
            columns.setdefault(variable.name, []).append(variable)
    return replace(
        newest,
        rows=max(0, sum(each.rows - each.withdrawn for each in parts)),
        withdrawn=0,
        people=max(people, default=None),
        people_are="at-least",
        links_found=min(found, default=None),
        variables=tuple(_joined(columns[variable.name]) for variable in newest.variables),
    )


def _joined(parts: Sequence[VariableDescription]) -> VariableDescription:
    newest = parts[-1]
    rows: dict[str, int] = {}
    for part in parts:
        for each in part.codes:
            rows[each.code] = rows.get(each.code, 0) + each.rows
    ranked = sorted(rows.items(), key=lambda each: (-each[1], each[0]))[:SHOWN_CODES]
    lows = [each.low for each in parts if each.low is not None]
    highs = [each.high for each in parts if each.high is not None]
    shown = bool(ranked or lows)
    return replace(
        newest,
        missing=_sum(each.missing for each in parts),
        codes=tuple(CodeRows(*each) for each in ranked),
        low=min(lows, key=in_order, default=None),
        high=max(highs, key=in_order, default=None),
        withheld=None if shown else newest.withheld,
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Add up; null when one is not known."""
    known = list(numbers)
    return None if None in known else sum(filter(None, known))


def in_order(value: str) -> tuple[float, str]:
    """Say where a range's end stands among others: numbers by size, months by their spelling.

    >>> sorted(["900", "-3", "1200"], key=in_order), sorted(["2023-11", "2022-12"], key=in_order)
    (['-3', '900', '1200'], ['2022-12', '2023-11'])
    """
    try:
        return float(value), ""
    except ValueError:
        return 0.0, value


def join_versions(
    versions: Iterable[DatasetDescription],
) -> tuple[TableDescription, ...]:
    """Put a dataset's versions together, table by table, in order of name.

    versions: of one dataset, the oldest first.
    """
    tables: dict[str, list[TableDescription]] = {}
    for version in versions:
        for table in version.tables:
            tables.setdefault(table.name, []).append(table)
    return tuple(join_tables(tables[name]) for name in sorted(tables))
