"""Which files a plan needs at all, by the bounds that their manifest keeps.

Leaving a file out is only safe when no row of it can pass: whatever is not
known counts as "may pass". The engine still tests every row of what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from havre.domain.plan import Cell, Condition, OneOf
from havre.formats.manifest import ColumnBounds


def may_hold(bounds: Mapping[str, ColumnBounds], conditions: Iterable[Condition]) -> bool:
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
