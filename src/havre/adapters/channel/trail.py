"""What a service writes down of each thing that it was asked: its own audit trail.

A line holds when, who asked for which act, and how it ended. Nothing of a message
is in it: no permit, no partition, no person.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from havre.formats.canonical import encode_canonical
from havre.ports.clock import Clock
from havre.values import instant_text

# Asked at every act of the hub, and changing nothing: shown, not kept.
_POLLS = frozenset(
    {"counter", "mirror-entries", "mirror-held", "mirror-note", "size-seen", "who", "withdrawals"}
)

# Whoever reaches the port can be turned away as often as he likes.
_TURNED_AWAY_EVERY_S = 60.0


class Trail:
    """One service's lines: on standard error as they come, and kept in a file."""

    def __init__(self, path: Path, *, party: str, clock: Clock) -> None:
        self._path = path
        self._party = party
        self._clock = clock
        self._turned_away: float | None = None
        self._unnoted = 0

    def turn_away(self, *, outcome: str) -> None:
        """Note that somebody unknown was not let in: the first in a minute, then how many more.

        He must not fill the disk, without which nothing is given, nor have the service
        wait for it at each of his calls.
        """
        now = time.monotonic()
        if self._turned_away is not None and now - self._turned_away < _TURNED_AWAY_EVERY_S:
            self._unnoted += 1
            return
        more = f", and {self._unnoted} more before" if self._unnoted else ""
        self._turned_away, self._unnoted = now, 0
        self.note("connect", caller="a stranger", outcome=f"{outcome}{more}")

    def note(self, act: str, *, caller: str, outcome: str, took_s: float = 0.0) -> None:
        """Write one line down, durably when something was done.

        outcome: `answered`, or the class of the refusal.
        """
        at = instant_text(self._clock.now())
        self._tell(at, f"{act} for {caller}: {outcome} ({took_s * 1000:.0f} ms)")
        if act in _POLLS:
            return
        line = encode_canonical({"act": act, "at": at, "caller": caller, "outcome": outcome})
        descriptor = os.open(
            self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        try:
            os.write(descriptor, line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def say(self, sentence: str) -> None:
        """Tell the operator something that nobody asked for."""
        self._tell(instant_text(self._clock.now()), sentence)

    def _tell(self, at: str, sentence: str) -> None:
        sys.stderr.write(f"{at} {self._party}: {sentence}\n")
        sys.stderr.flush()
