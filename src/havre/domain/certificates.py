"""What a custodian signs when it has destroyed shares: which, under which key, and that no copy is left.

It is an attestation. Nobody can prove that he has forgotten something; what the
certificate changes is who answers for it, by name.

Source: `docs/protocols.md`, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from havre.domain.statements import Signer, Statement, open_statement, sign_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine
from havre.formats.canonical import Json
from havre.values import instant_text, parse_digest, parse_instant

PREDICATE_CERTIFICATE = "havre/v1/erasure-certificate"
# Whoever holds shares, or held some.
KEEPERS = frozenset({Role.CUSTODIAN, Role.ESCROW, Role.FORMER})
STATEMENT = "The shares named here are destroyed, and no other copy of them exists."
_FIELDS = [
    "custodian",
    "epoch_after",
    "epoch_destroyed",
    "erased_at",
    "order_sha256",
    "shares",
    "statement",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One custodian's answer to one order.

    order: index of the order's entry on the log.
    order_sha256: of the signed order.
    shares: opaque partition id to the commitment of the share that is gone.
    epoch_destroyed, epoch_after: SHA-256 of the public halves of the key under which
        the shares lay, and of the one under which what is left lies now.
    """

    custodian: str
    order: int
    order_sha256: str
    shares: Mapping[str, str]
    epoch_destroyed: str
    epoch_after: str
    erased_at: datetime

    @property
    def subject(self) -> str:
        """What its statement is about."""
        return f"erasure-{self.order}"


def sign_certificate(certificate: Certificate, *, origin: str, signer: Signer) -> bytes:
    """Write a certificate and sign it; returns the envelope's bytes."""
    predicate: dict[str, Json] = {
        "custodian": certificate.custodian,
        "epoch_after": certificate.epoch_after,
        "epoch_destroyed": certificate.epoch_destroyed,
        "erased_at": instant_text(certificate.erased_at),
        "order_sha256": certificate.order_sha256,
        "shares": dict(certificate.shares),
        "statement": STATEMENT,
    }
    statement = Statement(PREDICATE_CERTIFICATE, origin, certificate.subject, predicate)
    return sign_statement(statement, [signer])


def open_certificate(envelope: bytes, *, roots: TrustRoots, custodian: str) -> Certificate:
    """Make sure that a custodian or the escrow, and nobody else, signed a certificate, and read it.

    custodian: the short name of the one that gave it.

    Raises:
        NotGenuine: signed by another party, of another log, or it says something else.
        InvalidInput: it is no certificate of ours.
    """
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_CERTIFICATE,
        origin=roots.origin,
        required={},
    )
    signers = [signer.name for signer in opened.signers if signer.role in KEEPERS]
    if signers != [custodian] or len(opened.signers) != 1:
        raise NotGenuine(f"A certificate of custodian {custodian} is signed by somebody else.")
    said = opened.statement.predicate
    if sorted(said) != _FIELDS or not isinstance(said["shares"], dict):
        raise InvalidInput("A certificate has other fields than it should.")
    number = opened.statement.subject.removeprefix("erasure-")
    certificate = Certificate(
        custodian=str(said["custodian"]),
        order=int(number) if number.isdecimal() else -1,
        order_sha256=parse_digest(str(said["order_sha256"])),
        shares={name: parse_digest(str(each)) for name, each in said["shares"].items()},
        epoch_destroyed=parse_digest(str(said["epoch_destroyed"])),
        epoch_after=parse_digest(str(said["epoch_after"])),
        erased_at=parse_instant(str(said["erased_at"])),
    )
    about = (opened.statement.subject, certificate.custodian, said["statement"])
    if about != (certificate.subject, custodian, STATEMENT):
        raise NotGenuine(f"A certificate of custodian {custodian} is about something else.")
    return certificate


def check_certificate(
    envelope: bytes,
    *,
    roots: TrustRoots,
    custodian: str,
    order: int,
    order_sha256: str,
    shares: Mapping[str, str],
) -> None:
    """Make sure that a certificate is this custodian's, for this order and exactly these shares.

    shares: opaque partition id to the commitment that the log has of this custodian's share.

    Raises:
        NotGenuine: it is not; from `open_certificate` too.
    """
    found = open_certificate(envelope, roots=roots, custodian=custodian)
    if (found.order, found.order_sha256) != (order, order_sha256):
        raise NotGenuine(f"A certificate of custodian {custodian} is for another order.")
    if found.shares != shares:
        raise NotGenuine(f"A certificate of custodian {custodian} names other shares.")
    if found.epoch_destroyed == found.epoch_after:
        raise NotGenuine(f"A certificate of custodian {custodian} destroys no key.")
