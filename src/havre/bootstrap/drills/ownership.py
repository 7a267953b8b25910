"""The ownership drill: operators are bought in turn on paper, and a store's host is left for real.

On paper, of the hub itself: who would read what if a single operator were bought.
For real, of a small hub of its own: the fact sheet of a store's host gets a new
parent, exposure is derived anew, the hub moves its objects to another host, works
there, and leaves nothing behind. What the bought host may have kept counts as kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from havre.adapters.seizure.folders import SeizedFolders
from havre.application.drill.search import Search, search_seizure
from havre.application.vault.inventory import read_inventory
from havre.bootstrap.drills.bought_store import BoughtStore
from havre.bootstrap.drills.desk import hold, open_desk
from havre.bootstrap.drills.stage import Stage, rehearsal_hub
from havre.bootstrap.drills.subpoena import open_subpoena
from havre.bootstrap.exposing import derive_exposure
from havre.bootstrap.hub import OpenHub
from havre.domain.drill_receipt import DrillRun
from havre.domain.drills import Verdict
from havre.domain.exposure.deployment import MessageKind
from havre.domain.exposure.hub import house_name
from havre.domain.exposure.shock import (
    STEADFAST,
    ShockFault,
    ShockPair,
    faults_of_shock,
    foreign_laws,
    pairs,
)
from havre.domain.exposure.verdicts import Analysis
from havre.domain.rehearsals import DrillName
from havre.domain.trust import Role
from havre.errors import HavreError
from havre.formats.canonical import Json

AT_WORK, LEFT = "at work", "left"
_CANARIES = 8
_MOST_SHOWN = 100
_NOT_SEPARATED = (
    "the three hosts stood on one machine, under one user",
    "each party was counted as if it stood on a machine of its own",
    "whether the bought host kept copies cannot be seen: it counts as having kept everything",
)


@dataclass(frozen=True)
class Told:
    """What the drill is told of the hub that it is held for.

    analysis: of its own deployment. left_in_time: operators whom it has proved that it
        can leave. size_bytes: of all its objects.
    """

    analysis: Analysis
    left_in_time: Collection[str] = ()
    size_bytes: int = 0

    @cached_property
    def faults(self) -> tuple[ShockFault, ...]:
        """What one takeover breaks of what a hub promises to bear."""
        return tuple(faults_of_shock(self.analysis, left_in_time=self.left_in_time))

    @cached_property
    def pairs(self) -> tuple[ShockPair, ...]:
        """Takeovers that expose together what neither does alone."""
        return tuple(pairs(self.analysis))


@dataclass(slots=True)
class _Course:
    """What was observed on the way; messages by their names."""

    search: Search = field(default_factory=Search)
    before: frozenset[str] = frozenset()
    bought: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    kinds: dict[str, MessageKind] = field(default_factory=dict)
    moved: int = 0
    not_whole: int = 0
    left: int = 0
    moving_s: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)


def hold_ownership(hub: OpenHub, *, seed: str | None = None) -> dict[str, Any]:
    """Hold the drill for a hub, and put it on record.

    Raises:
        InvalidInput: a fact sheet has faults.
    """
    told = Told(
        Analysis(derive_exposure(hub).deployment),
        left_in_time=left_in_time(hub),
        size_bytes=read_inventory(hub.records, log=hub.log).size_bytes,
    )
    return hold(hub, partial(ownership, told=told), seed=seed)


def ownership(
    seed: str,
    *,
    told: Told,
    houses: Mapping[str, str] | None = None,
    spoil: Callable[[Stage, str], None] = lambda _stage, _moment: None,
) -> DrillRun:
    """Hold the drill.

    seed: 32 hexadecimal characters.
    houses: whose the rehearsal's parties are; without more, each stands for itself.
    spoil: what a test breaks, and at which moment: `AT_WORK` or `LEFT`.
    """
    began, course = time.monotonic(), _Course()
    with rehearsal_hub("ownership", seed=seed) as stage:
        store = BoughtStore(stage, houses=houses or {})
        store.work()
        spoil(stage, AT_WORK)
        course.before = store.exposed()
        store.buy()
        course.bought = store.exposed()
        _search(stage, store, course)
        _leave(store, course)
        spoil(stage, LEFT)
        _look_again(store, course)
    return DrillRun(
        drill=DrillName.OWNERSHIP,
        observed=_observed(course, told),
        counters={
            "operators": len(told.analysis.following),
            "pairs": len(told.pairs),
            "size_bytes": course.search.size_bytes,
        },
        parameters={
            "laws": [*foreign_laws(told.analysis)],
            "left_in_time": [*sorted(told.left_in_time)],
        },
        seed=seed,
        timings_ms={
            "all": round((time.monotonic() - began) * 1000),
            "moving": round(course.moving_s * 1000),
        },
        not_separated=_NOT_SEPARATED,
        details=_details(course, told),
    )


def left_in_time(hub: OpenHub) -> tuple[str, ...]:
    """Name the operators whom the hub has proved that it can leave: its own machine's, by a seizure."""
    (own,) = hub.roots.with_role(Role.HUB)
    held = [
        each.verdict is Verdict.HELD
        for each in open_desk(hub).standings()
        if each.drill is DrillName.SEIZURE
    ]
    return (house_name(own.operator),) if all(held) else ()


