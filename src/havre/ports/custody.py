"""A custodian: holds one share of every partition, and opens it for a logged permit only.

Promised: an answer is stored, then counted, then given, and the same entry gets
the byte-identical answer; a share that is held is never replaced; a share is in
clear nowhere but in the custodian's memory while it is sealed anew; a refusal is
named.
What is erased is never opened, never given again, and never taken in anew.
What may be repeated: everything but `accept` of a ceremony that is over.
What may block: reading the log; another process of the same custodian; a person,
for a sealed escrow.
Final errors: `Refused`, `NotGenuine`. `Unavailable` is not.
Who may call it: `application.vault`, `application.pseudonymise` and the ceremony.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from havre.domain.custody import ShareRequest
from havre.domain.erasure_check import ErasureRequest
from havre.domain.resharing import CeremonyRequest

# What a share's words are committed to under, on the log.
SHARE_LABEL = "havre/v1/share-commitment"


@dataclass(frozen=True, slots=True)
class ShareAnswer:
    """What a custodian gives.

    shares: opaque partition id to its share, sealed to the one-time key.
    receipt: a signed statement of what was given, with the custodian's counter.
    """

    shares: Mapping[str, bytes]
    receipt: bytes


@dataclass(frozen=True, slots=True)
class SealedShares:
    """A ceremony's outcome for one custodian: its shares, sealed to its ceremony key."""

    custodian: str
    sealed: bytes


class Custodian(Protocol):
    """One custodian."""

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""

    def begin_ceremony(self, ceremony: str) -> bytes:
        """Make a one-time HPKE key pair for a ceremony; return the public half.

        Raises:
            Refused: this ceremony was begun before.
        """

    def accept(self, ceremony: str, shares: SealedShares) -> Sequence[str]:
        """Take the shares in, store them, destroy the one-time key.

        Returns the opaque ids of the partitions, in order.

        Raises:
            NotGenuine: not sealed to this ceremony's key.
            Refused: the ceremony was never begun, or is over, or another share of
                one of its partitions is held.
        """

    def release(self, request: ShareRequest) -> ShareAnswer:
        """Open shares for a logged request, after checking everything itself.

        Raises:
            Refused, NotGenuine: naming what is missing or amiss.
        """

    def revoke(self, envelope: bytes) -> str:
        """Obey an authority that revokes or suspends a permit, whatever the log says.

        envelope: the signed decision, from the authority itself. A revocation is
            for ever; a suspension stands until it is on the log and two authorities
            have granted the permit anew on that ground.

        Returns the permit's name.

        Raises:
            Refused, NotGenuine, InvalidInput: no such decision, or by nobody who may.
            Unavailable: it cannot be kept.
        """

    def erase(self, request: ErasureRequest) -> bytes:
        """Destroy shares for a logged order, after checking everything itself.

        Returns the signed certificate; the same order asked again gets the same bytes.

        Raises:
            Refused, NotGenuine: naming what is missing or amiss; nothing was destroyed.
        """

    def confirm(self, request: CeremonyRequest) -> bytes:
        """Sign that the new shares of a logged re-sharing are here.

        Returns the signed acceptance; the same each time.

        Raises:
            Refused, NotGenuine: there is no such order, or the shares are not here.
        """

    def retire(self, request: CeremonyRequest) -> bytes:
        """Destroy the shares that a logged re-sharing has replaced.

        Returns the signed certificate; the same order asked again gets the same bytes.

        Raises:
            Refused, NotGenuine: they may be needed still; nothing was destroyed.
        """


class DailyCustodian(Custodian, Protocol):
    """A custodian that also opens deliveries at night, under the controller's mandate."""

    def give_mandate(self, envelope: bytes) -> None:
        """Keep the controller's standing mandate for ingestion; it is checked at every use.

        Raises:
            Refused, NotGenuine, InvalidInput: the controller did not sign it, or it is older
                than the one that is kept.
            Unavailable: it cannot be kept.
        """


def share_context(*, origin: str, index: int, partition: str, custodian: str) -> bytes:
    """Write what a released share is bound to: this request, this partition, this custodian."""
    return f"havre/v1/share\n{origin}\n{index}\n{partition}\n{custodian}".encode()


def ceremony_context(*, origin: str, ceremony: str, custodian: str) -> bytes:
    """Write what a ceremony's shares are bound to on their way to a custodian."""
    return f"havre/v1/ceremony\n{origin}\n{ceremony}\n{custodian}".encode()


_RESHARING = "reshare-"


def ceremony_name(order: int, attempt: str) -> str:
    """Name one attempt at a part of a re-sharing, so that custodians know which order it is of.

    >>> ceremony_name(12, "ab")
    'reshare-12-ab'
    """
    return f"{_RESHARING}{order}-{attempt}"


def order_of(ceremony: str) -> int | None:
    """Tell which order a ceremony's name is of, or null when it makes new key pairs.

    >>> order_of("reshare-12-ab"), order_of("0123")
    (12, None)
    """
    number = ceremony.removeprefix(_RESHARING).partition("-")[0]
    return int(number) if ceremony.startswith(_RESHARING) and number.isdecimal() else None
