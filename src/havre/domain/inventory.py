"""The inventory: every object that a store should hold, with the hash of its ciphertext.

What a version's files hash to stands in sealed manifests, which nobody opens to look
after a store. So each act that writes objects also lists them, by their ids, hashes
and sizes, in the hub's private records; the log has a commitment to each list. Who
has the lists can prove them against the log, and a store against the lists, without
any key. The commitment is salted: a plain hash of a list would let a host that saw
the objects come in find out which of them belong together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from havre.crypto.commitments import check_opening
from havre.domain.events import (
    DeliveryReceived,
    Event,
    ExtractMade,
    ObjectsListed,
    VersionPublished,
)
from havre.domain.opposition_events import OppositionsUpdated
from havre.errors import InvalidInput, NotGenuine
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import Digest, ObjectId, parse_digest, parse_object_id

LIST_LABEL = "havre/v1/object-list"
# A hundred thousand objects in one act.
MAX_LIST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listed:
    """One object: what its ciphertext must be.

    size_bytes: null for an object that only the log names, which gives no sizes.
    """

    sha256: Digest
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class ObjectList:
    """What one act put into the store, and what it took out of it for good."""

    added: Mapping[ObjectId, Listed]
    removed: tuple[ObjectId, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenedList:
    """A list as the records have it: its canonical bytes, and the salt of its commitment."""

    document: bytes
    salt: bytes


@dataclass(slots=True)
class Inventory:
    """All lists together, proved against the log.

    manifests: hashes of manifests that the log names and no list has: of acts from
        before there were lists. Where they lie is in the records, unproved.
    unlisted: how many acts wrote objects of which there is no list.
    """

    objects: dict[ObjectId, Listed] = field(default_factory=dict)
    manifests: set[str] = field(default_factory=set)
    unlisted: int = 0

    @property
    def size_bytes(self) -> int:
        """Bytes of all objects whose size is known."""
        return sum(each.size_bytes or 0 for each in self.objects.values())


class Damage(StrEnum):
    """What is wrong with one copy of an object."""

    MISSING = "missing"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    SWAPPED = "another object of ours"
    ALTERED = "altered"
    UNREADABLE = "not readable now"


def encode_list(objects: ObjectList) -> bytes:
    """Write a list as the canonical bytes that its commitment is over.

    Raises:
        ValueError: an object without a size.
    """
    added: dict[str, Json] = {}
    for name, listed in objects.added.items():
        if listed.size_bytes is None:
            raise ValueError("an object is listed with its size")
        added[name] = [str(listed.sha256), listed.size_bytes]
    return encode_canonical(
        {
            "added": added,
            "format": LIST_LABEL,
            "removed": [*sorted(objects.removed)],
        }
    )


def parse_list(document: bytes) -> ObjectList:
    """Read a list strictly.

    Raises:
        InvalidInput: another spelling.
    """
    body: Any = parse_canonical(document, limit_bytes=MAX_LIST_BYTES)
    try:
        read = ObjectList(
            {parse_object_id(name): _read_listed(each) for name, each in body["added"].items()},
            tuple(parse_object_id(name) for name in body["removed"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InvalidInput("A list of objects is not of the form havre/v1/object-list.") from None
    # Writing it again finds every field, order and spelling that should not be.
    if encode_list(read) != document:
        raise InvalidInput("A list of objects has a field or an order that it should not have.")
    return read


def take_inventory(events: Iterable[Event], lists: Mapping[str, OpenedList]) -> Inventory:
    """Prove the lists against the log and add them up.

    lists: by the event id of the entry that commits to each.

    Raises:
        NotGenuine: a list is missing, is not the one that the log commits to, or says
            otherwise of an object than the log does.
    """
    inventory = Inventory()
    listed_acts: set[str] = set()
    for event in events:
        if isinstance(event, ObjectsListed):
            listed_acts.add(event.act)
            _take_list(inventory, _opened(event, lists))
        elif isinstance(event, DeliveryReceived):
            for name, sha256 in event.objects.items():
                _add(inventory, ObjectId(name), Listed(Digest(sha256), None))
        elif _wrote_objects(event) and event.event_id not in listed_acts:
            inventory.unlisted += 1
        inventory.manifests |= set(_manifests_of(event))
    inventory.manifests -= {each.sha256 for each in inventory.objects.values()}
    return inventory


def judge_copy(
    wanted: Listed, *, found_sha256: str, found_bytes: int, ours: Mapping[str, ObjectId]
) -> Damage | None:
    """Say what is wrong with a copy, or null when nothing is.

    ours: hashes of every object of the inventory.

    >>> judge_copy(Listed(Digest("a" * 64), 9), found_sha256="b" * 64, found_bytes=4, ours={})
    <Damage.TRUNCATED: 'truncated'>
    """
    if found_sha256 == wanted.sha256:
        return None
    if found_bytes == 0:
        return Damage.EMPTY
    if found_sha256 in ours:
        return Damage.SWAPPED
    if wanted.size_bytes is not None and found_bytes < wanted.size_bytes:
        return Damage.TRUNCATED
    return Damage.ALTERED


def _opened(event: ObjectsListed, lists: Mapping[str, OpenedList]) -> ObjectList:
    opened = lists.get(event.event_id)
    if opened is None:
        raise NotGenuine(
            "The records miss a list of objects to which the log commits.",
            hint="Restore the records; without it nobody knows what the store should hold.",
        )
    check_opening(event.list_commitment, opened.document, label=LIST_LABEL, salt=opened.salt)
    return parse_list(opened.document)


def _take_list(inventory: Inventory, objects: ObjectList) -> None:
    for name, listed in objects.added.items():
        _add(inventory, name, listed)
    for name in objects.removed:
        inventory.objects.pop(name, None)


def _add(inventory: Inventory, name: ObjectId, listed: Listed) -> None:
    before = inventory.objects.get(name)
    if before is not None and before.sha256 != listed.sha256:
        raise NotGenuine("Two entries of the log say otherwise of one object.")
    if before is None or before.size_bytes is None:
        inventory.objects[name] = listed


def _wrote_objects(event: Event) -> bool:
    # A run that gave nothing wrote nothing, so its entry alone says neither.
    return isinstance(event, VersionPublished | ExtractMade | OppositionsUpdated)


def _manifests_of(event: Event) -> Iterable[str]:
    if isinstance(event, VersionPublished):
        return event.manifests.values()
    if isinstance(event, ExtractMade | OppositionsUpdated):
        return [event.manifest_sha256]
    return []


def _read_listed(value: Json) -> Listed:
    if not isinstance(value, list) or len(value) != 2 or type(value[1]) is not int or value[1] < 0:
        raise TypeError
    return Listed(parse_digest(str(value[0])), value[1])
