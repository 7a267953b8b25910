"""The hub's private records: what is on its way to the log, and what stays off it.

Promised: `commit` is one transaction: all of it survives a crash, or nothing.
Rows go to the log in the order they were committed.
What may be repeated: reading; `commit` of an event id that is there already,
with the same bytes, changes nothing.
What may block: another writer's transaction.
Final errors: `NotFound`, `Refused` (the same id with other bytes).
Who may call it: `application.journal` the outbox, every use case its documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """Something private, kept under a kind and a name; the newest body counts."""

    kind: str
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An event on its way to the log: its id, and the exact bytes of its entry."""

    event_id: str
    entry: bytes


class Records(Protocol):
    """One hub's records."""

    def commit(self, events: Sequence[OutboxRow], documents: Sequence[Document] = ()) -> None:
        """Store events that are to go to the log, and documents, together.

        Raises:
            Refused: an event id is there with other bytes.
        """

    def pending(self) -> list[OutboxRow]:
        """List the events that are not on the log yet, in the order they were committed."""

    def mark_published(self, event_ids: Sequence[str], *, first_index: int) -> None:
        """Note that these events are on the log, from this index on."""

    def published_size(self) -> int:
        """How many entries of the log these records know."""

    def index_of(self, event_id: str) -> int:
        """Tell where on the log an event is.

        Raises:
            NotFound: it is not there, or not yet.
        """

    def document(self, kind: str, name: str) -> bytes:
        """Return a document's body.

        Raises:
            NotFound: there is none of this kind and name.
        """

    def list_documents(self, kind: str) -> list[Document]:
        """List the documents of a kind, in order of name."""

    def list_kinds(self) -> list[str]:
        """List the kinds of which there is a document, in order."""

    def forget_document(self, kind: str, name: str) -> None:
        """Destroy a document, such as a salt that opens a commitment; a missing one is fine.

        The bytes are overwritten where the database can do so; backups are not reached.
        """
