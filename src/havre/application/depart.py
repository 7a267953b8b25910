"""Leaving: everything a hub is, packed for one new host, with nothing decrypted.

Data objects travel as they lie in the store, private records sealed to the new
host's key. The log ends with the controller's handover to that host's log key;
from then on the old hub can add nothing to it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.journal import Journal
from havre.application.permits import KIND_PERMIT
from havre.application.vault.packing import seal_to_host
from havre.crypto.random import new_object_id
from havre.domain.departure import (
    AssetClass,
    DepartureManifest,
    PackedFile,
    encode_manifest,
)
from havre.domain.events import Departed, Handover, VersionPublished, events_of
from havre.domain.handover import handover_statement
from havre.domain.statements import sign_statement
from havre.domain.trust import Role, TrustRoots, encode_trust_roots
from havre.errors import NotFound, Refused
from havre.formats.canonical import Json, encode_canonical
from havre.formats.tiles import bundles_between, encode_bundle
from havre.ports.clock import Clock
from havre.ports.objects import ObjectStore
from havre.ports.package import PackageWriter
from havre.ports.records import Document, Records
from havre.ports.tokens import Token
from havre.values import Digest

MANIFEST = "departure.json"
RECORDS_FORMAT = "havre/v1/records"
# What of the private records is keys and headers; all the rest is jobs and reports.
KEY_KINDS = ("manifest", "partition")
_TILE = 256


@dataclass(frozen=True, slots=True)
class NewHost:
    """Who takes over: the public halves of its keys, brought by the controller."""

    log_key: bytes
    seal_key: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """What left."""

    departure: str
    manifest_sha256: str
    files: int
    size_bytes: int


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

    def depart(
        self,
        name: str,
        *,
        host: NewHost,
        controller: Token,
        package: PackageWriter,
        entries: Iterable[bytes],
        texts: Mapping[str, tuple[AssetClass, bytes]],
    ) -> Packed:
        """Pack everything, then hand the log over.

        entries: the published log, as it lies.
        texts: what the operator adds by path: configuration, code, catalogue.

        Raises:
            Refused: somebody else than the controller signs, the package's name is
                taken, or the log was handed over before.
            NotFound: nothing was ever published.
        """
        if self._roots.party_of(controller.public).role is not Role.CONTROLLER:
            raise Refused(
                "Only the controller hands a hub over.",
                hint="Name the controller's directory with --party.",
            )
        packing = _Packing(package)
        for object_id in self._objects.list_objects():
            packing.add(f"objects/{object_id}", AssetClass.OBJECTS, self._objects.get(object_id))
        self._pack_log(packing, list(entries))
        self._pack_records(packing, host, self._records.list_kinds())
        self._pack_people(packing)
        for path, (asset, text) in sorted(texts.items()):
            packing.add(path, asset, [text])
        manifest = self._manifest(name, packing)
        document = encode_manifest(manifest)
        package.write(MANIFEST, [document])
        package.seal()
        digest = hashlib.sha256(document).hexdigest()
        self._hand_over(name, digest, host, controller)
        return Packed(name, digest, len(packing.files), sum(f.size_bytes for f in packing.files))

    def _pack_log(self, packing: _Packing, entries: list[bytes]) -> None:
        packing.add("log/checkpoint", AssetClass.LOG, [self._log.checkpoint()])
        for bundle in bundles_between(0, len(entries)):
            start = bundle.index * _TILE
            body = encode_bundle(entries[start : start + bundle.width])
            packing.add(f"log/{bundle.path}", AssetClass.LOG, [body])

    def _pack_records(self, packing: _Packing, host: NewHost, kinds: list[str]) -> None:
        for asset, chosen in (
            (AssetClass.KEYS, [kind for kind in kinds if kind in KEY_KINDS]),
            (AssetClass.JOBS, [kind for kind in kinds if kind not in KEY_KINDS]),
        ):
            name = new_object_id()
            sealed = seal_to_host(
                self._lines(chosen), to=host.seal_key, name=name, origin=self._roots.origin
            )
            packing.add(f"records/{name}", asset, sealed)

    def _lines(self, kinds: list[str]) -> Iterator[bytes]:
        for kind in kinds:
            for document in self._records.list_documents(kind):
                yield encode_record(document)

    def _pack_people(self, packing: _Packing) -> None:
        packing.add("trust.json", AssetClass.TRUST, [encode_trust_roots(self._roots)])
        people: list[Json] = [
            {"key": party.key_id, "name": party.name, "role": party.role.value}
            for party in self._roots.parties
        ]
        packing.add("identities.json", AssetClass.IDENTITIES, [encode_canonical(people)])
        permits: list[Json] = [
            base64.b64encode(document.body).decode()
            for document in self._records.list_documents(KIND_PERMIT)
        ]
        packing.add("permits.json", AssetClass.PERMITS, [encode_canonical(permits)])

    def _manifest(self, name: str, packing: _Packing) -> DepartureManifest:
        head = self._log.head()
        if head is None:
            raise NotFound("A hub that never published anything has nothing to leave with.")
        there = {file.asset for file in packing.files}
        return DepartureManifest(
            departure=name,
            origin=self._roots.origin,
            log_size=head.size,
            log_root=head.root.hex(),
            rows=rows_of_datasets(self._log),
            files=tuple(packing.files),
            empty=tuple(asset for asset in AssetClass if asset not in there),
        )

    def _hand_over(self, name: str, digest: str, host: NewHost, controller: Token) -> None:
        now = self._clock.now()
        (index,) = self._journal.record(
            Departed(event_id=new_object_id(), at=now, departure=name, manifest_sha256=digest)
        )
        statement = handover_statement(host.log_key, index=index + 1, origin=self._roots.origin)
        self._journal.record(
            Handover(
                event_id=new_object_id(),
                at=now,
                log_key=host.log_key.hex(),
                statement=base64.b64encode(sign_statement(statement, [controller])).decode(),
            )
        )


class _Packing:
    """The files so far."""

    def __init__(self, package: PackageWriter) -> None:
        self._package = package
        self.files: list[PackedFile] = []

    def add(self, path: str, asset: AssetClass, chunks: Iterable[bytes]) -> None:
        """Put one file in and remember it."""
        written = self._package.write(path, chunks)
        self.files.append(PackedFile(path, asset, Digest(written.sha256), written.size_bytes))


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


def rows_of_datasets(log: PublicLog) -> dict[str, int]:
    """Rows of each dataset's newest version, as the log says them."""
    rows: dict[str, int] = {}
    for event in events_of((logged.event for logged in log.entries()), VersionPublished):
        rows[event.dataset] = rows.get(event.dataset, 0) + event.rows
    return rows
