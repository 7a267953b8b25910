"""A hub with a mandate, and deliveries on its log: what the mandate's part of P2 is tried on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fakes.hub_keys import LANDING, STAGE_2, HubKeys
from havre.application.vault.keys import KeysWanted
from havre.crypto.commitments import commit_to
from havre.crypto.random import new_object_id
from havre.crypto.sealing import seal_key
from havre.crypto.signatures import key_id
from havre.domain.custody import NOTE_LABEL, PREDICATE_MANDATE
from havre.domain.delivery_note import PREDICATE_DELIVERY_NOTE
from havre.domain.events import DeliveryChecked, DeliveryReceived
from havre.domain.statements import Statement, envelope_digest, sign_statement
from havre.formats.canonical import Json
from havre.values import Partition, instant_text

FILE_KEY = bytes(range(32))
SALT = bytes(32)


class Landed:
    """A hub with a mandate, and what holders have delivered to it."""

    def __init__(self, root: Path) -> None:
        self.hub = HubKeys(root)
        self.give_mandate()

    def give_mandate(
        self, *, datasets: Sequence[str] = ("dcir",), daily: int = 20, by: str = "controller"
    ) -> None:
        text: dict[str, Json] = {
            "begins_at": instant_text(self.hub.log.clock.now()),
            "daily_releases": daily,
            "datasets": [*datasets],
        }
        statement = Statement(PREDICATE_MANDATE, self.hub.roots.origin, "ingestion", text)
        for custodian in self.hub.custodians():
            custodian.give_mandate(sign_statement(statement, [self.hub.log.cast[by]]))

    def note(
        self,
        name: str = "d1",
        *,
        landing: Partition = LANDING,
        dataset: str = "dcir",
        by: str = "holder",
        corrects: str | None = None,
    ) -> bytes:
        """Sign a delivery's note; what no custodian reads is left out."""
        text: dict[str, Json] = {
            "dataset": dataset,
            "landing": self.hub.known(landing).partition_id,
        }
        if corrects is not None:
            text["corrects"] = corrects
        statement = Statement(PREDICATE_DELIVERY_NOTE, self.hub.roots.origin, name, text)
        return sign_statement(statement, [self.hub.log.cast[by]])

    def receive(
        self,
        note: bytes,
        name: str = "d1",
        *,
        landing: Partition = LANDING,
        holder: str = "holder",
    ) -> KeysWanted:
        """Put a delivery on the log, and ask for what the mandate opens."""
        (index,) = self.hub.journal.record(
            DeliveryReceived(
                event_id=new_object_id(),
                at=self.hub.log.clock.now(),
                delivery=name,
                holder=key_id(self.hub.log.cast[holder].public),
                partition=self.hub.known(landing).partition_id,
                note_commitment=commit_to(note, label=NOTE_LABEL, salt=SALT),
                objects={},
            )
        )
        return KeysWanted(
            purpose="ingest",
            partitions=[self.hub.known(landing), self.hub.known(STAGE_2)],
            deliveries=(index,),
            documents={envelope_digest(note): note},
            salts={index: SALT},
        )

    def delivered(self) -> KeysWanted:
        return self.receive(self.note())

    def take_in(self, name: str = "d1") -> None:
        self.hub.journal.record(
            DeliveryChecked(
                event_id=new_object_id(),
                at=self.hub.log.clock.now(),
                delivery=name,
                outcome="accepted",
                rows_accepted=100,
                rows_set_aside=0,
                report_commitment="",
            )
        )

    def open(self, wanted: KeysWanted) -> bytes:
        """Have a file key of the first partition opened, from the log to the key room."""
        known = wanted.partitions[0]
        sealed = seal_key(FILE_KEY, to=known.public_key, info=b"context")
        with self.hub.release().open(wanted) as keys:
            return keys.unwrap(known.partition_id, sealed, b"context")
