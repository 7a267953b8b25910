"""The time of day, as something that is given.

Promised: UTC, aware, never raises, never blocks. May be called any number of
times; it may go backwards, and whoever relies on order must check.
Anyone may call it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells what time it is."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
