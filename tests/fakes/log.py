"""A log's store in memory: keeps the promises of `ports.log` but for surviving a crash."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from havre.crypto.merkle import leaf_hash, node_hash, tree_root
from havre.errors import NotFound, Refused


class MemoryLog:
    """`ports.log.LogStore` in a list."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        self._pending: bytes | None = None
        self._published: bytes | None = None
        self._lock = threading.Lock()

    def checkpoint(self) -> bytes:
        if self._published is None:
            raise NotFound("The log has published nothing.")
        return self._published

    def entries(self, start: int, end: int) -> list[bytes]:
        if end > len(self._entries):
            raise NotFound("The log has no such entry.")
        return self._entries[start:end]

    def node(self, level: int, index: int, *, size: int) -> bytes:
        if (index + 1) << level > size:
            raise ValueError("the subtree is not complete at this size")
        if level == 0:
            return leaf_hash(self._entries[index])
        return node_hash(
            self.node(level - 1, index * 2, size=size),
            self.node(level - 1, index * 2 + 1, size=size),
        )

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with self._lock:
            yield

    def append(self, entries: Sequence[bytes], *, at: int) -> bytes:
        self._entries[at:] = entries
        size = len(self._entries)
        return tree_root(size, node=lambda level, index: self.node(level, index, size=size))

    def pending(self) -> bytes | None:
        return self._pending

    def put_pending(self, note: bytes) -> None:
        if self._pending not in (None, note):
            raise Refused("Another signed checkpoint is waiting.")
        self._pending = note

    def publish(self, note: bytes) -> None:
        if self._pending is not None and not note.startswith(self._pending):
            raise Refused("Another signed checkpoint is waiting to be published.")
        self._published, self._pending = note, None
