"""Who signed what, judged by the reader's own trust roots.

Every signature on an envelope is verified, and one by a stranger spoils it: an
envelope says who stands behind it, no more and no fewer. Roles come from the
reader's roots by the bytes of the key, never from the envelope. A count of
signatures is not a check of roles: each role asked for needs people of its own.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from havre.crypto.signatures import check_signature
from havre.domain.trust import Party, Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.statements import (
    Envelope,
    Statement,
    encode_envelope,
    encode_statement,
    parse_envelope,
    parse_statement,
    signed_bytes,
)
from havre.values import Digest

__all__ = [
    "MissingSignature",
    "Opened",
    "Signer",
    "Statement",
    "WrongContext",
    "envelope_digest",
    "merge_signatures",
    "open_statement",
    "sign_statement",
]


class MissingSignature(Refused):
    """A role that must sign has not, or not by enough people."""


class WrongContext(NotGenuine):
    """A statement is genuine, but of another log or of another kind."""


class Signer(Protocol):
    """Whatever signs: a key, a token."""

    @property
    def public(self) -> bytes:
        """The Ed25519 public key, 32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """Sign a message: 64 bytes."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A statement, and everybody who signed it, in order of key."""

    statement: Statement
    signers: tuple[Party, ...]
    envelope_sha256: Digest


def sign_statement(statement: Statement, signers: Sequence[Signer]) -> bytes:
    """Write a statement and sign it; returns the envelope's bytes."""
    payload = encode_statement(statement)
    message = signed_bytes(payload)
    signatures = tuple((signer.public, signer.sign(message)) for signer in signers)
    return encode_envelope(Envelope(payload, signatures))


def merge_signatures(envelopes: Sequence[bytes]) -> bytes:
    """Put the signatures of several people under one text.

    Raises:
        Refused: the texts differ, or somebody signed twice.
    """
    parsed = [parse_envelope(envelope) for envelope in envelopes]
    if len({envelope.payload for envelope in parsed}) != 1:
        raise Refused("The texts that were signed differ.", hint="Sign the text that stands now.")
    signatures = tuple(pair for envelope in parsed for pair in envelope.signatures)
    if len({public for public, _ in signatures}) != len(signatures):
        raise Refused("This party has signed already.")
    return encode_envelope(Envelope(parsed[0].payload, signatures))


def envelope_digest(envelope: bytes) -> Digest:
    """Name an envelope by the SHA-256 of its bytes, as events do."""
    return Digest(hashlib.sha256(envelope).hexdigest())


def open_statement(
    envelope: bytes,
    *,
    roots: TrustRoots,
    predicate_type: str,
    origin: str,
    required: Mapping[Role, int],
) -> Opened:
    """Make sure who signed a statement, and return it.

    required: how many people of which role must have signed.

    Raises:
        InvalidInput: not an envelope of ours.
        NotGenuine: a signature does not fit, or is by a stranger.
        WrongContext: another kind of statement, or another log's.
        MissingSignature: a role is not there, or not by enough people.
    """
    parsed = parse_envelope(envelope)
    message = signed_bytes(parsed.payload)
    for public, signature in parsed.signatures:
        check_signature(signature, message, public=public)
    signers = tuple(roots.party_of(public) for public, _ in parsed.signatures)
    statement = parse_statement(parsed.payload)
    if statement.predicate_type != predicate_type:
        raise WrongContext("A signed statement is of another kind than the one that is needed.")
    if statement.origin != origin:
        raise WrongContext("A signed statement belongs to another log.")
    _check_roles(signers, required)
    return Opened(statement, signers, envelope_digest(envelope))


def _check_roles(signers: Sequence[Party], required: Mapping[Role, int]) -> None:
    """Count people, not keys: two keys of one operator are one person's word."""
    people = Counter(role for role, _ in {(signer.role, signer.operator) for signer in signers})
    missing = [
        f"{needed - people[role]} of role {role.value}"
        for role, needed in required.items()
        if people[role] < needed
    ]
    if missing:
        raise MissingSignature(f"Signatures are missing: {', '.join(missing)}.")
    if any(needed < 1 for needed in required.values()):
        raise InvalidInput("A role that is required must be required at least once.")
