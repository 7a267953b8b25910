"""Getting partitions opened: ask on the log, collect shares, combine in the key room, tell the log.

The entry is the request: custodians read it on the log themselves. What is
opened is opened in the key room, which gives out single file keys and ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from havre.application.asking import Asking, Patience
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
)
from havre.domain.key_states import read_key_states
from havre.domain.lending import check_still_so
from havre.domain.receipt import check_receipt
from havre.domain.statements import envelope_digest
from havre.domain.trust import TrustRoots
from havre.errors import HavreError, NotFound, NotGenuine, Refused
from havre.ports.clock import Clock
from havre.ports.custody import Custodian, ShareAnswer, share_context
from havre.ports.keyroom import GivenShare, KeyRoom, OpenRoom


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysWanted:
    """What is to be opened, and on what ground.

    permit: index of the permit's last entry, or null under the mandate and in a ceremony.
    order: index of the entry of a ceremony's order, or null.
    deliveries: indexes of the deliveries that the mandate opens.
    documents: envelopes that custodians compare with the log, by SHA-256.
    salts: openings of delivery notes' commitments, by the delivery's index.
    """

    purpose: str
    partitions: Sequence[KnownPartition]
    permit: int | None = None
    order: int | None = None
    deliveries: tuple[int, ...] = ()
    plan_commitment: str = ""
    documents: Mapping[str, bytes] = field(default_factory=dict)
    salts: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A custodian's answer that holds: its receipt, and its shares by partition."""

    receipt: bytes
    shares: Mapping[str, GivenShare]


@dataclass(frozen=True, slots=True)
class _Shared:
    """Who holds shares of all that is asked for: commitments by partition and custodian, how many."""

    commitments: Mapping[str, Mapping[str, str]]
    holders: frozenset[str]
    threshold: int


