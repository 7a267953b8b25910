"""Leaving: everything a hub is, packed for one new host, with nothing decrypted.

Data objects travel as they lie in the store, private records sealed to the new
host's key, and so do the notes of deliveries that wait. The log ends with the
controller's handover to that host's log key; from then on the old hub can add
nothing to it.

A departure that was cut short is begun again, until the log says that the hub
left; from then on the package that the log names is the only one, and it is
finished (`docs/protocols.md`, section 7).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from havre.application.audit import PublicLog
from havre.application.ceremony import PartitionCatalogue
from havre.application.journal import Journal
from havre.application.permits import KIND_PERMIT
from havre.application.vault.inventory import known_hashes
from havre.application.vault.packing import seal_to_host
from havre.crypto.random import new_object_id
from havre.domain.assets import Holdings, find_lacking, list_named, released_files
from havre.domain.backup import backup_statement
from havre.domain.departure import (
    AssetClass,
    DepartureManifest,
    PackedFile,
    encode_manifest,
    parse_manifest,
)
from havre.domain.events import (
    Departed,
    Event,
    Handover,
    OutputReleased,
    events_of,
)
from havre.domain.handover import handover_statement, is_handover
from havre.domain.statements import sign_statement
from havre.domain.trust import Role, TrustRoots, encode_trust_roots
from havre.domain.version_objects import rows_of_datasets as rows_as_logged
from havre.errors import HavreError, NotFound, NotGenuine, Refused, Unavailable
from havre.formats.canonical import Json, encode_canonical
from havre.formats.tiles import TILE_WIDTH, bundles_between, encode_bundle
from havre.ports.clock import Clock
from havre.ports.inbox import Inbox
from havre.ports.objects import ObjectStore
from havre.ports.package import PackageReader, PackageWriter
from havre.ports.records import Document, Records
from havre.ports.tokens import Token
from havre.values import Digest, ObjectId

MANIFEST, BACKUP = "departure.json", "backup.json"
# What of the private records is keys and headers; all the rest is jobs and reports.
KEY_KINDS = ("manifest", "partition")
# A delivery that waits, as a private document on its way: its note is clear at the
# hub and holds counts, so it travels sealed. It is no document of the records.
KIND_WAITING = "waiting-delivery"


@dataclass(frozen=True, slots=True)
class NewHost:
    """Who takes over: the public halves of its keys, brought by the controller."""

    log_key: bytes
    seal_key: bytes


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a hub has outside its store and its records.

    entries: the published log, as it lies.
    texts: what the operator adds by path: configuration, code, catalogue.
    released: a released file by request and name, or null when it is gone.
    """

    entries: list[bytes]
    texts: Mapping[str, tuple[AssetClass, bytes]]
    released: Callable[[str, str], bytes | None]
    inbox: Inbox


@dataclass(frozen=True, slots=True)
class Packed:
    """What left."""

    manifest: DepartureManifest
    manifest_sha256: str

    @property
    def size_bytes(self) -> int:
        """Bytes of all files but the manifest."""
        return sum(file.size_bytes for file in self.manifest.files)


