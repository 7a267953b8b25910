"""The subpoena drill: everything that the store's host holds is taken and searched.

Canaries are planted first, by the vault's own way of writing, so that finding
none means something.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.drill.desk import DrillDesk
from havre.application.drill.search import Search, search_seizure
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.crypto.random import random_bytes
from havre.domain.drill_receipt import DrillRun
from havre.domain.drills import DrillName
from havre.domain.events import PartitionsCreated, events_of
from havre.domain.seizure import Grave
from havre.domain.trust import TrustRoots
from havre.formats.canonical import Json
from havre.formats.manifest import ObjectKind
from havre.ports.objects import ObjectStore
from havre.ports.seizure import Seizure

_LEFT_OUT = (
    "the hub's own directory but for its inbox: records, keys and configuration are clear there,"
    " on the hub's own ground"
)


@dataclass(frozen=True, slots=True)
class SubpoenaRan:
    """What was found, what that comes to, and the receipt's SHA-256."""

    search: Search
    run: DrillRun
    receipt_sha256: str


class SubpoenaDrill:
    """Plants, takes, searches, and puts it on record."""

    def __init__(
        self,
        *,
        vault: VaultWriter,
        objects: ObjectStore,
        log: PublicLog,
        roots: TrustRoots,
        desk: DrillDesk,
    ) -> None:
        self._vault = vault
        self._objects = objects
        self._log = log
        self._roots = roots
        self._desk = desk

    def run(
        self,
        seizure: Seizure,
        *,
        place: WritePlace,
        canaries: Iterable[str] = (),
        public: AbstractSet[tuple[str, str]] = frozenset(),
    ) -> SubpoenaRan:
        """Take everything, search it, and say on the log what was found.

        place: a partition into which a canary of our own is sealed first.
        canaries: more texts that are known to be in the data.
        public: place and name of files that everybody may read.

        Raises:
            HandedOver: the hub has left, and its log takes no receipt.
        """
        begun = self._desk.begin()
        own = f"CANARI-{random_bytes(12).hex()}"
        planted = self._vault.seal_bytes(
            [own.encode() * 40], kind=ObjectKind.QUARANTINE, place=place
        )
        try:
            found = search_seizure(
                seizure,
                canaries=[own, *canaries],
                public_keys=self.public_keys(),
                public=public,
            )
        finally:
            self._objects.delete(planted.object_id)
        run = _run_of(found)
        return SubpoenaRan(found, run, self._desk.record(run, begun=begun))

    def public_keys(self) -> frozenset[str]:
        """The SHA-256 of every public key of the hub, which a seed that is found is tried on."""
        events = [logged.event for logged in self._log.entries()]
        keys = {
            digest
            for created in events_of(events, PartitionsCreated)
            for digest in created.public_keys.values()
        }
        return frozenset(keys | {party.key_id for party in self._roots.parties})


def _run_of(found: Search) -> DrillRun:
    sightings: list[Json] = [
        {"file": each.file, "grave": each.grave.value, "spelling": each.spelling, "what": each.what}
        for each in found.sightings
    ]
    seized: list[Json] = [
        {"files": number, "kind": kind, "place": place}
        for (place, kind), number in sorted(found.seized.items())
    ]
    return DrillRun(
        drill=DrillName.SUBPOENA,
        observed={grave.value: found.found[grave.value] for grave in Grave},
        counters={
            "canaries": found.canaries,
            "clear_by_design": found.clear_by_design.total(),
            "files": found.files,
            "keys_tried": found.keys_tried,
            "sightings": len(found.sightings),
            "size_bytes": found.size_bytes,
            **{f"found_{grave.replace('-', '_')}": n for grave, n in found.found.items()},
        },
        details={
            "clear_by_design": dict(found.clear_by_design),
            "conclusion": found.conclusion,
            "left_out": _LEFT_OUT,
            "seized": seized,
            "sightings": sightings,
        },
    )
