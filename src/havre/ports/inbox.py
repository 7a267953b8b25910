"""Where holders leave sealed deliveries for a hub: ciphertext and a signed note, until taken in.

Promised: a delivery is seen whole or not at all: its note appears last. What
lies here is sealed already; whoever runs the place learns names and sizes.
What may be repeated: everything but `post` of a name that is there.
What may block: as long as the disk or the network takes.
Final errors: `NotFound`, `Refused`.
Who may call it: `application.deliver` posts, `application.receive` takes in.
"""

from __future__ import annotations

from typing import Protocol

from havre.ports.objects import ObjectStore


class Inbox(Protocol):
    """Deliveries on their way."""

    def drafts(self, delivery: str) -> ObjectStore:
        """Where the objects of a delivery are put before its note is posted.

        What an attempt before has left there is thrown away.

        Raises:
            Refused: a delivery of this name was posted already.
        """

    def post(self, delivery: str, note: bytes) -> None:
        """Make a delivery visible, with its note.

        Raises:
            Refused: a delivery of this name was posted already.
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
        """Remove a delivery that was taken in; a missing one is fine."""