@dataclass(frozen=True, slots=True)
class Collected:
    """A room with enough shares outside it: its request's entry, and the shares by partition."""

    room: OpenRoom
    request: int
    shares: Mapping[str, Sequence[GivenShare]]


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
    """Opens partitions by the protocol of `docs/protocols.md`, section 4.

    patience: how long custodians are waited for; the log is kept to this process meanwhile.
    complaints: of the last opening, why a custodian that was asked does not
        count, by name: it refused, was late, or what it gave does not hold.
    complaints_so_far: the last one of each, over all openings of this process.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        log: PublicLog,
        custodians: Sequence[Custodian],
        threshold: int,
        room: KeyRoom,
        clock: Clock,
        roots: TrustRoots,
        patience: Patience | None = None,
    ) -> None:
        self._journal = journal
        self._log = log
        self._custodians = custodians
        self._threshold = threshold
        self._room = room
        self._clock = clock
        self._roots = roots
        self._patience = patience or Patience()
        self.complaints: dict[str, str] = {}
        self.complaints_so_far: dict[str, str] = {}

    @contextmanager
    def open(self, wanted: KeysWanted) -> Iterator[OpenPartitions]:
        """Open partitions for as long as the context lasts.

        Nobody else writes the log from the request to the release: a revocation in
        between would make a release that no reader believes, and a request which
        another process finds open is always a dead one's. What is then done with
        the keys takes its time, and holds nobody up.

        Raises:
            Refused: what the request rests on has changed; or too few custodians
                agreed: each one's reason is named.
            NotGenuine: too few answers hold; whose do not is named.
            NotFound: a partition is not on the log.
        """
        with self.collect(wanted) as collected:
            for known in wanted.partitions:
                collected.room.load(
                    known.partition_id,
                    public_sha256=known.public_sha256,
                    shares=collected.shares[known.partition_id],
                )
            yield OpenPartitions(collected.room, request=collected.request)

    @contextmanager
    def collect(self, wanted: KeysWanted) -> Iterator[Collected]:
        """Collect enough shares in a key room, and combine nothing; otherwise as `open`."""
        shared = self._shared(wanted.partitions)
        with self._room.open() as room:
            # The price: a revocation waits while custodians are asked, which takes
            # `Patience.within_s` at most. An authority can also bring it to each of them directly.
            with self._journal.alone():
                self._check_ground(wanted)
                index = self._request(wanted, room.one_time_key)
                answers = self._ask(wanted, index, room=room, shared=shared)
                self._release(index, answers)
            shares = {
                known.partition_id: [each.shares[known.partition_id] for each in answers.values()]
                for known in wanted.partitions
            }
            yield Collected(room, index, shares)

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

    def _check_ground(self, wanted: KeysWanted) -> None:
        events = [logged.event for logged in self._log.entries()]
        check_still_so(
            events,
            permit=wanted.permit,
            deliveries=wanted.deliveries,
            partitions=[known.partition_id for known in wanted.partitions],
        )

    def _release(self, index: int, answers: Mapping[str, _Answer]) -> None:
        self._journal.record(
            KeysReleased(
                event_id=new_object_id(),
                at=self._clock.now(),
                request=index,
                receipts={name: envelope_digest(each.receipt) for name, each in answers.items()},
            )
        )

    def _request(self, wanted: KeysWanted, one_time_key: bytes) -> int:
        (index,) = self._journal.record(
            KeysRequested(
                event_id=new_object_id(),
                at=self._clock.now(),
                permit=wanted.permit,
                order=wanted.order,
                deliveries=wanted.deliveries,
                partitions=tuple(sorted(known.partition_id for known in wanted.partitions)),
                purpose=wanted.purpose,
                plan_commitment=wanted.plan_commitment,
                one_time_key_sha256=hashlib.sha256(one_time_key).hexdigest(),
            )
        )
        return index

    def _ask(
        self,
        wanted: KeysWanted,
        index: int,
        *,
        room: OpenRoom,
        shared: _Shared,
    ) -> dict[str, _Answer]:
        """Ask as many custodians as are needed at once, until enough answers hold.

        Each answer is opened and held against the log before it counts: a bad one
        costs its custodian's place, not the opening. For one that refuses, lies or
        keeps the others waiting, the next one is asked.
        """
        request = ShareRequest(index, room.one_time_key, wanted.documents, wanted.salts)
        answers: dict[str, _Answer] = {}
        self.complaints = {}
        bad = 0
        asking = Asking(
            {
                each.name: partial(each.release, request)
                for each in self._custodians
                if each.name in shared.holders
            },
            at_once=shared.threshold,
            patience=self._patience,
        )
        for said in asking:
            if said.answer is None:
                self._complain(said.name, said.refusal)
                continue
            try:
                answer = self._answer(said.name, said.answer, wanted, index, shared=shared)
                room.check(list(answer.shares.values()))
            except HavreError as fault:
                self._complain(said.name, fault)
                asking.ask_another()
                bad += 1
                continue
            answers[said.name] = answer
            if len(answers) == shared.threshold:
                for name, refusal in asking.late().items():
                    self._complain(name, refusal)
                return answers
        why = " ".join(f"{name}: {text}" for name, text in sorted(self.complaints.items()))
        raise (NotGenuine if bad else Refused)(
            f"{len(answers)} custodians answered, {shared.threshold} are needed. {why}",
            hint="Mend what the custodians name, then ask again.",
        )

    def _complain(self, name: str, refusal: HavreError | None) -> None:
        self.complaints[name] = refusal.message if refusal else ""
        self.complaints_so_far[name] = self.complaints[name]

    def _answer(
        self,
        name: str,
        given: ShareAnswer,
        wanted: KeysWanted,
        index: int,
        *,
        shared: _Shared,
    ) -> _Answer:
        """Make sure that an answer is this custodian's, whole, and for this request.

        Raises:
            NotGenuine, InvalidInput, Refused: it is not.
        """
        partitions = {known.partition_id: known.partition for known in wanted.partitions}
        check_receipt(
            given.receipt,
            roots=self._roots,
            custodian=name,
            request=index,
            partitions=partitions,
        )
        if set(given.shares) != set(partitions):
            raise NotGenuine(f"Custodian {name} gave other shares than its receipt names.")
        shares = {
            partition_id: GivenShare(
                name,
                given.shares[partition_id],
                shared.commitments[partition_id][name],
                share_context(
                    origin=self._roots.origin, index=index, partition=partition_id, custodian=name
                ),
                partition.text,
            )
            for partition_id, partition in partitions.items()
        }
        return _Answer(given.receipt, shares)

    def _shared(self, partitions: Sequence[KnownPartition]) -> _Shared:
        """Tell who holds shares of partitions, by the log: those that count now.

        Raises:
            NotFound: the log does not say that one was made.
            Refused: they do not open with one number of shares, or nobody holds all.
        """
        states = read_key_states(each.event for each in self._log.entries())
        asked = [known.partition_id for known in partitions]
        if any(name not in states for name in asked):
            raise NotFound("The log does not say that a partition was made.")
        sharings = {name: states[name].sharing for name in asked}
        thresholds = {each.threshold or self._threshold for each in sharings.values()}
        holders = [set(each.holders) for each in sharings.values()]
        both = set.intersection(*holders) if holders else set[str]()
        if len(thresholds) > 1 or len(both) < max(thresholds, default=0):
            raise Refused(
                "Of these partitions some were shared anew and some were not.",
                hint="Finish the ceremony: `havre keys reshare`.",
            )
        return _Shared(
            {name: each.holders for name, each in sharings.items()},
            frozenset(both),
            max(thresholds, default=self._threshold),
        )


def public_digest_of(seed: bytes) -> str:
    """SHA-256 of the public key that a partition's seed of 32 bytes leads to, as on the log."""
    return hashlib.sha256(PartitionKey.from_seed(seed).public).hexdigest()
