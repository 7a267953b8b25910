"""Commitments: what stands on the public log in place of a value that must stay off it.

HMAC-SHA-256 under a fresh salt: it says nothing while the salt is secret, even
of a value that could be guessed, binds to one value, and is as good as erased
when the salt is destroyed (`docs/protocols.md`, section 1).
"""

from __future__ import annotations

import hashlib
import hmac

from havre.crypto.random import random_bytes
from havre.errors import NotGenuine

SALT_BYTES = 32


def new_salt() -> bytes:
    """Draw a salt, for one value only: 32 bytes."""
    return random_bytes(SALT_BYTES)


def commit_to(document: bytes, *, label: str, salt: bytes) -> str:
    """Commit to a document: 64 hexadecimal characters.

    document: canonical bytes of the value.
    label: what sort of value, so that a commitment is worth nothing elsewhere.

    Raises:
        ValueError: the salt has another length.

    >>> commit_to(b"{}", label="havre/v1/vote", salt=bytes(32))[:16]
    '2f67bc15ee5df515'
    """
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 32 bytes")
    return hmac.new(salt, label.encode() + b"\n" + document, hashlib.sha256).hexdigest()


def check_opening(commitment: str, document: bytes, *, label: str, salt: bytes) -> None:
    """Make sure that a commitment was made to this document.

    Raises:
        NotGenuine: it was made to another document, label or salt.
    """
    if not hmac.compare_digest(commitment, commit_to(document, label=label, salt=salt)):
        raise NotGenuine("What was opened is not what was committed to.")
