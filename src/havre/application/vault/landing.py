"""Taking sealed deliveries into the store: ciphertext is compared and copied, nothing is opened."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress

from havre.errors import NotFound
from havre.ports.objects import IdTaken, ObjectStore, StoredObject
from havre.values import Digest, ObjectId


class Landing:
    """The store's quay."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def list_faults(self, source: ObjectStore, expected: Mapping[ObjectId, Digest]) -> list[str]:
        """Say what differs between the objects that came and those that were announced."""
        there = set(source.list_objects())
        faults = [f"object {name} was not announced" for name in sorted(there - expected.keys())]
        for name, sha256 in sorted(expected.items()):
            if name not in there:
                faults.append(f"object {name} is missing")
            elif _sha256(source, name) != sha256:
                faults.append(f"object {name} has another SHA-256 than announced")
        return faults

    def take_debts(self) -> Mapping[str, AbstractSet[ObjectId]]:
        """What was taken in since the last call and some replica of the store lacks."""
        return self._objects.take_debts()

    def take_in(
        self, source: ObjectStore, expected: Mapping[ObjectId, Digest]
    ) -> tuple[StoredObject, ...]:
        """Copy objects into the store; those that are there already are compared.

        Returns all of them.

        Raises:
            NotGenuine: the store has another object under a name.
            Unavailable: no room; what was copied is swept later.
        """
        return tuple(self._take(source, name, sha256) for name, sha256 in sorted(expected.items()))

    def _take(self, source: ObjectStore, name: ObjectId, sha256: Digest) -> StoredObject:
        with suppress(IdTaken):
            self._objects.put(name, source.get(name, sha256=sha256))
        with self._objects.open(name, sha256=sha256) as file:
            return StoredObject(name, file.seek(0, os.SEEK_END), sha256)


def _sha256(source: ObjectStore, name: ObjectId) -> str:
    digest = hashlib.sha256()
    try:
        for piece in source.get(name):
            digest.update(piece)
    except NotFound:
        return ""
    return digest.hexdigest()
