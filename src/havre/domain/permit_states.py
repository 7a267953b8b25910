"""Where a permit stands, where it may go next, and whether it opens anything now.

The state is a fold of the log's entries (`replay_permit`): custodians do it
for themselves and never ask the hub.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from havre.domain.events import PermitMoved
from havre.domain.permit import Permit
from havre.errors import InvalidInput, Refused

# A permit that nobody has looked at for a quarter opens nothing
# (`docs/protocols.md`, section 4).
RENEWAL_DAYS = 90
# How far ahead of the reader's clock an authority's may be.
_AHEAD = timedelta(hours=1)


class PermitState(StrEnum):
    """Where a permit stands."""

    SUBMITTED = "submitted"
    ASSESSMENT = "assessment"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


# Where a permit may go next. Revoked and expired are terminal: no later entry
# can bring one back, and a custodian refuses to replay a log that tries.
NEXT: dict[PermitState, frozenset[PermitState]] = {
    PermitState.SUBMITTED: frozenset(
        {PermitState.ASSESSMENT, PermitState.REFUSED, PermitState.WITHDRAWN}
    ),
    PermitState.ASSESSMENT: frozenset(
        {PermitState.GRANTED, PermitState.REFUSED, PermitState.WITHDRAWN}
    ),
    # Granted again is a renewal: the same text, signed anew.
    PermitState.GRANTED: frozenset(
        {
            PermitState.GRANTED,
            PermitState.SUSPENDED,
            PermitState.REVOKED,
            PermitState.EXPIRED,
        }
    ),
    PermitState.SUSPENDED: frozenset(
        {PermitState.GRANTED, PermitState.REVOKED, PermitState.EXPIRED}
    ),
    PermitState.REFUSED: frozenset(),
    PermitState.WITHDRAWN: frozenset(),
    PermitState.REVOKED: frozenset(),
    PermitState.EXPIRED: frozenset(),
}


class NotInForce(Refused):
    """A permit exists, but opens nothing now."""


def check_move(start: PermitState | None, end: PermitState) -> None:
    """Refuse a move that the table does not allow; null is before the first entry.

    Raises:
        Refused: naming where the permit can go instead.
    """
    ways = frozenset({PermitState.SUBMITTED}) if start is None else NEXT[start]
    if end in ways:
        return
    named = ", ".join(sorted(way.value for way in ways)) or "nowhere"
    raise Refused(
        f"A permit cannot go from {start.value if start else 'nothing'} to {end.value}.",
        hint=f"From there it can go to: {named}.",
    )


def check_in_force(
    permit: Permit, *, state: PermitState, decided_at: datetime, now: datetime
) -> None:
    """Make sure a permit opens something at this moment.

    state: of the permit's last entry on the log.
    decided_at: when the authorities decided, as they signed it; the hub's own
        clock would let it call an old decision a new one.

    Raises:
        NotInForce: not granted, not begun, ended, signed for later, or not
            renewed for 90 days.
    """
    if state is not PermitState.GRANTED:
        raise NotInForce(f"Permit {permit.name} is {state.value}.")
    if now.date() < permit.starts_on:
        raise NotInForce(f"Permit {permit.name} begins on {permit.starts_on}.")
    if now.date() > permit.ends_on:
        raise NotInForce(f"Permit {permit.name} ended on {permit.ends_on}.")
    if decided_at > now + _AHEAD:
        raise NotInForce(f"Permit {permit.name} was signed for a later day than today.")
    if now - decided_at > timedelta(days=RENEWAL_DAYS):
        raise NotInForce(
            f"Permit {permit.name} was not renewed for {RENEWAL_DAYS} days.",
            hint="Ask the authorities to sign it anew.",
        )


def replay_permit(
    entries: Iterable[tuple[int, PermitMoved]],
) -> tuple[PermitState, int, PermitMoved]:
    """Fold the log's entries of one permit into where it stands.

    entries: index and event, in the order of the log; at least one.

    Returns the state, the index of the last entry, and that entry.

    Raises:
        Refused: an entry names another predecessor than the entry before it,
            or a move that the table does not allow.
        InvalidInput: no entries, or a state this version does not know.
    """
    state: PermitState | None = None
    last: tuple[int, PermitMoved] | None = None
    for index, moved in entries:
        if moved.predecessor != (last[0] if last else None):
            raise Refused("An entry of a permit does not name the entry before it.")
        try:
            to_state = PermitState(moved.state)
        except ValueError:
            raise InvalidInput("A permit's entry has a state that does not exist.") from None
        check_move(state, to_state)
        state, last = to_state, (index, moved)
    if state is None or last is None:
        raise InvalidInput("The log has no entry of this permit.")
    return state, last[0], last[1]
