"""The operating system's randomness: the only source Havre draws from."""

from __future__ import annotations

import os

from havre.values import ObjectId


def random_bytes(size: int) -> bytes:
    """Draw bytes that nobody can guess.

    >>> len(random_bytes(32))
    32
    """
    return os.urandom(size)


def new_object_id() -> ObjectId:
    """Draw an opaque name: 128 bits, 32 hexadecimal characters."""
    return ObjectId(os.urandom(16).hex())