def _search(stage: Stage, store: BoughtStore, course: _Course) -> None:
    """Read everything that the bought host has, as its buyer can."""
    course.search = search_seizure(
        SeizedFolders({"store": store.place}),
        canaries=stage.people()[:_CANARIES],
        public_keys=open_subpoena(stage.open()).public_keys(),
    )


def _leave(store: BoughtStore, course: _Course) -> None:
    """Move, and measure it from the news to the emptied host."""
    began = time.monotonic()
    course.moved = _tried(course, "move", store.move) or 0
    _tried(course, "empty", store.empty)
    course.moving_s = time.monotonic() - began
    _tried(course, "extract", store.extract)
    _tried(course, "take in", store.take_in_more)


def _look_again(store: BoughtStore, course: _Course) -> None:
    """Read every copy again, and derive exposure anew."""
    course.not_whole = store.not_whole()
    course.left = store.left_behind()
    course.after = store.exposed()
    course.kept = store.exposed(kept=True)
    course.kinds = {each.name: each.kind for each in store.analyse().deployment.messages}


def _tried(course: _Course, name: str, act: Callable[[], Any]) -> Any:
    try:
        return act()
    except HavreError as fault:
        course.failures[name] = fault.message
    except Exception as fault:  # noqa: BLE001 - its text may quote anything
        course.failures[name] = type(fault).__name__
    return None


def _observed(course: _Course, told: Told) -> dict[str, int]:
    kinds = {each.name: each.kind for each in told.analysis.deployment.messages}
    steadfast = {each.message for each in told.faults if kinds[each.message] in STEADFAST}
    judged = STEADFAST | {MessageKind.WORKING_SET}
    return {
        "takeovers": len(told.analysis.following),
        "one-takeover": len(steadfast),
        "working-set-taken": len({each.message for each in told.faults} - steadfast),
        "shock-seen": len(course.bought - course.before),
        "bought-host-reads": sum(course.search.found.values()),
        "moved": course.moved,
        "not-whole": course.not_whole,
        "functions-failed": len(course.failures),
        "left-at-bought": course.left,
        "still-exposed": len(course.after - course.before),
        "kept-exposes": sum(course.kinds[name] in judged for name in course.kept - course.before),
        "exit-time": _exit_s(course, told),
    }


def _exit_s(course: _Course, told: Told) -> int:
    """Say how long the hub's own bytes would take at the pace that was measured, in whole seconds."""
    ratio = told.size_bytes / course.search.size_bytes if course.search.size_bytes else 1.0
    return math.ceil(course.moving_s * max(1.0, ratio))


def _details(course: _Course, told: Told) -> dict[str, Json]:
    faults: list[Json] = [
        {
            "law": each.law,
            "margin": each.margin,
            "message": each.message,
            "mode": each.mode.value,
            "through": [*each.operators],
        }
        for each in told.faults
    ]
    found: list[Json] = [
        {
            "law": each.law,
            "message": each.message,
            "mode": each.mode.value,
            "pair": [*each.operators],
        }
        for each in told.pairs
    ]
    return {
        "exposed_after": [*sorted(course.after)],
        "exposed_before": [*sorted(course.before)],
        "exposed_by_the_purchase": [*sorted(course.bought)],
        "exposed_if_it_kept_everything": [*sorted(course.kept)],
        "failures": {**course.failures},
        "faults": faults[:_MOST_SHOWN],
        "pairs": found[:_MOST_SHOWN],
    }
