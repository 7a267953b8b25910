"""What passes between a hub and its holders: a folder of public facts, and the holder's own desk."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from havre.adapters.inbox.folder import InboxFolder
from havre.adapters.inbox.sent import SentFolder
from havre.adapters.inbox.unfinished import UnfinishedFolder
from havre.adapters.log.files import LogFolder
from havre.adapters.objects.local import LocalObjects
from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser
from havre.adapters.sources.folder import HolderFolder
from havre.adapters.tables.parquet import ParquetTables
from havre.application.audit import PublicLog
from havre.application.ceremony import PartitionCatalogue
from havre.application.deliver import HolderDesk, SealingProgress
from havre.application.dispatch import Dispatch, Dispatched
from havre.application.pseudonymise import Pseudonyms
from havre.application.resume import SealedBefore
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.tokens import open_token
from havre.domain.catalogue_text import KnownTables, parse_catalogue
from havre.domain.delivery_note import DeliveryNote
from havre.domain.events import CatalogueImported, PartitionsCreated, events_of
from havre.domain.key_states import read_key_states
from havre.errors import InvalidInput, NotFound, NotGenuine, gravest
from havre.values import ObjectId, PartitionKind, parse_partition


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
        for each in PartitionCatalogue(hub.records, log=hub.log).list_living()
        if each.partition.kind is PartitionKind.LANDING
    ]
    _replace(folder / "catalogue.json", hub.catalogue.document())
    _replace(folder / "landing.json", json.dumps(landing, indent=1).encode())


class HolderSide:
    """A holder's machine: its own keys and roots, the hub's public facts, nothing else of the hub."""

    def __init__(self, party: Path, *, hub: Path) -> None:
        """Work as the holder in `party`, for the hub in `hub`."""
        self._token = open_token(party)
        self._roots = self._token.trust_roots()
        self._facts = hub / "holders"
        self._log = PublicLog(LogFolder(hub / "site" / "log"), roots=self._roots)
        self._inbox = InboxFolder(hub / "inbox", store=LocalObjects)

    def deliver(
        self,
        folders: Sequence[Path],
        *,
        leave: Sequence[str] = (),
        progress: Callable[[SealingProgress], None],
    ) -> list[DeliveryNote]:
        """Seal deliveries to the hub; every one is tried before a refusal is raised.

        Returns the notes of all, of those that were there already as well.

        Raises:
            HavreError: the gravest refusal among them.
        """
        tried = list(self.send(folders, leave=leave, progress=progress))
        if faults := [each.fault for each in tried if each.fault]:
            raise gravest(faults)
        return [each.note for each in tried if each.note]

    def send(
        self,
        folders: Sequence[Path],
        *,
        leave: Sequence[str] = (),
        progress: Callable[[SealingProgress], None],
    ) -> Iterator[Dispatched]:
        """Seal deliveries to the hub, each to a landing place of its own; yield what became of each.

        leave: columns too many that stay behind.

        Raises:
            NotFound: the hub has published nothing for its holders.
            NotGenuine: what it has published is not what its log says.
        """
        dispatch = self._dispatch()
        for folder in folders:
            name = folder.resolve().name
            aside = self._token.folder / "set-aside" / name
            yield dispatch.send(
                HolderFolder(folder, aside=aside),
                name=name,
                leave=frozenset(leave),
                progress=progress,
            )

    def _dispatch(self) -> Dispatch:
        kept = UnfinishedFolder(self._token.folder / "unfinished")
        desk = HolderDesk(
            known=self._known(),
            token=self._token,
            secret=self._token.secret("stage-1"),
            pseudonyms=Pseudonyms(PolarsPseudonymiser()),
            origin=self._roots.origin,
        )
        return Dispatch(
            desk=desk,
            inbox=self._inbox,
            sent=SentFolder(self._token.folder / "sent"),
            log=self._log,
            before=lambda name: SealedBefore(
                name, kept=kept, vault=self._vault, origin=self._roots.origin
            ),
            places=self._landing_places(),
        )

    def _vault(self, name: str, keep: AbstractSet[ObjectId]) -> VaultWriter:
        drafts = self._inbox.drafts(name, keep=keep)
        return VaultWriter(drafts, ParquetTables(), origin=self._roots.origin)

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

    def _landing_places(self) -> list[WritePlace]:
        """Landing partitions whose key is on the log."""
        events = [logged.event for logged in self._log.entries()]
        keys = {
            partition: digest
            for created in events_of(events, PartitionsCreated)
            for partition, digest in created.public_keys.items()
        }
        places = _parse_landing(_read(self._facts / "landing.json"))
        for each in places:
            if keys.get(each.partition_id) != hashlib.sha256(each.public_key).hexdigest():
                raise NotGenuine("A landing place has another key than the log says.")
        states = read_key_states(events)
        return [each for each in places if states[each.partition_id].living]


def _parse_landing(document: bytes) -> list[WritePlace]:
    try:
        return [
            WritePlace(
                parse_partition(str(each["partition"])),
                str(each["id"]),
                base64.b64decode(each["public_key"], validate=True),
            )
            for each in json.loads(document)
        ]
    except (KeyError, TypeError, ValueError, InvalidInput):
        raise NotGenuine(
            "The hub's landing places cannot be read.",
            hint="Ask the operator to publish them anew with `havre catalogue publish`.",
        ) from None


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
