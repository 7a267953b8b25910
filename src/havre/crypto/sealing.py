"""Sealing: keys to a party's public key (HPKE), bytes under a key of their own (AES-256-GCM).

The key encapsulation is the hybrid of ML-KEM-768 and X25519: ciphertext that is
kept for fifty years must survive a quantum computer, and a weakness of either
half alone gives nothing. `cryptography` implements it; no primitive is ours.

What is sealed to a public key begins with the number of its algorithm, so that
another can be added beside it and old ciphertext still be opened. Streams are
named by the label that is their associated data.

Source: RFC 9180 (HPKE) with the MLKEM768-X25519 suite; RFC 5869 (HKDF);
`docs/protocols.md`, sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from havre.crypto.random import random_bytes
from havre.errors import NotGenuine

SEED_BYTES = 32
KEY_BYTES = 32

# ML-KEM-768's encapsulation key, then X25519's public key.
_MLKEM_PUBLIC_BYTES = 1184
PUBLIC_KEY_BYTES = _MLKEM_PUBLIC_BYTES + 32

# A reader holds one chunk, and gives none of it on before its tag is checked.
CHUNK_BYTES = 1 << 20
_TAG_BYTES = 16

# The algorithms of sealing to a public key, by the byte that what they sealed begins
# with. A number is never used for another one; 0 is none.
MLKEM768_X25519_HKDF_SHA256_AES_256_GCM = 1
_SUITES = {
    MLKEM768_X25519_HKDF_SHA256_AES_256_GCM: Suite(
        KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM
    )
}
_STREAM_LABEL = b"havre/v1/stream\n"


class UnknownAlgorithm(NotGenuine):
    """What was sealed names an algorithm that this version does not know."""


class PartitionKey:
    """An HPKE key pair, grown from a seed: a partition's, a party's, a one-time one.

    >>> key = PartitionKey.from_seed(bytes(32))
    >>> sealed = seal_key(b"k" * 32, to=key.public, info=b"context")
    >>> key.open_key(sealed, info=b"context") == b"k" * 32
    True
    """

    def __init__(self, mlkem: MLKEM768PrivateKey, x25519: X25519PrivateKey) -> None:
        self._private = MLKEM768X25519PrivateKey(mlkem, x25519)
        self._public = (
            mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        )

    @classmethod
    def from_seed(cls, seed: bytes) -> PartitionKey:
        """Derive the pair: HKDF-SHA-256 to 96 bytes, 64 for ML-KEM and 32 for X25519.

        Raises:
            ValueError: the seed has not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise ValueError("a seed has 32 bytes")
        grown = HKDF(hashes.SHA256(), 96, salt=None, info=b"havre/v1/partition-key").derive(seed)
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(grown[:64]),
            X25519PrivateKey.from_private_bytes(grown[64:]),
        )

    @classmethod
    def generate(cls) -> PartitionKey:
        """Make a pair that nobody can make again: for one use."""
        return cls.from_seed(random_bytes(SEED_BYTES))

    @property
    def public(self) -> bytes:
        """The public key, 1,216 bytes."""
        return self._public

    def open_key(self, sealed: bytes, *, info: bytes) -> bytes:
        """Open what `seal_key` sealed to this pair under the same `info`.

        Raises:
            UnknownAlgorithm: by a later version of Havre, or altered.
            NotGenuine: sealed to another key or context, or altered.
        """
        suite = _suite_of(sealed)
        try:
            return suite.decrypt(sealed[1:], self._private, info=info)
        except (InvalidTag, ValueError):
            raise NotGenuine(
                "A sealed key does not open: another key, another context, or altered bytes."
            ) from None


def seal_key(secret: bytes, *, to: bytes, info: bytes) -> bytes:
    """Seal a short secret to a public key, bound to a context.

    to: 1,216 bytes, as `PartitionKey.public`.
    info: canonical bytes of the context; opening needs the same.

    Raises:
        ValueError: `to` is no public key.
    """
    if len(to) != PUBLIC_KEY_BYTES:
        raise ValueError("a public key has 1216 bytes")
    number = MLKEM768_X25519_HKDF_SHA256_AES_256_GCM
    return bytes([number]) + _SUITES[number].encrypt(secret, _read_public(to), info=info)


# A version seals a thousand keys to a handful of partitions; reading a public key anew
# for each would cost a sixth of the sealing.
@lru_cache(maxsize=64)
def _read_public(to: bytes) -> MLKEM768X25519PublicKey:
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(to[:_MLKEM_PUBLIC_BYTES]),
        X25519PublicKey.from_public_bytes(to[_MLKEM_PUBLIC_BYTES:]),
    )


def _suite_of(sealed: bytes) -> Suite:
    """Find the algorithm that something was sealed by."""
    suite = _SUITES.get(sealed[0]) if sealed else None
    if suite is None:
        named = f"algorithm {sealed[0]}" if sealed else "no algorithm"
        raise UnknownAlgorithm(
            f"A sealed key names {named}, which this version of Havre does not know.",
            hint="It comes from a later version, or was altered.",
        )
    return suite


class FileKey:
    """A key for one object and one write attempt, taken once.

    A retry draws a new one: under a key used twice, two ciphertexts would share
    their nonces.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._taken = False

    @classmethod
    def draw(cls) -> FileKey:
        """Draw 32 bytes from the operating system."""
        return cls(random_bytes(KEY_BYTES))

    def take(self) -> bytes:
        """Give the key to the one write it is for.

        Raises:
            ValueError: it was taken before.
        """
        if self._taken:
            raise ValueError("a file key is used for one write only")
        self._taken = True
        return self.raw


def seal_stream(chunks: Iterable[bytes], *, key: FileKey, object_id: str) -> Iterator[bytes]:
    """Encrypt bytes of any length, in pieces of 1 MiB and a tag each.

    Exactly one piece is marked as the last, also of an empty stream, so that a
    stream cannot be cut off unnoticed.
    """
    cipher = AESGCM(key.take())
    label = _STREAM_LABEL + object_id.encode()
    counter = 0
    waiting = b""
    for piece in _pieces(chunks):
        if waiting:
            yield cipher.encrypt(_nonce(counter, last=False), waiting, label)
            counter += 1
        waiting = piece
    yield cipher.encrypt(_nonce(counter, last=True), waiting, label)


def open_stream(chunks: Iterable[bytes], *, key: bytes, object_id: str) -> Iterator[bytes]:
    """Decrypt what `seal_stream` wrote; a piece comes out once its tag was checked.

    key: 32 bytes.

    Raises:
        NotGenuine: another key or object, altered, cut off, or something after the end.
    """
    cipher = AESGCM(key)
    label = _STREAM_LABEL + object_id.encode()
    waiting: bytes | None = None
    counter = 0
    for piece in _pieces(chunks, size_bytes=CHUNK_BYTES + _TAG_BYTES):
        if waiting is not None:
            yield _opened(cipher, waiting, _nonce(counter, last=False), label)
            counter += 1
        waiting = piece
    yield _opened(cipher, waiting or b"", _nonce(counter, last=True), label)


def _opened(cipher: AESGCM, piece: bytes, nonce: bytes, label: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, piece, label)
    except InvalidTag:
        raise NotGenuine(
            "A sealed object does not open: another key, altered bytes, or cut off."
        ) from None


def _nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _pieces(chunks: Iterable[bytes], *, size_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Cut chunks of any sizes into pieces of one size; the last is shorter, none is empty."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= size_bytes:
            yield bytes(held[:size_bytes])
            del held[:size_bytes]
    if held:
        yield bytes(held)
