"""Whether what a request for keys rests on is still so, at the moment when it goes on the log.

A request rests on what the log said when it was prepared: a permit's last entry,
deliveries that nobody has taken in. If that has changed meanwhile, the entry would
be one that no reader of the log believes, for ever.

This is the hub's own care. What custodians ask of a request is `domain.custody`.
"""

from __future__ import annotations

from collections.abc import Sequence

from havre.domain.events import DeliveryChecked, DeliveryReceived, Event, PermitMoved, events_of
from havre.domain.key_events import ErasureOrdered
from havre.errors import Refused


def check_still_so(
    events: Sequence[Event],
    *,
    permit: int | None,
    deliveries: Sequence[int],
    partitions: Sequence[str] = (),
) -> None:
    """Make sure that a request's ground is so on the log.

    events: the whole log.
    permit: index of the entry that the request names, or null under the mandate.
    deliveries: indexes of the deliveries that it names.
    partitions: opaque ids of what it would open.

    Raises:
        Refused: the permit has moved, a delivery was taken in, or a partition is
            ordered erased.
    """
    ordered = {each for order in events_of(events, ErasureOrdered) for each in order.partitions}
    if gone := len(ordered & set(partitions)):
        raise Refused(
            f"The keys of {gone} of the partitions are erased, or ordered to be.",
            hint="See `havre keys list`.",
        )
    if permit is not None:
        _check_last(permit, events)
    taken = {each.delivery for each in events_of(events, DeliveryChecked)}
    named = [events[index] for index in deliveries]
    asked = {each.delivery for each in events_of(named, DeliveryReceived)}
    if twice := sorted(asked & taken):
        raise Refused(
            f"Another run has taken these deliveries in: {', '.join(twice)}.",
            hint="See `havre status` for what still waits.",
        )


def _check_last(index: int, events: Sequence[Event]) -> None:
    moved = events[index]
    if isinstance(moved, PermitMoved) and any(
        isinstance(later, PermitMoved) and later.permit == moved.permit
        for later in events[index + 1 :]
    ):
        raise Refused(
            f"Permit {moved.permit} has moved since it was looked at.",
            hint=f"See where it stands: `havre permit show {moved.permit}`. Then run it again.",
        )
