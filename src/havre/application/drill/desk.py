"""Where drills are put on record: the receipt signed and kept, its hash on the log."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from havre.application.audit import PublicLog
from havre.application.journal import Journal
from havre.crypto.random import new_object_id
from havre.domain.drill_receipt import KIND_RECEIPT, DrillRun, HeldOn, receipt_statement
from havre.domain.drills import Standing, standings
from havre.domain.events import DrillRan, VersionPublished, encode_event, events_of
from havre.domain.statements import sign_statement
from havre.domain.transparency import Head
from havre.domain.trust import TrustRoots
from havre.errors import NotFound
from havre.ports.clock import Clock
from havre.ports.records import Document, Records
from havre.ports.tokens import Token


@dataclass(frozen=True, slots=True)
class Begun:
    """A drill that is under way: when it began, and on what."""

    at: datetime
    held_on: HeldOn


class DrillDesk:
    """Takes runs of drills down for one hub.

    deployment: the hash of what this hub is made of (`HeldOn`).
    """

    def __init__(
        self,
        *,
        journal: Journal,
        log: PublicLog,
        records: Records,
        token: Token,
        roots: TrustRoots,
        clock: Clock,
        deployment: str,
    ) -> None:
        self._journal = journal
        self._log = log
        self._records = records
        self._token = token
        self._roots = roots
        self._clock = clock
        self._deployment = deployment

    def begin(self) -> Begun:
        """Note when a drill begins, and what the hub is at that moment.

        Raises:
            HandedOver: the hub has left, and its log takes no receipt.
            NotFound: nothing was published yet.
        """
        self._journal.check_ours()
        head = self._log.head()
        if head is None:
            raise NotFound("A hub that never published anything has nothing to drill.")
        return Begun(self._clock.now(), self._held_on(head))

    def record(self, run: DrillRun, *, begun: Begun) -> str:
        """Sign what a run came to, keep the receipt, and say so on the log.

        Returns the receipt's SHA-256.
        """
        statement = receipt_statement(
            run,
            origin=self._roots.origin,
            held_on=begun.held_on,
            began_at=begun.at,
            ended_at=self._clock.now(),
        )
        receipt = sign_statement(statement, [self._token])
        digest = hashlib.sha256(receipt).hexdigest()
        self._journal.record(
            DrillRan(
                event_id=new_object_id(),
                at=self._clock.now(),
                drill=run.drill.value,
                verdict=run.verdict.value,
                counters=run.public_counters,
                receipt_sha256=digest,
            ),
            documents=[Document(KIND_RECEIPT, digest, receipt)],
        )
        return digest

    def standings(self) -> list[Standing]:
        """Tell where every drill stands by the hub's clock."""
        runs = [(each.index, each.event) for each in self._log.entries()]
        drills = [(index, event) for index, event in runs if isinstance(event, DrillRan)]
        return standings(drills, now=self._clock.now())

    def receipt(self, sha256: str) -> bytes:
        """Give a kept receipt.

        Raises:
            NotFound: there is none.
        """
        return self._records.document(KIND_RECEIPT, sha256)

    def _held_on(self, head: Head) -> HeldOn:
        events = [logged.event for logged in self._log.entries()]
        newest = {event.dataset: event for event in events_of(events, VersionPublished)}
        return HeldOn(
            deployment=self._deployment,
            head=head,
            datasets={
                name: hashlib.sha256(encode_event(event)).hexdigest()
                for name, event in newest.items()
            },
        )
