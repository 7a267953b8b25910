"""Which files a plan needs at all, by the bounds that their manifest keeps.

Leaving a file out is only safe when no row of it can pass: whatever is not
known counts as "may pass". The engine still tests every row of what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from havre.domain.plan import Cell, Condition, Follow, OneOf, Plan, TablePlan
from havre.formats.manifest import ColumnBounds

Bounds: TypeAlias = Mapping[str, ColumnBounds]


def choose_files(plan: Plan, files: Sequence[tuple[str, Bounds]]) -> list[int]:
    """Choose the files that a plan needs, by their places.

    files: the table of each, and the bounds of its columns.

    Left out are files whose bounds no row of the plan can pass, and those whose rows
    follow rows of another table that are in no file chosen: so a period reaches tables that
    have no date of their own. Where every row of a table counts, all its files are chosen.
    """
    of_table = {table: _places_of(table, files) for table in plan.tables_read}
    chosen = {table: of_table[table] for table in plan.tables_read_whole}
    # A part stands behind those it follows.
    for part in plan.tables:
        if part.table not in plan.tables_read_whole:
            owners = {table: [files[n][1] for n in places] for table, places in chosen.items()}
            chosen[part.table] = [
                place
                for place in of_table[part.table]
                if _may_come_out(files[place][1], part, owners)
            ]
    return sorted(place for places in chosen.values() for place in places)


def _places_of(table: str, files: Sequence[tuple[str, Bounds]]) -> list[int]:
    return [place for place, (own, _) in enumerate(files) if own == table]


def _may_come_out(bounds: Bounds, part: TablePlan, owners: Mapping[str, Sequence[Bounds]]) -> bool:
    return may_hold(bounds, part.conditions) and all(
        _may_follow(bounds, follow, owners[follow.table]) for follow in part.follows
    )


def _may_follow(bounds: Bounds, follow: Follow, owners: Iterable[Bounds]) -> bool:
    """Tell whether a file may have a row whose keys a row of one of these files has as well."""
    keys = list(zip(follow.own, follow.theirs, strict=True))
    return any(
        all(_may_meet(bounds.get(own), owner.get(theirs)) for own, theirs in keys)
        for owner in owners
    )


def _may_meet(one: ColumnBounds | None, other: ColumnBounds | None) -> bool:
    """Tell whether two columns may have a cell in common, of whichever type they are.

    Bounds do not say their type. They part only where that is so as texts and, if all
    are numbers, as numbers too. Texts are compared as far as both go: a day and a moment of it meet.
    """
    if one is None or one.minimum is None or one.maximum is None:
        return True
    if other is None or other.minimum is None or other.maximum is None:
        return True
    if _not_after(one.minimum, other.maximum) and _not_after(other.minimum, one.maximum):
        return True
    try:
        low, high = Decimal(one.minimum), Decimal(one.maximum)
        return low <= Decimal(other.maximum) and Decimal(other.minimum) <= high
    except ArithmeticError:
        return False


def _not_after(one: str, other: str) -> bool:
    length = min(len(one), len(other))
    return one[:length] <= other[:length]


def may_hold(bounds: Bounds, conditions: Iterable[Condition]) -> bool:
    """Tell whether a file may have a row that passes all conditions.

    bounds: of the file's columns, as its manifest entry has them; a column that
        is missing, or whose bounds are not known, may hold anything.

    >>> from havre.domain.plan import Between
    >>> year = {"DAY": ColumnBounds("2021-01-01", "2021-12-31", 0)}
    >>> may_hold(year, [Between("DAY", date(2022, 1, 1), date(2022, 6, 30))])
    False
    """
    return all(_may_pass(bounds.get(condition.column), condition) for condition in conditions)


def _may_pass(span: ColumnBounds | None, condition: Condition) -> bool:
    if span is None or span.minimum is None or span.maximum is None:
        return True
    if isinstance(condition, OneOf):
        return any(
            _may_overlap(span.minimum, span.maximum, low=value, high=value)
            for value in condition.values
        )
    return _may_overlap(span.minimum, span.maximum, low=condition.low, high=condition.high)


def _may_overlap(minimum: str, maximum: str, *, low: Cell, high: Cell) -> bool:
    if isinstance(low, int) and isinstance(high, int):
        try:
            return int(minimum) <= high and low <= int(maximum)
        except ValueError:
            # Bounds of another type than the condition: the engine will say so.
            return True
    if isinstance(low, date) and isinstance(high, date):
        # ISO 8601 sorts as text; ten characters of a moment are its day.
        return minimum[:10] <= high.isoformat() and low.isoformat() <= maximum[:10]
    return minimum <= str(high) and str(low) <= maximum
