"""What deliveries became, and what a correction takes back: read off the log and the private records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.landing_places import note_of
from havre.domain.correcting import ACCEPTED, KnownDelivery
from havre.domain.events import DeliveryChecked, DeliveryReceived, events_of
from havre.domain.version_objects import (
    PlacedObject,
    VersionObjects,
    encode_version_objects,
    objects_of_deliveries,
    owners_of_objects,
    parse_version_objects,
)
from havre.errors import NotFound, Refused
from havre.ports.records import Document, Records
from havre.values import ObjectId

KIND_NOTE = "delivery-note"
KIND_OBJECTS = "version-objects"
KIND_REPORT = "check-report"
KIND_REPORT_SALT = "check-report-salt"


@dataclass(frozen=True, slots=True)
class DeliveryBook:
    """What the hub knows of every delivery that it has received."""

    records: Records
    log: PublicLog

    def known(self) -> list[KnownDelivery]:
        """List every delivery, in the order in which they came."""
        events = [logged.event for logged in self.log.entries()]
        outcomes = {each.delivery: each.outcome for each in events_of(events, DeliveryChecked)}
        recorded = self._recorded()
        together = self._together()
        return [
            self._known(
                each,
                outcome=outcomes.get(each.delivery),
                recorded=recorded,
                together=together,
            )
            for each in events_of(events, DeliveryReceived)
        ]

    def objects(self, dataset: str) -> dict[str, dict[ObjectId, PlacedObject]]:
        """Say which objects of a dataset's newest version came from which delivery."""
        return objects_of_deliveries(each for _, each in self._versions(dataset))

    def check_no_correction_waits(self, dataset: str) -> None:
        """Refuse to put files together while a received correction still asks which are whose.

        Raises:
            Refused: naming the corrections.
        """
        waiting = sorted(
            each.delivery
            for each in self.known()
            if each.dataset == dataset and each.outcome is None and each.corrects is not None
        )
        if waiting:
            raise Refused(
                f"Corrections of {dataset} wait: {', '.join(waiting)}.",
                hint="Take them in first: `havre ingest`.",
            )

    def owners(self, dataset: str) -> dict[ObjectId, frozenset[str]]:
        """Say of which deliveries each object of a dataset has rows."""
        return owners_of_objects(each for _, each in self._versions(dataset))

    def version_of(self, delivery: str, *, dataset: str) -> int:
        """Find the entry of the version with which a delivery came in.

        Raises:
            NotFound: it is in none, or in one from before this was written down.
        """
        for index, objects in self._versions(dataset):
            if delivery in objects.added:
                return index
        raise NotFound(f"No version is known to have come from delivery {delivery}.")

    def _versions(self, dataset: str) -> Iterable[tuple[int, VersionObjects]]:
        documents = {each.name: each.body for each in self.records.list_documents(KIND_OBJECTS)}
        for index, event in self.log.versions(dataset).items():
            if event.event_id in documents:
                yield index, parse_version_objects(documents[event.event_id])

    def _recorded(self) -> frozenset[str]:
        return frozenset(
            delivery
            for document in self.records.list_documents(KIND_OBJECTS)
            for delivery in parse_version_objects(document.body).added
        )

    def _together(self) -> frozenset[str]:
        return frozenset(
            delivery
            for document in self.records.list_documents(KIND_OBJECTS)
            for names in parse_version_objects(document.body).together.values()
            for delivery in names
        )

    def _known(
        self,
        event: DeliveryReceived,
        *,
        outcome: str | None,
        recorded: frozenset[str],
        together: frozenset[str],
    ) -> KnownDelivery:
        note = note_of(self.records.document(KIND_NOTE, event.event_id))
        return KnownDelivery(
            delivery=event.delivery,
            dataset=note.dataset,
            holder=event.holder,
            corrects=note.corrects,
            outcome=outcome,
            is_recorded=outcome != ACCEPTED or event.delivery in recorded,
            is_together=event.delivery in together,
        )


def objects_document(
    version: str, objects: VersionObjects, *, deliveries: Iterable[str]
) -> Document:
    """Write down what a version's deliveries became, those too that became nothing.

    version: event id of the version's entry.
    """
    added: Mapping[str, tuple[PlacedObject, ...]] = {
        delivery: tuple(objects.added.get(delivery, ())) for delivery in deliveries
    }
    whole = VersionObjects(added, objects.withdrawn, objects.together)
    return Document(KIND_OBJECTS, version, encode_version_objects(whole))
