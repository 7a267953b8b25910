"""The clock: does what is due by itself, tells who owes the rest, and can be run at any time.

Everything that it does is on the log, and what is on the log is not done again: a
run that is killed anywhere is gone on with by the next one. It decides nothing.
What needs somebody's signature waits, and says whose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from havre.application.audit import PublicLog
from havre.application.journal import Journal
from havre.application.permits import Permits
from havre.application.vault.erasing import ErasureReport
from havre.crypto.random import new_object_id
from havre.domain.clock_events import NoticeGiven, ProjectDeleted
from havre.domain.deletion import KIND_DELETION, DeletionCertificate, sign_deletion
from havre.domain.duties import Duty, Known, Stage, list_duties, notice_stage, untold
from havre.domain.erasure import MOST_PARTITIONS, Ground
from havre.domain.events import ExtractMade
from havre.domain.key_events import KeysErased
from havre.domain.key_states import read_key_states
from havre.domain.permit_states import PermitState
from havre.domain.terms import TermName
from havre.domain.trust import Role
from havre.errors import HavreError, Unavailable
from havre.ports.clock import Clock
from havre.ports.records import Document
from havre.ports.tokens import Token


class StillOpen(Unavailable):
    """Too few custodians have attested; whoever is missing is named."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that the hub did, or told somebody.

    entry: index of its entry on the log; null of what is on no log, such as publishing.
    """

    duty: Duty
    did: str
    entry: int | None = None


@dataclass(slots=True)
class ClockRun:
    """What a run came to.

    did: what was done and told. waits: what the hub owes and could not do, and why.
    owed: what runs now, by whoever owes it.
    """

    did: list[Act] = field(default_factory=list)
    waits: list[tuple[Duty, HavreError]] = field(default_factory=list)
    owed: list[Duty] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the clock does with, each of which may be done twice.

    known: reads everything that terms are worked out from.
    erase_project: by the permit's name. erase: by opaque ids, on a ground.
    carry_out: by the order's entry. publish: writes the public site anew.
    """

    known: Callable[[], Known]
    erase_project: Callable[[str], ErasureReport]
    erase: Callable[[Sequence[str], Ground], ErasureReport]
    carry_out: Callable[[int], ErasureReport]
    publish: Callable[[], object]


