"""Drills: promises tried on the running hub, with a signed receipt on the log.

Subpoena: everything that the store's host holds is taken. Canaries are planted
first, by the vault's own way of writing, so that finding none means something.

The hub's own directory is no store: it stands on ground that the controller
trusts, and holds clear records. Of it only the inbox is searched, because what
lies there goes into the store next. A delivery's note is clear there by design
(the hub reads it without any key), and so are a package's public files: they are
counted as such, and searched for canaries and keys like everything else.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from havre.application.audit import PublicLog
from havre.application.journal import Journal
from havre.application.vault.keys import public_digest_of
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.crypto.random import new_object_id, random_bytes
from havre.crypto.signatures import SigningKey
from havre.domain.events import DrillRan, PartitionsCreated, events_of
from havre.domain.seizure import (
    BLOCK_BYTES,
    CONCLUSIONS,
    NOTE,
    PUBLIC,
    SEED_BYTES,
    Grave,
    Needles,
    Sighting,
    is_note,
    is_table_file,
    kind_of,
    possible_keys,
    shown_name,
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
# The one place that is the hub's own and not its store's host's.
INBOX = "inbox"
_A_KEY = "a key of this hub"
_LEFT_OUT = (
    "the hub's own directory but for its inbox: records, keys and configuration are clear there,"
    " on the hub's own ground"
)


@dataclass(slots=True)
class SubpoenaResult:
    """What an opponent with everything in hand got.

    seized: how many files of which kind in which place.
    sightings: what should not be there; none is the promise.
    clear_by_design: how many files of which kind are clear on purpose, which is no sighting.
    keys_tried: texts that could be keys, each tried against every key of the hub.
    """

    size_bytes: int = 0
    canaries: int = 0
    keys_tried: int = 0
    clear_by_design: Counter[str] = field(default_factory=Counter)
    seized: Counter[tuple[str, str]] = field(default_factory=Counter)
    sightings: list[Sighting] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files were seized."""
        return self.seized.total()

    @property
    def verdict(self) -> str:
        """Whether the promise held, as the log says it."""
        return FAILED if self.sightings else HELD

    @property
    def conclusion(self) -> str:
        """Whether it held, and if not what is the worst that was found."""
        found = {each.grave for each in self.sightings}
        return next((text for grave, text in CONCLUSIONS.items() if grave in found), HELD)

    @property
    def found(self) -> dict[str, int]:
        """How many sightings there are of each kind."""
        counted = Counter(each.grave for each in self.sightings)
        return {grave.value: counted[grave] for grave in Grave}


def search_seizure(
    seizure: Seizure,
    *,
    canaries: Sequence[str],
    public_keys: frozenset[str],
    public: AbstractSet[tuple[str, str]] = frozenset(),
) -> SubpoenaResult:
    """Search everything that was seized.

    canaries: texts that are known to be somewhere inside what was sealed.
    public_keys: SHA-256 of every public key of the hub: a seed that leads to one
        of them opens something.
    public: place and name of files that everybody may read.
    """
    result = SubpoenaResult(canaries=len(canaries))
    needles = Needles(canaries)
    for file in seizure.list_files():
        kind = PUBLIC if (file.place, file.name) in public else kind_of(file.name)
        result.seized[file.place, kind] += 1
        result.size_bytes += file.size_bytes
        searched = _Searched(file, shown_name(file.place, file.name, kind=kind))
        found = list(searched.search(seizure, needles=needles, public_keys=public_keys))
        result.keys_tried += searched.keys_tried
        if kind == PUBLIC or (
            (file.place, kind) == (INBOX, NOTE) and is_note(b"".join(seizure.read(file)))
        ):
            result.clear_by_design[kind] += 1
            # A text may speak of keys and of tables; only what is one counts here.
            found = [each for each in found if each.grave is Grave.CANARY or each.what == _A_KEY]
        result.sightings += found
    result.sightings = sorted(set(result.sightings), key=lambda each: (each.what, each.file))
    return result


@dataclass(slots=True)
class _Searched:
    """One file, under the name by which it is shown."""

    file: SeizedFile
    shown: str
    keys_tried: int = 0

    def search(
        self, seizure: Seizure, *, needles: Needles, public_keys: frozenset[str]
    ) -> Iterator[Sighting]:
        """Search its name, its content and how even it is."""
        name = self.file.name.encode("utf-8", "surrogateescape")
        for sighting in needles.find(name, file=self.shown):
            yield replace(sighting, spelling=f"{sighting.spelling}, in the file's name")
        head = tail = b""
        for content in _windows(seizure.read(self.file), overlap=needles.longest):
            head, tail = head or content[:8], content[-8:]
            yield from needles.find(content, file=self.shown)
            for seed in possible_keys(content):
                self.keys_tried += 1
                if _opens(seed, public_keys):
                    yield Sighting(Grave.KEY, _A_KEY, "as text", self.shown)
        if is_table_file(head=head, tail=tail):
            yield Sighting(Grave.CLEAR, "a clear table file", "as it is", self.shown)
        yield from _uneven(seizure, self.file, self.shown)


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
        self,
        seizure: Seizure,
        *,
        place: WritePlace,
        canaries: Iterable[str] = (),
        public: AbstractSet[tuple[str, str]] = frozenset(),
    ) -> SubpoenaResult:
        """Take everything, search it, and say on the log what was found.

        place: a partition into which a canary of our own is sealed first.
        canaries: more texts that are known to be in the data.
        public: place and name of files that everybody may read.

        Raises:
            HandedOver: the hub has left, and its log takes no receipt.
        """
        self._journal.check_ours()
        own = f"CANARI-{random_bytes(12).hex()}"
        planted = self._vault.seal_bytes(
            [own.encode() * 40], kind=ObjectKind.QUARANTINE, place=place
        )
        try:
            result = search_seizure(
                seizure,
                canaries=[own, *canaries],
                public_keys=self._public_keys(),
                public=public,
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
            "clear_by_design": result.clear_by_design.total(),
            "files": result.files,
            "keys_tried": result.keys_tried,
            "sightings": len(result.sightings),
            "size_bytes": result.size_bytes,
            **{f"found_{grave.replace('-', '_')}": n for grave, n in result.found.items()},
        }
        sightings: list[Json] = [
            {
                "file": each.file,
                "grave": each.grave.value,
                "spelling": each.spelling,
                "what": each.what,
            }
            for each in result.sightings
        ]
        seized: list[Json] = [
            {"files": number, "kind": kind, "place": place}
            for (place, kind), number in sorted(result.seized.items())
        ]
        predicate: dict[str, Json] = {
            "clear_by_design": dict(result.clear_by_design),
            "conclusion": result.conclusion,
            "counters": dict(counters),
            "left_out": _LEFT_OUT,
            "seized": seized,
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
                yield Sighting(
                    Grave.CLEAR, "clear or badly sealed bytes", "less even than ciphertext", shown
                )
                return


def _opens(seed: bytes, public_keys: frozenset[str]) -> bool:
    if len(seed) != SEED_BYTES:
        return False
    signing = hashlib.sha256(SigningKey.from_seed(seed).public).hexdigest()
    return signing in public_keys or public_digest_of(seed) in public_keys
