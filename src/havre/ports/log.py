"""The log's files: published for everybody, and what the journal needs to write them.

Promised by a store: `append` and `put_pending` are durable when they return; an
entry that a stored checkpoint covers is never changed, cut off or replaced.
What may be repeated: reading; appending the same entries at the same place.
What may block: the disk; `exclusive` waits for another writer.
Final errors: `NotGenuine` (files that do not add up), `NotFound`.
Who may call it: `application.journal` writes; `application.audit`, custodians
and witnesses read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol


class LogReader(Protocol):
    """The published log, as anybody can fetch it; nothing it says is trusted."""

    def checkpoint(self) -> bytes:
        """Return the published checkpoint, a signed note.

        Raises:
            NotFound: nothing was published yet.
        """

    def entries(self, start: int, end: int) -> list[bytes]:
        """Return the entries from index `start` up to `end`, without it.

        Raises:
            NotFound: an entry is not there.
            InvalidInput: a bundle does not add up.
        """

    def node(self, level: int, index: int, *, size: int) -> bytes:
        """Return the hash of a complete subtree of the log of `size` entries.

        Raises:
            NotFound: a tile is not there.
        """


class LogStore(LogReader, Protocol):
    """The log's files with the right to write them."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep every other writer out, across processes."""

    def append(self, entries: Sequence[bytes], *, at: int) -> bytes:
        """Store entries from index `at` on, with their tiles, durably.

        Returns the root of the tree that ends with them.
        """

    def pending(self) -> bytes | None:
        """Return the signed checkpoint that was stored and not published, if any."""

    def put_pending(self, note: bytes) -> None:
        """Store a signed checkpoint durably, before anybody sees it.

        Raises:
            Refused: another one is pending.
        """

    def publish(self, note: bytes) -> None:
        """Make a checkpoint with its cosignatures the published one, atomically."""


class LogMirror(Protocol):
    """Somebody outside the hub who keeps every entry."""

    @property
    def name(self) -> str:
        """Who keeps it, or where, for messages."""

    def held(self) -> int:
        """How many entries it keeps."""

    def extend(self, start: int, entries: Sequence[bytes], *, note: bytes) -> None:
        """Keep these entries; durable when it returns.

        entries: none when it has them all; `start` is what `held` said.
        note: the log's signed checkpoint over all of them.

        Raises:
            NotGenuine: they do not continue what it holds, or the log did not
                sign a head over them.
        """

    def newest_note(self) -> bytes:
        """Return the newest checkpoint under which it took entries, as the log signed it.

        Raises:
            NotFound: it keeps none yet.
        """
