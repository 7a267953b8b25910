"""A custodian in a directory of its own, with the checks it would make on its own machine.

It follows the log itself and keeps a copy; it stores an answer before it counts
it, and counts it before it gives it; it obeys an authority that withdraws a
permit directly. One process at a time changes its state, and what one that died
left half done is finished or cut off by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from havre.adapters.custody.answers import AnswerBook
from havre.adapters.custody.erasing import ErasureBook, KnownPartitions, destroy_shares
from havre.adapters.custody.files import alone, remove_durably, write_durably
from havre.adapters.custody.notes import CeremonyNotes
from havre.adapters.custody.shares import ShareStore
from havre.adapters.custody.succession import Succession
from havre.crypto.random import random_bytes
from havre.crypto.sealing import PartitionKey, seal_key
from havre.domain.ceremony_record import CeremonyNote
from havre.domain.clocks import check_clock
from havre.domain.counter import CounterHead, sign_counter
from havre.domain.custody import (
    CustodianView,
    ReleaseRefused,
    ShareRequest,
    check_release,
    open_mandate,
)
from havre.domain.erasure import SignedOrder
from havre.domain.erasure_check import (
    ErasureRefused,
    ErasureRequest,
    ErasureView,
    check_erasure,
)
from havre.domain.events import Event, KeysReleased, KeysRequested
from havre.domain.following import Followed, follow_entries
from havre.domain.key_states import KeyState, read_key_states
from havre.domain.resharing import (
    CeremonyRequest,
    SignedCeremony,
    check_ceremony,
)
from havre.domain.transparency import check_fresh, check_head
from havre.domain.trust import Role, TrustRoots
from havre.domain.withdrawal import Withdrawal, list_withdrawn, open_withdrawal, stronger_of
from havre.errors import HavreError, NotGenuine, Refused, Unavailable
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.formats.notes import parse_checkpoint, parse_note
from havre.ports.clock import Clock
from havre.ports.counters import MOST_RECEIPTS, CounterPage
from havre.ports.custody import (
    SealedShares,
    ShareAnswer,
    ceremony_context,
    order_of,
    share_context,
)
from havre.ports.log import LogMirror, LogReader
from havre.ports.tokens import CustodianToken
from havre.values import instant_text, parse_instant, parse_name

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Offered:
    """What the log offers: a checkpoint, and its entries from one index on."""

    note: bytes
    start: int
    entries: Sequence[bytes]


class LocalCustodian:
    """One custodian.

    log: where it fetches the log by itself.
    mirror, copy: its own copy of every entry, to extend and to read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        token: CustodianToken,
        roots: TrustRoots,
        log: LogReader,
        mirror: LogMirror,
        copy: LogReader,
        clock: Clock,
    ) -> None:
        self._folder = folder
        self._token = token
        self._roots = roots
        self._log = log
        self._mirror = mirror
        self._copy = copy
        self._clock = clock
        self._shares = ShareStore(folder, keys=token, custodian=token.name)
        self._notes = CeremonyNotes(folder)
        self._answers = AnswerBook(folder, token=token, roots=roots)
        self._erased = ErasureBook(folder, custodian=token.name)
        self._succession = Succession(
            folder, signer=token, shares=self._shares, answers=self._answers
        )
        self._followed = Followed()
        self._events: list[Event] = []

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""
        return self._token.name

    def begin_ceremony(self, ceremony: str) -> bytes:
        """Make a one-time key pair for a ceremony; its private half is sealed to the token."""
        path = self._ceremony_path(ceremony)
        with alone(self._folder, party=self.name):
            if path.exists():
                raise Refused(f"Custodian {self.name} has begun this ceremony already.")
            seed = random_bytes(32)
            write_durably(path, seal_key(seed, to=self._token.seal_public, info=ceremony.encode()))
        return PartitionKey.from_seed(seed).public

    def accept(self, ceremony: str, shares: SealedShares) -> Sequence[str]:
        """Store a ceremony's shares under the epoch key, and destroy the one-time key."""
        path = self._ceremony_path(ceremony)
        offered = self._fetch() if order_of(ceremony) is not None else None
        with alone(self._folder, party=self.name):
            try:
                locked = path.read_bytes()
            except FileNotFoundError:
                raise Refused(
                    f"Custodian {self.name} knows no such ceremony, or it is over."
                ) from None
            key = PartitionKey.from_seed(self._token.open_key(locked, info=ceremony.encode()))
            context = ceremony_context(
                origin=self._roots.origin, ceremony=ceremony, custodian=self.name
            )
            bundle = parse_canonical(key.open_key(shares.sealed, info=context))
            self._erased.check_new(bundle)
            kept = self._keep(ceremony, bundle, offered)
            epoch, epoch_key = self._shares.begin_epoch()
            self._notes.add(
                CeremonyNote(
                    ceremony,
                    self._clock.now(),
                    epoch,
                    epoch_key,
                    kept,
                )
            )
            remove_durably(path)
        return [*kept]

    def _keep(self, ceremony: str, bundle: Json, offered: _Offered | None) -> dict[str, str]:
        """Store shares; returns their commitments, by opaque partition id."""
        order = order_of(ceremony)
        if order is None or offered is None:
            return self._shares.commitments(self._shares.keep(bundle))
        self._catch_up(offered)
        return self._succession.keep(order, bundle, events=self._events)

    def confirm(self, request: CeremonyRequest) -> bytes:
        """Sign that the new shares of a ceremony are here."""
        offered = self._fetch()
        with alone(self._folder, party=self.name):
            self._catch_up(offered)
            return self._succession.confirm(request, self._ceremony(request), events=self._events)

    def retire(self, request: CeremonyRequest) -> bytes:
        """Destroy the shares that a ceremony has replaced, once others hold the new ones."""
        offered = self._fetch()
        with alone(self._folder, party=self.name):
            self._answers.finish()
            now = self._catch_up(offered)
            return self._succession.retire(
                request, self._ceremony(request), events=self._events, now=now
            )

    def _ceremony(self, request: CeremonyRequest) -> SignedCeremony:
        return check_ceremony(request.index, request.order, events=self._events, roots=self._roots)

    def release(self, request: ShareRequest) -> ShareAnswer:
        """Answer a logged request: the stored answer, or a new one after every check."""
        # Before the lock: whoever serves the log slowly must not keep an authority's
        # decision waiting at the door.
        offered = self._fetch()
        with alone(self._folder, party=self.name):
            receipts = self._answers.finish()
            now = self._catch_up(offered)
            self._check_not_set_back(receipts)
            self._check_not_erased(request.index)
            stored = self._answers.find(request.index)
            if stored is not None:
                return self._whole(stored, request.index)
            self._check_may_answer(request.index)
            entry = check_release(request, self._view(request, now))
            return self._answers.add(request.index, self._sealed(request, entry))

    def _whole(self, stored: ShareAnswer, index: int) -> ShareAnswer:
        """Refuse an old answer whose shares were destroyed since, and a log without its request."""
        if index >= len(self._events):
            raise NotGenuine(
                f"The log lacks a request that custodian {self.name} has answered: it was set back.",
                hint="Keep this head: it contradicts what the log showed before.",
            )
        entry = self._events[index]
        if isinstance(entry, KeysRequested) and set(stored.shares) != set(entry.partitions):
            raise ReleaseRefused(
                f"Custodian {self.name} has destroyed shares that it gave for this request.",
                hint="Ask anew.",
            )
        return stored

    def _check_may_answer(self, index: int) -> None:
        """A daily custodian answers whoever has a ground; an escrow asks for more."""

    def revoke(self, envelope: bytes) -> str:
        """Obey an authority that revokes or suspends a permit directly, whatever the log says.

        Returns the permit's name.

        Raises:
            Refused, NotGenuine, InvalidInput: not signed by an authority of these
                roots, or no such decision.
        """
        fresh = open_withdrawal(envelope, roots=self._roots)
        path = self._folder / "withdrawn" / f"{fresh.permit}.json"
        with alone(self._folder, party=self.name):
            known = self._withdrawals().get(fresh.permit, fresh)
            if not path.exists() or stronger_of(known, fresh) is not known:
                write_durably(path, envelope)
        return fresh.permit

    def erase(self, request: ErasureRequest) -> bytes:
        """Destroy shares for a logged order: after every check, noted first, attested last."""
        offered = self._fetch()
        with alone(self._folder, party=self.name):
            self._answers.finish()
            now = self._catch_up(offered)
            if done := self._erased.find(request.index):
                return done
            known = self._known()
            view = ErasureView(self._roots, self._events, known, now)
            signed = self._check_order(check_erasure(request, view))
            partitions = signed.order.partitions
            commitments = self._commitments(partitions)
            self._erased.note(request.index, {each: known[each] for each in partitions})
            destroy_shares(signed, shares=self._shares, answers=self._answers)
            return self._erased.attest(
                request.index,
                signed,
                shares=self._shares,
                commitments=commitments,
                now=now,
                signer=self._token,
            )

    def _check_order(self, signed: SignedOrder) -> SignedOrder:
        """Obey whoever may order; an escrow asks for more."""
        return signed

    def _commitments(self, partitions: Sequence[str]) -> dict[str, str]:
        """What the log has of this custodian's shares, by partition."""
        states = read_key_states(self._events)
        found = {each: states[each].commitment_of(self.name) for each in partitions}
        if missing := sum(not each for each in found.values()):
            raise ErasureRefused(
                f"Custodian {self.name} took no part in the ceremony of {missing} partitions."
            )
        return found

    def _check_not_erased(self, index: int) -> None:
        """Refuse by name what was destroyed here, also a request that was answered before."""
        entry = self._events[index] if 0 <= index < len(self._events) else None
        asked = set(entry.partitions) if isinstance(entry, KeysRequested) else set()
        if gone := asked & set(self._erased.partitions()):
            raise ReleaseRefused(
                f"Custodian {self.name} has erased its shares of {len(gone)} of these partitions."
            )

    def _known(self) -> KnownPartitions:
        return KnownPartitions(self._shares, self._erased.partitions())

    def _mandate_begins(self, path: Path) -> datetime:
        """Tell when the mandate that is kept begins; long ago, if there is none that holds."""
        try:
            return open_mandate(path.read_bytes(), roots=self._roots)[1]
        except (FileNotFoundError, HavreError):
            return _NEVER

    def counter(self, first: int) -> CounterPage:
        """Give the signed head of its counter, and receipts from an answer's number on."""
        with alone(self._folder, party=self.name):
            self._answers.finish()
            answers, last = self._answers.last()
            receipts = self._answers.receipts(first, MOST_RECEIPTS)
        head = CounterHead(self.name, answers, last, self._clock.now())
        signed = sign_counter(head, origin=self._roots.origin, signer=self._token)
        return CounterPage(signed, receipts)

    def withdrawals(self) -> list[bytes]:
        """Give the decisions that authorities brought to it directly, in order of permit."""
        with alone(self._folder, party=self.name):
            paths = sorted((self._folder / "withdrawn").glob("*.json"))
            return [path.read_bytes() for path in paths]

    def give_mandate(self, envelope: bytes) -> None:
        """Keep the controller's standing mandate for ingestion; checked at every use.

        An older one than that which is kept may allow what the controller allows no more.
        """
        _, begins = open_mandate(envelope, roots=self._roots)
        path = self._folder / "mandate.json"
        with alone(self._folder, party=self.name):
            if begins < self._mandate_begins(path):
                raise Refused(
                    f"Custodian {self.name} has a later mandate for ingestion than this one.",
                    hint="Have the controller sign one that begins now.",
                )
            write_durably(path, envelope)

    def follow(self) -> int:
        """Follow the log without being asked for anything; returns how many entries it has.

        Raises:
            NotGenuine, Refused: the log went back, was altered, or is not the newest.
            NotFound, Unavailable: it cannot be read.
        """
        offered = self._fetch()
        with alone(self._folder, party=self.name):
            self._catch_up(offered)
        return self._followed.size

    def _fetch(self) -> _Offered:
        """Read what the log says comes after the own copy; nothing of it is believed yet."""
        note = self._log.checkpoint()
        size, start = parse_checkpoint(parse_note(note).text).size, self._mirror.held()
        entries = self._log.entries(start, size) if size > start else []
        return _Offered(note, start, entries)

    def _catch_up(self, offered: _Offered) -> datetime:
        """Take in what was fetched, and believe only a fresh head with a quorum behind it.

        Returns what time it is, by a clock that has not gone back.
        """
        now, latest = self._clock.now(), self._latest()
        check_clock(now, latest=latest, party=self.name)
        note, held = offered.note, self._mirror.held()
        # The hub may have handed some of the entries to the copy meanwhile.
        self._mirror.extend(held, offered.entries[held - offered.start :], note=note)
        known = self._copy.entries(self._followed.size, self._mirror.held())
        self._followed, events = follow_entries(self._followed, known)
        self._events += events
        _, behind = check_head(note, roots=self._roots, keys=self._followed.keys(self._roots))
        check_fresh(behind, roots=self._roots, now=now)
        # Kept only now, when witnesses have borne it out: a clock that once ran a year
        # ahead by mistake must not close this custodian for a year.
        if now > latest:
            write_durably(self._clock_path, instant_text(now).encode())
        return now

    def _latest(self) -> datetime:
        """The greatest time at which it believed a head."""
        try:
            return parse_instant(self._clock_path.read_bytes().decode("ascii", "replace"))
        except FileNotFoundError:
            return _NEVER

    def _view(self, request: ShareRequest, now: datetime) -> CustodianView:
        mandate = self._folder / "mandate.json"
        return CustodianView(
            roots=self._roots,
            events=self._events,
            partitions=KnownPartitions(self._shares, {}),
            revoked=list_withdrawn(
                self._withdrawals().values(),
                events=self._events,
                documents=request.documents,
                roots=self._roots,
            ),
            mandate=mandate.read_bytes() if mandate.exists() else None,
            now=now,
            attended=self._succession.attended(),
        )

    def _withdrawals(self) -> dict[str, Withdrawal]:
        """What authorities withdrew directly, each signature checked again, by permit."""
        paths = (self._folder / "withdrawn").glob("*.json")
        opened = [open_withdrawal(path.read_bytes(), roots=self._roots) for path in paths]
        return {withdrawal.permit: withdrawal for withdrawal in opened}

    def _sealed(self, request: ShareRequest, entry: KeysRequested) -> dict[str, bytes]:
        """Seal the shares that are asked for, those that the log names, to the one-time key."""
        states = read_key_states(self._events)
        return {
            partition: seal_key(
                encode_canonical(self._share(partition, states.get(partition))),
                to=request.one_time_key,
                info=share_context(
                    origin=self._roots.origin,
                    index=request.index,
                    partition=partition,
                    custodian=self.name,
                ),
            )
            for partition in entry.partitions
        }

    def _share(self, partition: str, state: KeyState | None) -> dict[str, Json]:
        commitment = state.holders.get(self.name) if state else None
        if commitment is None:
            return self._shares.open(partition)
        return self._shares.find(partition, commitment)

    def _check_not_set_back(self, receipts: frozenset[str]) -> None:
        """Notice a counter that was set back.

        Raises:
            NotGenuine: the log has a receipt of this custodian that its counter has not.
        """
        for event in self._events:
            if isinstance(event, KeysReleased) and event.receipts.get(self.name, "") not in (
                "",
                *receipts,
            ):
                raise NotGenuine(
                    f"The log has a receipt of custodian {self.name} that its counter has not:"
                    " it was set back."
                )

    @property
    def _clock_path(self) -> Path:
        return self._folder / "latest"

    def _ceremony_path(self, ceremony: str) -> Path:
        return self._folder / "ceremonies" / parse_name(ceremony)


class EscrowCustodian(LocalCustodian):
    """The sealed escrow: takes part in ceremonies, and answers no daily request."""

    def _check_may_answer(self, index: int) -> None:
        """Answer in a ceremony only: people of two houses ordered it, and its own attend."""
        entry = self._events[index] if 0 <= index < len(self._events) else None
        if not isinstance(entry, KeysRequested) or entry.order is None:
            raise Unavailable(
                f"Custodian {self.name} is sealed and answers no daily request.",
                hint=f"Request {index} needs the daily custodians.",
            )

    def _check_order(self, signed: SignedOrder) -> SignedOrder:
        """Obey the controller's own order only: what a hub orders does not open a safe."""
        if Role.CONTROLLER not in signed.roles:
            raise ErasureRefused(
                f"Custodian {self.name} is sealed and obeys an order of the controller only.",
                hint="Have the controller sign the order, if this share must go too.",
            )
        return signed
