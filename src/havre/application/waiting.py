"""Deliveries that were taken into the store and not yet opened: what waits, and what opening it takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition
from havre.application.receive import KIND_NOTE, KIND_NOTE_SALT
from havre.application.vault.keys import KeysWanted
from havre.domain.correcting import find_received
from havre.domain.custody import ReleaseRefused, check_openings
from havre.domain.delivery_note import DeliveryNote, open_note
from havre.domain.events import DeliveryChecked, DeliveryReceived, events_of
from havre.domain.statements import envelope_digest
from havre.domain.trust import Party, TrustRoots
from havre.errors import NotFound, Refused
from havre.ports.clock import Clock
from havre.ports.records import Records


@dataclass(frozen=True, slots=True)
class WaitingDelivery:
    """A delivery that was received and not yet checked.

    index: of its entry on the log.
    envelope, salt: the signed note, and what opens the log's commitment to it.
    holder: who signed it.
    """

    index: int
    event: DeliveryReceived
    note: DeliveryNote
    envelope: bytes
    salt: bytes
    holder: Party


class ReceivedDeliveries:
    """Reads what waits off the log and the records."""

    def __init__(
        self, *, records: Records, log: PublicLog, roots: TrustRoots, clock: Clock
    ) -> None:
        self._records = records
        self._log = log
        self._roots = roots
        self._clock = clock

    def waiting(self) -> list[WaitingDelivery]:
        """List what waits, in the order in which it came."""
        checked = self._taken_in()
        return [
            self._read(logged.index, logged.event)
            for logged in self._log.entries()
            if isinstance(logged.event, DeliveryReceived) and logged.event.delivery not in checked
        ]

    def find(self, delivery: str) -> WaitingDelivery:
        """Find a delivery that was received, checked or not.

        Raises:
            NotFound: none of this name was.
        """
        found = find_received([each.event for each in self._log.entries()], delivery)
        if found is None:
            raise NotFound(f"No delivery {delivery} was taken in.")
        return self._read(*found)

    def opened_too_often(self, waiting: Iterable[WaitingDelivery]) -> dict[str, Refused]:
        """Say of deliveries that custodians open no more today when they will again."""
        events = [logged.event for logged in self._log.entries()]
        left: dict[str, Refused] = {}
        for each in waiting:
            try:
                check_openings(events, each.index, now=self._clock.now())
            except ReleaseRefused as refusal:
                left[each.note.delivery] = refusal
        return left

    def check_still_wait(self, waiting: Iterable[WaitingDelivery]) -> None:
        """Refuse to publish a second time what another run has published meanwhile.

        Raises:
            Refused: naming the deliveries.
        """
        taken = self._taken_in()
        if twice := sorted(each.note.delivery for each in waiting if each.note.delivery in taken):
            raise Refused(
                f"Another run took these deliveries in meanwhile: {', '.join(twice)}.",
                hint="This run published nothing. See `havre status` for what still waits.",
            )

    def _taken_in(self) -> set[str]:
        events = (logged.event for logged in self._log.entries())
        return {each.delivery for each in events_of(events, DeliveryChecked)}

    def _read(self, index: int, event: DeliveryReceived) -> WaitingDelivery:
        envelope = self._records.document(KIND_NOTE, event.event_id)
        note, opened = open_note(envelope, roots=self._roots)
        salt = self._records.document(KIND_NOTE_SALT, event.event_id)
        return WaitingDelivery(index, event, note, envelope, salt, opened.signers[0])


def wanted_for(
    waiting: Sequence[WaitingDelivery],
    *,
    partitions: Iterable[KnownPartition],
    stage_2: KnownPartition,
    corrected: Sequence[WaitingDelivery] = (),
) -> KeysWanted:
    """Say what is to be opened under the mandate: what these deliveries landed in, and the hub's secret.

    corrected: deliveries taken in before that some of these correct, to be opened once more.
    """
    known = {each.partition_id: each for each in partitions}
    opened = [*waiting, *corrected]
    return KeysWanted(
        purpose="ingest",
        partitions=[*(known[each.note.landing] for each in opened), stage_2],
        deliveries=tuple(each.index for each in waiting),
        documents={envelope_digest(each.envelope): each.envelope for each in opened},
        salts={each.index: each.salt for each in opened},
    )
