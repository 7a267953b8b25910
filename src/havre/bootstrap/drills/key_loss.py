"""The key-loss drill: custodians are lost and robbed, others take over, a generation is destroyed.

Held on a small hub of its own, whose custodians and escrow are processes and whose hub
is one too. What a thief gets is tried by the program that anybody has, `havre keys try`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from havre.adapters.machine.memory import may_leave_core
from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.bootstrap.custodian_desk import list_ceremonies, write_record
from havre.bootstrap.drills.key_seeker import Sought
from havre.bootstrap.drills.key_stage import (
    Ordered,
    WorkingHub,
    hub_at_work,
    lose,
    make_successors,
    name_custodians,
    order_ceremony,
    seek,
    serve_custodians,
    take_over,
    try_keys,
)
from havre.bootstrap.drills.stage import PERMIT, Stage, rehearsal_hub
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.key_life import write_order
from havre.bootstrap.resharing import attend
from havre.bootstrap.services import Services, served
from havre.crypto.random import random_bytes
from havre.domain.drill_receipt import DrillRun
from havre.domain.events import VersionPublished, events_of
from havre.domain.key_states import read_key_states
from havre.domain.rehearsals import DRILLS, DrillName
from havre.errors import HavreError, Unavailable
from havre.values import Partition

# When a test breaks something on purpose: before the first loss, while the store is away,
# before thieves try, when two are lost, and before a generation is destroyed.
WORKING, AWAY, ROBBED, TWO_LOST, ENDING = "working", "away", "robbed", "two-lost", "ending"
_DELIVERIES = ("beneficiaires-2023", "cepidc-2023")
_DESTROYED = "cepidc"
_BOTH = ("controller", "authority-1")
_UNREADABLE = "this machine lets nobody look into that process"
_NOT_REACHED = "the drill did not get so far"


class Stopped(Exception):
    """A step failed that everything after it rests on."""


@dataclass(slots=True)
class _Play:
    """The drill under way; what is observed goes in as it is seen."""

    stage: Stage
    services: Services
    hub: WorkingHub
    spoil: Callable[[Stage, Services, str], None]
    planted: bytes = field(default_factory=lambda: random_bytes(32))
    observed: dict[str, int] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    timings_ms: dict[str, int] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def play(self) -> None:
        """Play every part; what a failed one leaves is not run."""
        try:
            self._lose_one()
            self._rob()
            self._look_while_open()
            self._lose_two()
            self._look_afterwards()
            self._destroy_generation()
        except Stopped:
            pass
        for each in DRILLS[DrillName.KEY_LOSS].criteria:
            if each.name not in self.observed:
                self.not_run.setdefault(each.name, _NOT_REACHED)

    # ------------------------------------------------------------ one is lost

    def _lose_one(self) -> None:
        stage = self.stage
        self.spoil(stage, self.services, WORKING)
        lose(stage, self.services, name="custodian-3")
        self.observed["failed-without-one"] = self._failed_extract("one lost")
        make_successors(stage, self.services, names=["custodian-4"])
        ordered = order_ceremony(
            stage, name="first", lost=["custodian-3"], fresh=["custodian-4"], by=_BOTH
        )
        take_over(stage, ordered, names=["custodian-4"])
        self._start("custodian-4")
        name_custodians(
            stage, ["custodian-1", "custodian-2", "custodian-4"], former=["custodian-3"]
        )
        for name in ("custodian-1", "custodian-2"):
            attend(ordered.order, stage.parties / name)
        keys = _count_living(stage)
        with _StoreAway(stage) as away:
            self.spoil(stage, self.services, AWAY)
            done = self._reshare("first", ordered)
        self.observed["not-reshared"] = keys - done
        self.observed["objects-touched"] = away.changed
        self.counters |= {"keys": keys, "objects": away.objects}
        if done != keys:
            raise Stopped
        take_over(stage, ordered, names=["custodian-1", "custodian-2", "escrow"])
        for name in ("custodian-1", "custodian-2", "escrow"):
            self.services.stop(name)
            self._start(name)
        self.services.stop("custodian-1")
        self.observed["failed-with-the-new"] = self._failed_extract("the new one and one other")
        self._start("custodian-1")

    # ------------------------------------------------------------ thieves

    def _rob(self) -> None:
        """Whoever stole one directory, and found the lost one, has the hub and the store as well."""
        stage, texts = self.stage, [each.text for each in self._filled()]
        self.spoil(stage, self.services, ROBBED)
        found = stage.root / "lost" / "custodian-3"
        opened: set[str] = set()
        for name in ("custodian-1", "custodian-2", "custodian-4", "escrow"):
            opened |= set(try_keys(stage, texts, also=[stage.parties / name, found]))
        self.observed["opened-by-a-thief"] = len(opened)
        both = [stage.parties / "custodian-1", stage.parties / "custodian-4"]
        self.observed["opened-by-two"] = len(try_keys(stage, texts, also=both))

    # ------------------------------------------------------------ memory

    def _look_while_open(self) -> None:
        """Hold keys open, and look for whole ones where they must be and where they must not."""
        self.hub.do("keep", value=self.planted.hex())
        rooms = self.hub.do("hold").ok or []
        cores = sum(map(may_leave_core, rooms))
        seen = seek(self._sought("custodian-1", processes=[self.hub.pid, *rooms]))
        self.hub.do("drop")
        left = sum(_lives(pid) for pid in rooms)
        in_hub, in_rooms = seen.memory[0], [each for each in seen.memory[1:] if each is not None]
        self.counters["keys_looked_for"] = seen.keys
        if in_rooms or not rooms:
            self.observed["seeds-in-room"] = max(in_rooms, default=0)
        else:
            self.not_run["seeds-in-room"] = _UNREADABLE
        self.observed["rooms-left"] = cores + left
        if in_hub is not None:
            self.observed["seeds-in-hub"] = in_hub

    def _look_afterwards(self) -> None:
        """Look once more, everywhere, after the hub has opened and re-shared everything twice."""
        (self.stage.root / "scratch" / "planted").write_bytes(b"\0" * 99 + self.planted + b"\0")
        sought = self._sought("custodian-5", processes=[self.hub.pid], files=True)
        seen = seek(sought)
        self.observed["seeds-in-files"] = seen.files
        if seen.where:
            self.said["whole keys in files"] = ", ".join(seen.where)
        if seen.memory[0] is None or "seeds-in-hub" not in self.observed:
            self.observed.pop("seeds-in-hub", None)
            self.not_run["seeds-in-hub"] = self.not_run["found-on-purpose"] = _UNREADABLE
            return
        self.observed["seeds-in-hub"] = max(self.observed["seeds-in-hub"], seen.memory[0])
        self.observed["found-on-purpose"] = seen.planted_memory + seen.planted_files

    def _sought(self, other: str, *, processes: list[int], files: bool = False) -> Sought:
        return Sought(
            hub=str(self.stage.hub),
            parties=[str(self.stage.parties / name) for name in (other, "custodian-4")],
            partitions=[each.partition_id for each in self._list_filled()],
            planted=self.planted.hex(),
            processes=processes,
            files=str(self.stage.root) if files else "",
        )

    # ------------------------------------------------------------ two are lost

    def _lose_two(self) -> None:
        stage, lost = self.stage, ("custodian-1", "custodian-2")
        for name in lost:
            lose(stage, self.services, name=name)
        self.spoil(stage, self.services, TWO_LOST)
        reply = self.hub.do("extract")
        self.said["two lost"] = reply.refused
        self.observed["opened-when-two-lost"] = int(not reply.refused)
        self.observed["lost-unnamed"] = sum(name not in reply.refused for name in lost)
        fresh = ["custodian-5", "custodian-6"]
        make_successors(stage, self.services, names=fresh)
        ordered = self._recover_wrongly(lost, fresh)
        attend(ordered.order, stage.parties / "escrow")
        keys = _count_living(stage)
        done = self._reshare("second", ordered)
        self.observed["failed-after-escrow"] = (
            self._failed_extract("after the escrow's ceremony") if done == keys else 1
        )
        self.observed["without-record"] = self._count_without_record()
        if self.observed["failed-after-escrow"]:
            raise Stopped

    def _recover_wrongly(self, lost: tuple[str, ...], fresh: list[str]) -> Ordered:
        """Try to bring the keys back with half an order, and with nobody at the escrow."""
        stage, went_through = self.stage, 0
        half = order_ceremony(stage, name="half", lost=lost, fresh=fresh, by=_BOTH[:1])
        whole = order_ceremony(stage, name="second", lost=lost, fresh=fresh, by=_BOTH)
        take_over(stage, whole, names=fresh)
        self._start(*fresh)
        name_custodians(stage, ["custodian-4", *fresh], former=["custodian-3", *lost])
        attend(whole.order, stage.parties / "custodian-4")
        for name, ordered in (("half an order", half), ("nobody at the escrow", whole)):
            reply = self.hub.do("reshare", order=str(ordered.order), trust=str(ordered.trust))
            self.said[name] = reply.refused
            went_through += not reply.refused
        self.observed["recovered-unasked"] = went_through
        return whole

    def _count_without_record(self) -> int:
        missing = 0
        for name in ("custodian-4", "custodian-5", "custodian-6", "escrow"):
            folder = self.stage.parties / name
            try:
                ceremony = str(list_ceremonies(folder)[-1]["ceremony"])
                out = self.stage.root / f"record-{name}.txt"
                write_record(folder, ceremony, out=out, language="fr")
            except (HavreError, IndexError):
                missing += 1
        return missing

    # ------------------------------------------------------------ a generation is destroyed

    def _destroy_generation(self) -> None:
        """Destroy one dataset's keys; what was copied of stores before is tried with what is left."""
        stage = self.stage
        target = [each.text for each in self._filled() if each.name == _DESTROYED]
        others = [each.text for each in self._filled() if each.name != _DESTROYED]
        holders = [stage.parties / f"custodian-{n}" for n in (4, 5, 6)] + [stage.parties / "escrow"]
        kept = self._back_up(holders)
        before = set(try_keys(stage, others, also=holders[:2]))
        self.spoil(stage, self.services, ENDING)
        order = stage.root / "erase.json"
        signers = [stage.parties / each for each in _BOTH]
        write_order(OpenHub(stage.hub), target, parties=signers, out=order)
        reply = self.hub.do("erase", order=str(order))
        if reply.refused:
            self.said["destroying"] = reply.refused
        left = try_keys(stage, target, also=[stage.root / "replica", *kept, *holders])
        self.observed["opened-after-erasure"] = len(left)
        after = set(try_keys(stage, others, also=holders[:2]))
        self.observed["lost-beside"] = len(before - after)
        self.counters["objects_beside"] = len(before)

    def _back_up(self, holders: list[Path]) -> list[Path]:
        """Copy the store and each share store, as backups do that keep no epoch key beside it."""
        backup = self.stage.root / "backup"
        shutil.copytree(self.stage.hub / "store", backup / "store")
        for each in holders:
            shutil.copytree(each / "epochs", backup / each.name / "epochs")
        return [backup]

    # ------------------------------------------------------------ helpers

    def _filled(self) -> list[Partition]:
        return [each.partition for each in self._list_filled()]

    def _list_filled(self) -> list[KnownPartition]:
        """List what holds data: the lake's partitions that a version named, and the project."""
        hub = OpenHub(self.stage.hub)
        versions = events_of((each.event for each in hub.log.entries()), VersionPublished)
        named = {partition for version in versions for partition in version.manifests}
        return [
            each
            for each in PartitionCatalogue(hub.records, log=hub.log).list_living()
            if each.partition_id in named or each.partition.text == f"project/{PERMIT}/1"
        ]

    def _failed_extract(self, when: str) -> int:
        reply = self.hub.do("extract")
        if reply.refused:
            self.said[when] = reply.refused
        return int(not reply.ok)

    def _reshare(self, name: str, ordered: Ordered) -> int:
        """Hold a ceremony; returns how many keys have new shares."""
        began = time.monotonic()
        reply = self.hub.do("reshare", order=str(ordered.order), trust=str(ordered.trust))
        self.timings_ms[f"{name}_ceremony"] = round((time.monotonic() - began) * 1000)
        if reply.refused:
            self.said[f"{name} ceremony"] = reply.refused
        return int(reply.ok["reshared"]) if reply.ok else 0

    def _start(self, *names: str) -> None:
        self.services.start([self.stage.parties / name for name in names])


