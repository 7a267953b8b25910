"""Drills: promises tried on the running hub, with a signed receipt on the log.

Subpoena: everything that the store's host holds is taken. Canaries are planted
first, by the vault's own way of writing, so that finding none means something.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from havre.application.audit import PublicLog
from havre.application.journal import Journal
from havre.application.vault.keys import public_digest_of
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.crypto.random import new_object_id, random_bytes
from havre.crypto.signatures import SigningKey
from havre.domain.events import DrillRan, PartitionsCreated, events_of
from havre.domain.seizure import (
    BLOCK_BYTES,
    SEED_BYTES,
    Needles,
    Sighting,
    possible_keys,
    shrinks,
)
from havre.domain.statements import Statement, sign_statement
from havre.domain.trust import TrustRoots
from havre.formats.canonical import Json
from havre.formats.manifest import ObjectKind
from havre.ports.clock import Clock
from havre.ports.objects import ObjectStore
from havre.ports.records import Document, Records
from havre.ports.seizure import SeizedFile, Seizure
from havre.ports.tokens import Token

PREDICATE_DRILL = "havre/v1/drill"
KIND_RECEIPT = "drill-receipt"
HELD, FAILED = "held", "failed"


@dataclass(slots=True)
class SubpoenaResult:
    """What an opponent with everything in hand got.

    sightings: what should not be there; none is the promise.
    keys_tried: texts that could be keys, each tried against every key of the hub.
    """

    files: int = 0
    size_bytes: int = 0
    canaries: int = 0
    keys_tried: int = 0
    sightings: list[Sighting] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Whether the promise held."""
        return FAILED if self.sightings else HELD


def search_seizure(
    seizure: Seizure, *, canaries: Sequence[str], public_keys: frozenset[str]
) -> SubpoenaResult:
    """Search everything that was seized.

    canaries: texts that are known to be somewhere inside what was sealed.
    public_keys: SHA-256 of every public key of the hub: a seed that leads to one
        of them opens something.
    """
    result = SubpoenaResult(canaries=len(canaries))
    needles = Needles(canaries)
    for file in seizure.list_files():
        result.files += 1
        result.size_bytes += file.size_bytes
        shown = f"{file.place}/{file.name}"
        for content in _windows(seizure.read(file), overlap=needles.longest):
            result.sightings += needles.find(content, file=shown)
            for seed in possible_keys(content):
                result.keys_tried += 1
                if _opens(seed, public_keys):
                    result.sightings.append(Sighting("a key of this hub", "as text", shown))
        result.sightings += _uneven(seizure, file, shown)
    result.sightings = sorted(set(result.sightings), key=lambda each: (each.what, each.file))
    return result


class Drills:
    """Runs drills on one hub."""

    def __init__(
        self,
        *,
        vault: VaultWriter,
        objects: ObjectStore,
        journal: Journal,
        log: PublicLog,
        records: Records,
        token: Token,
        roots: TrustRoots,
        clock: Clock,
    ) -> None:
        self._vault = vault
        self._objects = objects
        self._journal = journal
        self._log = log
        self._records = records
        self._token = token
        self._roots = roots
        self._clock = clock

    def subpoena(
        self, seizure: Seizure, *, place: WritePlace, canaries: Iterable[str] = ()
    ) -> SubpoenaResult:
        """Take everything, search it, and say on the log what was found.

        place: a partition into which a canary of our own is sealed first.
        canaries: more texts that are known to be in the data.
        """
        own = f"CANARI-{random_bytes(12).hex()}"
        planted = self._vault.seal_bytes(
            [own.encode() * 40], kind=ObjectKind.QUARANTINE, place=place
        )
        try:
            result = search_seizure(
                seizure, canaries=[own, *canaries], public_keys=self._public_keys()
            )
        finally:
            self._objects.delete(planted.object_id)
        self._record("subpoena", result)
        return result

    def _public_keys(self) -> frozenset[str]:
        events = [logged.event for logged in self._log.entries()]
        keys = {
            digest
            for created in events_of(events, PartitionsCreated)
            for digest in created.public_keys.values()
        }
        return frozenset(keys | {party.key_id for party in self._roots.parties})

    def _record(self, drill: str, result: SubpoenaResult) -> None:
        counters = {
            "canaries": result.canaries,
            "files": result.files,
            "keys_tried": result.keys_tried,
            "sightings": len(result.sightings),
            "size_bytes": result.size_bytes,
        }
        sightings: list[Json] = [
            {"file": each.file, "spelling": each.spelling, "what": each.what}
            for each in result.sightings
        ]
        predicate: dict[str, Json] = {
            "counters": dict(counters),
            "sightings": sightings,
            "verdict": result.verdict,
        }
        statement = Statement(PREDICATE_DRILL, self._roots.origin, drill, predicate)
        receipt = sign_statement(statement, [self._token])
        digest = hashlib.sha256(receipt).hexdigest()
        self._journal.record(
            DrillRan(
                event_id=new_object_id(),
                at=self._clock.now(),
                drill=drill,
                verdict=result.verdict,
                counters=counters,
                receipt_sha256=digest,
            ),
            documents=[Document(KIND_RECEIPT, digest, receipt)],
        )


def _windows(pieces: Iterable[bytes], *, overlap: int) -> Iterator[bytes]:
    """Join pieces so that nothing is missed where two of them meet."""
    tail = b""
    for piece in pieces:
        yield tail + piece
        tail = (tail + piece)[-overlap:]


def _uneven(seizure: Seizure, file: SeizedFile, shown: str) -> Iterator[Sighting]:
    for piece in seizure.read(file):
        for at in range(0, len(piece), BLOCK_BYTES):
            if shrinks(piece[at : at + BLOCK_BYTES]):
                yield Sighting("clear or badly sealed bytes", "less even than ciphertext", shown)
                return


def _opens(seed: bytes, public_keys: frozenset[str]) -> bool:
    if len(seed) != SEED_BYTES:
        return False
    signing = hashlib.sha256(SigningKey.from_seed(seed).public).hexdigest()
    return signing in public_keys or public_digest_of(seed) in public_keys
