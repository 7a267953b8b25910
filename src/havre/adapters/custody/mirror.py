"""A custodian's own copy of the log: every entry, in one file, only ever longer.

What it holds it has verified against a head that the log signed. A torn end,
from a crash while appending, is cut: nobody was told of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from havre.adapters.custody.files import append_durably, write_durably
from havre.domain.events import Event
from havre.domain.following import Followed, follow, follow_entries
from havre.domain.trust import TrustRoots
from havre.errors import NotFound, NotGenuine
from havre.formats.tiles import encode_bundle


class FileMirror:
    """The entries that one custodian keeps."""

    def __init__(self, folder: Path, *, roots: TrustRoots) -> None:
        self._path = folder / "entries"
        self._note_path = folder / "checkpoint"
        self._roots = roots
        self._followed, self.events = self._load()

    def held(self) -> int:
        """How many entries it keeps."""
        return self._followed.size

    def extend(self, start: int, entries: Sequence[bytes], *, note: bytes) -> None:
        """Keep entries that continue what it holds and lead to a head the log signed."""
        if start != self._followed.size:
            raise NotGenuine(f"The mirror holds {self._followed.size} entries, not {start}.")
        followed, events = follow(self._followed, entries, note=note, roots=self._roots)
        if entries:
            append_durably(self._path, encode_bundle(entries))
            write_durably(self._note_path, note)
        self._followed = followed
        self.events += events

    def newest_note(self) -> bytes:
        """Return the newest checkpoint under which it took entries.

        Raises:
            NotFound: it keeps none yet.
        """
        try:
            return self._note_path.read_bytes()
        except FileNotFoundError:
            raise NotFound("The mirror keeps no checkpoint yet.") from None

    @property
    def followed(self) -> Followed:
        """The log as far as it was verified."""
        return self._followed

    def _load(self) -> tuple[Followed, list[Event]]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return Followed(), []
        entries, at = [], 0
        while at + 2 <= len(content):
            end = at + 2 + int.from_bytes(content[at : at + 2], "big")
            if end > len(content):
                break
            entries.append(content[at + 2 : end])
            at = end
        if at != len(content):
            with self._path.open("r+b") as file:
                file.truncate(at)
        return follow_entries(Followed(), entries)