class _StoreAway:
    """Takes both stores away, so that whoever read one would fail; compares them afterwards."""

    def __init__(self, stage: Stage) -> None:
        self._places = [(stage.hub / "store", "store"), (stage.root / "replica", "replica")]
        self._away = stage.root / "away"
        self.objects = self.changed = 0

    def __enter__(self) -> Self:
        self._before = _digests([place for place, _ in self._places])
        self._away.mkdir(mode=0o700)
        for place, name in self._places:
            place.rename(self._away / name)
        return self

    def __exit__(self, *_fault: object) -> None:
        # Whatever was written meanwhile where they stood is a change too.
        written = sum(len(_digests([place])) for place, _ in self._places)
        for place, name in self._places:
            shutil.rmtree(place, ignore_errors=True)
            (self._away / name).rename(place)
        after = _digests([place for place, _ in self._places])
        self.objects = len(self._before)
        self.changed = written + len(set(self._before.items()) ^ set(after.items()))


def key_loss(
    seed: str,
    *,
    spoil: Callable[[Stage, Services, str], None] = lambda _stage, _services, _moment: None,
) -> DrillRun:
    """Hold the drill.

    seed: 32 hexadecimal characters.
    spoil: what a test breaks, and at which moment, such as `ROBBED`.
    """
    began = time.monotonic()
    with rehearsal_hub("key-loss", seed=seed) as stage:
        serve_custodians(stage)
        stage.add_replica()
        with served(stage.hub) as services:
            _let_work(stage)
            with hub_at_work(stage) as hub:
                play = _Play(stage, services, hub, spoil)
                play.play()
            separation = services.separation
    return DrillRun(
        drill=DrillName.KEY_LOSS,
        observed=play.observed,
        not_run=play.not_run,
        counters=play.counters,
        seed=seed,
        timings_ms={**play.timings_ms, "all": round((time.monotonic() - began) * 1000)},
        not_separated=(
            "all parties stood on one machine",
            f"custodians: {separation}",
            "swap was not searched, and no core file was made",
        ),
        details={"said": {**play.said}},
    )


def _let_work(stage: Stage) -> None:
    """Take data in under two datasets, grant a permit for one, and make its first extract.

    A project's keys are made with its first extract, and new keys need every custodian.
    """
    stage.deliver(*_DELIVERIES)
    stage.take_in()
    stage.ask()
    stage.sign()
    stage.open().extraction.extract(PERMIT)


def _count_living(stage: Stage) -> int:
    states = read_key_states(each.event for each in OpenHub(stage.hub).log.entries())
    return sum(state.living for state in states.values())


def _digests(folders: list[Path]) -> dict[str, str]:
    return {
        f"{folder.name}/{path.relative_to(folder)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError as fault:
        raise Unavailable("A process of this drill belongs to somebody else.") from fault
    return True