class Clockwork:
    """Acts on what is due at one hub."""

    def __init__(
        self,
        *,
        journal: Journal,
        log: PublicLog,
        permits: Permits,
        token: Token,
        clock: Clock,
        origin: str,
        hands: Hands,
    ) -> None:
        self._journal = journal
        self._log = log
        self._permits = permits
        self._token = token
        self._clock = clock
        self._origin = origin
        self._hands = hands

    def list_running(self) -> list[Duty]:
        """List every term that runs; nothing is done."""
        return list_duties(self._hands.known())

    def run(self) -> ClockRun:
        """Do what is due, tell who owes what is not the hub's, and publish that.

        Raises:
            HandedOver: the log was handed over; its clock runs elsewhere.
            Unavailable: the records or the log cannot be read.
        """
        self._journal.check_ours()
        run = ClockRun()
        for term in (TermName.END, TermName.DELETION, TermName.ORDER):
            for duty in self._due(term):
                self._try(run, [duty], partial(self._act, duty))
        for term, ground in (
            (TermName.DELIVERY, Ground.TAKEN_IN),
            (TermName.ASIDE, Ground.SUPERSEDED),
        ):
            for batch in self._batches(self._due(term)):
                self._try(run, batch, partial(self._erase, batch, ground))
        run.did += self._tell()
        if unseen := self._due(TermName.PUBLICATION):
            self._try(run, unseen, self._publish)
        run.owed = self.list_running()
        return run

    def _now(self) -> datetime:
        """The present second, as the log will have it."""
        return self._clock.now().replace(microsecond=0)

    def _due(self, term: TermName) -> list[Duty]:
        now = self._clock.now()
        return [duty for duty in self.list_running() if duty.term is term and now >= duty.since]

    def _try(
        self, run: ClockRun, duties: Sequence[Duty], act: Callable[[], tuple[str, int | None]]
    ) -> None:
        """Do one thing; what refuses or does not answer waits, and spares nothing else."""
        try:
            did, entry = act()
        except HavreError as fault:
            run.waits += [(duty, fault) for duty in duties]
        else:
            run.did += [Act(duty, did, entry) for duty in duties]

    def _act(self, duty: Duty) -> tuple[str, int | None]:
        if duty.term is TermName.END:
            return "said to be over", self._permits.expire(duty.about).index
        if duty.term is TermName.ORDER:
            return "carried out", _attested(self._hands.carry_out(duty.index))
        return self._delete(duty)

    def _erase(self, batch: Sequence[Duty], ground: Ground) -> tuple[str, int | None]:
        report = self._hands.erase([duty.about for duty in batch], ground)
        return "erased", _attested(report)

    def _publish(self) -> tuple[str, int | None]:
        self._hands.publish()
        return "published", None

    def _delete(self, duty: Duty) -> tuple[str, int | None]:
        """Have a project's keys destroyed, then certify it, once."""
        report = self._hands.erase_project(duty.about)
        erased = _attested(report)
        with self._journal.alone():
            known = self._hands.known()
            for index, event in known.entries:
                if isinstance(event, ProjectDeleted) and event.permit == duty.about:
                    return "certified before", index
            return "deleted and certified", self._certify(duty, known, report.order, erased)

    def _certify(self, duty: Duty, known: Known, order: int, erased: int) -> int:
        moves, now = known.moves[duty.about], self._now()
        granted = [moved for _, moved in moves if moved.state == PermitState.GRANTED]
        closing = known.entries[erased][1]
        certificate = sign_deletion(
            DeletionCertificate(
                permit=duty.about,
                state=moves[-1][1].state,
                ended=moves[-1][0],
                text_sha256=granted[-1].statement_sha256,
                extracts=tuple(
                    index
                    for index, event in known.entries
                    if isinstance(event, ExtractMade) and event.permit == duty.about
                ),
                order=order,
                erased=erased,
                attested=closing.certificates if isinstance(closing, KeysErased) else {},
                certified_at=now,
            ),
            origin=self._origin,
            signer=self._token,
        )
        digest = hashlib.sha256(certificate).hexdigest()
        (index,) = self._journal.record(
            ProjectDeleted(
                event_id=new_object_id(),
                at=now,
                permit=duty.about,
                ended=moves[-1][0],
                erased=erased,
                statement_sha256=digest,
            ),
            documents=[Document(KIND_DELETION, digest, certificate)],
        )
        return index

    def _batches(self, duties: Sequence[Duty]) -> Iterator[list[Duty]]:
        """Put together what one order may name: partitions that the same custodians hold."""
        if not duties:
            return
        states = read_key_states(logged.event for logged in self._log.entries())
        by_holders: dict[tuple[str, ...], list[Duty]] = {}
        for duty in duties:
            holders = tuple(sorted(states[duty.about].holders))
            by_holders.setdefault(holders, []).append(duty)
        for batch in by_holders.values():
            for at in range(0, len(batch), MOST_PARTITIONS):
                yield batch[at : at + MOST_PARTITIONS]

    def _tell(self) -> list[Act]:
        """Give every notice that is worth giving now and was not given before, in one act."""
        with self._journal.alone():
            known, now = self._hands.known(), self._now()
            given = [event for _, event in known.entries if isinstance(event, NoticeGiven)]
            duties = untold(list_duties(known), given, now=now)
            if not duties:
                return []
            notices = [
                NoticeGiven(
                    event_id=new_object_id(),
                    at=now,
                    term=duty.term.value,
                    about=duty.about,
                    since=duty.index,
                    due_at=duty.due_at,
                    stage=str(notice_stage(duty, now)),
                    to=told_roles(duty),
                )
                for duty in duties
            ]
            indexes = self._journal.record(*notices)
        return [
            Act(duty, f"told {', '.join(notice.to)} ({notice.stage})", index)
            for duty, notice, index in zip(duties, notices, indexes, strict=True)
        ]


def told_roles(duty: Duty) -> tuple[str, ...]:
    """Tell whom a notice is for: whoever owes it besides the hub, or else the controller."""
    owing = [role.value for role in duty.row.owed_by if role is not Role.HUB]
    return tuple(sorted(owing)) or (Role.CONTROLLER.value,)


def is_near(duties: Iterable[Duty], *, clock: Clock) -> list[Duty]:
    """Keep the terms that are near their end, due or past it."""
    now = clock.now()
    return [duty for duty in duties if duty.stage(now) is not Stage.RUNNING]


def _attested(report: ErasureReport) -> int:
    """Give the entry that says that keys are gone.

    Raises:
        StillOpen: too few custodians have attested; whoever is missing is named.
    """
    if report.erased is not None:
        return report.erased
    missing = "; ".join(f"{name}: {why}" for name, why in sorted(report.missing.items()))
    raise StillOpen(
        f"{report.needed} custodians must attest, and {len(report.attested)} did. {missing}".strip(),
        hint="The order stands. Have them reached, and run the clock again.",
    )
