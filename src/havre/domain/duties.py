"""What is owed today: the terms that run, folded from the log and from what authorities signed.

The log and the signed texts say everything but three things, which a hub knows
and brings along (`Known`): which projects have keys, which generations of rows
that were set aside have a successor, and what stands on its public site.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property

from havre.domain.clock_events import NoticeGiven, ProjectDeleted
from havre.domain.correcting import HELD
from havre.domain.erasure import Ground
from havre.domain.erasure_check import QUARANTINE_DAYS
from havre.domain.events import (
    CatalogueImported,
    DeliveryChecked,
    DeliveryReceived,
    Event,
    ExtractMade,
    OutputReleased,
    PermitMoved,
    VersionPublished,
)
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.oppositions import due_at, newest_registers
from havre.domain.permit import Permit
from havre.domain.permit_states import PermitState, replay_permit
from havre.domain.terms import TERMS, Term, TermName

_WAITS = timedelta(days=QUARANTINE_DAYS)
_ENDED = (PermitState.REVOKED, PermitState.EXPIRED)
_DECIDED = frozenset({PermitState.GRANTED, PermitState.REFUSED, *_ENDED})


class Stage(StrEnum):
    """How near the end of a term is."""

    RUNNING = "running"
    AHEAD = "ahead"
    DUE = "due"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Duty:
    """One term that runs.

    about: a permit, a register, a delivery or an order, by the name that the log has.
    index: of the entry from which it counts; since: the moment from which it counts.
    named: what is meant by `about`, where the log's name is no word of the hub's own.
    """

    term: TermName
    about: str
    index: int
    since: datetime
    named: str = ""

    @property
    def row(self) -> Term:
        """What the table says of it."""
        return TERMS[self.term]

    @property
    def due_at(self) -> datetime:
        """When it ends."""
        return self.row.end(self.since)

    def stage(self, now: datetime) -> Stage:
        """Tell how near its end is; what the hub does by itself is due as soon as it counts."""
        if now > self.due_at and self.due_at > self.since:
            return Stage.OVERDUE
        if self.row.is_hubs and now >= self.since:
            return Stage.DUE
        if self.row.ahead_days and now >= self.due_at - timedelta(days=self.row.ahead_days):
            return Stage.AHEAD
        return Stage.RUNNING

    def is_notice(self, notice: NoticeGiven) -> bool:
        """Whether a notice that stands on the log is about this very term."""
        same = (notice.term, notice.about, notice.since)
        return same == (self.term.value, self.about, self.index)


@dataclass(frozen=True, slots=True)
class Superseded:
    """A generation of rows that were set aside, which has a successor.

    partition: opaque id. index, since: of the entry that made its successor.
    """

    partition: str
    name: str
    index: int
    since: datetime


@dataclass(frozen=True)
class Known:
    """Everything that terms are worked out from.

    entries: the log, from its first entry. permits: by name, the text of each.
    projects: those that have keys. shown: indexes of the entries whose files the site has.
    """

    entries: Sequence[tuple[int, Event]]
    permits: Mapping[str, Permit]
    projects: AbstractSet[str] = frozenset()
    superseded: Sequence[Superseded] = ()
    shown: AbstractSet[int] = frozenset()

    @cached_property
    def moves(self) -> Mapping[str, Sequence[tuple[int, PermitMoved]]]:
        """The moves of every permit, in order."""
        found: dict[str, list[tuple[int, PermitMoved]]] = {}
        for index, event in self.entries:
            if isinstance(event, PermitMoved):
                found.setdefault(event.permit, []).append((index, event))
        return found

    @cached_property
    def ordered(self) -> AbstractSet[str]:
        """The partitions that somebody ordered erased, by opaque id."""
        orders = (event for _, event in self.entries if isinstance(event, ErasureOrdered))
        return frozenset(each for order in orders for each in order.partitions)

    def about(self, kind: type[ExtractMade | OutputReleased | ProjectDeleted]) -> AbstractSet[str]:
        """The permits that entries of a kind are about."""
        return {event.permit for _, event in self.entries if isinstance(event, kind)}


def list_duties(known: Known) -> list[Duty]:
    """List every term that runs, in the table's order."""
    found = [
        *_of_permits(known),
        *_of_sites(known),
        *_of_deliveries(known),
        *_of_generations(known),
        *_of_orders(known),
        *_of_registers(known),
        *_of_catalogues(known),
    ]
    order = list(TERMS)
    return sorted(found, key=lambda each: (order.index(each.term), each.about, each.index))


def last_moment(permit: Permit) -> datetime:
    """When a permit's last day is over: days are of UTC, and included."""
    return datetime.combine(permit.ends_on + timedelta(days=1), time(), UTC)


