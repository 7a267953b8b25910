"""Keeping the inventory: each act lists what it put into the store, and the lists are proved.

The list is a private document, its commitment an entry of the log, both recorded
together with the act (`havre.domain.inventory`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from havre.application.audit import PublicLog
from havre.application.vault.reading import manifest_locations
from havre.application.vault.sealing import MANIFEST_DOCUMENT
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.domain.events import CopiesCounted, Event, ObjectsListed
from havre.domain.inventory import (
    LIST_LABEL,
    Inventory,
    Listed,
    ObjectList,
    OpenedList,
    encode_list,
    take_inventory,
)
from havre.errors import InvalidInput, NotGenuine
from havre.ports.objects import StoredObject
from havre.ports.records import Document, Records
from havre.values import Digest, ObjectId

# What a use case holds of an object that it had written.
Written: TypeAlias = StoredObject

KIND_LIST = "object-list"
KIND_LIST_SALT = "object-list-salt"


@dataclass(frozen=True, slots=True)
class Listing:
    """What goes on the log and into the records, together with the act itself."""

    events: tuple[Event, ...]
    documents: tuple[Document, ...]


def list_written(
    written: Iterable[Written],
    *,
    debts: Mapping[str, AbstractSet[ObjectId]],
    act: str,
    at: datetime,
) -> Listing:
    """List what an act wrote, and say which stores lack some of it.

    written: everything that the act wrote; nothing makes no list.
    debts: as the store gives them (`take_debts`); those of other acts are left out.
    act: event id of the act's own entry, to be recorded behind these.
    """
    added = {each.object_id: Listed(each.sha256, each.size_bytes) for each in written}
    if not added:
        return Listing((), ())
    lacking = {name: len(ids & added.keys()) for name, ids in debts.items()}
    listing = _listing(ObjectList(added), act=act, at=at)
    if not any(lacking.values()):
        return listing
    counted = CopiesCounted(
        event_id=new_object_id(), at=at, occasion="write", objects=len(added), lacking=lacking
    )
    return Listing((*listing.events, counted), listing.documents)


def list_removed(removed: Iterable[ObjectId], *, act: str, at: datetime) -> Listing:
    """List what an act takes out of the store for good; to be recorded before it does so."""
    return _listing(ObjectList({}, tuple(removed)), act=act, at=at)


def read_inventory(records: Records, *, log: PublicLog, size: int | None = None) -> Inventory:
    """Say what the store should hold, proved against the log as far as there are lists.

    size: how many entries of the log count; null is all of them.

    Manifests of acts from before there were lists are found by the records, and have
    the log's own hash.

    Raises:
        NotGenuine: a list is missing or is not the one that the log commits to.
    """
    salts = {each.name: each.body for each in records.list_documents(KIND_LIST_SALT)}
    lists = {
        each.name: OpenedList(each.body, salts[each.name])
        for each in records.list_documents(KIND_LIST)
        if each.name in salts
    }
    inventory = take_inventory((each.event for each in log.entries()[:size]), lists)
    locations = manifest_locations(records.list_documents(MANIFEST_DOCUMENT))
    for sha256 in sorted(inventory.manifests & locations.keys()):
        inventory.objects[locations[sha256]] = Listed(Digest(sha256), None)
        inventory.manifests.discard(sha256)
    if inventory.manifests:
        raise NotGenuine(
            f"Nobody knows where {len(inventory.manifests)} manifests are that the log names.",
            hint="Restore the records, or search the store for them by their hash.",
        )
    return inventory


def known_hashes(records: Records, *, log: PublicLog) -> dict[ObjectId, str]:
    """What is known of the objects' hashes, for whoever would rather have them than stop.

    Nothing where the inventory cannot be proved.
    """
    try:
        inventory = read_inventory(records, log=log)
    except (NotGenuine, InvalidInput):
        return {}
    return {object_id: listed.sha256 for object_id, listed in inventory.objects.items()}


def _listing(objects: ObjectList, *, act: str, at: datetime) -> Listing:
    document, salt, event_id = encode_list(objects), new_salt(), new_object_id()
    commitment = commit_to(document, label=LIST_LABEL, salt=salt)
    listed = ObjectsListed(event_id=event_id, at=at, act=act, list_commitment=commitment)
    return Listing(
        (listed,),
        (Document(KIND_LIST, event_id, document), Document(KIND_LIST_SALT, event_id, salt)),
    )
