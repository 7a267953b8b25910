"""Asking for keys while several processes act: the request and the answer stand together on the log.

A request rests on what the log said when it was made: a permit's last entry,
deliveries that nobody has taken in. A revocation that came between the request
and the release, or a second run over the same delivery, would make an entry
that no reader of the log believes, for ever. So both are recorded without
anybody in between; what is then done with the keys is not, and takes its time.
It also follows that a request which another process finds open is a dead one's.

The price: a revocation waits while custodians are asked. They answer at once or
not at all, and an authority can also bring it to each of them directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from havre.application.vault.keys import KeyRelease, KeysWanted, OpenPartitions
from havre.domain.events import DeliveryChecked, DeliveryReceived, Event, PermitMoved, events_of
from havre.errors import Refused


class SoleRelease(KeyRelease):
    """A key release for a hub on which several processes act."""

    @contextmanager
    def open(self, wanted: KeysWanted) -> Iterator[OpenPartitions]:
        """Open partitions; nobody else writes the log until it says that they are open.

        Raises:
            Refused: what the request rests on has changed; or as `KeyRelease.open`.
            NotGenuine: a share is not what its custodian committed to.
        """
        with ExitStack() as stack:
            with self._journal.alone():
                check_still_so(wanted, [logged.event for logged in self._log.entries()])
                keys = stack.enter_context(super().open(wanted))
            yield keys


def check_still_so(wanted: KeysWanted, events: list[Event]) -> None:
    """Make sure that what a request rests on is so on the log.

    events: the whole log.

    Raises:
        Refused: the permit has moved, or a delivery was taken in.
    """
    if wanted.permit is not None:
        _check_last(wanted.permit, events)
    taken = {each.delivery for each in events_of(events, DeliveryChecked)}
    named = [events[index] for index in wanted.deliveries]
    asked = {each.delivery for each in events_of(named, DeliveryReceived)}
    if twice := sorted(asked & taken):
        raise Refused(
            f"Another run has taken these deliveries in: {', '.join(twice)}.",
            hint="See `havre status` for what still waits.",
        )


def _check_last(index: int, events: list[Event]) -> None:
    moved = events[index]
    if isinstance(moved, PermitMoved) and any(
        isinstance(later, PermitMoved) and later.permit == moved.permit
        for later in events[index + 1 :]
    ):
        raise Refused(
            f"Permit {moved.permit} has moved since it was looked at.",
            hint=f"See where it stands: `havre permit show {moved.permit}`. Then run it again.",
        )
