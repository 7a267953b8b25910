"""What passes between a hub and its holders: a folder of public facts, and the holder's own desk."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from havre.adapters.inbox.folder import InboxFolder
from havre.adapters.log.files import LogFolder
from havre.adapters.objects.local import LocalObjects
from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser
from havre.adapters.sources.delimited import DelimitedFolder
from havre.adapters.tables.parquet import ParquetTables
from havre.adapters.tokens.file import FileToken
from havre.application.audit import PublicLog
from havre.application.ceremony import PartitionCatalogue
from havre.application.deliver import HolderDesk
from havre.application.pseudonymise import Pseudonyms
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.bootstrap.hub import OpenHub
from havre.domain.catalogue_text import KnownTables, parse_catalogue
from havre.domain.delivery_note import DeliveryNote, parse_note
from havre.domain.events import CatalogueImported, DeliveryReceived, PartitionsCreated, events_of
from havre.errors import NotFound, NotGenuine, Refused
from havre.formats.statements import parse_envelope, parse_statement
from havre.values import PartitionKind, parse_partition


def publish_for_holders(hub: OpenHub) -> None:
    """Write what holders need beside the hub: the catalogue, and where deliveries may land."""
    folder = hub.place.for_holders
    folder.mkdir(exist_ok=True)
    landing = [
        {
            "id": each.partition_id,
            "partition": each.partition.text,
            "public_key": base64.b64encode(each.public_key).decode(),
        }
        for each in PartitionCatalogue(hub.records).list_partitions()
        if each.partition.kind is PartitionKind.LANDING
    ]
    _replace(folder / "catalogue.json", hub.catalogue.document())
    _replace(folder / "landing.json", json.dumps(landing, indent=1).encode())


class HolderSide:
    """A holder's machine: its own keys and roots, the hub's public facts, nothing else of the hub."""

    def __init__(self, party: Path, *, hub: Path) -> None:
        """Work as the holder in `party`, for the hub in `hub`."""
        self._token = FileToken(party)
        self._roots = self._token.trust_roots()
        self._facts = hub / "holders"
        self._log = PublicLog(LogFolder(hub / "site" / "log"), roots=self._roots)
        self._inbox = InboxFolder(hub / "inbox", store=LocalObjects)

    def deliver(
        self,
        folders: Sequence[Path],
        *,
        leave: Sequence[str] = (),
        progress: Callable[[int, int, str], None],
    ) -> list[DeliveryNote]:
        """Seal deliveries to the hub, each to a landing place of its own.

        leave: columns too many that stay behind.

        Raises:
            DeliveryHeld: one differs from its announcement; those before it were sealed.
            Refused: there is no landing place left.
        """
        desk = HolderDesk(
            known=self._known(),
            token=self._token,
            secret=self._token.secret("stage-1"),
            pseudonyms=Pseudonyms(PolarsPseudonymiser()),
            origin=self._roots.origin,
        )
        free = self._free_places()
        notes = []
        for number, folder in enumerate(folders):
            progress(number, len(folders), folder.name)
            notes.append(self._deliver(desk, folder, free=free, leave=leave))
        return notes

    def _deliver(
        self, desk: HolderDesk, folder: Path, *, free: list[WritePlace], leave: Sequence[str]
    ) -> DeliveryNote:
        if not free:
            raise Refused(
                "The hub has no landing place left.",
                hint="Its operator makes more with `havre ceremony --landing 50`.",
            )
        aside = self._token.folder / "set-aside" / folder.name
        objects = self._inbox.drafts(folder.name)
        prepared = desk.prepare(
            DelimitedFolder(folder, aside=aside),
            vault=VaultWriter(objects, ParquetTables(), origin=self._roots.origin),
            place=free.pop(0),
            leave=frozenset(leave),
        )
        if prepared.note.delivery != folder.name:
            raise Refused(
                f"The folder {folder.name} announces a delivery of another name.",
                hint="Give the folder the delivery's name.",
            )
        self._inbox.post(prepared.note.delivery, prepared.envelope)
        return prepared.note

    def _known(self) -> KnownTables:
        """The hub's catalogue, if it is the one on the log."""
        document = _read(self._facts / "catalogue.json")
        events = [logged.event for logged in self._log.entries()]
        imported = events_of(events, CatalogueImported)
        digest = hashlib.sha256(document).hexdigest()
        if not imported or imported[-1].catalogue_sha256 != digest:
            raise NotGenuine(
                "The hub's catalogue is not the one on its log.",
                hint="Ask the operator to publish it anew with `havre catalogue publish`.",
            )
        return parse_catalogue(document)

    def _free_places(self) -> list[WritePlace]:
        """Landing partitions whose key is on the log and that no delivery has used."""
        events = [logged.event for logged in self._log.entries()]
        used = {event.partition for event in events_of(events, DeliveryReceived)}
        used |= {_landing_of(self._inbox.note(name)) for name in self._inbox.list_deliveries()}
        keys = {
            partition: digest
            for created in events_of(events, PartitionsCreated)
            for partition, digest in created.public_keys.items()
        }
        places = []
        for each in json.loads(_read(self._facts / "landing.json")):
            public_key = base64.b64decode(each["public_key"])
            if keys.get(each["id"]) != hashlib.sha256(public_key).hexdigest():
                raise NotGenuine("A landing place has another key than the log says.")
            if each["id"] not in used:
                places.append(
                    WritePlace(parse_partition(each["partition"]), each["id"], public_key)
                )
        return places


def _landing_of(envelope: bytes) -> str:
    # Our own note, read back: whoever forged one could only waste a place.
    statement = parse_statement(parse_envelope(envelope).payload)
    return str(parse_note(statement.subject, statement.predicate).landing)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NotFound(
            f"The hub has published no {path.name} for its holders.",
            hint="Name the hub's directory with --hub or HAVRE_HUB.",
        ) from None


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(path.name + ".part")
    draft.write_bytes(content)
    draft.replace(path)
