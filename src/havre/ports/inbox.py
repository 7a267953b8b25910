"""Where holders leave sealed deliveries for a hub: ciphertext and a signed note, until taken in.

Promised: a delivery is seen whole or not at all: its note appears last. What
lies here is sealed already; whoever runs the place learns names and sizes. A claim
is one process's at a time, and ends with the process that has it.
What may be repeated: everything but `post` of a name that is there.
What may block: as long as the disk or the network takes; a claim never waits, and
`exclusive` waits for another process that takes deliveries in.
Final errors: `NotFound`, `Refused`.
Who may call it: `application.dispatch` and `application.oppose` post, `application.receive` takes in,
`application.receipts` leaves receipts, elsewhere. What a holder remembers of what it has sent
lies on its own machine, and only it reads it.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from havre.ports.objects import ObjectStore
from havre.values import Digest, ObjectId


class Inbox(Protocol):
    """Deliveries on their way."""

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Have a name to oneself: a delivery's that is being made, or a landing place's.

        Lends whether it was free; another process that has it keeps it.
        """

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep everybody else from taking deliveries in or away, across processes."""

    def drafts(self, delivery: str, *, keep: AbstractSet[ObjectId] = frozenset()) -> ObjectStore:
        """Where the objects of a delivery are put before its note is posted.

        keep: objects of an attempt before that are used again, where they are there; all
            else that it has left is thrown away.

        Raises:
            Refused: a delivery of this name was posted already.
        """

    def post(self, delivery: str, note: bytes) -> None:
        """Make a delivery visible, with its note.

        Raises:
            Refused: a delivery of this name was posted already.
            Unavailable: there is no room; nothing was posted.
        """

    def list_deliveries(self) -> list[str]:
        """The names of what was posted and not removed, in order."""

    def note(self, delivery: str) -> bytes:
        """The signed note.

        Raises:
            NotFound: nothing of this name was posted.
        """

    def objects(self, delivery: str) -> ObjectStore:
        """The objects of a delivery that was posted."""

    def remove(self, delivery: str) -> None:
        """Remove a delivery that was taken in or is not wanted; a missing one is fine."""


class Receipts(Protocol):
    """Signed receipts of deliveries, each for the holder of its own.

    They have exact counts, in clear: they lie on the hub's own ground, as its records do, and
    never where deliveries wait, whose host reads nothing.
    """

    def put(self, delivery: str, receipt: bytes) -> None:
        """Leave a delivery's receipt, in place of one that is there.

        Raises:
            Unavailable: there is no room.
        """

    def list_deliveries(self) -> list[str]:
        """The deliveries that have one, in order."""

    def receipt(self, delivery: str) -> bytes:
        """The signed receipt of a delivery.

        Raises:
            NotFound: there is none, or not yet.
        """


class UnfinishedDeliveries(Protocol):
    """A holder's own memory of files that are sealed whole, of deliveries that are not posted.

    On its own machine, for its eyes alone; what `keep` was given survives a crash of the
    machine.
    """

    def keep(self, delivery: str, path: str, document: bytes) -> None:
        """Remember a file of a delivery, in place of what was remembered of it.

        Raises:
            Unavailable: there is no room.
        """

    def list_kept(self, delivery: str) -> list[bytes]:
        """What is remembered of a delivery's files."""

    def forget(self, delivery: str) -> None:
        """Forget a delivery: it was posted. One of which nothing is known is fine."""


@dataclass(frozen=True, slots=True)
class SentDelivery:
    """What a holder remembers of a delivery that it has made.

    content: what was announced (`domain.announcement.content_digest`).
    envelope: the note as it was signed.
    """

    content: Digest
    envelope: bytes


class SentDeliveries(Protocol):
    """A holder's own memory of what it has made, by name; the last one of a name counts."""

    def keep(self, delivery: str, sent: SentDelivery) -> None:
        """Remember a delivery, before it is posted.

        Raises:
            Unavailable: there is no room.
        """

    def names(self) -> list[str]:
        """Name every delivery that is remembered, in order of name."""

    def find(self, delivery: str) -> SentDelivery | None:
        """Recall one, or nothing.

        Raises:
            InvalidInput: what was kept cannot be read.
        """
