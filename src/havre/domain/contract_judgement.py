"""Whether a delivery keeps its contract: judged from counts, without a look at any row.

What is measured is private: exact shares of a holder's own delivery. The check report
and the holder's receipt have them, the public log has a commitment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from havre.domain.code_system import ColumnCodes
from havre.domain.content import LinkCount
from havre.domain.contract import Contract, Freshness, Level, Rule, RuleKind
from havre.domain.delivery import Span
from havre.formats.canonical import Json


class State(StrEnum):
    """What a rule came to. NOT_MEASURED: there is nothing yet to measure it against."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class TableFacts:
    """Lines of one table in a delivery, at the holder, and rows of them that were accepted."""

    lines: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted for a rule while rows passed.

    rows: that it is about. hits: those of them that it counts: empty, on the list, covered,
        valid, or with the row that they follow.
    """

    rows: int
    hits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFacts:
    """What is known of one delivery when it was checked.

    covers: the days that its holder says it is about, or null.
    tables: by name. counted: by the name of the rule.
    before: accepted rows of the source's delivery before by table, and when that was
        received; null for the first one.
    """

    received_on: date
    covers: Span | None
    tables: Mapping[str, TableFacts]
    counted: Mapping[str, Counted]
    before: Mapping[str, int] | None = None
    before_received_on: date | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule, and what a delivery made of it.

    measured: a share or a number of days; null when nothing was measured.
    says: the same as a sentence without capital and full stop.
    """

    name: str
    level: Level
    state: State
    measured: float | None
    says: str

    @property
    def text(self) -> dict[str, Json]:
        """The same, as check reports and receipts have it; a measure to six digits, as text."""
        return {
            "level": self.level.value,
            "measured": None if self.measured is None else f"{self.measured:.6g}",
            "name": self.name,
            "says": self.says,
            "state": self.state.value,
        }


def counted_beside(
    rules: Sequence[Rule], *, links: LinkCount | None, codes: Sequence[ColumnCodes]
) -> dict[str, Counted]:
    """Say what rules about one table come to, by what is counted of it anyway.

    links: null where nothing was looked for. codes: of the table's columns.

    Returns the counts by rule; of one that could not be counted, and of other kinds, none.
    """
    by_column = {each.column: each.counts for each in codes}
    counted = {}
    for rule in rules:
        if rule.kind is RuleKind.PARENTS and links is not None:
            counted[rule.name] = Counted(links.looked_at, links.found)
        if rule.kind is RuleKind.CODES and rule.column in by_column:
            counts = by_column[rule.column]
            counted[rule.name] = Counted(counts.filled, counts.valid)
    return counted


def judge_delivery(contract: Contract, facts: DeliveryFacts) -> tuple[Judged, ...]:
    """Judge every rule of a contract, in its order, the expected tables first."""
    return (
        *_judge_tables(contract, facts),
        *_judge_years(contract, facts),
        *(_judge_freshness(contract.freshness, facts) if contract.freshness else ()),
        *(_judge_rule(rule, facts) for rule in contract.rules),
    )


def broken_of(judged: tuple[Judged, ...], *, level: Level) -> tuple[Judged, ...]:
    """List the rules of a level that were broken."""
    return tuple(each for each in judged if each.level is level and each.state is State.BROKEN)


def _judge_tables(contract: Contract, facts: DeliveryFacts) -> Iterator[Judged]:
    for table in contract.tables:
        there = table.name in facts.tables
        if table.presence is Level.MUST or there:
            state = State.KEPT if there else State.BROKEN
            says = f"table {table.name} is {'there' if there else 'missing'}"
            yield Judged(f"table {table.name}", Level.MUST, state, None, says)
    for name in sorted(facts.tables.keys() - {table.name for table in contract.tables}):
        says = f"table {name} is not in the contract"
        yield Judged(f"table {name}", Level.MUST, State.BROKEN, None, says)


