"""Judging drills: what a run observed against the table's numbers, and where each drill stands.

What a run observed is compared here and nowhere else: whoever runs a drill
brings numbers, never a verdict. A criterion that could not be tried on a machine
is *not run*: that is no success, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from havre.domain.events import DrillRan
from havre.domain.rehearsals import DRILLS, Criterion, DrillName


class Verdict(StrEnum):
    """What a drill came to, or what became of it since.

    incomplete: nothing failed, and something could not be tried.
    overdue: it held, longer ago than its period: that counts as failed.
    never: it was never run, which counts as failed too.
    """

    HELD = "held"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    OVERDUE = "overdue"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Judged:
    """One criterion after a run.

    observed: null when it was not run; then `not_run` says why.
    """

    criterion: Criterion
    observed: int | None
    not_run: str = ""

    @property
    def held(self) -> bool | None:
        """Whether it held; null when nobody knows."""
        return None if self.observed is None else self.criterion.holds(self.observed)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a drill stands today.

    ran: its newest run, with its index on the log.
    age_days: whole days since then.
    """

    drill: DrillName
    verdict: Verdict
    ran: DrillRan | None = None
    index: int | None = None
    age_days: int | None = None

    @property
    def counts_as_failed(self) -> bool:
        """Whether a reader must take it for failed."""
        return self.verdict in (Verdict.FAILED, Verdict.OVERDUE, Verdict.NEVER)

    @property
    def due_at(self) -> datetime | None:
        """When the newest run is too old; null when there is none."""
        if self.ran is None:
            return None
        return self.ran.at + timedelta(days=DRILLS[self.drill].period_days)


def judge(
    drill: DrillName, observed: Mapping[str, int], *, not_run: Mapping[str, str] | None = None
) -> tuple[Judged, ...]:
    """Compare what a run observed with the drill's row.

    observed: by the criterion's name, a whole number in its unit.
    not_run: by the criterion's name, why it was not tried.

    Raises:
        ValueError: a criterion has neither, or both, or something is of no criterion.
    """
    excused = not_run or {}
    names = [each.name for each in DRILLS[drill].criteria]
    if sorted([*observed, *excused]) != sorted(names):
        raise ValueError("each criterion is observed or excused, once")
    return tuple(
        Judged(each, observed.get(each.name), excused.get(each.name, ""))
        for each in DRILLS[drill].criteria
    )


def verdict_of(judged: Iterable[Judged]) -> Verdict:
    """Say what all criteria together come to; of none at all, nothing is known.

    >>> verdict_of([]).value
    'incomplete'
    """
    answers = [each.held for each in judged]
    if False in answers:
        return Verdict.FAILED
    return Verdict.HELD if answers and None not in answers else Verdict.INCOMPLETE


def standings(runs: Sequence[tuple[int, DrillRan]], *, now: datetime) -> list[Standing]:
    """Tell where every drill of the table stands, in the table's order.

    runs: index and entry, in the order of the log.
    """
    newest = {ran.drill: (index, ran) for index, ran in runs}
    return [_standing(drill, newest.get(drill.value), now) for drill in DRILLS]


def _standing(drill: DrillName, newest: tuple[int, DrillRan] | None, now: datetime) -> Standing:
    if newest is None:
        return Standing(drill, Verdict.NEVER)
    index, ran = newest
    verdict = Verdict(ran.verdict)
    age = now - ran.at
    if verdict is not Verdict.FAILED and age > timedelta(days=DRILLS[drill].period_days):
        verdict = Verdict.OVERDUE
    return Standing(drill, verdict, ran, index, max(0, age.days))
