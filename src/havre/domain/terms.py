"""Terms: what must be done by when, who owes it, and which rule says so.

One table says it all; the clock (`application.clock`), the verifier, the pages
and the documents follow it. A term counts from an entry of the log, or from a
day that a signed text names, and ends after calendar months, days or working days.

A term without a law behind it is our own proposal, and says so. What no entry of
the log can begin or end is not here: `docs/clock.md` names it.

Source: Regulation (EU) 2025/327 (EHDS); Regulation (EU) 2016/679 (GDPR).
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from havre.domain.trust import Role

_SATURDAY = 5


class TermName(StrEnum):
    """A term, as commands and the log spell it."""

    APPLICATION = "application-decided"
    PUBLICATION = "decision-published"
    DATA = "data-provided"
    RENEWAL = "permit-renewed"
    HEARING = "suspension-settled"
    END = "permit-ended"
    DELETION = "project-deleted"
    RESULTS = "results-published"
    REGISTER = "register-version"
    ANSWER = "opposition-answered"
    DELIVERY = "delivery-erased"
    ASIDE = "set-aside-erased"
    ORDER = "order-carried-out"
    DESCRIPTION = "description-verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One row of the table.

    means: what must have happened when it ends, in a few words.
    since: from what it counts, in a few words.
    months, days, working_days: how long it is; one of them, or none when it ends at once.
    ahead_days: how long before its end whoever owes it is told; 0 tells nobody before.
    owed_by: who must act; the hub acts by itself when it alone owes it.
    how: the command, or the words, with which it is done.
    source: who asks for it; ours unless somebody else does.
    """

    means: str
    since: str
    months: int = 0
    days: int = 0
    working_days: int = 0
    ahead_days: int = 0
    owed_by: tuple[Role, ...]
    how: str
    source: str = "our proposal"

    @property
    def is_hubs(self) -> bool:
        """Whether the hub does it by itself."""
        return self.owed_by[0] is Role.HUB

    @property
    def length(self) -> str:
        """How long it is, in words."""
        for number, unit in (
            (self.months, "months"),
            (self.days, "days"),
            (self.working_days, "working days"),
        ):
            if number:
                return f"{number} {unit}"
        return "at once"

    def end(self, since: datetime) -> datetime:
        """Work out when it ends.

        >>> from datetime import UTC
        >>> TERMS[TermName.APPLICATION].end(datetime(2026, 11, 30, 9, tzinfo=UTC)).isoformat()
        '2027-02-28T09:00:00+00:00'
        """
        at = add_months(since, self.months) + timedelta(days=self.days)
        for _ in range(self.working_days):
            at += timedelta(days=1)
            while at.weekday() >= _SATURDAY:
                at += timedelta(days=1)
        return at


def add_months(at: datetime, months: int) -> datetime:
    """Go on by calendar months; a day that the month has not is its last.

    Source: Regulation (EEC, Euratom) 1182/71, article 3(2)(c).
    """
    years, month = divmod(at.month - 1 + months, 12)
    year = at.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return at.replace(year=year, month=month + 1, day=min(at.day, last))


_AUTHORITY = (Role.AUTHORITY,)
_HUB = (Role.HUB,)

# In the order in which the hub acts: what ends a permit comes before what follows from it.
TERMS: Mapping[TermName, Term] = MappingProxyType(
    {
        TermName.APPLICATION: Term(
            means="an application is decided",
            since="the application on the log, which is complete or refused",
            months=3,
            ahead_days=30,
            owed_by=_AUTHORITY,
            how="havre permit sign NAME",
            source="EHDS 68(4); three more months if the authority says so",
        ),
        TermName.RENEWAL: Term(
            means="a permit is signed anew, or opens nothing any more",
            since="its last grant",
            days=90,
            ahead_days=14,
            owed_by=_AUTHORITY,
            how="havre permit sign NAME",
        ),
        TermName.HEARING: Term(
            means="a suspended permit is granted anew or revoked",
            since="its suspension",
            days=28,
            ahead_days=7,
            owed_by=_AUTHORITY,
            how="havre permit sign NAME",
            source="EHDS 63: heard within four weeks",
        ),
        TermName.DATA: Term(
            means="the data that a permit grants are provided",
            since="its first grant: the lake has them already",
            months=2,
            ahead_days=14,
            owed_by=(Role.CONTROLLER,),
            how="havre extract NAME",
            source="EHDS 68(7): two months from when the data are received",
        ),
        TermName.END: Term(
            means="a permit that is past its last day is said to be over",
            since="the end of its last day",
            # Two months: an extension is to be asked for a month before.
            ahead_days=61,
            owed_by=(Role.HUB, Role.RESEARCHER),
            how="havre clock run",
            source="EHDS 68(12); an extension is asked for a month before the end",
        ),
        TermName.DELETION: Term(
            means="a project's keys are destroyed, and that is certified",
            since="the end of its permit",
            months=6,
            owed_by=(Role.HUB, Role.CUSTODIAN),
            how="havre clock run",
            source="EHDS 68(12); the hub does it at once",
        ),
        TermName.DELIVERY: Term(
            means="a delivery that is in the lake is erased where it landed",
            since="90 days after it was checked",
            days=30,
            owed_by=(Role.HUB, Role.CUSTODIAN),
            how="havre clock run",
        ),
        TermName.ASIDE: Term(
            means="rows that were set aside are erased",
            since="90 days after their keys' successors were made",
            days=30,
            owed_by=(Role.HUB, Role.CUSTODIAN),
            how="havre clock run",
        ),
        TermName.ORDER: Term(
            means="an order to erase is carried out by enough custodians",
            since="the order",
            days=7,
            owed_by=(Role.HUB, Role.CUSTODIAN),
            how="havre clock run",
        ),
        TermName.PUBLICATION: Term(
            means="a decision, or the end of a project, is on the public site",
            since="its entry on the log",
            working_days=30,
            owed_by=_HUB,
            how="havre publish",
            source="EHDS 57(1)(j); the hub does it at once",
        ),
        TermName.RESULTS: Term(
            means="results of a project are published",
            since="the end of its permit",
            months=18,
            ahead_days=92,
            owed_by=(Role.RESEARCHER,),
            how="havre release",
            source="EHDS 61(4)",
        ),
        TermName.REGISTER: Term(
            means="a register of oppositions has its next version",
            since="the day that the version before names for it",
            days=1,
            owed_by=(Role.HOLDER,),
            how="havre opposition deliver FILE",
            source="the holder's own rhythm, and a day",
        ),
        TermName.ANSWER: Term(
            means="whoever objects is in a list that counts",
            since="the list before",
            months=1,
            ahead_days=3,
            owed_by=(Role.HOLDER,),
            how="havre opposition deliver FILE",
            source="GDPR 12(3), 21; EHDS 71",
        ),
        TermName.DESCRIPTION: Term(
            means="the description of the datasets is verified",
            since="the catalogue on the log",
            months=12,
            ahead_days=30,
            owed_by=(Role.HOLDER,),
            how="havre catalogue import",
            source="EHDS 60(3)",
        ),
    }
)
