"""Arriving: a package becomes a hub on another host, and proves that nothing is missing.

The log comes from a mirror outside the old host, not from the package: it ends
with the handover to this host's key, which the controller signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.depart import MANIFEST, rows_of_datasets
from havre.application.journal import Journal
from havre.application.vault.packing import open_at_host
from havre.application.vault.reading import check_object
from havre.crypto.random import new_object_id
from havre.domain.departure import (
    AssetClass,
    DepartureManifest,
    PackedFile,
    check_equal,
    parse_manifest,
)
from havre.domain.events import Arrived, Departed, Event, Handover
from havre.domain.following import Followed, follow_entries
from havre.errors import InvalidInput, NotFound, NotGenuine
from havre.formats.canonical import Json, encode_canonical
from havre.ports.clock import Clock
from havre.ports.objects import IdTaken, ObjectStore
from havre.ports.package import PackageReader
from havre.ports.records import Document, Records
from havre.ports.tokens import Token
from havre.values import ObjectId


@dataclass(frozen=True, slots=True)
class Parity:
    """What was compared, and found equal."""

    departure: str
    log_size: int
    log_root: str
    objects: int
    files: int
    rows: dict[str, int]
    index: int


class Arrival:
    """Unpacks one hub."""

    def __init__(
        self,
        *,
        package: PackageReader,
        objects: ObjectStore,
        records: Records,
        token: Token,
        clock: Clock,
    ) -> None:
        self._package = package
        self._objects = objects
        self._records = records
        self._token = token
        self._clock = clock

    def manifest(self) -> DepartureManifest:
        """Read what was packed, and make sure that all of it is here and nothing else.

        Raises:
            NotGenuine: files are missing, changed or added.
            InvalidInput: the manifest is none.
        """
        manifest = parse_manifest(self._document())
        assets = {file.path: file.asset for file in manifest.files}
        found = [
            PackedFile(
                file.path,
                assets.get(file.path, AssetClass.JOBS),
                file.sha256,
                file.size_bytes,
            )
            for file in self._package.measure()
            if file.path != MANIFEST
        ]
        check_equal(manifest, found)
        return manifest

    def check_log(self, manifest: DepartureManifest, entries: list[bytes]) -> None:
        """Make sure that a log is this hub's, as it left, handed over to this host.

        entries: all of them, from somewhere else than the package.

        Raises:
            NotGenuine: another head when it left, another departure, or another host.
        """
        followed, _ = follow_entries(Followed(), entries[: manifest.log_size])
        if (followed.size, followed.head.root.hex()) != (manifest.log_size, manifest.log_root):
            raise NotGenuine("The log had another head when the hub left than its package says.")
        _, events = follow_entries(followed, entries[manifest.log_size :])
        digest = hashlib.sha256(self._document()).hexdigest()
        if not any(isinstance(e, Departed) and e.manifest_sha256 == digest for e in events):
            raise NotGenuine("The log does not say that a hub left with this package.")
        self._check_handed_to_us(events)

    def take_objects(self, manifest: DepartureManifest) -> int:
        """Put every data object into the store, as it is; returns how many there are."""
        files = manifest.of_class(AssetClass.OBJECTS)
        for file in files:
            object_id = ObjectId(file.path.removeprefix("objects/"))
            with suppress(IdTaken):
                self._objects.put(object_id, self._package.read(file.path))
            check_object(self._objects, object_id, sha256=file.sha256)
        return len(files)

    def take_records(self, manifest: DepartureManifest) -> int:
        """Open the private records with this host's key, and keep them; returns how many."""
        count = 0
        for file in manifest.files:
            if file.path.startswith("records/"):
                name = ObjectId(file.path.removeprefix("records/"))
                opened = open_at_host(
                    self._package.read(file.path),
                    token=self._token,
                    name=name,
                    origin=manifest.origin,
                )
                documents = _documents(opened)
                self._records.commit([], documents)
                count += len(documents)
        return count

    def finish(self, manifest: DepartureManifest, *, journal: Journal, log: PublicLog) -> Parity:
        """Compare what the log says with what was packed, and say on the log that we arrived.

        Raises:
            NotGenuine: a dataset has another number of rows.
        """
        rows: dict[str, int] = rows_of_datasets(log)
        if rows != dict(manifest.rows):
            raise NotGenuine("A dataset has another number of rows than when the hub left.")
        objects = len(manifest.of_class(AssetClass.OBJECTS))
        parity: dict[str, Json] = {
            "departure": manifest.departure,
            "log_root": manifest.log_root,
            "log_size": manifest.log_size,
            "objects": {
                file.path.removeprefix("objects/"): str(file.sha256)
                for file in manifest.of_class(AssetClass.OBJECTS)
            },
            "rows": dict(rows),
        }
        body = encode_canonical(parity)
        (index,) = journal.record(
            Arrived(
                event_id=new_object_id(),
                at=self._clock.now(),
                departure=manifest.departure,
                manifest_sha256=hashlib.sha256(self._document()).hexdigest(),
                parity_sha256=hashlib.sha256(body).hexdigest(),
            ),
            documents=[Document("parity", manifest.departure, body)],
        )
        return Parity(
            manifest.departure,
            manifest.log_size,
            manifest.log_root,
            objects,
            len(manifest.files),
            rows,
            index,
        )

    def _check_handed_to_us(self, events: list[Event]) -> None:
        handovers = [event for event in events if isinstance(event, Handover)]
        if not handovers or handovers[-1].log_key != self._token.public.hex():
            raise NotGenuine(
                "The log was not handed over to this host.",
                hint="The controller must name this host's key: `havre depart --for`.",
            )

    def _document(self) -> bytes:
        try:
            return b"".join(self._package.read(MANIFEST))
        except NotFound:
            raise InvalidInput("This folder is no departure: it has no manifest.") from None


def _documents(chunks: Iterable[bytes]) -> list[Document]:
    documents = []
    for line in b"".join(chunks).splitlines():
        body = json.loads(line)
        documents.append(Document(body["kind"], body["name"], base64.b64decode(body["body"])))
    return documents
