"""A hub's clock, wired: what it knows, what it does things with, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from havre.application.ceremony import PartitionCatalogue
from havre.application.clock import Act, ClockRun, Clockwork, Hands, is_near
from havre.application.vault.erasing import ErasureReport
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.key_life import erase, erase_project, erasures
from havre.domain.clock_events import ProjectDeleted
from havre.domain.duties import Duty, Known, Superseded
from havre.domain.erasure import Ground
from havre.domain.events import PermitMoved
from havre.domain.key_states import read_key_states
from havre.domain.trust import Role
from havre.domain.upkeep import ASIDE_SUFFIX
from havre.errors import HavreError
from havre.values import PartitionKind, instant_text

Row = dict[str, Any]


def clockwork(hub: OpenHub) -> Clockwork:
    """Whoever acts on what is due at a hub."""
    return Clockwork(
        journal=hub.journal,
        log=hub.log,
        permits=hub.permits,
        token=hub.token,
        clock=hub.clock,
        origin=hub.roots.origin,
        hands=Hands(
            known=partial(read_known, hub),
            erase_project=partial(erase_project, hub),
            erase=partial(_erase, hub),
            carry_out=erasures(hub).carry_out,
            publish=partial(_publish, hub),
        ),
    )


def read_known(hub: OpenHub) -> Known:
    """Read everything that terms are worked out from."""
    entries = [(logged.index, logged.event) for logged in hub.log.entries()]
    partitions = PartitionCatalogue(hub.records, log=hub.log).list_partitions()
    return Known(
        entries=entries,
        permits={each.permit.name: each.permit for each in hub.permits.list_permits()},
        projects=frozenset(
            each.partition.name
            for each in partitions
            if each.partition.kind is PartitionKind.PROJECT
        ),
        superseded=tuple(list_superseded(hub)),
        shown=frozenset(_shown(hub)),
    )


def run_row(hub: OpenHub, run: ClockRun) -> Row:
    """What a run came to, for a person and for a program."""
    return {
        "did": [_act_row(each) for each in run.did],
        "waits": [
            {**_duty_row(hub, duty), "why": fault.message, "what_now": fault.hint}
            for duty, fault in run.waits
        ],
        "owed": duty_rows(hub, run.owed, everything=False),
    }


def duty_rows(hub: OpenHub, duties: Sequence[Duty], *, everything: bool) -> list[Row]:
    """Each term that runs; without `everything`, those near their end, due, or past it."""
    chosen = duties if everything else is_near(duties, clock=hub.clock)
    return [_duty_row(hub, duty) for duty in chosen]


def gravest_waits(run: ClockRun) -> list[HavreError]:
    """Every refusal of what the hub itself owes, for the command's end."""
    return [fault for _, fault in run.waits]


def _publish(hub: OpenHub) -> None:
    hub.publication.publish()


def _erase(hub: OpenHub, partitions: Sequence[str], ground: Ground) -> ErasureReport:
    known = PartitionCatalogue(hub.records, log=hub.log).list_partitions()
    chosen = [each for each in known if each.partition_id in set(partitions)]
    return erase(hub, chosen, ground=ground, signers=[hub.token])


def list_superseded(hub: OpenHub) -> Iterator[Superseded]:
    """List generations of rows that were set aside and have a successor, each since its first one."""
    states = read_key_states(logged.event for logged in hub.log.entries())
    known = [
        each
        for each in PartitionCatalogue(hub.records, log=hub.log).list_partitions()
        if each.partition.kind is PartitionKind.DATASET
        and each.partition.name.endswith(ASIDE_SUFFIX)
    ]
    for each in known:
        partition, used = each.partition, states[each.partition_id]
        newer = [
            states[other.partition_id]
            for other in known
            if (other.partition.name, other.partition.year) == (partition.name, partition.year)
            and other.partition.generation > partition.generation
        ]
        if newer and (used.written_at or used.openings):
            first = min(newer, key=lambda state: state.created_at)
            yield Superseded(each.partition_id, partition.text, first.created, first.created_at)


def _shown(hub: OpenHub) -> Iterator[int]:
    """The entries whose statement stands on the public site as it is."""
    register = hub.place.site / "register"
    for logged in hub.log.entries():
        event, path = logged.event, None
        if isinstance(event, PermitMoved):
            path = register / "permits" / event.permit / f"{logged.index}.json"
        elif isinstance(event, ProjectDeleted):
            path = register / "deletions" / f"{event.permit}.json"
        if path is not None and path.is_file():
            yield logged.index


def _act_row(act: Act) -> Row:
    return {
        "term": act.duty.term.value,
        "about": act.duty.about,
        "did": act.did,
        "entry": act.entry,
    }


def _duty_row(hub: OpenHub, duty: Duty) -> Row:
    return {
        "term": duty.term.value,
        "about": duty.named or duty.about,
        "state": duty.stage(hub.clock.now()).value,
        "due_at": instant_text(duty.due_at),
        "who": ", ".join(_who(hub, duty.row.owed_by)),
        "how": duty.row.how.replace("NAME", duty.about),
        "since_entry": duty.index,
        "means": duty.row.means,
        "source": duty.row.source,
    }


def _who(hub: OpenHub, roles: Iterable[Role]) -> list[str]:
    """Name the parties who must act; the hub is called so, whatever its token's name."""
    named = ["hub"] if Role.HUB in roles else []
    return [
        *named,
        *(
            each.name
            for each in hub.roots.parties
            if each.role in roles and each.role is not Role.HUB
        ),
    ]
