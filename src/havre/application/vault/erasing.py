"""Crypto-erasure: an order on the log, every custodian's own judgement, certificates, and the end on the log.

Enough shares are gone when those that are left give nothing back: of n shares,
any k of which open, n - k + 1. Until then an order stays open and names who is
missing; nothing is opened or written meanwhile. Everything can be asked again.

What a run kept, and copies that a custodian denies, are out of reach
(`docs/protocols.md`, section 2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.journal import Journal
from havre.application.permits import KIND_PERMIT
from havre.crypto.random import new_object_id
from havre.domain.certificates import check_certificate
from havre.domain.erasure import ErasureOrder, Ground, open_order, sign_order
from havre.domain.erasure_check import ErasureRequest, ErasureView, check_erasure
from havre.domain.events import Event, PermitMoved
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.key_states import KeyState, read_key_states
from havre.domain.resharing import check_no_ceremony
from havre.domain.statements import Signer
from havre.domain.trust import TrustRoots
from havre.errors import HavreError, NotFound, Refused
from havre.ports.clock import Clock
from havre.ports.custody import Custodian
from havre.ports.records import Document, Records

KIND_ORDER = "erasure-order"
KIND_CERTIFICATE = "erasure-certificate"


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """How far an order is.

    order: index of its entry.
    needed: how many custodians must attest, so that the shares left give nothing back.
    attested: custodian to SHA-256 of its certificate.
    missing: why each other custodian has not attested, by name.
    erased: index of the entry that says so, or null while too few have attested.
    """

    order: int
    needed: int
    partitions: tuple[str, ...] = ()
    attested: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    erased: int | None = None


class Erasures:
    """Destroys keys.

    custodians: everybody who may hold a share, the escrow too.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        log: PublicLog,
        records: Records,
        custodians: Sequence[Custodian],
        roots: TrustRoots,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._log = log
        self._records = records
        self._custodians = custodians
        self._roots = roots
        self._clock = clock
        self._catalogue = PartitionCatalogue(records, log=log)

    def write_order(
        self,
        partitions: Sequence[KnownPartition],
        *,
        ground: Ground,
        permit: str = "",
        signers: Sequence[Signer],
    ) -> bytes:
        """Write and sign an order about the log as it stands; nothing is done with it yet."""
        order = ErasureOrder(
            name=new_object_id(),
            ground=ground,
            permit=permit,
            partitions=tuple(sorted({each.partition_id for each in partitions})),
            decided_at=self._clock.now(),
            log_size=len(self._events()),
        )
        return sign_order(order, origin=self._roots.origin, signers=signers)

    def erase(self, partitions: Sequence[KnownPartition], order: bytes) -> ErasureReport:
        """Put an order on the log and carry it out as far as custodians let it be.

        partitions: what the order must name, and nothing else.
        order: signed, as `write_order` gives it.

        An order that is on the log already is gone on with.

        Raises:
            Refused, NotGenuine: the order does not hold, or names other partitions.
        """
        named = open_order(order, roots=self._roots).order.partitions
        if set(named) != {each.partition_id for each in partitions}:
            raise Refused("The order names other partitions than those that are to be erased.")
        return self.carry_out(self._place(order))

    def carry_out(self, index: int) -> ErasureReport:
        """Ask every custodian that has not attested yet, and close the order when enough have.

        index: of the order's entry.

        Raises:
            NotFound: there is no such order.
        """
        ordered, envelope = self._ordered(index)
        states = read_key_states(self._events())
        holders, sharings = _holders(states, ordered.partitions, roots=self._roots)
        request = ErasureRequest(index, envelope, self._statements(ordered.permit))
        attested, missing = self._attested(index, holders), dict[str, str]()
        for custodian in self._custodians:
            if custodian.name in attested or custodian.name not in holders:
                continue
            try:
                certificate = custodian.erase(request)
                self._check(certificate, custodian.name, request, holders[custodian.name])
            except HavreError as refusal:
                missing[custodian.name] = refusal.message
                continue
            attested[custodian.name] = hashlib.sha256(certificate).hexdigest()
            name = certificate_name(index, custodian.name)
            self._records.commit([], [Document(KIND_CERTIFICATE, name, certificate)])
        for name in set(holders) - set(attested) - set(missing):
            missing[name] = f"Nobody called {name} can be asked."
        enough = all(len(names & set(attested)) >= needed for names, needed in sharings)
        erased = self._close(index, attested) if enough else None
        needed = max(needed for _, needed in sharings)
        return ErasureReport(index, needed, ordered.partitions, attested, missing, erased)

    def find_order(self, partitions: Sequence[KnownPartition]) -> int | None:
        """Find an order over exactly these partitions, whether it is closed or not."""
        wanted = tuple(sorted({each.partition_id for each in partitions}))
        for logged in self._log.entries():
            if isinstance(logged.event, ErasureOrdered) and logged.event.partitions == wanted:
                return logged.index
        return None

    def list_open(self) -> list[int]:
        """List the orders that too few custodians have attested yet."""
        events = self._events()
        closed = {each.order for each in events if isinstance(each, KeysErased)}
        return [
            index
            for index, event in enumerate(events)
            if isinstance(event, ErasureOrdered) and index not in closed
        ]

    def _events(self) -> list[Event]:
        return [logged.event for logged in self._log.entries()]

    def _place(self, envelope: bytes) -> int:
        """Put an order on the log, if it would hold with every custodian."""
        digest = hashlib.sha256(envelope).hexdigest()
        with self._journal.alone():
            events = self._events()
            for index, event in enumerate(events):
                if isinstance(event, ErasureOrdered) and event.statement_sha256 == digest:
                    return index
            check_no_ceremony(events, now=self._clock.now())
            signed = open_order(envelope, roots=self._roots)
            order = signed.order
            entry = ErasureOrdered(
                event_id=new_object_id(),
                at=self._clock.now(),
                order=order.name,
                ground=order.ground.value,
                permit=order.permit,
                partitions=order.partitions,
                statement_sha256=digest,
                signers=tuple(signer.key_id for signer in signed.opened.signers),
            )
            # From its entry on nothing opens these partitions: an order that custodians
            # would refuse must not get there.
            known = {
                each.partition_id: each.partition for each in self._catalogue.list_partitions()
            }
            check_erasure(
                ErasureRequest(len(events), envelope, self._statements(order.permit)),
                ErasureView(self._roots, [*events, entry], known, self._clock.now()),
            )
            (index,) = self._journal.record(
                entry, documents=[Document(KIND_ORDER, digest, envelope)]
            )
        return index

    def _ordered(self, index: int) -> tuple[ErasureOrdered, bytes]:
        events = self._events()
        entry = events[index] if 0 <= index < len(events) else None
        if not isinstance(entry, ErasureOrdered):
            raise NotFound("The entry that is named is no order to erase.")
        return entry, self._records.document(KIND_ORDER, entry.statement_sha256)

    def _statements(self, permit: str) -> dict[str, bytes]:
        """The signed statements of a permit's entries, by SHA-256."""
        digests = {
            event.statement_sha256
            for event in self._events()
            if isinstance(event, PermitMoved) and event.permit == permit
        }
        return {each: self._records.document(KIND_PERMIT, each) for each in sorted(digests)}

    def _attested(self, index: int, holders: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """Those whose certificates are here from a call before."""
        found = {}
        for name in sorted(holders):
            try:
                document = self._records.document(KIND_CERTIFICATE, certificate_name(index, name))
            except NotFound:
                continue
            found[name] = hashlib.sha256(document).hexdigest()
        return found

    def _check(
        self, certificate: bytes, name: str, request: ErasureRequest, shares: Mapping[str, str]
    ) -> None:
        check_certificate(
            certificate,
            roots=self._roots,
            custodian=name,
            order=request.index,
            order_sha256=hashlib.sha256(request.order).hexdigest(),
            shares=shares,
        )

    def _close(self, index: int, attested: Mapping[str, str]) -> int:
        with self._journal.alone():
            for place, event in enumerate(self._events()):
                if isinstance(event, KeysErased) and event.order == index:
                    return place
            (place,) = self._journal.record(
                KeysErased(
                    event_id=new_object_id(),
                    at=self._clock.now(),
                    order=index,
                    certificates=dict(attested),
                )
            )
        return place


def certificate_name(order: int, custodian: str) -> str:
    """Name a certificate in the private records.

    >>> certificate_name(12, "custodian-1")
    '12-custodian-1'
    """
    return f"{order}-{custodian}"


def _holders(
    states: Mapping[str, KeyState], partitions: Sequence[str], *, roots: TrustRoots
) -> tuple[dict[str, dict[str, str]], list[tuple[set[str], int]]]:
    """Tell who holds shares of partitions, and how many of whom must destroy theirs.

    Returns custodian to partition to its share's commitment; and for each set of
    shares that could still open them, its holders and how many are needed.

    Raises:
        Refused: they are not all held by the same custodians.
    """
    named = {
        frozenset(
            (frozenset(each.holders), each.threshold_under(roots))
            for each in states[partition].open_sharings()
        )
        for partition in partitions
    }
    if len(named) != 1:
        raise Refused(
            "These partitions are held by different custodians.",
            hint="Order those erased together that the same custodians hold.",
        )
    sharings = [(set(names), len(names) - threshold + 1) for names, threshold in named.pop()]
    everybody = set().union(*(names for names, _ in sharings))
    holders = {
        name: {partition: states[partition].commitment_of(name) for partition in partitions}
        for name in sorted(everybody)
    }
    return holders, sharings
