"""Orders for a ceremony that gives a partition's shares to others: who must agree, and what follows.

It is the one act in which the seeds of everything are whole at one time, in one
process, so no house can order it alone: the controller and an authority of another
house sign, and at each custodian that gives its shares a person has looked at the
order (`attended`). The sealed escrow answers to nothing less.

An order is about everything that lived when it was given, names the trust roots
that hold afterwards, and is worth nothing for what was shared anew since.

Source: `docs/protocols.md`, section 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from havre.domain.events import Event
from havre.domain.key_events import ResharingOrdered
from havre.domain.key_states import list_to_reshare
from havre.domain.statements import Opened, Signer, Statement, open_statement, sign_statement
from havre.domain.succession import trust_digest
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import Json
from havre.values import (
    Digest,
    instant_text,
    parse_digest,
    parse_instant,
    parse_name,
    parse_object_id,
)

PREDICATE_CEREMONY = "havre/v1/ceremony-order"
# People come together within this time, or decide anew.
CEREMONY_DAYS = 30
_AHEAD = timedelta(hours=1)
_FIELDS = ["decided_at", "holders", "log_size", "previous_sha256", "threshold", "trust_sha256"]


class CeremonyRefused(Refused):
    """An order for a ceremony that does not hold, or that nobody has looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyOrder:
    """What is ordered.

    name: 32 hexadecimal characters, random: of the order itself.
    holders: who gets shares, by name, in order.
    threshold: how many of them open a partition.
    trust_sha256, previous_sha256: of the trust-root files afterwards, and before.
    log_size: entries of the log that whoever ordered had before him.
    """

    name: str
    holders: tuple[str, ...]
    threshold: int
    trust_sha256: Digest
    previous_sha256: Digest
    decided_at: datetime
    log_size: int


@dataclass(frozen=True, slots=True)
class SignedCeremony:
    """An order, and those who signed it."""

    order: CeremonyOrder
    opened: Opened

    @property
    def sha256(self) -> Digest:
        """The SHA-256 of the signed order, by which the log and people name it."""
        return self.opened.envelope_sha256


@dataclass(frozen=True, slots=True)
class CeremonyRequest:
    """What the hub asks of a custodian when its shares were replaced.

    index: of the `ResharingOrdered` entry. order: the signed order.
    trust: the trust-root file that the order names.
    acceptances: of everybody who holds the new shares, signed, by name.
    """

    index: int
    order: bytes
    trust: bytes
    acceptances: Mapping[str, bytes] = field(default_factory=dict)


def sign_ceremony(order: CeremonyOrder, *, origin: str, signers: Sequence[Signer]) -> bytes:
    """Write an order and sign it; returns the envelope's bytes."""
    _check_spelling(order)
    predicate: dict[str, Json] = {
        "decided_at": instant_text(order.decided_at),
        "holders": [*order.holders],
        "log_size": order.log_size,
        "previous_sha256": order.previous_sha256,
        "threshold": order.threshold,
        "trust_sha256": order.trust_sha256,
    }
    return sign_statement(Statement(PREDICATE_CEREMONY, origin, order.name, predicate), signers)


def open_ceremony(envelope: bytes, *, roots: TrustRoots, complete: bool = True) -> SignedCeremony:
    """Make sure that an order is signed by the controller and an authority, and read it.

    complete: false while signatures are gathered.

    Raises:
        Refused: a signature is missing, or both are of one house.
        NotGenuine, InvalidInput: it does not hold, or is no order of ours.
    """
    required = {Role.CONTROLLER: 1, Role.AUTHORITY: 1} if complete else {}
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_CEREMONY,
        origin=roots.origin,
        required=required,
    )
    if complete and len({signer.operator for signer in opened.signers}) < len(required):
        raise CeremonyRefused("An order for a ceremony is signed by people of one house only.")
    said = opened.statement.predicate
    holders, size, threshold = (said.get(name) for name in ("holders", "log_size", "threshold"))
    if sorted(said) != _FIELDS or not isinstance(holders, list):
        raise InvalidInput("An order for a ceremony has other fields than it should.")
    if type(size) is not int or type(threshold) is not int:
        raise InvalidInput("An order for a ceremony does not say how many, or when it was given.")
    order = CeremonyOrder(
        name=parse_object_id(opened.statement.subject),
        holders=tuple(parse_name(str(each)) for each in holders),
        threshold=threshold,
        trust_sha256=parse_digest(str(said["trust_sha256"])),
        previous_sha256=parse_digest(str(said["previous_sha256"])),
        decided_at=parse_instant(str(said["decided_at"])),
        log_size=size,
    )
    _check_spelling(order)
    return SignedCeremony(order, opened)


def _check_spelling(order: CeremonyOrder) -> None:
    if list(order.holders) != sorted(set(order.holders)):
        raise InvalidInput("An order for a ceremony names holders in order, each once.")
    if not 2 <= order.threshold <= len(order.holders) or order.log_size < 1:
        raise InvalidInput("An order for a ceremony has numbers that make no sense.")


def check_ceremony(
    index: int, envelope: bytes, *, events: Sequence[Event], roots: TrustRoots
) -> SignedCeremony:
    """Make sure that an order holds and stands on the log, and return it.

    index: of its entry. roots: the reader's own, from before or after the order.

    Raises:
        CeremonyRefused: naming what is missing or amiss.
        Refused, NotGenuine, InvalidInput: from the statement.
    """
    entry = events[index] if 0 <= index < len(events) else None
    if not isinstance(entry, ResharingOrdered):
        raise CeremonyRefused("The order for a ceremony is not on the log.")
    if hashlib.sha256(envelope).hexdigest() != entry.statement_sha256:
        raise CeremonyRefused("The order for a ceremony is not the one that the log names.")
    signed = open_ceremony(envelope, roots=roots)
    order = signed.order
    said = (entry.order, entry.log_size, entry.holders, entry.threshold)
    trust = (entry.trust_sha256, entry.previous_sha256)
    if (*said, *trust) != (
        order.name,
        order.log_size,
        order.holders,
        order.threshold,
        order.trust_sha256,
        order.previous_sha256,
    ):
        raise NotGenuine("The order for a ceremony says something else than its entry on the log.")
    # The order names the trust roots before it by their hash: whoever has them knows how
    # many shares opened a key, and with it how many must be gone.
    if trust_digest(roots) == order.previous_sha256 != order.trust_sha256 and (
        entry.threshold_before != roots.custodian_threshold
    ):
        raise NotGenuine("The log says of another number of shares that they opened a key before.")
    if order.log_size > index:
        raise CeremonyRefused("The order for a ceremony was given about a longer log.")
    if not -_AHEAD <= entry.at - order.decided_at <= timedelta(days=CEREMONY_DAYS):
        raise CeremonyRefused(
            f"The order for a ceremony was not put on the log within {CEREMONY_DAYS} days.",
            hint="Have it given anew.",
        )
    return signed


def check_no_ceremony(events: Sequence[Event], *, now: datetime) -> None:
    """Make sure that no ceremony is half done: it may have given shares that no entry names yet.

    After `CEREMONY_DAYS` custodians give nothing for it any more, and it holds nobody up.

    Raises:
        CeremonyRefused: one is.
    """
    for event in events:
        if (
            isinstance(event, ResharingOrdered)
            and now - event.at <= timedelta(days=CEREMONY_DAYS)
            and list_to_reshare(events, log_size=event.log_size)
        ):
            raise CeremonyRefused(
                "A ceremony that gives shares to others is half done.",
                hint="Finish it first: `havre keys reshare`.",
            )
