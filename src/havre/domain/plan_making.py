"""From the tables of a permit to the plan that an extract works out.

A table is cut to the people through its person columns and to the period
through its date. What has neither follows its link: the drugs of a
reimbursement follow its line by nine keys, the diagnoses of a stay follow the
stay. A table that is needed only for that becomes a helper and does not come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from havre.domain.permit import Population, TableGrant
from havre.domain.plan import (
    Between,
    Condition,
    Follow,
    OneOf,
    Oppositions,
    Plan,
    TablePlan,
    Tie,
    check_plan,
)
from havre.domain.schema import Catalogue, Column, ColumnType, TableSchema, people_columns
from havre.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class PopulationTable:
    """Where people's birth and residence stand: one or more rows per person.

    birth_year: a whole number, or a text of four digits.
    department: its code, as the population of a permit lists it.
    numbers: columns with numbers of the row's own person; somebody has a new one when
        a child comes of age, marries or gets a final number, so no single one is enough.
    """

    table: str
    birth_year: str
    department: str
    numbers: tuple[str, ...] = ()


# Where the SNDS says when people were born and where they live. Who insures somebody
# (ASS_NIR_ANO) stands there too, and is somebody else.
PEOPLE = PopulationTable(
    "IR_BEN_R", "BEN_NAI_ANN", "BEN_RES_DPT", ("BEN_NIR_PSA", "BEN_NIR_ANO", "BEN_IDT_ANO")
)


def make_plan(
    grants: Sequence[TableGrant],
    *,
    period: tuple[date, date],
    population: Population,
    people: PopulationTable,
    catalogue: Catalogue,
    register: tuple[str, str] | None = None,
) -> Plan:
    """Say what an extract of these tables, this period and these people is.

    grants: the tables that come out, with their columns.
    period: first and last day, both included.
    population: no limit at all means everybody, also rows without a person.
    people: read when the population has a limit, or somebody may object.
    register: table and column of the numbers of people who object; null to leave nobody out.

    Raises:
        InvalidInput: a table or column is unknown, or a limit of the population
            cannot be brought to a table because it has neither person nor link.
    """
    making = _Making(period, population, people, catalogue)
    if making.is_limited:
        making.add(people.table)
    for grant in grants:
        making.add(grant.table)
    wanted = {catalogue.table(grant.table).name: grant.columns for grant in grants}
    parts = [replace(part, columns=wanted.get(name, ())) for name, part in making.parts.items()]
    plan = Plan(tuple(parts))
    if register is not None:
        plan = _leaving_out(plan, register, people=people, catalogue=catalogue)
    check_plan(plan, catalogue)
    return plan


def _leaving_out(
    plan: Plan, register: tuple[str, str], *, people: PopulationTable, catalogue: Catalogue
) -> Plan:
    """Leave out, in every table, rows that name somebody who objects."""
    parts = tuple(
        replace(part, names=people_columns(catalogue.table(part.table))) for part in plan.tables
    )
    return Plan(parts, Oppositions(*register, ties=list_ties(people, catalogue)))


def list_ties(people: PopulationTable, catalogue: Catalogue) -> tuple[Tie, ...]:
    """Say which table ties the numbers of a person together; none where the catalogue has none."""
    try:
        schema = catalogue.table(people.table)
    except InvalidInput:
        return ()
    numbers = tuple(name for name in people.numbers if name in people_columns(schema))
    return (Tie(schema.name, numbers),) if len(numbers) > 1 else ()


class _Making:
    """The parts so far, each after those it follows."""

    def __init__(
        self,
        period: tuple[date, date],
        population: Population,
        people: PopulationTable,
        catalogue: Catalogue,
    ) -> None:
        self.parts: dict[str, TablePlan] = {}
        self.is_limited = population != Population()
        self._period = period
        self._population = population
        self._people = people
        self._catalogue = catalogue
        self._open: list[str] = []

    def add(self, name: str) -> None:
        """Add a table and, before it, those it follows."""
        schema = self._catalogue.table(name)
        if schema.name in self.parts:
            return
        if schema.name in self._open:
            raise InvalidInput(f"Table {schema.name} is linked to itself in a circle.")
        self._open.append(schema.name)
        follows = tuple(self._follows(schema))
        self._open.pop()
        self.parts[schema.name] = TablePlan(
            table=schema.name, columns=(), conditions=self._conditions(schema), follows=follows
        )

    def _is_people(self, schema: TableSchema) -> bool:
        return schema.name.casefold() == self._people.table.casefold()

    def _follows(self, schema: TableSchema) -> list[Follow]:
        follows = []
        if self.is_limited and not self._is_people(schema):
            if schema.person:
                follows.append(self._by_person(schema))
            elif schema.link is None:
                raise InvalidInput(
                    f"Table {schema.name} has neither a person nor a link to one.",
                    hint="Leave it out, or ask for a permit without a limit on people.",
                )
        if schema.link is not None and not (schema.person and schema.period_column):
            self.add(schema.link.table)
            linked = self._catalogue.table(schema.link.table).name
            follows.append(Follow(linked, schema.link.columns, schema.link.columns))
        return follows

    def _by_person(self, schema: TableSchema) -> Follow:
        # A hospital stay has the pseudonym alone, where reimbursements also have
        # the rank of twins, and a death has a number of another realm: they meet
        # on the columns that mean the same on both sides.
        theirs = self._catalogue.table(self._people.table)
        pairs = [
            (own, other.name)
            for own in schema.person
            for other in theirs.columns
            if _means_the_same(schema.column(own), other)
        ]
        if not pairs:
            raise InvalidInput(
                f"Table {schema.name} shares no number of a person with {theirs.name}.",
                hint="Leave it out, or ask for a permit without a limit on people.",
            )
        return Follow(
            theirs.name, tuple(own for own, _ in pairs), tuple(other for _, other in pairs)
        )

    def _conditions(self, schema: TableSchema) -> tuple[Condition, ...]:
        conditions: list[Condition] = []
        if self._is_people(schema):
            conditions += self._about_people(schema)
        elif schema.period_column:
            conditions.append(_within(schema.column(schema.period_column), self._period))
        return tuple(conditions)

    def _about_people(self, schema: TableSchema) -> list[Condition]:
        conditions: list[Condition] = []
        if self._population.birth_years is not None:
            column = self._people.birth_year
            first, last = self._population.birth_years
            whole = schema.column(column).type in {ColumnType.INTEGER, ColumnType.YEAR}
            conditions.append(
                Between(column, first, last)
                if whole
                else Between(column, f"{first:04d}", f"{last:04d}")
            )
        if self._population.departments:
            conditions.append(OneOf(self._people.department, self._population.departments))
        return conditions


def _within(column: Column, period: tuple[date, date]) -> Between:
    # The lake keeps years and months as text, AAAA and AAAAMM.
    first, last = period
    if column.type is ColumnType.YEAR:
        return Between(column.name, f"{first.year:04d}", f"{last.year:04d}")
    if column.type is ColumnType.YEARMONTH:
        return Between(column.name, f"{first:%Y%m}", f"{last:%Y%m}")
    return Between(column.name, first, last)


def _means_the_same(own: Column, other: Column) -> bool:
    """Tell whether two columns hold the same number: of one realm, or of one name outside any."""
    return own.realm == other.realm if own.realm or other.realm else own.name == other.name
