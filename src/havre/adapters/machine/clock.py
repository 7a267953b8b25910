"""The system's clock, behind `ports.clock`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SystemClock:
    """Tells the time of the operating system, in UTC."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


class ForwardClock:
    """The system's clock, set forward: for rehearsals of days that nobody waits for.

    It never goes back, and nothing but a rehearsal's own code can set it: no option
    and no variable of the environment.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the moment that the rehearsal is at, aware, in UTC."""
        return datetime.now(UTC) + self._ahead

    def forward(self, days: int) -> None:
        """Set it forward by some days more.

        Raises:
            ValueError: that would be back.
        """
        if days < 0:
            raise ValueError(days)
        self._ahead += timedelta(days=days)