class Departure:
    """Packs one hub."""

    def __init__(
        self,
        *,
        objects: ObjectStore,
        records: Records,
        journal: Journal,
        log: PublicLog,
        roots: TrustRoots,
        clock: Clock,
    ) -> None:
        self._objects = objects
        self._records = records
        self._journal = journal
        self._log = log
        self._roots = roots
        self._clock = clock

    def find_finished(
        self, name: str, *, host: NewHost, packages: Iterable[PackageReader]
    ) -> Packed | None:
        """Find the package of a departure that the log says took place, for the same host.

        packages: where it may be.
        """
        events = [logged.event for logged in self._log.entries()]
        if len(events) < 2:
            return None
        left, handover = events[-2], events[-1]
        if not isinstance(left, Departed) or not is_handover(handover):
            return None
        if handover.log_key != host.log_key.hex():
            return None
        for package in packages:
            document = _manifest_of(package)
            digest = hashlib.sha256(document).hexdigest()
            if (left.departure, left.manifest_sha256) == (name, digest):
                return Packed(parse_manifest(document), digest)
        return None

    def check_may_leave(self, *, controller: Token) -> None:
        """Make sure that a departure can begin; nothing is written.

        Raises:
            Refused: somebody else than the controller signs.
            HandedOver: the hub has left already.
            NotFound: nothing was ever published.
        """
        if self._roots.party_of(controller.public).role is not Role.CONTROLLER:
            raise Refused(
                "Only the controller hands a hub over.",
                hint="Name the controller's directory with --party.",
            )
        self._journal.check_ours()
        if self._log.head() is None:
            raise NotFound("A hub that never published anything has nothing to leave with.")

    def depart(
        self,
        name: str,
        *,
        host: NewHost,
        controller: Token,
        package: PackageWriter,
        belongings: Belongings,
    ) -> Packed:
        """Pack everything, then hand the log over.

        Raises:
            Refused: somebody else than the controller signs, or the package's name is
                taken.
            HandedOver: the log was handed over before.
            NotFound: nothing was ever published.
            Unavailable: something came in while the hub was packed.
        """
        self.check_may_leave(controller=controller)
        packing = _Packing(package)
        hashes = known_hashes(self._records, log=self._log)
        for object_id in self._objects.list_objects():
            pieces = self._pieces(object_id, sha256=hashes.get(object_id))
            packing.add(f"objects/{object_id}", AssetClass.OBJECTS, pieces)
        self._pack_log(packing, belongings.entries)
        self._pack_releases(packing, belongings.released)
        waiting = _pack_inbox(packing, belongings.inbox)
        self._pack_records(packing, host, waiting)
        self._pack_people(packing)
        for path, (asset, text) in sorted(belongings.texts.items()):
            packing.add(path, asset, [text])
        manifest = self._manifest(name, packing, size=len(belongings.entries))
        document = encode_manifest(manifest)
        package.write(MANIFEST, [document])
        package.settle()
        digest = hashlib.sha256(document).hexdigest()
        if [each.name for each in waiting] != belongings.inbox.list_deliveries():
            raise _came_in("A delivery")
        self._hand_over(manifest, digest, host, controller)
        package.seal()
        return Packed(manifest, digest)

    def back_up(
        self,
        name: str,
        *,
        host: NewHost,
        signer: Token,
        package: PackageWriter,
        belongings: Belongings,
    ) -> Packed:
        """Pack what neither a replica of the store nor a mirror of the log has.

        That is the private records, sealed to the host that is to go on if this one is
        lost, and what has been released. Deliveries that wait are sent again by their
        holders. Nothing is handed over.

        signer: the hub's own token.

        Raises:
            HandedOver: the hub has left.
            NotFound: nothing was ever published.
            Unavailable: something came in while the hub was packed.
        """
        self._journal.check_ours()
        head = self._log.head()
        if head is None:
            raise NotFound("A hub that never published anything has nothing to back up.")
        packing = _Packing(package)
        self._pack_releases(packing, belongings.released)
        self._pack_records(packing, host, [])
        self._pack_people(packing)
        for path, (asset, text) in sorted(belongings.texts.items()):
            packing.add(path, asset, [text])
        # What it lacks shows at a recovery, beside the replica that is left then.
        whole = self._manifest(name, packing, size=len(belongings.entries))
        manifest = replace(whole, lacking=())
        document = encode_manifest(manifest)
        package.write(MANIFEST, [document])
        digest = hashlib.sha256(document).hexdigest()
        statement = backup_statement(manifest, digest=digest, made_at=self._clock.now())
        package.write(BACKUP, [sign_statement(statement, [signer])])
        package.settle()
        package.seal()
        return Packed(manifest, digest)

    def _pieces(self, object_id: ObjectId, *, sha256: str | None) -> Iterator[bytes]:
        """Read an object where it is as it was written; where no replica has it so, as it lies."""
        try:
            return self._objects.get(object_id, sha256=sha256)
        except NotGenuine:
            return self._objects.get(object_id)

    def _pack_log(self, packing: _Packing, entries: list[bytes]) -> None:
        packing.add("log/checkpoint", AssetClass.LOG, [self._log.checkpoint()])
        for bundle in bundles_between(0, len(entries)):
            start = bundle.index * TILE_WIDTH
            body = encode_bundle(entries[start : start + bundle.width])
            packing.add(f"log/{bundle.path}", AssetClass.LOG, [body])

    def _pack_releases(
        self, packing: _Packing, released: Callable[[str, str], bytes | None]
    ) -> None:
        """Take released files along, those that are still what the log says."""
        for event in events_of([each.event for each in self._log.entries()], OutputReleased):
            for file, sha256 in released_files(event).items():
                body = released(event.request, file)
                path = f"releases/{event.request}/{file}"
                if body is not None and hashlib.sha256(body).hexdigest() == sha256:
                    packing.add_once(path, AssetClass.JOBS, [body])

    def _pack_records(self, packing: _Packing, host: NewHost, waiting: list[Document]) -> None:
        kinds = self._records.list_kinds()
        for asset, chosen, more in (
            (AssetClass.KEYS, [kind for kind in kinds if kind in KEY_KINDS], []),
            (AssetClass.JOBS, [kind for kind in kinds if kind not in KEY_KINDS], waiting),
        ):
            name = new_object_id()
            sealed = seal_to_host(
                self._lines(chosen, more), to=host.seal_key, name=name, origin=self._roots.origin
            )
            packing.add(f"records/{name}", asset, sealed)

    def _lines(self, kinds: list[str], more: list[Document]) -> Iterator[bytes]:
        for kind in kinds:
            for document in self._records.list_documents(kind):
                yield encode_record(document)
        yield from map(encode_record, more)

    def _pack_people(self, packing: _Packing) -> None:
        packing.add("trust.json", AssetClass.TRUST, [encode_trust_roots(self._roots)])
        packing.add("identities.json", AssetClass.IDENTITIES, [encode_identities(self._roots)])
        permits: list[Json] = [base64.b64encode(body).decode() for body in self._permits()]
        packing.add("permits.json", AssetClass.PERMITS, [encode_canonical(permits)])

    def _permits(self) -> list[bytes]:
        return [document.body for document in self._records.list_documents(KIND_PERMIT)]

    def _manifest(self, name: str, packing: _Packing, *, size: int) -> DepartureManifest:
        head = self._log.head()
        if head is None or head.size != size:
            raise _came_in("An act")
        there = {file.asset for file in packing.files}
        named = list_named(logged.event for logged in self._log.entries())
        return DepartureManifest(
            departure=name,
            origin=self._roots.origin,
            log_size=head.size,
            log_root=head.root.hex(),
            rows=rows_of_datasets(self._log),
            files=tuple(packing.files),
            empty=tuple(asset for asset in AssetClass if asset not in there),
            lacking=find_lacking(
                named,
                holdings_of(packing.files, self._records, log=self._log, permits=self._permits()),
            ),
        )

    def _hand_over(
        self, manifest: DepartureManifest, digest: str, host: NewHost, controller: Token
    ) -> None:
        now, origin = self._clock.now(), self._roots.origin

        def last_words(size: int) -> list[Event]:
            # What was put on the log since is not in the package.
            if size != manifest.log_size:
                raise _came_in("An act")
            statement = handover_statement(host.log_key, index=size + 1, origin=origin)
            signed = sign_statement(statement, [controller])
            return [
                Departed(
                    event_id=new_object_id(),
                    at=now,
                    departure=manifest.departure,
                    manifest_sha256=digest,
                ),
                Handover(
                    event_id=new_object_id(),
                    at=now,
                    log_key=host.log_key.hex(),
                    statement=base64.b64encode(signed).decode(),
                ),
            ]

        self._journal.hand_over(last_words)


