"""The system's clock, behind `ports.clock`."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Tells the time of the operating system, in UTC."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)
