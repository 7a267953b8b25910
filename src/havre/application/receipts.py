"""Receipts for holders: the hub writes one for every delivery that it has checked, and hands it over.

Made from the log and the records alone, so that one that is missing is made again.
"""

from __future__ import annotations

import hashlib

from havre.application.audit import PublicLog
from havre.application.corrections import KIND_NOTE, KIND_REPORT, KIND_REPORT_SALT
from havre.application.landing_places import note_of
from havre.domain.delivery_receipt import LogBehind
from havre.domain.events import DeliveryChecked, DeliveryReceived, events_of
from havre.domain.oppositions import OPPOSITIONS_DATASET
from havre.domain.statements import sign_statement
from havre.errors import NotFound
from havre.ports.inbox import Inbox, Receipts
from havre.ports.records import Records
from havre.ports.tokens import Token


class ReceiptDesk:
    """Writes receipts."""

    def __init__(
        self,
        *,
        records: Records,
        log: PublicLog,
        inbox: Inbox,
        receipts: Receipts,
        token: Token,
        origin: str,
    ) -> None:
        self._records = records
        self._log = log
        self._inbox = inbox
        self._receipts = receipts
        self._token = token
        self._origin = origin

    def hand_over(self) -> list[str]:
        """Put a receipt where its holder fetches it, for every checked delivery that has none.

        Of two processes the second waits, and finds what is left. Returns the deliveries for
        which one was written.

        Raises:
            Unavailable: there is no room.
        """
        with self._inbox.exclusive():
            return self._hand_over()

    def _hand_over(self) -> list[str]:
        events = [logged.event for logged in self._log.entries()]
        there = set(self._receipts.list_deliveries())
        received = {each.delivery: each for each in events_of(events, DeliveryReceived)}
        wanted = {
            each.delivery: ready
            for each in events_of(events, DeliveryChecked)
            if each.delivery not in there and (ready := self._ready(each, received[each.delivery]))
        }
        if not wanted:
            return []
        behind = LogBehind(events, self._log.checkpoint())
        for statement in behind.statements(wanted, origin=self._origin):
            self._receipts.put(statement.subject, sign_statement(statement, [self._token]))
        return list(wanted)

    def _ready(
        self, checked: DeliveryChecked, received: DeliveryReceived
    ) -> tuple[bytes, bytes, str] | None:
        """What a receipt is made from; nothing for a list of oppositions, or where a salt is destroyed."""
        try:
            note = self._records.document(KIND_NOTE, received.event_id)
            report = self._records.document(KIND_REPORT, checked.event_id)
            salt = self._records.document(KIND_REPORT_SALT, checked.event_id)
        except NotFound:
            return None
        if note_of(note).dataset == OPPOSITIONS_DATASET:
            return None
        return report, salt, hashlib.sha256(note).hexdigest()
