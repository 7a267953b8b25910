"""An object store in memory; passes the suite of the port."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import BinaryIO

from havre.errors import NotFound
from havre.ports.objects import Altered, IdTaken, StoredObject
from havre.values import Digest, ObjectId, parse_object_id


class MemoryObjects:
    """Keeps objects in a dict; `written_at` may be moved by a test."""

    def __init__(self) -> None:
        self.objects: dict[ObjectId, bytes] = {}
        self.written_at: dict[ObjectId, datetime] = {}

    def put(self, object_id: ObjectId, chunks: Iterable[bytes]) -> StoredObject:
        if parse_object_id(object_id) in self.objects:
            raise IdTaken("An object of this id exists.")
        body = b"".join(chunks)
        self.objects[object_id] = body
        self.written_at[object_id] = datetime.now(UTC)
        return StoredObject(object_id, len(body), Digest(hashlib.sha256(body).hexdigest()))

    @contextmanager
    def open(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[BinaryIO]:
        yield io.BytesIO(self._body(object_id, sha256))

    def get(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[bytes]:
        body = self._body(object_id, sha256)
        return (body[at : at + 65_536] for at in range(0, len(body), 65_536))

    @contextmanager
    def as_file(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[str]:
        descriptor = os.memfd_create("object")
        try:
            os.write(descriptor, self._body(object_id, sha256))
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)

    def batch(self) -> AbstractContextManager[None]:
        return nullcontext()

    def take_debts(self) -> dict[str, frozenset[ObjectId]]:
        return {}

    def list_objects(self) -> Iterator[ObjectId]:
        return iter(sorted(self.objects))

    def delete(self, object_id: ObjectId) -> None:
        self.objects.pop(parse_object_id(object_id), None)

    def sweep(self, live: AbstractSet[ObjectId], *, older_than: datetime) -> tuple[ObjectId, ...]:
        swept = tuple(
            name
            for name in self.list_objects()
            if name not in live and self.written_at[name] < older_than
        )
        for name in swept:
            self.delete(name)
        return swept

    def _body(self, object_id: ObjectId, sha256: str | None = None) -> bytes:
        try:
            body = self.objects[parse_object_id(object_id)]
        except KeyError:
            raise NotFound("The object store has no object of this id.") from None
        if sha256 is not None and hashlib.sha256(body).hexdigest() != sha256:
            raise Altered(len(body))
        return body
