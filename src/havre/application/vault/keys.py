"""Getting partitions opened: ask on the log, collect shares, combine in the key room, tell the log.

The entry is the request: custodians read it on the log themselves. What is
opened is opened in the key room, which gives out single file keys and ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition
from havre.application.journal import Journal
from havre.crypto.random import new_object_id
from havre.crypto.sealing import PartitionKey
from havre.domain.custody import ShareRequest
from havre.domain.events import (
    KeysAbandoned,
    KeysReleased,
    KeysRequested,
    PartitionsCreated,
    events_of,
)
from havre.domain.statements import envelope_digest
from havre.errors import HavreError, NotFound, Refused
from havre.ports.clock import Clock
from havre.ports.custody import Custodian, ShareAnswer, share_context
from havre.ports.keyroom import GivenShare, KeyRoom, OpenRoom


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysWanted:
    """What is to be opened, and on what ground.

    permit: index of the permit's last entry, or null under the mandate.
    deliveries: indexes of the deliveries that the mandate opens.
    documents: envelopes that custodians compare with the log, by SHA-256.
    salts: openings of delivery notes' commitments, by the delivery's index.
    """

    purpose: str
    partitions: Sequence[KnownPartition]
    permit: int | None = None
    deliveries: tuple[int, ...] = ()
    plan_commitment: str = ""
    documents: Mapping[str, bytes] = field(default_factory=dict)
    salts: Mapping[int, bytes] = field(default_factory=dict)


class OpenPartitions:
    """Partitions opened in a key room; gone when the room closes."""

    def __init__(self, room: OpenRoom, *, request: int) -> None:
        self._room = room
        self.request = request

    def unwrap(self, partition_id: str, sealed: bytes, info: bytes) -> bytes:
        """Open one file key."""
        return self._room.unwrap(partition_id, sealed, info)

    def secret(self, partition_id: str) -> bytes:
        """Give a pseudonym secret, for the run that is going on."""
        return self._room.secret(partition_id)


class KeyRelease:
    """Opens partitions by the protocol of `docs/protocols.md`, section 4."""

    def __init__(
        self,
        *,
        journal: Journal,
        log: PublicLog,
        custodians: Sequence[Custodian],
        threshold: int,
        room: KeyRoom,
        clock: Clock,
        origin: str,
    ) -> None:
        self._journal = journal
        self._log = log
        self._custodians = custodians
        self._threshold = threshold
        self._room = room
        self._clock = clock
        self._origin = origin

    @contextmanager
    def open(self, wanted: KeysWanted) -> Iterator[OpenPartitions]:
        """Open partitions for as long as the context lasts.

        Raises:
            Refused: too few custodians agreed; each one's reason is named.
            NotGenuine: a share is not what its custodian committed to.
        """
        with self._room.open() as room:
            index = self._request(wanted, room.one_time_key)
            answers = self._ask(wanted, index, room.one_time_key)
            self._journal.record(
                KeysReleased(
                    event_id=new_object_id(),
                    at=self._clock.now(),
                    request=index,
                    receipts={
                        name: envelope_digest(answer.receipt) for name, answer in answers.items()
                    },
                )
            )
            for known in wanted.partitions:
                room.load(
                    known.partition_id,
                    public_sha256=known.public_sha256,
                    shares=self._given(known, answers, index),
                )
            yield OpenPartitions(room, request=index)

    def close_abandoned(self) -> int:
        """Close requests that a dead process left open; each counts as released.

        Returns how many there were.
        """
        logged = self._log.entries()
        closed = {
            event.request
            for event in (each.event for each in logged)
            if isinstance(event, KeysReleased | KeysAbandoned)
        }
        left = [
            each.index
            for each in logged
            if isinstance(each.event, KeysRequested) and each.index not in closed
        ]
        if left:
            now = self._clock.now()
            self._journal.record(
                *(KeysAbandoned(event_id=new_object_id(), at=now, request=index) for index in left)
            )
        return len(left)

    def _request(self, wanted: KeysWanted, one_time_key: bytes) -> int:
        (index,) = self._journal.record(
            KeysRequested(
                event_id=new_object_id(),
                at=self._clock.now(),
                permit=wanted.permit,
                deliveries=wanted.deliveries,
                partitions=tuple(sorted(known.partition_id for known in wanted.partitions)),
                purpose=wanted.purpose,
                plan_commitment=wanted.plan_commitment,
                one_time_key_sha256=hashlib.sha256(one_time_key).hexdigest(),
            )
        )
        return index

    def _ask(self, wanted: KeysWanted, index: int, key: bytes) -> dict[str, ShareAnswer]:
        """Ask one custodian after the other, until enough have answered."""
        request = ShareRequest(index, key, wanted.documents, wanted.salts)
        answers: dict[str, ShareAnswer] = {}
        refusals: list[str] = []
        for custodian in self._custodians:
            try:
                answers[custodian.name] = custodian.release(request)
            except HavreError as refusal:
                refusals.append(f"{custodian.name}: {refusal.message}")
            if len(answers) == self._threshold:
                return answers
        raise Refused(
            f"{len(answers)} custodians answered, {self._threshold} are needed."
            f" {' '.join(refusals)}",
            hint="Mend what the custodians name, then ask again.",
        )

    def _given(
        self, known: KnownPartition, answers: Mapping[str, ShareAnswer], index: int
    ) -> list[GivenShare]:
        commitments = self._commitments(known.partition_id)
        return [
            GivenShare(
                name,
                answer.shares[known.partition_id],
                commitments[name],
                share_context(
                    origin=self._origin,
                    index=index,
                    partition=known.partition_id,
                    custodian=name,
                ),
            )
            for name, answer in answers.items()
        ]

    def _commitments(self, partition_id: str) -> Mapping[str, str]:
        events = (each.event for each in self._log.entries())
        for created in events_of(events, PartitionsCreated):
            if partition_id in created.shares:
                return created.shares[partition_id]
        raise NotFound("The log does not say that a partition was made.")


def public_digest_of(seed: bytes) -> str:
    """SHA-256 of the public key that a partition's seed of 32 bytes leads to, as on the log."""
    return hashlib.sha256(PartitionKey.from_seed(seed).public).hexdigest()
