"""A copy of the log outside the hub, in the same layout: what a custodian keeps.

It takes entries only when they continue what it holds and lead to a head that
the log signed, and it never goes back. A head that the log signed and that does
not continue it is kept, as evidence for an auditor. It reads like any log, so a hub that
lost its own is restored from here, and a custodian reads permits from here
instead of asking the hub.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from havre.adapters.log.files import LogFiles, write_file
from havre.domain.following import Followed, follow, follow_entries
from havre.domain.transparency import check_log_signature
from havre.domain.trust import TrustRoots
from havre.errors import HavreError, NotFound, NotGenuine
from havre.formats.notes import parse_checkpoint, parse_note
from havre.ports.log import LogReader

# Whoever has the log's key can show as many heads as he likes; a few are proof enough.
_MOST_REFUSED = 64


class MirrorFolder:
    """`ports.log.LogMirror`, and a `LogReader`, in a directory of its own.

    roots: the mirror's own trust roots, never the hub's.
    """

    def __init__(self, folder: Path, *, roots: TrustRoots) -> None:
        self.name = f"the copy in {folder.name}"
        self._files = LogFiles(folder / "log", private=folder / "private")
        self._refused = folder / "refused"
        self._roots = roots
        self._followed = Followed()

    @property
    def reader(self) -> LogReader:
        """The copy, as a log to read."""
        return self._files

    def entries(self, start: int, end: int) -> list[bytes]:
        """Return entries by index; of its own copy, so none is missing below `held`."""
        return self._files.entries(start, end)

    def held(self) -> int:
        """How many entries it keeps."""
        try:
            return parse_checkpoint(parse_note(self.newest_note()).text).size
        except NotFound:
            return 0

    def newest_note(self) -> bytes:
        """Return the newest checkpoint under which it took entries."""
        return self._files.checkpoint()

    def extend(self, start: int, entries: Sequence[bytes], *, note: bytes) -> None:
        """Check entries against the head, store them, then the head."""
        with self._files.exclusive():
            known = self._caught_up()
            if start != known.size:
                raise NotGenuine(f"The mirror keeps {known.size} entries, not {start}.")
            try:
                followed, _ = follow(known, entries, note=note, roots=self._roots)
            except NotGenuine:
                self._keep_refused(note, known)
                raise
            if entries:
                self._files.append(entries, at=start)
            if entries or not known.size:
                self._files.publish(note)
            self._followed = followed

    def _keep_refused(self, note: bytes, known: Followed) -> None:
        """Keep a head that the log signed and that does not continue what is held here."""
        try:
            check_log_signature(parse_note(note), roots=self._roots, keys=known.keys(self._roots))
        except HavreError:
            # Anybody can write such a note: it proves nothing against the log.
            return
        path = self._refused / f"{hashlib.sha256(note).hexdigest()}.note"
        if not path.exists() and len(list(self._refused.glob("*"))) < _MOST_REFUSED:
            write_file(path, note)

    def _caught_up(self) -> Followed:
        """Go on from what was read before, after a start or another process's writing."""
        held = self.held()
        entries = self._files.entries(self._followed.size, held)
        self._followed, _ = follow_entries(self._followed, entries)
        if self._followed.size > held:
            raise NotGenuine("The mirror's own copy is shorter than it was.")
        return self._followed
