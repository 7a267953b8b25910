"""What the log says of terms: that somebody was told of one, and that a project is deleted.

`domain.events` reads and spells these like any other entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from havre.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeGiven(Event):
    """Whoever owes something was told so: once before the term ends, and once after.

    term: one of `domain.terms.TERMS`.
    about: a permit, a register, a delivery or an order, by the name that the log has.
    since: index of the entry from which the term counts.
    due_at: when it ends.
    stage: `ahead` or `overdue`.
    to: roles, in order.
    """

    kind: ClassVar[str] = "NoticeGiven"
    term: str
    about: str
    since: int
    due_at: datetime
    stage: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDeleted(Event):
    """A permit is over and its project's keys are destroyed: the hub certifies it.

    ended: index of the permit's last entry; erased: of the entry that says that its keys are gone.
    statement_sha256: of the signed certificate (`domain.deletion`).
    """

    kind: ClassVar[str] = "ProjectDeleted"
    permit: str
    ended: int
    erased: int
    statement_sha256: str
