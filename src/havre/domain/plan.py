"""A plan: which columns and rows of which tables are wanted, as data and not as SQL.

An engine compiles it (`ports.engine`); a person can read it; its canonical JSON is
what a `KeysRequested` event commits to. Making a plan from a permit's tables is
`domain.plan_making`.

Meaning, for every engine alike:
- a row is kept when it passes *all* conditions and *all* follows of its table;
- an empty cell passes no condition and matches nobody, not even another empty cell;
- a follow looks at the *kept* rows of an earlier table;
- with oppositions, a row that names somebody who objects is not kept, whoever else it names;
- the order of rows means nothing, and equal rows stay as many as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from havre.domain.schema import Catalogue, ColumnType, TableSchema, people_columns
from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical

Cell: TypeAlias = "str | int | date"


@dataclass(frozen=True, slots=True)
class Between:
    """The cell lies between two values of its own type, both included.

    A date against a column of moments means the whole of the last day.
    """

    column: str
    low: Cell
    high: Cell


@dataclass(frozen=True, slots=True)
class OneOf:
    """The cell is one of these values; at least one is listed."""

    column: str
    values: tuple[str, ...] | tuple[int, ...]


Condition: TypeAlias = "Between | OneOf"


@dataclass(frozen=True, slots=True)
class Follow:
    """Keep the rows whose cells stand together in a kept row of an earlier table.

    own, theirs: columns here and there, pair by pair.
    """

    table: str
    own: tuple[str, ...]
    theirs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlan:
    """What is wanted of one table.

    columns: those that come out, in this order; empty for a helper table, which
        only decides about the rows of others and does not come out.
    names: columns that hold numbers of people, for the plan's oppositions; one that no
        file has names nobody.
    """

    table: str
    columns: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    follows: tuple[Follow, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def columns_read(self) -> frozenset[str]:
        """Every column that the plan looks at here, without those others follow."""
        looked_at = {condition.column for condition in self.conditions}
        joined = {name for follow in self.follows for name in follow.own}
        return frozenset(looked_at | joined | set(self.columns))


@dataclass(frozen=True, slots=True)
class Tie:
    """A table each of whose rows has several numbers of one and the same person.

    columns: two or more; an empty cell ties nothing.
    """

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Oppositions:
    """Who is left out, whatever else the plan says.

    register, column: the table that lists the numbers of people who object, and its
        one column; every file of it counts.
    ties: all rows count, kept or not. Whoever has a number in common with somebody who
        objects, in one row or from row to row, objects: people have several numbers.
    """

    register: str
    column: str
    ties: tuple[Tie, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Tables in the order in which they can be worked out.

    oppositions: null when nobody objects, or a permit rests on an exception.
    """

    tables: tuple[TablePlan, ...]
    oppositions: Oppositions | None = None

    @property
    def tables_read(self) -> frozenset[str]:
        """Every table whose files an engine needs."""
        named = {part.table for part in self.tables}
        if self.oppositions is not None:
            named |= {self.oppositions.register, *(tie.table for tie in self.oppositions.ties)}
        return frozenset(named)

    @property
    def tables_read_whole(self) -> frozenset[str]:
        """Those of which every row counts, also where no condition lets it pass."""
        if self.oppositions is None:
            return frozenset()
        return self.tables_read - {part.table for part in self.tables} | {
            tie.table for tie in self.oppositions.ties
        }

    def table(self, name: str) -> TablePlan:
        """Find a table's part.

        Raises:
            InvalidInput: the plan does not name it.
        """
        for part in self.tables:
            if part.table == name:
                return part
        raise InvalidInput(f"The plan has no table {name}.")

    def columns_read(self, name: str) -> frozenset[str]:
        """Every column of a table that the plan looks at, also for other tables.

        Raises:
            InvalidInput: the plan does not name the table.
        """
        followed = {
            column
            for part in self.tables
            for follow in part.follows
            if follow.table == name
            for column in follow.theirs
        }
        return self.table(name).columns_read | followed


def check_plan(plan: Plan, catalogue: Catalogue) -> None:
    """Refuse a plan that no engine could work out, or not in one way only.

    Raises:
        InvalidInput: naming every fault: an unknown table or column, a table
            or a column twice, a follow of a later table or of uneven columns, a
            condition of another type than its column, a column of people's numbers
            that has none or is left out, a tie of a single column.
    """
    faults: list[str] = [] if plan.tables else ["it names no table"]
    seen: dict[str, TableSchema] = {}
    for part in plan.tables:
        try:
            schema = catalogue.table(part.table)
        except InvalidInput:
            faults.append(f"{part.table}: the catalogue has no such table")
            continue
        if part.table != schema.name or part.table in seen:
            faults.append(f"{part.table}: named twice, or in other letters than {schema.name}")
        faults += _faults_of_columns(part, schema)
        faults += _faults_of_follows(part, seen)
        faults += _faults_of_names(part, schema, plan.oppositions)
        seen[part.table] = schema
    faults += _faults_of_ties(plan.oppositions, catalogue)
    if faults:
        raise InvalidInput(
            f"The plan cannot be worked out: {'; '.join(faults)}.",
            hint="Correct these places and try again.",
        )