def _judge_years(contract: Contract, facts: DeliveryFacts) -> Iterator[Judged]:
    if not contract.schema_years:
        return
    name, covers = "schema years", facts.covers
    if covers is None:
        yield Judged(name, Level.MUST, State.BROKEN, None, _SAYS_NOTHING)
        return
    years = set(range(covers.first_day.year, covers.last_day.year + 1))
    beyond = sorted(years - set(contract.schema_years))
    said = ", ".join(map(str, beyond or sorted(years)))
    says = f"it covers {said}, {'not' if beyond else 'as'} agreed"
    yield Judged(name, Level.MUST, State.BROKEN if beyond else State.KEPT, None, says)


def _judge_freshness(agreed: Freshness, facts: DeliveryFacts) -> Iterator[Judged]:
    covers, before_on = facts.covers, facts.before_received_on
    covered = None if covers is None else covers.days
    waited = None if covers is None else (facts.received_on - covers.last_day).days
    since = None if before_on is None else (facts.received_on - before_on).days
    for name, days, most, what in (
        ("days covered", covered, agreed.covers_days, "it covers"),
        ("days after", waited, agreed.at_most_days_after, "from its last day to its arrival are"),
        ("days between", since, agreed.every_days, "since the delivery before it are"),
    ):
        if most is None:
            continue
        if days is None:
            is_first = name == "days between"
            state = State.NOT_MEASURED if is_first else State.BROKEN
            says = "it is the first delivery" if is_first else _SAYS_NOTHING
            yield Judged(name, agreed.level, state, None, says)
            continue
        state = State.KEPT if days <= most else State.BROKEN
        yield Judged(name, agreed.level, state, days, f"{what} {days} days, at most {most}")


def _judge_rule(rule: Rule, facts: DeliveryFacts) -> Judged:
    if rule.kind is RuleKind.COVERED and facts.covers is None:
        return Judged(rule.name, rule.level, State.BROKEN, None, _SAYS_NOTHING)
    measured = _measure(rule, facts)
    if measured is None:
        says = f"{_about(rule)} cannot be measured: there is nothing to measure them against"
        return Judged(rule.name, rule.level, State.NOT_MEASURED, None, says)
    low = rule.at_least is not None and measured < rule.at_least
    high = rule.at_most is not None and measured > rule.at_most
    limits = [f"at least {rule.at_least:g}"] if rule.at_least is not None else []
    limits += [f"at most {rule.at_most:g}"] if rule.at_most is not None else []
    says = f"{_about(rule)} are {measured:.4g}, {' and '.join(limits)}"
    state = State.BROKEN if low or high else State.KEPT
    return Judged(rule.name, rule.level, state, measured, says)


def _measure(rule: Rule, facts: DeliveryFacts) -> float | None:
    """A share, or null when what it is a share of is nothing."""
    table = facts.tables.get(rule.table)
    if table is None:
        return None
    if rule.kind is RuleKind.ROWS:
        before = (facts.before or {}).get(rule.table, 0)
        return table.accepted / before if before else None
    if rule.kind is RuleKind.SET_ASIDE:
        return (table.lines - table.accepted) / table.lines if table.lines else None
    counted = facts.counted.get(rule.name, Counted(0, 0))
    return counted.hits / counted.rows if counted.rows else None


_SAYS_NOTHING = "its announcement does not say which days it covers"
_WORDS = {
    RuleKind.ROWS: "rows of {table} against the delivery before",
    RuleKind.SET_ASIDE: "lines of {table} that were set aside",
    RuleKind.EMPTY: "empty cells of {table}.{column}",
    RuleKind.VALUES: "cells of {table}.{column} that are on the list",
    RuleKind.COVERED: "dates of {table}.{column} within the days covered",
    RuleKind.CODES: "codes of {table}.{column} that are valid on their day",
    RuleKind.PARENTS: "rows of {table} that find the row which they follow",
}


def _about(rule: Rule) -> str:
    return _WORDS[rule.kind].format(table=rule.table, column=rule.column)