class _Packing:
    """The files so far."""

    def __init__(self, package: PackageWriter) -> None:
        self._package = package
        self.files: list[PackedFile] = []

    def add(self, path: str, asset: AssetClass, chunks: Iterable[bytes]) -> None:
        """Put one file in and remember it."""
        written = self._package.write(path, chunks)
        self.files.append(PackedFile(path, asset, Digest(written.sha256), written.size_bytes))

    def add_once(self, path: str, asset: AssetClass, chunks: Iterable[bytes]) -> None:
        """Put one file in, if it is not in yet."""
        if all(file.path != path for file in self.files):
            self.add(path, asset, chunks)


def encode_record(document: Document) -> bytes:
    """Write one private document as a line."""
    line = encode_canonical(
        {
            "body": base64.b64encode(document.body).decode(),
            "kind": document.kind,
            "name": document.name,
        }
    )
    return line + b"\n"


def encode_identities(roots: TrustRoots) -> bytes:
    """Write who everybody is, in the order of the trust roots."""
    people: list[Json] = [
        {"key": party.key_id, "name": party.name, "role": party.role.value}
        for party in roots.parties
    ]
    return encode_canonical(people)


def rows_of_datasets(log: PublicLog) -> dict[str, int]:
    """Rows of each dataset's newest version, as the log says them."""
    return rows_as_logged(logged.event for logged in log.entries())


def holdings_of(
    files: Iterable[PackedFile], records: Records, *, log: PublicLog, permits: Iterable[bytes]
) -> Holdings:
    """List what a hub has of what the log may name.

    files: of its package.
    permits: the signed statements that travel in the clear.
    """
    held = Holdings({file.path: str(file.sha256) for file in files})
    for kind in records.list_kinds():
        for document in records.list_documents(kind):
            digest = hashlib.sha256(document.body).hexdigest()
            held.places[f"documents/{kind}/{document.name}"] = digest
    for body in permits:
        digest = hashlib.sha256(body).hexdigest()
        held.places[f"permits/{digest}"] = digest
    for known in PartitionCatalogue(records, log=log).list_partitions():
        held.places[f"keys/{known.partition_id}"] = known.public_sha256
    return held


def _pack_inbox(packing: _Packing, inbox: Inbox) -> list[Document]:
    """Take the objects of waiting deliveries along; returns what is to be sealed about them."""
    waiting = []
    for name in inbox.list_deliveries():
        place, objects = new_object_id(), inbox.objects(name)
        for object_id in objects.list_objects():
            packing.add(f"inbox/{place}/{object_id}", AssetClass.JOBS, objects.get(object_id))
        note = base64.b64encode(inbox.note(name)).decode()
        body = encode_canonical({"note": note, "place": str(place)})
        waiting.append(Document(KIND_WAITING, name, body))
    return waiting


def _manifest_of(package: PackageReader) -> bytes:
    try:
        return b"".join(package.read(MANIFEST))
    except HavreError:
        return b""


def _came_in(what: str) -> Unavailable:
    return Unavailable(
        f"{what} came in while the hub was packed, so the package is not the whole hub.",
        hint="Nothing was handed over. Run the same command again when nobody works at the hub.",
    )