def encode_plan(plan: Plan) -> bytes:
    """Write a plan as canonical JSON: what is committed to, and what people read.

    >>> encode_plan(Plan((TablePlan(table="T", columns=("A",)),))).decode()
    '{"format":"havre/v1/plan","tables":[{"columns":["A"],"conditions":[],"follows":[],"table":"T"}]}'
    """
    tables: list[Json] = [
        {
            "columns": list(part.columns),
            "conditions": [_condition_json(condition) for condition in part.conditions],
            "follows": [
                {"own": list(follow.own), "table": follow.table, "theirs": list(follow.theirs)}
                for follow in part.follows
            ],
            "table": part.table,
        }
        for part in plan.tables
    ]
    body: dict[str, Json] = {"format": "havre/v1/plan", "tables": tables}
    if plan.oppositions is not None:
        body["oppositions"] = {
            "column": plan.oppositions.column,
            "names": {part.table: list(part.names) for part in plan.tables},
            "register": plan.oppositions.register,
            "ties": {tie.table: list(tie.columns) for tie in plan.oppositions.ties},
        }
    return encode_canonical(body)


def _condition_json(condition: Condition) -> Json:
    if isinstance(condition, OneOf):
        return {"column": condition.column, "one_of": list(condition.values)}
    return {
        "between": [_cell_json(condition.low), _cell_json(condition.high)],
        "column": condition.column,
    }


def _cell_json(cell: Cell) -> Json:
    return cell.isoformat() if isinstance(cell, date) else cell


def _faults_of_columns(part: TablePlan, schema: TableSchema) -> Iterator[str]:
    known = set(schema.column_names)
    if unknown := sorted(part.columns_read - known):
        yield f"{part.table}: no column {', '.join(unknown)}"
    if len(set(part.columns)) != len(part.columns):
        yield f"{part.table}: a column stands twice"
    for condition in part.conditions:
        if condition.column in known and not _fits(condition, schema):
            yield f"{part.table}.{condition.column}: the condition has another type"


# What a condition's value must be, by the type of its column. Codes and months are
# text in the lake; decimals take no condition, equality of fractions misleads.
_CELL_TYPES: dict[ColumnType, tuple[type, ...]] = {
    ColumnType.STRING: (str,),
    ColumnType.INTEGER: (int,),
    ColumnType.DATE: (date,),
    ColumnType.DATETIME: (date,),
    ColumnType.DECIMAL: (),
    ColumnType.MONTH: (str, int),
    ColumnType.YEAR: (str, int),
    ColumnType.YEARMONTH: (str, int),
}


def _fits(condition: Condition, schema: TableSchema) -> bool:
    allowed = _CELL_TYPES[schema.column(condition.column).type]
    if isinstance(condition, OneOf):
        cells: tuple[Cell, ...] = condition.values
    else:
        cells = (condition.low, condition.high)
    # A moment is a date to Python, but a condition on days must not carry an hour.
    plain = not any(isinstance(cell, bool | datetime) for cell in cells)
    one_type = len({type(cell) for cell in cells}) == 1
    return plain and one_type and all(isinstance(cell, allowed) for cell in cells)


def _faults_of_names(
    part: TablePlan, schema: TableSchema, oppositions: Oppositions | None
) -> Iterator[str]:
    # A column left out here would let somebody through who objects: no plan chooses them.
    expected = people_columns(schema) if oppositions is not None else ()
    if part.names != expected:
        yield f"{part.table}: oppositions are looked for in other columns than name people"


def _faults_of_ties(oppositions: Oppositions | None, catalogue: Catalogue) -> Iterator[str]:
    for tie in oppositions.ties if oppositions is not None else ():
        try:
            schema = catalogue.table(tie.table)
        except InvalidInput:
            yield f"{tie.table}: the catalogue has no such table to tie numbers with"
            continue
        if tie.table != schema.name or len(set(tie.columns)) < 2:
            yield f"{tie.table}: a tie has two columns or more of one table"
        if strangers := sorted(set(tie.columns) - set(people_columns(schema))):
            yield f"{tie.table}: no number of a person in {', '.join(strangers)}"


def _faults_of_follows(part: TablePlan, seen: dict[str, TableSchema]) -> Iterator[str]:
    for follow in part.follows:
        if follow.table not in seen:
            yield f"{part.table}: follows {follow.table}, which does not come before it"
        elif unknown := sorted(set(follow.theirs) - set(seen[follow.table].column_names)):
            yield f"{part.table}: follows {follow.table}, which has no column {', '.join(unknown)}"
        if not follow.own or len(follow.own) != len(follow.theirs):
            yield f"{part.table}: follows {follow.table} by uneven columns"
