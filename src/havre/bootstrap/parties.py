"""Those whom a hub asks, each opened when it is first asked.

A party's directory may be away: unplugged, not mounted, carried to its own
machine. Enough others answer or they do not; that is for whoever counts them to
say. So a missing party is no fault of the hub's wiring: it is a party that does
not answer, and it is named. A party that is a process of its own is named by its
address, and its channel says what is wrong.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from havre.bootstrap.party_places import PartyPlace
from havre.bootstrap.tokens import open_token
from havre.domain.custody import ShareRequest
from havre.domain.erasure_check import ErasureRequest
from havre.domain.resharing import CeremonyRequest
from havre.domain.service_address import ServiceAddress
from havre.errors import InvalidInput, NotFound, Unavailable
from havre.formats.notes import NoteSignature
from havre.ports.counters import Accountable, CounterPage, DecisionKeeper
from havre.ports.custody import DailyCustodian, SealedShares, ShareAnswer
from havre.ports.log import LogMirror
from havre.ports.witness import HandoverProof, Witness

_Party = TypeVar("_Party")


class _Reached(Generic[_Party]):
    """One party behind its directory or its address.

    open_party: makes the adapter that speaks for it; called once, when it is there.
    """

    def __init__(self, place: PartyPlace, open_party: Callable[[], _Party]) -> None:
        self._place = place
        self._open_party = open_party
        self._party: _Party | None = None

    @property
    def name(self) -> str:
        """Its short name; while it is away, its directory's, which is made after it."""
        return name_of(self._place)

    @contextmanager
    def _reached(self) -> Iterator[_Party]:
        """Speak to the party; what its directory does wrong is that it does not answer.

        Raises:
            Unavailable: it is away, or its directory cannot be used.
        """
        if self._party is None:
            try:
                self._party = self._open_party()
            except (NotFound, InvalidInput, OSError) as fault:
                if isinstance(self._place, ServiceAddress):
                    raise
                raise _away(self._place) from fault
        try:
            yield self._party
        except OSError as fault:
            raise Unavailable(
                f"{self.name} cannot use its directory: {os.strerror(fault.errno or 0)}."
            ) from fault


class _SpokenWitness(Witness, DecisionKeeper, Protocol):
    """Whatever speaks for a witness here."""


class _SpokenCustodian(DailyCustodian, Accountable, Protocol):
    """Whatever speaks for a custodian here."""


class _SpokenMirror(LogMirror, Protocol):
    """Whatever speaks for a copy of the log here."""

    def entries(self, start: int, end: int) -> list[bytes]:
        """Return entries of the copy by index."""


class ReachedWitness(_Reached[_SpokenWitness]):
    """`ports.witness.Witness`, reached when it is asked."""

    def size_seen(self, origin: str) -> int:
        """Ask what it saw last."""
        with self._reached() as witness:
            return witness.size_seen(origin)

    def cosign(
        self,
        note: bytes,
        *,
        old_size: int,
        proof: Sequence[bytes],
        handovers: Sequence[HandoverProof] = (),
    ) -> NoteSignature:
        """Ask it to cosign."""
        with self._reached() as witness:
            return witness.cosign(note, old_size=old_size, proof=proof, handovers=handovers)

    def keep_decision(self, envelope: bytes) -> str:
        """Hand it an authority's decision."""
        with self._reached() as witness:
            return witness.keep_decision(envelope)

    def withdrawals(self) -> Sequence[bytes]:
        """Ask for the decisions that it keeps."""
        with self._reached() as witness:
            return witness.withdrawals()


class ReachedMirror(_Reached[_SpokenMirror]):
    """`ports.log.LogMirror`, reached when it is asked."""

    def held(self) -> int:
        """Ask how many entries it keeps."""
        with self._reached() as mirror:
            return mirror.held()

    def extend(self, start: int, entries: Sequence[bytes], *, note: bytes) -> None:
        """Offer it entries."""
        with self._reached() as mirror:
            mirror.extend(start, entries, note=note)

    def newest_note(self) -> bytes:
        """Ask for the newest checkpoint it took entries under."""
        with self._reached() as mirror:
            return mirror.newest_note()

    def entries(self, start: int, end: int) -> list[bytes]:
        """Ask for entries of the copy."""
        with self._reached() as mirror:
            return mirror.entries(start, end)


class ReachedCustodian(_Reached[_SpokenCustodian]):
    """`ports.custody.Custodian`, reached when it is asked."""

    def begin_ceremony(self, ceremony: str) -> bytes:
        """Ask for a one-time key."""
        with self._reached() as custodian:
            return custodian.begin_ceremony(ceremony)

    def accept(self, ceremony: str, shares: SealedShares) -> Sequence[str]:
        """Hand its shares over."""
        with self._reached() as custodian:
            return custodian.accept(ceremony, shares)

    def release(self, request: ShareRequest) -> ShareAnswer:
        """Ask for its shares."""
        with self._reached() as custodian:
            return custodian.release(request)

    def revoke(self, envelope: bytes) -> str:
        """Hand it an authority's decision."""
        with self._reached() as custodian:
            return custodian.revoke(envelope)

    def erase(self, request: ErasureRequest) -> bytes:
        """Have it destroy its shares."""
        with self._reached() as custodian:
            return custodian.erase(request)

    def counter(self, first: int) -> CounterPage:
        """Ask for its counter."""
        with self._reached() as custodian:
            return custodian.counter(first)

    def withdrawals(self) -> Sequence[bytes]:
        """Ask for the decisions that authorities brought to it."""
        with self._reached() as custodian:
            return custodian.withdrawals()

    def confirm(self, request: CeremonyRequest) -> bytes:
        """Have it sign that its new shares are there."""
        with self._reached() as custodian:
            return custodian.confirm(request)

    def retire(self, request: CeremonyRequest) -> bytes:
        """Have it destroy the shares that were replaced."""
        with self._reached() as custodian:
            return custodian.retire(request)

    def give_mandate(self, envelope: bytes) -> None:
        """Hand it the controller's mandate for ingestion."""
        with self._reached() as custodian:
            custodian.give_mandate(envelope)


def name_of(place: PartyPlace) -> str:
    """A party's short name: its own word, or what its place is named while it is away."""
    if isinstance(place, ServiceAddress):
        return place.name
    try:
        return open_token(place).name
    except (NotFound, InvalidInput):
        return place.name


def directories(places: Iterable[PartyPlace]) -> list[Path]:
    """Of several parties, those that stand in directories here, in order."""
    return [place for place in places if isinstance(place, Path)]


def _away(folder: Path) -> Unavailable:
    return Unavailable(
        f"{folder.name} does not answer: its directory is away or cannot be read.",
        hint="Bring its directory back, or correct its place in havre.toml.",
    )