def _of_permits(known: Known) -> Iterator[Duty]:
    for name, moves in known.moves.items():
        state, index, last = replay_permit(moves)
        if state in (PermitState.SUBMITTED, PermitState.ASSESSMENT):
            yield Duty(TermName.APPLICATION, name, moves[0][0], moves[0][1].at)
        elif state in (PermitState.GRANTED, PermitState.SUSPENDED):
            yield from _of_living(known, known.permits[name], state=state, moves=moves)
        elif state in _ENDED:
            end = last_moment(known.permits[name])
            yield from _of_ended(known, name, index=index, over=min(end, last.at))


def _of_living(
    known: Known,
    permit: Permit,
    *,
    state: PermitState,
    moves: Sequence[tuple[int, PermitMoved]],
) -> Iterator[Duty]:
    granted = [(index, moved) for index, moved in moves if moved.state == PermitState.GRANTED]
    index, last = granted[-1]
    end = last_moment(permit)
    if state is PermitState.SUSPENDED:
        yield Duty(TermName.HEARING, permit.name, moves[-1][0], moves[-1][1].at)
    elif TERMS[TermName.RENEWAL].end(last.at) < end:
        yield Duty(TermName.RENEWAL, permit.name, index, last.at)
    project = permit.upkeep is None
    if state is PermitState.GRANTED and project and permit.name not in known.about(ExtractMade):
        yield Duty(TermName.DATA, permit.name, granted[0][0], granted[0][1].at)
    yield Duty(TermName.END, permit.name, index, end)


def _of_ended(known: Known, name: str, *, index: int, over: datetime) -> Iterator[Duty]:
    if name in known.projects and name not in known.about(ProjectDeleted):
        yield Duty(TermName.DELETION, name, index, over)
    if name in known.about(ExtractMade) - known.about(OutputReleased):
        yield Duty(TermName.RESULTS, name, index, over)


def _of_sites(known: Known) -> Iterator[Duty]:
    for index, event in known.entries:
        decided = isinstance(event, PermitMoved) and event.state in _DECIDED
        if index not in known.shown and (decided or isinstance(event, ProjectDeleted)):
            yield Duty(TermName.PUBLICATION, event.permit, index, event.at)  # type: ignore[attr-defined]


def _of_deliveries(known: Known) -> Iterator[Duty]:
    """What landed, was checked whole, and is in a version or a register behind it, or was held."""
    received: dict[str, list[DeliveryReceived]] = {}
    checked: dict[str, tuple[int, DeliveryChecked]] = {}
    newest = -1
    for index, event in known.entries:
        if isinstance(event, DeliveryReceived):
            received.setdefault(event.partition, []).append(event)
        elif isinstance(event, DeliveryChecked):
            checked[event.delivery] = (index, event)
        elif isinstance(event, VersionPublished | OppositionsUpdated):
            newest = index
    for partition, deliveries in received.items():
        checks = [checked[each.delivery] for each in deliveries if each.delivery in checked]
        if partition in known.ordered or len(checks) < len(deliveries):
            continue
        index, last = max(checks, key=lambda each: each[0])
        if index < newest or last.outcome == HELD:
            yield Duty(TermName.DELIVERY, partition, index, last.at + _WAITS, last.delivery)


def _of_generations(known: Known) -> Iterator[Duty]:
    for each in known.superseded:
        if each.partition not in known.ordered:
            since = each.since + _WAITS
            yield Duty(TermName.ASIDE, each.partition, each.index, since, each.name)


def _of_orders(known: Known) -> Iterator[Duty]:
    """Orders that stand open; a project's belongs to the term of its deletion."""
    closed = {event.order for _, event in known.entries if isinstance(event, KeysErased)}
    for index, event in known.entries:
        if not isinstance(event, ErasureOrdered) or index in closed:
            continue
        if event.ground != Ground.PERMIT_OVER:
            yield Duty(TermName.ORDER, event.order, index, event.at, event.ground)


def _of_registers(known: Known) -> Iterator[Duty]:
    for name, (index, update) in newest_registers(known.entries).items():
        if update.every_hours:
            yield Duty(TermName.REGISTER, name, index, due_at(update))
        yield Duty(TermName.ANSWER, name, index, update.at)


def _of_catalogues(known: Known) -> Iterator[Duty]:
    imported = [each for each in known.entries if isinstance(each[1], CatalogueImported)]
    for index, event in imported[-1:]:
        yield Duty(TermName.DESCRIPTION, "catalogue", index, event.at)


def untold(duties: Iterable[Duty], notices: Iterable[NoticeGiven], *, now: datetime) -> list[Duty]:
    """Find the terms that are near their end, or past it, and of which nobody was told that yet."""
    given = list(notices)
    return [
        duty
        for duty in duties
        if (stage := notice_stage(duty, now)) is not None
        and not any(duty.is_notice(each) and each.stage == stage for each in given)
    ]


def notice_stage(duty: Duty, now: datetime) -> Stage | None:
    """Tell which notice a term is worth now: one ahead, one when it is overdue, else none.

    What the hub can do by itself today is done, and not announced.
    """
    stage = duty.stage(now)
    return stage if stage in (Stage.AHEAD, Stage.OVERDUE) else None
