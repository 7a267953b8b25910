"""A private seed under a passphrase: Argon2id and AES-256-GCM, as a small text file.

Bytes in, bytes out. The cost of guessing stands in the file, so that it can
rise without a new format: a passphrase that a person remembers is stretched
hard; one of 256 random bits, made by a machine, needs no stretching.

Source: RFC 9106 (Argon2id), second recommended option for people's passphrases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from havre.crypto.random import random_bytes
from havre.errors import InvalidInput, Refused

FORMAT = "havre/v1/key-file"
_MAX_BYTES = 16 * 1024
_SALT_BYTES, _NONCE_BYTES = 16, 12


class WrongPassphrase(Refused):
    """A key file does not open under this passphrase."""


class Stretch(StrEnum):
    """How hard a guess is made."""

    PERSON = "person"
    MACHINE = "machine"


# memory in KiB, passes, lanes
_COSTS: Mapping[Stretch, tuple[int, int, int]] = {
    Stretch.PERSON: (64 * 1024, 3, 4),
    Stretch.MACHINE: (8 * 1024, 1, 1),
}


def lock_seeds(seeds: Mapping[str, bytes], *, passphrase: bytes, stretch: Stretch) -> bytes:
    """Write private seeds under a passphrase.

    seeds: by use, such as `sign` and `seal`; 32 bytes each.

    >>> locked = lock_seeds({"sign": bytes(32)}, passphrase=b"word", stretch=Stretch.MACHINE)
    >>> unlock_seeds(locked, passphrase=b"word") == {"sign": bytes(32)}
    True
    """
    salt, nonce = random_bytes(_SALT_BYTES), random_bytes(_NONCE_BYTES)
    clear = json.dumps({use: seed.hex() for use, seed in sorted(seeds.items())}).encode()
    key = _stretched(passphrase, salt=salt, stretch=stretch)
    body = {
        "format": FORMAT,
        "stretch": stretch.value,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
        "locked": AESGCM(key).encrypt(nonce, clear, FORMAT.encode()).hex(),
    }
    return (json.dumps(body, indent=1) + "\n").encode()


def unlock_seeds(document: bytes, *, passphrase: bytes) -> dict[str, bytes]:
    """Read private seeds.

    Raises:
        InvalidInput: not a key file.
        WrongPassphrase: it does not open.
    """
    try:
        if len(document) > _MAX_BYTES:
            raise ValueError
        body = json.loads(document)
        if body["format"] != FORMAT:
            raise ValueError
        salt, nonce, locked = (bytes.fromhex(body[name]) for name in ("salt", "nonce", "locked"))
        key = _stretched(passphrase, salt=salt, stretch=Stretch(body["stretch"]))
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("A key file is not of the form havre/v1/key-file.") from None
    try:
        clear = AESGCM(key).decrypt(nonce, locked, FORMAT.encode())
    except (InvalidTag, ValueError):
        raise WrongPassphrase(
            "A key file does not open under this passphrase.",
            hint="Check which passphrase file party.toml names.",
        ) from None
    return {use: bytes.fromhex(seed) for use, seed in json.loads(clear).items()}


def _stretched(passphrase: bytes, *, salt: bytes, stretch: Stretch) -> bytes:
    memory_kib, passes, lanes = _COSTS[stretch]
    return Argon2id(
        salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory_kib
    ).derive(passphrase)
