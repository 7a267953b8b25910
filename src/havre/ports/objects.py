"""Where ciphertext is kept under opaque names: a directory, a bucket, anybody's disk.

Promised: after `put` returns, the whole object survives a crash of the
process and of the machine; before, nobody sees any part of it under its name.
An object never changes, and its name is never used twice.
What may be repeated: reading, listing, and `delete` of what is gone already.
`put` may not: the same id again is refused, because a second write attempt
must have a new key and a new id.
What may block: everything, for as long as the disk or the network takes.
Final errors: `IdTaken`, `NotFound`, `NotGenuine`. `Unavailable` is not: ask again,
with a new id if it came from `put`.
Who may call it: the vault, and the drills that move or search the whole store.

A store is not trusted: whoever reads gives the SHA-256 that a manifest or the log
has, and gets those bytes or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from havre.errors import NotGenuine, Refused
from havre.values import Digest, ObjectId

# An object that no version lists after this long was left by a write that did
# not finish (`docs/protocols.md`, section 1).
ORPHAN_DAYS = 7


class IdTaken(Refused):
    """An object of this name exists; nothing was written."""


class Altered(NotGenuine):
    """A store holds other bytes under an id than were put there."""

    def __init__(self, found_bytes: int) -> None:
        """Name it; an empty object is what a host gives that has nothing and says 200."""
        what = "not the one that was written" if found_bytes else "empty, and was not"
        super().__init__(
            f"An object in the store is {what}.",
            hint="Keep it, tell the operator, and restore it from a replica.",
        )


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What was written: the size and the SHA-256 of the bytes, counted on the way in."""

    object_id: ObjectId
    size_bytes: int
    sha256: Digest


class ObjectStore(Protocol):
    """Keeps objects; knows nothing about what is in them."""

    def put(self, object_id: ObjectId, chunks: Iterable[bytes]) -> StoredObject:
        """Write a whole object, or nothing.

        chunks: read once, in order; an exception from it leaves nothing behind.

        Raises:
            IdTaken: the id is in use.
            Unavailable: no room, or the store does not answer.
        """

    def open(
        self, object_id: ObjectId, *, sha256: str | None = None
    ) -> AbstractContextManager[BinaryIO]:
        """Open an object for reading and seeking.

        sha256: of the bytes that are wanted. Where it is given, nothing else is
            lent: all of the object was hashed before, and a store that keeps
            several copies chose one that fits.

        Raises:
            NotFound: there is no such object.
            NotGenuine: the object has other bytes than `sha256` says.
        """

    def get(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[bytes]:
        """Read an object from its first byte to its last, in pieces of at most 1 MiB.

        sha256: as in `open`; compared at the call, before the first piece.

        Raises:
            NotFound: there is no such object; raised at the call.
            NotGenuine: the object has other bytes than `sha256` says; at the call.
        """

    def as_file(
        self, object_id: ObjectId, *, sha256: str | None = None
    ) -> AbstractContextManager[str]:
        """Lend the path of a file of this machine that holds the object's bytes.

        For engines that open files themselves. It is ciphertext like the
        object, read only, and may vanish when the context ends.

        sha256: as in `open`.

        Raises:
            NotFound: there is no such object.
            NotGenuine: the object has other bytes than `sha256` says.
        """

    def batch(self) -> AbstractContextManager[None]:
        """Let objects of one act wait for each other, to be sent together.

        A store whose host should not see when and in which order they were made
        sends them when the context ends, in order of id; they are written then, and
        not before. Another store writes them at once. Where sending fails, or the
        context ends with an exception, objects may be left that nobody lists.

        Raises:
            IdTaken, Unavailable: as `put`, when the context ends.
        """

    def take_debts(self) -> Mapping[str, AbstractSet[ObjectId]]:
        """What was written since the last call and some replica lacks, by the replica's name.

        Empty for a store that is one.
        """

    def list_objects(self) -> Iterator[ObjectId]:
        """List every object once, in order of id; what is being written is not listed."""

    def delete(self, object_id: ObjectId) -> None:
        """Remove an object; nothing happens when it is not there."""

    def sweep(self, live: AbstractSet[ObjectId], *, older_than: datetime) -> tuple[ObjectId, ...]:
        """Remove the objects that nobody needs and that are not new, and torn writes.

        live: every object that a version, a delivery or an extract lists.
        older_than: aware; an object written later stays, it may be about to be listed.

        Returns the ids that were removed, in order.
        """
