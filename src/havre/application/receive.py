"""At the hub: take sealed deliveries in. Nothing is opened; the log says what came, from whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.ceremony import PartitionCatalogue
from havre.application.corrections import KIND_NOTE, DeliveryBook
from havre.application.journal import Journal
from havre.application.vault.inventory import Written, list_written
from havre.application.vault.landing import Landing
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.domain.announcement import DeliveryHeld
from havre.domain.correcting import KnownDelivery, list_faults
from havre.domain.custody import NOTE_LABEL
from havre.domain.delivery_note import DeliveryNote, open_note
from havre.domain.events import DeliveryReceived, encode_event
from havre.domain.statements import Opened, envelope_digest
from havre.domain.trust import TrustRoots
from havre.errors import HavreError, InvalidInput, Refused, Unavailable
from havre.ports.clock import Clock
from havre.ports.inbox import Inbox
from havre.ports.records import Document, Records
from havre.values import PartitionKind

__all__ = ["KIND_NOTE", "KIND_NOTE_SALT", "ReceivingDesk", "Reception"]

KIND_NOTE_SALT = "delivery-note-salt"
# Stands for a commitment when only the length of an entry is asked.
_ANY_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class Reception:
    """What became of the deliveries that waited.

    held: by name, what is wrong; they stay where they are.
    """

    taken_in: tuple[str, ...]
    held: dict[str, HavreError]


class ReceivingDesk:
    """Takes deliveries in."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        landing: Landing,
        journal: Journal,
        log: PublicLog,
        records: Records,
        roots: TrustRoots,
        clock: Clock,
    ) -> None:
        self._inbox = inbox
        self._landing = landing
        self._journal = journal
        self._log = log
        self._records = records
        self._roots = roots
        self._clock = clock

    def receive(self) -> Reception:
        """Take in whatever waits; one that is held does not stop the others.

        A delivery whose event is on the log already is only cleared away. Of two
        processes that receive, the second waits, and finds what is left.

        Raises:
            Unavailable: the store is full or gone, or the log takes no act now: no
                delivery is to blame, and none that waits would fare better.
        """
        with self._inbox.exclusive():
            return self._receive_all(self._landing_places())

    def _receive_all(self, places: frozenset[str]) -> Reception:
        taken: list[str] = []
        held: dict[str, HavreError] = {}
        for name in self._inbox.list_deliveries():
            try:
                self._receive(name, places)
                taken.append(name)
            except Unavailable:
                raise
            except HavreError as fault:
                held[name] = fault
        return Reception(tuple(taken), held)

    def look_through(self) -> dict[str, HavreError | None]:
        """Say of each delivery that waits why it would be held, if it would; nothing is taken in.

        Raises:
            Unavailable: the inbox cannot be read now.
        """
        places = self._landing_places()
        seen: dict[str, HavreError | None] = {}
        for name in self._inbox.list_deliveries():
            try:
                self._examine(name, places)
                seen[name] = None
            except Unavailable:
                raise
            except HavreError as fault:
                seen[name] = fault
        return seen

    def drop(self, name: str) -> HavreError:
        """Remove a delivery that is held, for good; its holder keeps the files, and can mend them.

        Returns why it was held.

        Raises:
            NotFound: nothing of this name waits.
            Refused: nothing is wrong with it, so that it is to be taken in.
        """
        with self._inbox.exclusive():
            return self._drop(name, self._landing_places())

    def _drop(self, name: str, places: frozenset[str]) -> HavreError:
        self._inbox.note(name)
        try:
            self._examine(name, places)
        except Unavailable:
            raise
        except HavreError as fault:
            self._inbox.remove(name)
            return fault
        raise Refused(
            f"Nothing is wrong with delivery {name}: it is not thrown away.",
            hint="Take it in with `havre ingest`.",
        )

    def _receive(self, name: str, places: frozenset[str]) -> None:
        note, opened, envelope, is_new = self._examine(name, places)
        if is_new:
            taken = self._landing.take_in(self._inbox.objects(name), note.objects)
            self._record(note, opened, envelope, taken)
        self._inbox.remove(name)

    def _landing_places(self) -> frozenset[str]:
        """The opaque ids of every landing partition.

        Looked up before any delivery is: that the records are not genuine is no
        delivery's fault, for which it would be held or could be dropped.
        """
        return frozenset(
            known.partition_id
            for known in PartitionCatalogue(self._records, log=self._log).list_living()
            if known.partition.kind is PartitionKind.LANDING
        )

    def _examine(
        self, name: str, places: frozenset[str]
    ) -> tuple[DeliveryNote, Opened, bytes, bool]:
        """Read a note and compare what came with it; the last says whether the log has it not yet.

        places: the opaque ids of landing partitions.
        """
        envelope = self._inbox.note(name)
        note, opened = open_note(envelope, roots=self._roots)
        is_new = not self._is_received(note, opened)
        if is_new:
            self._check(name, note, opened, places)
        return note, opened, envelope, is_new

    def _is_received(self, note: DeliveryNote, opened: Opened) -> bool:
        for event in self._deliveries():
            if event.delivery == note.delivery:
                kept = self._records.document(KIND_NOTE, event.event_id)
                if envelope_digest(kept) == opened.envelope_sha256:
                    return True
                raise DeliveryHeld(
                    note.delivery, ["another delivery of this name was taken in before"]
                )
        return False

    def _check(self, name: str, note: DeliveryNote, opened: Opened, places: frozenset[str]) -> None:
        """Find everything that is amiss before anything is copied."""
        faults = [] if note.delivery == name else ["the note is about another delivery"]
        faults += _faults_of_size(self._event(note, opened, commitment=_ANY_DIGEST))
        faults += self._landing.list_faults(self._inbox.objects(name), note.objects)
        if note.landing not in places:
            faults.append("it is sealed to no landing partition of this hub")
        if any(event.partition == note.landing for event in self._deliveries()):
            faults.append("its landing partition was used by another delivery")
        faults += self._faults_of_correction(note, opened)
        if faults:
            raise DeliveryHeld(name, faults)

    def _faults_of_correction(self, note: DeliveryNote, opened: Opened) -> list[str]:
        if note.corrects is None:
            return []
        correction = KnownDelivery(
            delivery=note.delivery,
            dataset=note.dataset,
            holder=opened.signers[0].key_id,
            corrects=note.corrects,
            outcome=None,
        )
        return list_faults(correction, DeliveryBook(self._records, self._log).known())

    def _record(
        self, note: DeliveryNote, opened: Opened, envelope: bytes, taken: Iterable[Written]
    ) -> None:
        salt = new_salt()
        commitment = commit_to(envelope, label=NOTE_LABEL, salt=salt)
        event = self._event(note, opened, commitment=commitment)
        listing = list_written(
            taken, debts=self._landing.take_debts(), act=event.event_id, at=event.at
        )
        self._journal.record(
            *listing.events,
            event,
            documents=[
                *listing.documents,
                Document(KIND_NOTE, event.event_id, envelope),
                Document(KIND_NOTE_SALT, event.event_id, salt),
            ],
        )

    def _event(self, note: DeliveryNote, opened: Opened, *, commitment: str) -> DeliveryReceived:
        return DeliveryReceived(
            event_id=new_object_id(),
            at=self._clock.now(),
            delivery=note.delivery,
            holder=opened.signers[0].key_id,
            partition=note.landing,
            note_commitment=commitment,
            objects={str(name): str(sha256) for name, sha256 in note.objects.items()},
        )

    def _deliveries(self) -> Iterable[DeliveryReceived]:
        return [
            logged.event
            for logged in self._log.entries()
            if isinstance(logged.event, DeliveryReceived)
        ]


def _faults_of_size(event: DeliveryReceived) -> list[str]:
    """Say when a delivery has more objects than one entry of the log can list."""
    try:
        encode_event(event)
    except InvalidInput:
        listed = f"it has {len(event.objects)} objects, more than an entry of the log can list"
        return [f"{listed}: deliver in smaller parts"]
    return []
