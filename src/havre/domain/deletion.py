"""The certificate that a project is deleted: which keys, attested by whom, and what is kept.

The hub signs it when enough custodians have attested that their shares are
destroyed. It says nothing that they have not said; it says it of the project, so
that whoever held the permit has one paper to show. The permit's text, from which
the dataset was cut, is kept.

Source: Regulation (EU) 2025/327 (EHDS), article 68(12); `docs/protocols.md`, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from havre.domain.statements import Signer, Statement, open_statement, sign_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine
from havre.formats.canonical import Json
from havre.values import instant_text, parse_digest, parse_instant, parse_name

PREDICATE_DELETION = "havre/v1/deletion"
KIND_DELETION = "deletion-certificate"
STATEMENT = (
    "Enough custodians attest that the shares of this project's keys are destroyed: what was"
    " sealed to them opens no more. The permit's text is kept."
)
_FIELDS = [
    "attested",
    "certified_at",
    "ended",
    "erased",
    "extracts",
    "order",
    "state",
    "statement",
    "text_sha256",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionCertificate:
    """What is certified; every number is the index of an entry on the log.

    state: how the permit ended, `revoked` or `expired`; ended: its last entry.
    text_sha256: of the signed text of the permit, from which the extracts were cut.
    extracts: those that were made, none or more.
    order, erased: the order to destroy the keys, and the entry that closes it.
    attested: custodian to SHA-256 of its certificate.
    """

    permit: str
    state: str
    ended: int
    text_sha256: str
    extracts: tuple[int, ...]
    order: int
    erased: int
    attested: Mapping[str, str]
    certified_at: datetime


def sign_deletion(certificate: DeletionCertificate, *, origin: str, signer: Signer) -> bytes:
    """Write a certificate and sign it as the hub; returns the envelope's bytes."""
    predicate: dict[str, Json] = {
        "attested": dict(certificate.attested),
        "certified_at": instant_text(certificate.certified_at),
        "ended": certificate.ended,
        "erased": certificate.erased,
        "extracts": [*certificate.extracts],
        "order": certificate.order,
        "state": certificate.state,
        "statement": STATEMENT,
        "text_sha256": certificate.text_sha256,
    }
    statement = Statement(PREDICATE_DELETION, origin, certificate.permit, predicate)
    return sign_statement(statement, [signer])


def open_deletion(envelope: bytes, *, roots: TrustRoots) -> DeletionCertificate:
    """Make sure that the hub and nobody else signed a certificate, and read it.

    Raises:
        NotGenuine: signed by another party or of another log.
        InvalidInput: it is no certificate of ours.
    """
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_DELETION,
        origin=roots.origin,
        required={Role.HUB: 1},
    )
    if len(opened.signers) != 1:
        raise NotGenuine("A certificate of deletion is signed by the hub alone.")
    said = opened.statement.predicate
    numbers = [said.get(name) for name in ("ended", "erased", "order")]
    extracts, attested = said.get("extracts"), said.get("attested")
    if (
        sorted(said) != _FIELDS
        or said["statement"] != STATEMENT
        or not isinstance(extracts, list)
        or not isinstance(attested, dict)
        or any(type(each) is not int for each in (*numbers, *extracts))
    ):
        raise InvalidInput("A certificate of deletion has other fields than it should.")
    return DeletionCertificate(
        permit=parse_name(opened.statement.subject),
        state=str(said["state"]),
        ended=int(str(said["ended"])),
        text_sha256=parse_digest(str(said["text_sha256"])),
        extracts=tuple(int(str(each)) for each in extracts),
        order=int(str(said["order"])),
        erased=int(str(said["erased"])),
        attested={name: parse_digest(str(each)) for name, each in attested.items()},
        certified_at=parse_instant(str(said["certified_at"])),
    )
