"""The public register, read off the log: what data came in, who may use them, what ran, what left.

Nothing is added and nothing decided here; a page that shows a register shows
the log in another order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from havre.domain.clock_events import ProjectDeleted
from havre.domain.events import (
    DeliveryChecked,
    DrillRan,
    Event,
    ExtractMade,
    JobRan,
    KeysAbandoned,
    KeysReleased,
    KeysRequested,
    OutputReleased,
    OutputReviewed,
    PartitionsCreated,
    PermitMoved,
    ReleaseMoved,
    VersionPublished,
    VoteCast,
)
from havre.domain.handover import is_handover
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.permit_states import PermitState
from havre.domain.release import APPROVE, ReleaseState


@dataclass(slots=True)
class DatasetLine:
    """One dataset: rows (rounded) over all versions, deliveries, and its newest version."""

    name: str
    rows: int = 0
    versions: int = 0
    newest_at: datetime | None = None


@dataclass(slots=True)
class PermitLine:
    """One permit: where it stands, and everything that was done under it."""

    name: str
    state: str = ""
    since: datetime | None = None
    moves: list[tuple[int, PermitMoved]] = field(default_factory=list)
    openings: int = 0
    extracts: list[tuple[int, ExtractMade]] = field(default_factory=list)
    jobs: list[tuple[int, JobRan]] = field(default_factory=list)
    releases: list[ReleaseLine] = field(default_factory=list)

    @property
    def granted_by(self) -> tuple[str, ...]:
        """Key ids of those who signed the last grant; nobody before it."""
        grants = [moved for _, moved in self.moves if moved.state == PermitState.GRANTED]
        return grants[-1].signers if grants else ()


@dataclass(slots=True)
class ReleaseLine:
    """One request to release outputs, and how it was decided.

    approved_by: key ids of the checkers whose opened votes approve, of the last turn.
    sent_back_by_machine: indexes of the moves by which it went back before anybody voted.
    """

    request: str
    permit: str = ""
    job: str = ""
    state: str = ""
    turns: int = 0
    moves: list[tuple[int, ReleaseMoved]] = field(default_factory=list)
    approved_by: tuple[str, ...] = ()
    sent_back_by_machine: list[int] = field(default_factory=list)
    released: tuple[int, OutputReleased] | None = None


@dataclass(slots=True)
class Register:
    """The log, sorted by what it is about.

    permit_at: index of an entry to the permit that it belongs to; entries of no
        permit are not in it.
    """

    entries: int = 0
    datasets: dict[str, DatasetLine] = field(default_factory=dict)
    permits: dict[str, PermitLine] = field(default_factory=dict)
    releases: dict[str, ReleaseLine] = field(default_factory=dict)
    drills: list[tuple[int, DrillRan]] = field(default_factory=list)
    rows_accepted: int = 0
    rows_set_aside: int = 0
    timeline: list[tuple[int, Event]] = field(default_factory=list)
    permit_at: dict[int, str] = field(default_factory=dict)

    @property
    def handed_over(self) -> bool:
        """Whether the log ends here because another host writes it on."""
        return bool(self.timeline) and is_handover(self.timeline[-1][1])

    def about_permit(self, permit: str) -> list[tuple[int, Event]]:
        """List every entry that belongs to one permit, in order."""
        return [each for each in self.timeline if self.permit_at.get(each[0]) == permit]


def read_register(entries: Iterable[tuple[int, Event]]) -> Register:
    """Sort the log's entries.

    entries: index and event, all of them, in order.
    """
    register = Register()
    seen: list[Event] = []
    for index, event in entries:
        register.entries = index + 1
        register.timeline.append((index, event))
        _sort(register, index, event, seen)
        _name_permit(register, index, event)
        seen.append(event)
    _name_permits_of_keys(register)
    return register


def _sort(register: Register, index: int, event: Event, seen: Sequence[Event]) -> None:
    if isinstance(event, VersionPublished | DeliveryChecked | DrillRan):
        _sort_data(register, index, event)
    elif isinstance(event, PermitMoved | KeysRequested | ExtractMade | JobRan):
        _sort_permit(register, index, event, seen)
    elif isinstance(event, ReleaseMoved | OutputReviewed | OutputReleased):
        _sort_release(register, index, event)


def _sort_data(
    register: Register, index: int, event: VersionPublished | DeliveryChecked | DrillRan
) -> None:
    if isinstance(event, VersionPublished):
        line = register.datasets.setdefault(event.dataset, DatasetLine(event.dataset))
        line.rows = max(0, line.rows + event.rows - (event.withdrawn or 0))
        line.versions += 1
        line.newest_at = event.at
    elif isinstance(event, DeliveryChecked):
        register.rows_accepted += event.rows_accepted
        register.rows_set_aside += event.rows_set_aside
    else:
        register.drills.append((index, event))


def _sort_permit(
    register: Register,
    index: int,
    event: PermitMoved | KeysRequested | ExtractMade | JobRan,
    seen: Sequence[Event],
) -> None:
    if isinstance(event, PermitMoved):
        line = register.permits.setdefault(event.permit, PermitLine(event.permit))
        line.state, line.since = event.state, event.at
        line.moves.append((index, event))
    elif isinstance(event, KeysRequested):
        moved = seen[event.permit] if event.permit is not None else None
        if isinstance(moved, PermitMoved):
            register.permits[moved.permit].openings += 1
    elif isinstance(event, ExtractMade):
        register.permits[event.permit].extracts.append((index, event))
    else:
        register.permits[event.permit].jobs.append((index, event))


def _sort_release(
    register: Register, index: int, event: ReleaseMoved | OutputReviewed | OutputReleased
) -> None:
    line = register.releases.setdefault(event.request, ReleaseLine(event.request))
    if isinstance(event, ReleaseMoved):
        # The people's own way back leads through their opened votes.
        if (line.state, event.state) == (ReleaseState.SUBMITTED, ReleaseState.RETURNED):
            line.sent_back_by_machine.append(index)
        line.state, line.job = event.state, event.job
        line.turns += event.state == ReleaseState.SUBMITTED
        line.moves.append((index, event))
        _file_under_permit(register, line)
    elif isinstance(event, OutputReviewed):
        line.approved_by = tuple(each for each, vote in event.votes.items() if vote == APPROVE)
    else:
        line.released = (index, event)


def _file_under_permit(register: Register, line: ReleaseLine) -> None:
    for permit in register.permits.values():
        if any(job.job == line.job for _, job in permit.jobs):
            line.permit = permit.name
            if line not in permit.releases:
                permit.releases.append(line)


def _name_permit(register: Register, index: int, event: Event) -> None:
    """Note which permit an entry belongs to, where it or an entry before it says so."""
    permit: str | None = None
    if isinstance(event, PermitMoved | ExtractMade | JobRan):
        permit = event.permit
    elif isinstance(event, KeysRequested) and event.permit is not None:
        permit = register.permit_at.get(event.permit)
    elif isinstance(event, KeysReleased | KeysAbandoned):
        permit = register.permit_at.get(event.request)
    elif isinstance(event, ErasureOrdered | ProjectDeleted):
        permit = event.permit
    elif isinstance(event, KeysErased):
        permit = register.permit_at.get(event.order)
    elif isinstance(event, ReleaseMoved | VoteCast | OutputReviewed | OutputReleased):
        line = register.releases.get(event.request)
        permit = line.permit if line else None
    if permit:
        register.permit_at[index] = permit


def _name_permits_of_keys(register: Register) -> None:
    """Note whose key pairs a ceremony made: only the extract, later, names its partition."""
    owners = {
        extract.partition: line.name
        for line in register.permits.values()
        for _, extract in line.extracts
    }
    for index, event in register.timeline:
        if isinstance(event, PartitionsCreated):
            named = {owners[each] for each in event.public_keys if each in owners}
            if len(named) == 1:
                register.permit_at[index] = named.pop()
