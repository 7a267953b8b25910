"""The published log, read back and believed only after it was checked.

What the hub shows and decides from is what a stranger would see: the entries
under the published, cosigned head, each against the root.
"""

from __future__ import annotations

from dataclasses import dataclass

from havre.domain.events import Event, VersionPublished
from havre.domain.following import Followed, follow
from havre.domain.transparency import Head, LogKeys, check_head
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
    """Reads the published log; keeps what it has verified, and reads only what is new."""

    def __init__(self, reader: LogReader, *, roots: TrustRoots) -> None:
        self._reader = reader
        self._roots = roots
        self._checkpoint = b""
        self._followed = Followed()
        self._entries: tuple[Logged, ...] = ()

    def entries(self, start: int = 0) -> tuple[Logged, ...]:
        """List every published entry from an index on, in order; none when nothing was published.

        Raises:
            NotGenuine: the entries do not lead to the head, the head is not
                the log's or not cosigned by enough witnesses, or the log is
                shorter than it was.
        """
        self._refresh()
        return self._entries[start:]

    def versions(self, dataset: str | None = None) -> dict[int, VersionPublished]:
        """List the versions that were published, by the index of their entry, in order.

        dataset: of this one alone; null for all.
        """
        return {
            logged.index: logged.event
            for logged in self.entries()
            if isinstance(logged.event, VersionPublished)
            and dataset in (None, logged.event.dataset)
        }

    def head(self) -> Head | None:
        """Return the verified head, or null when nothing was published."""
        self._refresh()
        return self._followed.head if self._checkpoint else None

    def checkpoint(self) -> bytes:
        """Return the verified head as published, with its cosignatures.

        Raises:
            NotFound: nothing was published yet.
        """
        self._refresh()
        if not self._checkpoint:
            raise NotFound("The log has published nothing yet.")
        return self._checkpoint

    def keys(self) -> LogKeys:
        """Tell who signs the log's heads, by the handovers on it."""
        self._refresh()
        return self._followed.keys(self._roots)

    def _refresh(self) -> None:
        try:
            document = self._reader.checkpoint()
        except NotFound:
            if self._checkpoint:
                raise NotGenuine("The log's published head has vanished.") from None
            return
        if document == self._checkpoint:
            return
        known = self._followed.size
        size = parse_checkpoint(parse_note(document).text).size
        new = self._reader.entries(known, size) if size > known else []
        followed, events = follow(self._followed, new, note=document, roots=self._roots)
        check_head(document, roots=self._roots, keys=followed.keys(self._roots))
        logged = tuple(Logged(index, event) for index, event in enumerate(events, start=known))
        self._checkpoint, self._followed = document, followed
        self._entries += logged
