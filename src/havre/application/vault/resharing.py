"""Shares for other custodians: the seeds combined and split anew, batch by batch; no object is touched.

Old holders give their shares to a key room that ends with its batch; new holders
take theirs in; the log says that these count now; new holders sign that they have
them; old holders destroy the old ones. Each step is asked again after a crash, and
what was done is not done twice. The sealed escrow takes part as any other.

In this act the seeds of a whole batch are in one process. It is done on a machine
that nobody else uses (`docs/protocols.md`, section 2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.journal import Journal
from havre.application.vault.keys import KeyRelease, KeysWanted
from havre.crypto.random import new_object_id
from havre.domain.certificates import check_certificate, open_certificate
from havre.domain.events import Event
from havre.domain.key_events import OldSharesErased, PartitionsReshared, ResharingOrdered
from havre.domain.key_states import list_to_reshare, read_key_states
from havre.domain.resharing import (
    CeremonyRequest,
    SignedCeremony,
    check_ceremony,
    open_ceremony,
)
from havre.domain.retiring import check_accepted, old_shares, taken_shares
from havre.domain.succession import check_succession, holders_of, trust_digest
from havre.domain.trust import TrustRoots, encode_trust_roots, parse_trust_roots
from havre.errors import HavreError, NotFound, Refused
from havre.ports.clock import Clock
from havre.ports.custody import Custodian, ceremony_name
from havre.ports.keyroom import Ceremony, PartitionToReshare, Recipient
from havre.ports.records import Document, Records

KIND_ORDER = "ceremony-order"
KIND_TRUST = "trust-roots"
KIND_ACCEPTANCE = "share-acceptance"
KIND_RETIREMENT = "retirement-certificate"
# A custodian's shares of one batch fit one message, and its answer one file.
BATCH = 500
# An entry of the log holds the commitments of so many partitions.
_PER_ENTRY = 100


@dataclass(frozen=True, slots=True)
class ResharingReport:
    """How far a ceremony is.

    order: index of its entry. reshared: partitions that have new shares by it.
    accepted, retired: who has signed that the new shares are there, and the old ones gone.
    missing: why somebody has not, by name.
    ended: index of the entry that says the old shares give nothing back, or null.
    """

    order: int
    reshared: int
    accepted: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    ended: int | None = None


class Resharing:
    """Holds such ceremonies at one hub.

    custodians: everybody who gives or gets shares, the escrow too.
    release: asks them for their shares; by the new trust roots.
    roots: from after the order; those from before while it is put on the log.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        log: PublicLog,
        records: Records,
        custodians: Sequence[Custodian],
        release: KeyRelease,
        roots: TrustRoots,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._log = log
        self._records = records
        self._custodians = {each.name: each for each in custodians}
        self._release = release
        self._roots = roots
        self._clock = clock
        self._catalogue = PartitionCatalogue(records, log=log)

    def place(self, order: bytes, trust: bytes) -> int:
        """Put an order on the log; from its entry on, the hub's trust roots are those that it names.

        order: signed. trust: the trust-root file that it names.

        An order that is on the log already is left as it is.

        Raises:
            Refused, NotGenuine, InvalidInput: it does not hold, or changes more than custodians.
        """
        digest = hashlib.sha256(order).hexdigest()
        with self._journal.alone():
            events = self._events()
            for index, event in enumerate(events):
                if isinstance(event, ResharingOrdered) and event.statement_sha256 == digest:
                    return index
            entry = self._entry(order, digest, parse_trust_roots(trust))
            check_ceremony(len(events), order, events=[*events, entry], roots=self._roots)
            (index,) = self._journal.record(
                entry,
                documents=[
                    Document(KIND_ORDER, digest, order),
                    Document(KIND_TRUST, entry.trust_sha256, trust),
                ],
            )
        return index

    def carry_out(
        self, index: int, *, progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> ResharingReport:
        """Do what is left to do of an order; asked again, it goes on where it stopped.

        progress: told how many partitions have new shares, of how many.

        Raises:
            NotFound: there is no such order.
            Refused, NotGenuine, Unavailable: too few give their shares, or somebody who
                is to hold new ones is away; what was done stays.
        """
        order, request = self._ordered(index)
        log_size = open_ceremony(order, roots=self._roots).order.log_size
        left = list_to_reshare(self._events(), log_size=log_size)
        done = self._reshared(index)
        for at in range(0, len(left), BATCH):
            progress(done + at, done + len(left))
            self._reshare(index, left[at : at + BATCH], order)
        return self._settle(request)

    def list_open(self) -> list[int]:
        """List the orders whose old shares are not known to be gone.

        One on which a later one has followed is gone on with by that one.
        """
        events = self._events()
        now = trust_digest(self._roots)
        ended = {each.order for each in events if isinstance(each, OldSharesErased)}
        return [
            index
            for index, event in enumerate(events)
            if isinstance(event, ResharingOrdered)
            and event.trust_sha256 == now
            and index not in ended
        ]

    def _entry(self, envelope: bytes, digest: str, trust: TrustRoots) -> ResharingOrdered:
        signed = open_ceremony(envelope, roots=self._roots)
        order = signed.order
        named = (order.previous_sha256, order.trust_sha256, order.holders, order.threshold)
        here = (
            trust_digest(self._roots),
            trust_digest(trust),
            holders_of(trust),
            trust.custodian_threshold,
        )
        if named != here:
            raise Refused(
                "The order names other trust roots or holders than those that were brought along,"
                " or rests on others than the hub's.",
                hint="Have it given anew, about the trust roots as they are.",
            )
        check_succession(self._roots, trust)
        return ResharingOrdered(
            event_id=new_object_id(),
            at=self._clock.now(),
            order=order.name,
            log_size=order.log_size,
            holders=order.holders,
            threshold=order.threshold,
            threshold_before=self._roots.custodian_threshold,
            trust_sha256=order.trust_sha256,
            previous_sha256=order.previous_sha256,
            statement_sha256=digest,
            signers=tuple(signer.key_id for signer in signed.opened.signers),
        )

    def _ordered(self, index: int) -> tuple[bytes, CeremonyRequest]:
        events = self._events()
        entry = events[index] if 0 <= index < len(events) else None
        if not isinstance(entry, ResharingOrdered):
            raise NotFound("The entry that is named is no order for a ceremony.")
        if entry.trust_sha256 != trust_digest(self._roots):
            raise Refused(
                "The hub's trust roots are not those that the ceremony's order names.",
                hint="Take them over first: `havre keys adopt`.",
            )
        order = self._records.document(KIND_ORDER, entry.statement_sha256)
        check_ceremony(index, order, events=events, roots=self._roots)
        return order, CeremonyRequest(index, order, encode_trust_roots(self._roots))

    def _events(self) -> list[Event]:
        return [logged.event for logged in self._log.entries()]

    def _reshared(self, index: int) -> int:
        return sum(
            len(event.shares)
            for event in self._events()
            if isinstance(event, PartitionsReshared) and event.order == index
        )

    def _holder(self, name: str) -> Custodian:
        try:
            return self._custodians[name]
        except KeyError:
            raise NotFound(
                f"The hub does not know where {name} is.",
                hint="Put its place into havre.toml, under [parties].",
            ) from None

    def _reshare(self, index: int, partitions: Sequence[str], order: bytes) -> None:
        """Give one batch new shares.

        Nobody else writes the log meanwhile: a partition that was ordered erased between
        the request and the new shares would leave shares that nobody destroys.
        """
        known = {each.partition_id: each for each in self._catalogue.list_partitions()}
        batch = [known[name] for name in partitions]
        ceremony = ceremony_name(index, new_object_id()[:12])
        with self._journal.alone(), self._given(index, batch, order, ceremony) as made:
            for sealed in made.sealed:
                self._holder(sealed.custodian).accept(ceremony, sealed)
            self._journal.record(*self._entries(index, made, [*partitions]))

    @contextmanager
    def _given(
        self, index: int, batch: Sequence[KnownPartition], order: bytes, ceremony: str
    ) -> Iterator[Ceremony]:
        """Collect the old shares and have them split anew; whoever is to get some is asked first."""
        entry = self._events()[index]
        holders = entry.holders if isinstance(entry, ResharingOrdered) else ()
        recipients = [
            Recipient(name, self._holder(name).begin_ceremony(ceremony)) for name in holders
        ]
        wanted = KeysWanted(
            purpose="reshare",
            order=index,
            partitions=batch,
            documents={hashlib.sha256(order).hexdigest(): order},
        )
        with self._release.collect(wanted) as collected:
            made = collected.room.reshare(
                [
                    PartitionToReshare(
                        each.partition_id, each.public_sha256, collected.shares[each.partition_id]
                    )
                    for each in batch
                ],
                recipients=recipients,
                threshold=self._roots.custodian_threshold,
                origin=self._roots.origin,
                ceremony=ceremony,
            )
        yield made

    def _entries(
        self, index: int, made: Ceremony, partitions: Sequence[str]
    ) -> Iterator[PartitionsReshared]:
        for at in range(0, len(partitions), _PER_ENTRY):
            yield PartitionsReshared(
                event_id=new_object_id(),
                at=self._clock.now(),
                order=index,
                shares={
                    name: dict(made.commitments[name]) for name in partitions[at : at + _PER_ENTRY]
                },
            )

    def _settle(self, request: CeremonyRequest) -> ResharingReport:
        """Have the new shares accepted by everybody, then the old ones destroyed."""
        missing: dict[str, str] = {}
        acceptances = self._accepted(request, missing)
        whole = CeremonyRequest(request.index, request.order, request.trust, acceptances)
        retired = self._retired(whole, missing)
        ended = self._end(request.index, retired)
        return ResharingReport(
            request.index,
            self._reshared(request.index),
            tuple(sorted(acceptances)),
            tuple(sorted(retired)),
            missing,
            ended,
        )

    def _accepted(self, request: CeremonyRequest, missing: dict[str, str]) -> dict[str, bytes]:
        signed = open_ceremony(request.order, roots=self._roots)
        found: dict[str, bytes] = {}
        for name in signed.order.holders:
            try:
                said = self._acceptance(request, signed, name)
            except HavreError as refusal:
                missing[name] = refusal.message
                continue
            self._keep(KIND_ACCEPTANCE, f"{request.index}-{name}", said)
            found[name] = said
        return found

    def _acceptance(self, request: CeremonyRequest, signed: SignedCeremony, name: str) -> bytes:
        """Take what a holder has accepted, from a call before if that holds still.

        Once something that it names was ordered erased, it does not: it is about what lives.
        """

        def check(said: bytes) -> bytes:
            one = CeremonyRequest(request.index, request.order, request.trust, {name: said})
            check_accepted(one, signed, events=self._events(), names=[name])
            return said

        if kept := self._kept(KIND_ACCEPTANCE, f"{request.index}-{name}"):
            with suppress(HavreError):
                return check(kept)
        return check(self._holder(name).confirm(request))

    def _retired(self, request: CeremonyRequest, missing: dict[str, str]) -> dict[str, str]:
        """Ask everybody who held shares before; the certificates' hashes, by name."""
        found: dict[str, str] = {}
        for name in sorted(self._former(request.index)):
            place = f"{request.index}-{name}"
            try:
                said = self._kept(KIND_RETIREMENT, place) or self._holder(name).retire(request)
                self._check_retired(said, request, name)
            except HavreError as refusal:
                missing[name] = missing.get(name) or refusal.message
                continue
            self._keep(KIND_RETIREMENT, place, said)
            found[name] = hashlib.sha256(said).hexdigest()
        return found

    def _check_retired(self, certificate: bytes, request: CeremonyRequest, name: str) -> None:
        """Make sure that a certificate is about all that a ceremony took and that lives still.

        What was ordered erased since stands in it too, if it is from before.
        """
        events = self._events()
        named = open_certificate(certificate, roots=self._roots, custodian=name).shares
        taken = taken_shares(events, request.index, custodian=name)
        living = old_shares(events, request.index, custodian=name)
        check_certificate(
            certificate,
            roots=self._roots,
            custodian=name,
            order=request.index,
            order_sha256=hashlib.sha256(request.order).hexdigest(),
            shares={each: taken[each] for each in taken if each in living or each in named},
        )

    def _former(self, index: int) -> set[str]:
        states = read_key_states(self._events()).values()
        replaced = [state.replaced_by(index) for state in states if state.living]
        return set().union(*(each.holders for each in replaced if each))

    def _end(self, index: int, retired: Mapping[str, str]) -> int | None:
        """Say on the log that the old shares give nothing back, once that is so of every partition."""
        with self._journal.alone():
            events = self._events()
            for place, event in enumerate(events):
                if isinstance(event, OldSharesErased) and event.order == index:
                    return place
            states = read_key_states(events).values()
            replaced = [state.replaced_by(index) for state in states if state.living]
            short = [
                each
                for each in replaced
                if each
                and len(set(each.holders) & set(retired))
                < len(each.holders) - each.threshold_under(self._roots) + 1
            ]
            if short or not retired:
                return None
            (place,) = self._journal.record(
                OldSharesErased(
                    event_id=new_object_id(),
                    at=self._clock.now(),
                    order=index,
                    certificates=dict(retired),
                )
            )
        return place

    def _kept(self, kind: str, name: str) -> bytes:
        try:
            return self._records.document(kind, name)
        except NotFound:
            return b""

    def _keep(self, kind: str, name: str, document: bytes) -> None:
        self._records.commit([], [Document(kind, name, document)])
