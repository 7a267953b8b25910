"""At the holder: a landing place for each delivery, used once by whoever sends something.

Two processes at once never take the same place: each is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from havre.application.audit import PublicLog
from havre.application.vault.sealing import WritePlace
from havre.domain.delivery_note import DeliveryNote, parse_note
from havre.domain.events import DeliveryReceived, events_of
from havre.errors import NotFound, Refused
from havre.formats.statements import parse_envelope, parse_statement
from havre.ports.inbox import Inbox


class LandingPlaces:
    """The landing partitions of one hub, as its log and its inbox show them used."""

    def __init__(self, *, inbox: Inbox, log: PublicLog, places: Sequence[WritePlace]) -> None:
        """Choose among these.

        places: every landing partition of the hub, used or not.
        """
        self._inbox = inbox
        self._log = log
        self._places = places
        self._landings: dict[str, str] = {}

    @contextmanager
    def free(self, *, rather: str | None = None) -> Iterator[WritePlace]:
        """Claim a landing place that no delivery has used, for as long as it is needed.

        rather: the opaque id of the one to be taken, if it is free; null where any will do.

        Raises:
            Refused: there is none left.
        """
        used = self._used()
        with ExitStack() as stack:
            for place in sorted(self._places, key=lambda one: one.partition_id != rather):
                if place.partition_id in used:
                    continue
                is_ours = stack.enter_context(self._inbox.claim(place.partition_id))
                # Looked at again: whoever had it until now may have used it.
                if is_ours and place.partition_id not in self._used():
                    yield place
                    return
        raise Refused(
            "The hub has no landing place left.",
            hint="Its operator makes more with `havre ceremony --landing 50`.",
        )

    def _used(self) -> set[str]:
        """Landing partitions of deliveries that wait or were taken in; the inbox is read first."""
        for name in self._inbox.list_deliveries():
            if name not in self._landings and (envelope := find_posted(self._inbox, name)):
                self._landings[name] = str(note_of(envelope).landing)
        events = [logged.event for logged in self._log.entries()]
        received = {event.partition for event in events_of(events, DeliveryReceived)}
        return received | set(self._landings.values())


def find_posted(inbox: Inbox, delivery: str) -> bytes | None:
    """Find the signed note of a delivery that waits."""
    try:
        return inbox.note(delivery)
    except NotFound:
        return None


def note_of(envelope: bytes) -> DeliveryNote:
    """Read a note without its signature: whoever forged one could only waste a place."""
    statement = parse_statement(parse_envelope(envelope).payload)
    return parse_note(statement.subject, statement.predicate)
