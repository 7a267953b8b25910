"""A clock that went back is not believed: what had ended would be in force again.

Whoever decides by the day keeps the greatest time it has acted at, and refuses
to act before it.

Source: `docs/protocols.md`, section 1.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from havre.errors import Refused

# Clocks are set right by seconds; an hour or a day is a clock that somebody set.
CLOCK_TOLERANCE = timedelta(minutes=2)


class ClockWentBack(Refused):
    """A party's clock shows less than it has shown before."""


def check_clock(now: datetime, *, latest: datetime, party: str) -> None:
    """Make sure that a clock has not gone back.

    latest: the greatest time at which the party acted.
    party: its short name, for the refusal.

    Raises:
        ClockWentBack: it lies more than two minutes before `latest`.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    >>> check_clock(noon - timedelta(seconds=90), latest=noon, party="custodian-1")
    """
    back = latest - now
    if back > CLOCK_TOLERANCE:
        raise ClockWentBack(
            f"The clock of {party} went back by {int(back.total_seconds())} seconds.",
            hint="Set it right; until then this party does nothing.",
        )
