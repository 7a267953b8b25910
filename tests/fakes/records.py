"""Records in memory: keeps the promises of `ports.records` but for surviving a crash."""

from __future__ import annotations

from collections.abc import Sequence

from havre.errors import NotFound, Refused
from havre.ports.records import Document, OutboxRow


class MemoryRecords:
    """`ports.records.Records` in two dictionaries."""

    def __init__(self) -> None:
        self._outbox: dict[str, tuple[bytes, int | None]] = {}
        self._documents: dict[tuple[str, str], bytes] = {}

    def commit(self, events: Sequence[OutboxRow], documents: Sequence[Document] = ()) -> None:
        for row in events:
            if self._outbox.get(row.event_id, (row.entry, None))[0] != row.entry:
                raise Refused("An event of this id is recorded already, and says something else.")
        for row in events:
            self._outbox.setdefault(row.event_id, (row.entry, None))
        for document in documents:
            self._documents[document.kind, document.name] = document.body

    def pending(self) -> list[OutboxRow]:
        return [
            OutboxRow(event_id, entry)
            for event_id, (entry, index) in self._outbox.items()
            if index is None
        ]

    def mark_published(self, event_ids: Sequence[str], *, first_index: int) -> None:
        for index, event_id in enumerate(event_ids, start=first_index):
            self._outbox[event_id] = (self._outbox[event_id][0], index)

    def published_size(self) -> int:
        indexes = [index for _, index in self._outbox.values() if index is not None]
        return max(indexes, default=-1) + 1

    def index_of(self, event_id: str) -> int:
        _, index = self._outbox.get(event_id, (b"", None))
        if index is None:
            raise NotFound("An event is not on the log.")
        return index

    def document(self, kind: str, name: str) -> bytes:
        try:
            return self._documents[kind, name]
        except KeyError:
            raise NotFound(f"The records hold no {kind} of that name.") from None

    def list_documents(self, kind: str) -> list[Document]:
        return [
            Document(kind, name, body)
            for (found, name), body in sorted(self._documents.items())
            if found == kind
        ]

    def list_kinds(self) -> list[str]:
        return sorted({kind for kind, _ in self._documents})

    def forget_document(self, kind: str, name: str) -> None:
        self._documents.pop((kind, name), None)
