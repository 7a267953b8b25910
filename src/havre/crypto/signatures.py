"""Ed25519 signatures, and the name of a key.

RFC 8032, through `cryptography`. A verification raises or returns nothing, so
that nobody can forget to look at the answer.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from havre.errors import NotGenuine
from havre.values import Digest

PUBLIC_KEY_BYTES = 32
SEED_BYTES = 32


class SigningKey:
    """An Ed25519 private key.

    >>> key = SigningKey.from_seed(bytes(32))
    >>> check_signature(key.sign(b"yes"), b"yes", public=key.public)
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> SigningKey:
        """Draw a new key from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """Make the key of a 32-byte seed.

        Raises:
            ValueError: the seed has another length.
        """
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def seed(self) -> bytes:
        """The 32 bytes that make the key; whoever has them signs."""
        return self._key.private_bytes_raw()

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Sign a message: 64 bytes, always the same for the same message."""
        return self._key.sign(message)


def check_signature(signature: bytes, message: bytes, *, public: bytes) -> None:
    """Make sure that the holder of a key signed exactly this message.

    public: Ed25519 public key, 32 bytes.

    Raises:
        NotGenuine: another key, another message, or no key at all.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise NotGenuine("A signature does not fit its key and message.") from None


def key_id(public: bytes) -> Digest:
    """Name a public key by the SHA-256 of its bytes, as events do.

    >>> key_id(bytes(32))[:8]
    '66687aad'
    """
    return Digest(hashlib.sha256(public).hexdigest())
