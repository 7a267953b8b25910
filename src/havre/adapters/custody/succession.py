"""A custodian in a ceremony that gives shares to others: attended, accepted, retired.

New shares wait beside the old ones until the log says that they count. The old ones
are destroyed by a new epoch, and the certificate is stored before it is given. A
process that dies in between is gone on with by the next call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from havre.adapters.custody.answers import AnswerBook
from havre.adapters.custody.files import write_durably
from havre.adapters.custody.shares import ShareStore
from havre.domain.acceptance import NamedSigner, sign_acceptance
from havre.domain.certificates import Certificate, sign_certificate
from havre.domain.custody import ReleaseRefused
from havre.domain.events import Event
from havre.domain.key_events import ResharingOrdered
from havre.domain.resharing import CeremonyRefused, CeremonyRequest, SignedCeremony
from havre.domain.retiring import (
    ceremony_receipts,
    check_retirement,
    ended_shares,
    logged_shares,
    new_shares,
    old_shares,
)
from havre.errors import NotGenuine
from havre.formats.canonical import Json
from havre.values import parse_digest

_ATTENDED = "attended"


class Succession:
    """One custodian's part in such ceremonies. Its caller keeps other processes out."""

    def __init__(
        self, folder: Path, *, signer: NamedSigner, shares: ShareStore, answers: AnswerBook
    ) -> None:
        self._folder = folder
        self._signer = signer
        self._shares = shares
        self._answers = answers

    def attended(self) -> frozenset[str]:
        """Name the orders that a person here has looked at, by SHA-256."""
        return frozenset(path.name for path in (self._folder / _ATTENDED).glob("[0-9a-f]*"))

    def keep(self, index: int, bundle: Json, *, events: Sequence[Event]) -> dict[str, str]:
        """Let new shares wait, if an order on the log names this custodian as a holder.

        Returns their commitments, by opaque partition id.

        Raises:
            CeremonyRefused: there is no such order.
        """
        entry = events[index] if 0 <= index < len(events) else None
        if not isinstance(entry, ResharingOrdered) or self._signer.name not in entry.holders:
            raise CeremonyRefused(
                f"No order on the log makes custodian {self._signer.name} a holder of these shares."
            )
        # Also those of a ceremony before this one, whose shares count until the log says
        # that these do: should this one fail, nothing else would open the partition.
        counting = logged_shares(events, custodian=self._signer.name)
        return self._shares.keep_waiting(bundle, counting=counting)

    def confirm(
        self, request: CeremonyRequest, signed: SignedCeremony, *, events: Sequence[Event]
    ) -> bytes:
        """Sign that the new shares are here: opened, and compared with the log.

        Raises:
            CeremonyRefused: the log gives this custodian none.
            NotGenuine: some of them are not here, or are others than the log says.
        """
        given = new_shares(events, request.index, custodian=self._signer.name)
        if not given:
            raise CeremonyRefused(f"The ceremony gave custodian {self._signer.name} no share.")
        missing = sum(not self._holds(name, commitment) for name, commitment in given.items())
        if missing:
            raise NotGenuine(
                f"Custodian {self._signer.name} does not hold the shares of {missing} partitions"
                " that the log says it was given."
            )
        self._shares.settle(given)
        return sign_acceptance(
            given,
            order=request.index,
            order_sha256=signed.sha256,
            origin=signed.opened.statement.origin,
            signer=self._signer,
        )

    def retire(
        self,
        request: CeremonyRequest,
        signed: SignedCeremony,
        *,
        events: Sequence[Event],
        now: datetime,
    ) -> bytes:
        """Destroy the old shares, and attest it; the same order gets the same bytes.

        Raises:
            CeremonyRefused, NotGenuine: they may be needed still.
        """
        path = self._folder / "retired" / f"{request.index}.certificate"
        if path.exists():
            return path.read_bytes()
        check_retirement(request, signed, events=events)
        self._check_gave(events, request.index)
        taken = old_shares(events, request.index, custodian=self._signer.name)
        if not taken:
            raise CeremonyRefused(
                f"Custodian {self._signer.name} held no share before the ceremony."
            )
        given = new_shares(events, request.index, custodian=self._signer.name)
        for name, commitment in given.items():
            if not self._holds(name, commitment):
                raise NotGenuine(f"Custodian {self._signer.name} lacks a new share of its own.")
        ended = ended_shares(events, request.index, custodian=self._signer.name)
        self._shares.succeed(ended, by=given)
        self._answers.forget(frozenset(taken))
        envelope = self._certificate(request, signed, taken, now=now)
        write_durably(path, envelope)
        return envelope

    def _check_gave(self, events: Sequence[Event], index: int) -> None:
        """Make sure that this custodian gave for a ceremony what the log says it gave.

        Raises:
            NotGenuine: somebody made an opening up.
        """
        for request, receipts in ceremony_receipts(events, index).items():
            said = receipts.get(self._signer.name)
            if said is not None and said != self._answers.receipt_of(request):
                raise NotGenuine(
                    f"The log says that custodian {self._signer.name} opened its shares for the"
                    " ceremony, and it did not."
                )

    def _holds(self, partition: str, commitment: str) -> bool:
        try:
            self._shares.find(partition, commitment)
        except ReleaseRefused:
            return False
        return True

    def _certificate(
        self,
        request: CeremonyRequest,
        signed: SignedCeremony,
        taken: Mapping[str, str],
        *,
        now: datetime,
    ) -> bytes:
        ended = [turn for turn in self._shares.history() if set(turn.erased) & set(taken)]
        if not ended:
            raise NotGenuine(
                f"Custodian {self._signer.name} cannot say under which key the shares lay."
            )
        certificate = Certificate(
            custodian=self._signer.name,
            order=request.index,
            order_sha256=signed.sha256,
            shares=dict(taken),
            epoch_destroyed=parse_digest(ended[-1].ended_key),
            epoch_after=parse_digest(self._shares.begin_epoch()[1]),
            erased_at=now,
        )
        origin = signed.opened.statement.origin
        return sign_certificate(certificate, origin=origin, signer=self._signer)


def attendance_of(signed: SignedCeremony) -> tuple[str, str]:
    """Name the folder and the file in which it is noted that a person has looked at an order.

    The custodian's own operator does that, at its own directory; nobody can ask for it.
    """
    return _ATTENDED, signed.sha256
