"""Labels, keys and spellings that every way of making pseudonyms shares.

A label goes in front of what is hashed, so that the same value hashed for two
uses gives two unlinkable results (`docs/protocols.md`, section 5).

The HMAC key is the 64 ASCII bytes of the secret's lower-case hexadecimal, not
the 32 raw bytes: bulk tools take a key as text, and a difference here would
make two hubs disagree in silence.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from havre.errors import InvalidInput

STAGE_1_NIR: Final = "havre/v1/p1\n"
STAGE_2: Final = "havre/v1/p2\n"
PROJECT: Final = "havre/v1/pp\n"
ROW_ORDER: Final = "havre/v1/row-order\n"

# 32 hexadecimal characters are 16 bytes: with 70 million people a collision has
# odds of about 7e-24, and half of SHA-256 is the floor of RFC 2104, section 5.
PSEUDONYM_CHARACTERS: Final = 32
PSEUDONYM_PATTERN: Final = "[0-9a-f]{32}"

# All X apart from at most one letter at either end, in any case; or all zeros.
# These spellings stand in published SNDS documentation for "no number".
SENTINEL_PATTERN: Final = "(?:[A-Za-z]?[Xx]{6,}[A-Za-z]?|0+|)"

_SECRET_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def hmac_key(secret: bytes) -> str:
    """Spell a secret as the text whose ASCII bytes are the HMAC key.

    Raises:
        ValueError: the secret is not 32 bytes.
    """
    if len(secret) != _SECRET_BYTES:
        raise ValueError("a pseudonym secret is 32 bytes")
    return secret.hex()


def foreign_label(realm: str) -> str:
    """Name stage 1 of a pseudonym that somebody else made, by its realm.

    >>> foreign_label("nir-psa")
    'havre/v1/p1f\\nnir-psa\\n'
    """
    return f"havre/v1/p1f\n{_checked_name(realm)}\n"


def technical_label(key: str) -> str:
    """Name the replacement of a technical key in an extract.

    key: the realm of the value, or the column's name when it has no realm.

    >>> technical_label("eta")
    'havre/v1/pk/eta\\n'
    """
    return f"havre/v1/pk/{_checked_name(key)}\n"


def is_sentinel(value: str, sentinels: Collection[str] = ()) -> bool:
    """Tell whether a value means "no number" and must never become a person.

    sentinels: further spellings, compared without case.

    >>> is_sentinel("XXXXXXXXXXXXXXXXD"), is_sentinel("1234567890ABCDEFG")
    (True, False)
    """
    trimmed = value.strip()
    listed = {sentinel.strip().casefold() for sentinel in sentinels}
    return trimmed.casefold() in listed or re.fullmatch(SENTINEL_PATTERN, trimmed) is not None


def _checked_name(name: str) -> str:
    # A newline in a realm could make one label spell another.
    if not _NAME.fullmatch(name):
        raise InvalidInput("A realm or a key holds something else than letters, digits, _ and -.")
    return name
