"""The published log, read back and believed only after it was checked.

What the hub shows and decides from is what a stranger would see: the entries
under the published, cosigned head, each against the root.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from havre.crypto.merkle import leaf_hash, node_hash
from havre.domain.events import Event, Handover, parse_event
from havre.domain.transparency import Head, LogKeys, check_head, log_keys
from havre.domain.trust import TrustRoots
from havre.errors import NotFound, NotGenuine
from havre.formats.notes import parse_checkpoint, parse_note
from havre.ports.log import LogReader


@dataclass(frozen=True, slots=True)
class Logged:
    """An event and its place on the log."""

    index: int
    event: Event


class PublicLog:
    """Reads the published log; keeps what it has verified while the head stays.

    check_handover: raises unless the controller signed a handover.
    """

    def __init__(
        self, reader: LogReader, *, roots: TrustRoots, check_handover: Callable[[Handover], None]
    ) -> None:
        self._reader = reader
        self._roots = roots
        self._check_handover = check_handover
        self._checkpoint = b""
        self._head: Head | None = None
        self._entries: tuple[Logged, ...] = ()

    def entries(self) -> tuple[Logged, ...]:
        """List every published entry, in order; none when nothing was published.

        Raises:
            NotGenuine: the entries do not lead to the head, or the head is not
                the log's or not cosigned by enough witnesses.
        """
        self._refresh()
        return self._entries

    def head(self) -> Head | None:
        """Return the verified head, or null when nothing was published."""
        self._refresh()
        return self._head

    def keys(self) -> LogKeys:
        """Tell who signs the log's heads, by the handovers on it."""
        handovers = [
            (logged.index, logged.event)
            for logged in self.entries()
            if isinstance(logged.event, Handover)
        ]
        return log_keys(self._roots, handovers, check_statement=self._check_handover)

    def _refresh(self) -> None:
        try:
            document = self._reader.checkpoint()
        except NotFound:
            return
        if document == self._checkpoint:
            return
        size = parse_checkpoint(parse_note(document).text).size
        raw = self._reader.entries(0, size)
        logged = tuple(Logged(index, parse_event(entry)) for index, entry in enumerate(raw))
        keys = log_keys(
            self._roots,
            [(each.index, each.event) for each in logged if isinstance(each.event, Handover)],
            check_statement=self._check_handover,
        )
        head, _ = check_head(document, roots=self._roots, keys=keys)
        if root_of(raw) != head.root:
            raise NotGenuine("The log's entries do not lead to its head: the files were altered.")
        self._checkpoint, self._head, self._entries = document, head, logged


def root_of(entries: list[bytes]) -> bytes:
    """Compute the root over entries from nothing but the entries.

    Raises:
        ValueError: there are none.
    """
    level = [leaf_hash(entry) for entry in entries]
    if not level:
        raise ValueError("the root of no entries is not asked for")
    while len(level) > 1:
        paired = [node_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return level[0]
