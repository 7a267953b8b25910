"""What a holder and the hub have agreed of deliveries: a contract for one source.

One contract is about one dataset of one holder. A delivery that breaks a *must* rule
is held; what it says of *should* rules is kept and told. Reading one is
`domain.contract_text`, judging a delivery by it `domain.contract_judgement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from havre.domain.code_system import has_codes
from havre.domain.content import Grain, grain_of
from havre.domain.permit_form import shown
from havre.domain.schema import Catalogue, ColumnType, TableSchema
from havre.values import Digest


class Level(StrEnum):
    """What follows when a rule is broken: the delivery is held, or it is told."""

    MUST = "must"
    SHOULD = "should"


class RuleKind(StrEnum):
    """What a rule measures, always as a share of rows; of accepted rows but for the first two.

    ROWS: rows of a table, against those of the delivery before.
    SET_ASIDE: lines that are set aside, at the holder or at the hub, of all lines.
    EMPTY: empty cells of a column.
    VALUES: cells of a column that are on the list, of those that are not empty.
    COVERED: dates of a column that lie within the days that the delivery covers, of
        those that are not empty.
    CODES: cells of a column that its list has, valid on the day of their row, of those
        that are not empty.
    PARENTS: rows that find the row of another table which they follow.
    """

    ROWS = "rows"
    SET_ASIDE = "set-aside"
    EMPTY = "empty"
    VALUES = "values"
    COVERED = "covered"
    CODES = "codes"
    PARENTS = "parents"


# Counted by looking at the cells of one column alone.
OF_CELLS = frozenset({RuleKind.EMPTY, RuleKind.VALUES, RuleKind.COVERED})
# Of these kinds a column is asked; of the others a table alone.
OF_COLUMNS = OF_CELLS | {RuleKind.CODES}
# Counted while rows pass; the others follow from counts of lines.
COUNTED = OF_COLUMNS | {RuleKind.PARENTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is measured, and between which shares it must or should lie.

    name: its own, unique in the contract.
    column: null for a rule about a table.
    at_least, at_most: shares; null is no limit.
    values: of a rule of kind `values`; empty takes the list that the table's schema has.
    """

    name: str
    level: Level
    kind: RuleKind
    table: str
    column: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectedTable:
    """A table of a delivery.

    presence: `must` when each delivery has a file of it, or else `should`, which may lack.
    key: columns that no two rows share, in place of the schema's; empty leaves those.
    """

    name: str
    presence: Level
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh deliveries are, in days; null is not agreed.

    level: what follows when one is late.
    covers_days: the most days that one delivery covers.
    at_most_days_after: from the last day covered to the day of reception.
    every_days: the most from the reception of one to the next.
    """

    level: Level
    covers_days: int | None = None
    at_most_days_after: int | None = None
    every_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What was agreed.

    holder: short name in the trust roots.
    schema_years: calendar years that a delivery may cover; empty is any.
    sha256: of the text.
    """

    dataset: str
    holder: str
    tables: tuple[ExpectedTable, ...]
    schema_years: tuple[int, ...]
    freshness: Freshness | None
    rules: tuple[Rule, ...]
    sha256: Digest


def list_unknown(contract: Contract, catalogue: Catalogue) -> list[str]:
    """Say what a contract names that the hub's catalogue has not, or has otherwise."""
    known = {each.name: each for each in catalogue.tables if each.dataset == contract.dataset}
    if not known:
        return [f"the catalogue has no table of dataset {contract.dataset}"]
    faults: list[str] = []
    for expected in contract.tables:
        if expected.name not in known:
            faults.append(f"dataset {contract.dataset} has no table {shown(expected.name)}")
            continue
        columns = known[expected.name].column_names
        faults += [
            f"the key of {expected.name} names {shown(name)}, which is no column of it"
            for name in expected.key
            if name not in columns
        ]
    for rule in contract.rules:
        if rule.table in known and rule.column is not None:
            faults += _faults_of_column(rule, known[rule.table])
        if rule.table in known and rule.kind is RuleKind.PARENTS:
            faults += _faults_of_parents(rule, known[rule.table], known)
    return faults


def _faults_of_parents(
    rule: Rule, table: TableSchema, known: Mapping[str, TableSchema]
) -> list[str]:
    """Say why the rows of a table cannot be looked for: the run knows the rows of people alone."""
    followed = known.get(table.link.table) if table.link else None
    if grain_of(table) is not Grain.FOLLOWING:
        return [f"rule {rule.name} is about {table.name}, whose rows follow no other table's"]
    if followed is None or grain_of(followed) is not Grain.PEOPLE:
        return [f"rule {rule.name} is about {table.name}, which follows no table of people"]
    return []


def _faults_of_column(rule: Rule, table: TableSchema) -> list[str]:
    column = next((each for each in table.columns if each.name == rule.column), None)
    if column is None:
        return [f"rule {rule.name} names {shown(rule.column or '')}, no column of {rule.table}"]
    if rule.kind is RuleKind.COVERED and column.type not in (ColumnType.DATE, ColumnType.DATETIME):
        return [f"rule {rule.name} is about {rule.table}.{column.name}, which is no date"]
    if rule.kind is RuleKind.VALUES and column.type is not ColumnType.STRING:
        return [f"rule {rule.name} is about {rule.table}.{column.name}, which is no text"]
    if rule.kind is RuleKind.CODES and not has_codes(column):
        return [f"rule {rule.name} is about {rule.table}.{column.name}, which has no list of codes"]
    if rule.kind is RuleKind.VALUES and not (rule.values or column.values):
        return [f"rule {rule.name} has no values, and neither has {rule.table}.{column.name}"]
    return []
