"""Following a log: from what one has verified to what is claimed to come next.

For custodians, mirrors and readers: they take the entries they do not have
yet, and believe them only if they continue what they hold and lead to a head
that the log signed. Whether enough witnesses stand behind that head, and how
fresh it is, are further questions (`domain.transparency`).

No proof is needed: whoever has every entry computes every root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from havre.crypto.merkle import Peaks, grow, leaf_hash, peaks_root
from havre.domain.events import Event, Handover, parse_event
from havre.domain.transparency import Head, LogKeys, check_log_signature, log_keys
from havre.domain.trust import TrustRoots
from havre.errors import NotGenuine
from havre.formats.notes import parse_note


@dataclass(frozen=True, slots=True)
class Followed:
    """A log as far as one reader has verified it.

    size: entries so far.
    peaks: enough of the tree to go on (`crypto.merkle.grow`).
    handovers: the changes of the log's key so far, by index.
    """

    size: int = 0
    peaks: Peaks = ()
    handovers: tuple[tuple[int, Handover], ...] = ()

    @property
    def head(self) -> Head:
        """How far the log was followed, and the root there."""
        return Head(self.size, peaks_root(self.peaks))

    def keys(self, roots: TrustRoots) -> LogKeys:
        """Tell who signs the log's heads, by the handovers so far.

        Raises:
            NotGenuine, Refused, InvalidInput: the controller did not sign one of them.
        """
        return log_keys(roots, self.handovers)


def follow_entries(known: Followed, entries: Sequence[bytes]) -> tuple[Followed, list[Event]]:
    """Take more entries in, without asking whether any head covers them.

    Returns the log with them, and what they say.

    Raises:
        InvalidInput: an entry is no event.
    """
    peaks, handovers, events = known.peaks, known.handovers, []
    for index, entry in enumerate(entries, start=known.size):
        event = parse_event(entry)
        events.append(event)
        peaks = grow(peaks, leaf_hash(entry))
        if isinstance(event, Handover):
            handovers = (*handovers, (index, event))
    return Followed(known.size + len(entries), peaks, handovers), events


def follow(
    known: Followed, entries: Sequence[bytes], *, note: bytes, roots: TrustRoots
) -> tuple[Followed, list[Event]]:
    """Take more entries in, if the log signed a head that ends with exactly them.

    known: what was verified before; `Followed()` to begin.
    entries: from index `known.size` on; none for a head that one has already.
    note: the log's checkpoint over all of them; cosignatures are not looked at.

    Returns the log with them, and what they say.

    Raises:
        NotGenuine: the head is not the log's, or the entries do not lead to it.
        InvalidInput: an entry is no event, or the note is none.
    """
    reached, events = follow_entries(known, entries)
    checkpoint = check_log_signature(parse_note(note), roots=roots, keys=reached.keys(roots))
    if checkpoint.size < known.size:
        raise NotGenuine(
            f"The log offers a head of {checkpoint.size} entries, and had {known.size}:"
            " it went back.",
            hint="Keep both heads and tell the auditor: this is what a log must never do.",
        )
    if Head(checkpoint.size, checkpoint.root) != reached.head:
        raise NotGenuine("The entries do not lead to the head that the log signed.")
    return reached, events
