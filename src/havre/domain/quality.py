"""The technical quality of one version of a dataset, in six elements, each with its evidence.

The elements are those of the label of article 78(3)(b) of the EHDS Regulation: completeness,
uniqueness, accuracy, validity, timeliness, consistency. What is measured is what the checks
of an ingest count anyway; what nothing measures has no level, and says so. The law's own
scale is due in an implementing act (article 78(6), by March 2027); until then the scale is
the table `SCALE` here.

A label is of the rows that one version added. Its counts are rounded to hundreds before
anything is worked out of them, so that it may be shown to everybody.

Source: Regulation (EU) 2025/327, article 78.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from havre.domain.content import Grain
from havre.domain.description import DatasetDescription, TableDescription
from havre.domain.events import rounded_count


class Element(StrEnum):
    """What is judged, in the order of the law."""

    COMPLETENESS = "completeness"
    UNIQUENESS = "uniqueness"
    ACCURACY = "accuracy"
    VALIDITY = "validity"
    TIMELINESS = "timeliness"
    CONSISTENCY = "consistency"


# By element, from which value on a level is reached, from level 4 to level 2; below it is
# level 1. Shares are in rows of a hundred thousand, timeliness in days, fewer being better.
SCALE: Mapping[Element, tuple[int, int, int]] = MappingProxyType(
    {
        Element.COMPLETENESS: (99_000, 95_000, 80_000),
        Element.UNIQUENESS: (99_990, 99_900, 99_000),
        Element.ACCURACY: (99_900, 99_000, 95_000),
        Element.VALIDITY: (99_900, 99_000, 95_000),
        Element.TIMELINESS: (92, 365, 730),
        Element.CONSISTENCY: (99_900, 99_000, 95_000),
    }
)
_OF = 100_000

# Which element a reason for setting a line aside is about, by how the reason begins; the
# others are about accuracy: the line is not what the holder meant to send.
_ABOUT: tuple[tuple[str, Element], ...] = (
    ("duplicate key", Element.UNIQUENESS),
    ("unknown value", Element.VALIDITY),
    ("unknown form", Element.VALIDITY),
    ("wrong type", Element.VALIDITY),
    ("text too long", Element.VALIDITY),
    ("empty cell", Element.COMPLETENESS),
)


@dataclass(frozen=True, slots=True)
class LineCounts:
    """What became of the lines of a version's deliveries: exact, for the hub alone.

    set_aside: reason to lines, at the holder and at the hub together.
    codes: cells that were looked up in a list of codes. codes_at_fault: those of them that it
        lacks, or not on their day. Both 0 where no list is kept.
    """

    lines: int
    set_aside: Mapping[str, int]
    codes: int = 0
    codes_at_fault: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """One element.

    level: 4 is best; null when nothing was measured.
    measured: rows of a hundred thousand, or days; null with the level.
    lines, faults: what was looked at and what was wrong, rounded to hundreds: lines, or cells
        for completeness, rows for consistency, either of lines and cells for validity; both 0 for
        timeliness, whose evidence is two dates, and where nothing was measured.
    """

    element: Element
    level: int | None
    measured: int | None
    lines: int = 0
    faults: int = 0


@dataclass(frozen=True, slots=True)
class QualityLabel:
    """The label of one version.

    version: the event's id. covers_until: the newest month that the tables' periods reach,
    as AAAA-MM, or empty; delivered_on: the day of the version.
    """

    dataset: str
    version: str
    judgements: tuple[Judgement, ...]
    covers_until: str
    delivered_on: date

    def judgement(self, element: Element) -> Judgement:
        """Find what was judged of an element."""
        return next(each for each in self.judgements if each.element is element)


def level_of(element: Element, measured: int) -> int:
    """Say which level a measurement reaches.

    >>> level_of(Element.COMPLETENESS, 96_000), level_of(Element.TIMELINESS, 31)
    (3, 4)
    """
    bars = SCALE[element]
    if element is Element.TIMELINESS:
        return next((4 - at for at, bar in enumerate(bars) if measured <= bar), 1)
    return next((4 - at for at, bar in enumerate(bars) if measured >= bar), 1)


def judge_version(
    description: DatasetDescription,
    counts: LineCounts,
    *,
    periods: Mapping[str, str],
    at: datetime,
) -> QualityLabel:
    """Judge a version.

    counts: of all its deliveries. periods: by table, the column whose date a period is about.
    at: when the version was made.
    """
    broken = dict.fromkeys(Element, 0)
    for reason, lines in counts.set_aside.items():
        broken[_element_of(reason)] += lines
    holes, cells = _holes(description.tables)
    until = _covers_until(description.tables, periods)
    judged = [
        _share(Element.COMPLETENESS, cells + broken[Element.COMPLETENESS],
               holes + broken[Element.COMPLETENESS]),
        _share(Element.UNIQUENESS, counts.lines, broken[Element.UNIQUENESS]),
        _share(Element.ACCURACY, counts.lines, broken[Element.ACCURACY]),
        _validity(counts, broken[Element.VALIDITY]),
        _timeliness(until, at),
        _consistency(description.tables),
    ]  # fmt: skip
    return QualityLabel(description.dataset, description.version, tuple(judged), until, at.date())


def _element_of(reason: str) -> Element:
    fitting = (element for start, element in _ABOUT if reason.startswith(start))
    return next(fitting, Element.ACCURACY)


def _share(element: Element, lines: int, faults: int) -> Judgement:
    looked_at, wrong = rounded_count(lines), rounded_count(faults)
    if not looked_at:
        return Judgement(element, None, None)
    measured = max(0, _OF - _OF * wrong // looked_at)
    return Judgement(element, level_of(element, measured), measured, looked_at, wrong)


def _validity(counts: LineCounts, broken: int) -> Judgement:
    """The worse of two shares: of lines, and of codes that were looked up in their list.

    Not their sum: a line has many codes, and they would hide its faults.
    """
    lines = _share(Element.VALIDITY, counts.lines, broken)
    codes = _share(Element.VALIDITY, counts.codes, counts.codes_at_fault)
    if lines.measured is None or codes.measured is None:
        return lines
    return codes if codes.measured < lines.measured else lines


def _holes(tables: Sequence[TableDescription]) -> tuple[int, int]:
    """Empty cells and all cells of what every row should have: no column that may be empty."""
    holes = cells = 0
    for table in tables:
        for variable in table.variables:
            if variable.required:
                holes += variable.missing or 0
                cells += table.rows
    return holes, cells


def _covers_until(tables: Sequence[TableDescription], periods: Mapping[str, str]) -> str:
    ends = [
        variable.high
        for table in tables
        for variable in table.variables
        if variable.name == periods.get(table.name) and variable.high is not None
    ]
    return max(ends, default="")


def _timeliness(until: str, at: datetime) -> Judgement:
    """Days from the end of the newest month, or year, that is covered, to the version."""
    if not until:
        return Judgement(Element.TIMELINESS, None, None)
    year, _, month = until.partition("-")
    months = int(year) * 12 + int(month or 12)
    covered = date(months // 12, months % 12 + 1, 1)
    days = max(0, (at.date() - covered).days)
    return Judgement(Element.TIMELINESS, level_of(Element.TIMELINESS, days), days)


def _consistency(tables: Sequence[TableDescription]) -> Judgement:
    """Rows that follow another table and find their row there."""
    followed = [
        each for each in tables if each.grain is Grain.FOLLOWING and each.links_found is not None
    ]
    lines = sum(each.rows for each in followed)
    faults = sum(each.rows * (1000 - (each.links_found or 0)) // 1000 for each in followed)
    return _share(Element.CONSISTENCY, lines, faults)


@dataclass(frozen=True, slots=True)
class Change:
    """How an element stands against an earlier version: levels, null where not measured."""

    element: Element
    before: int | None
    now: int | None

    @property
    def word(self) -> str:
        """Better, worse, the same, or not comparable."""
        if self.before is None or self.now is None:
            return "not comparable"
        if self.before == self.now:
            return "the same"
        return "better" if self.now > self.before else "worse"


def compare_labels(now: QualityLabel, before: QualityLabel) -> tuple[Change, ...]:
    """Compare two versions of a dataset, element by element."""
    return tuple(
        Change(element, before.judgement(element).level, now.judgement(element).level)
        for element in Element
    )
