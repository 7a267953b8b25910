"""Pseudonyms of one person, one value at a time: the definition of the method.

HMAC-SHA-256 in stages (`docs/protocols.md`, section 5). Bulk work is
`adapters.pseudonymiser`; this module is what it must agree with, value for value.

Every stage returns 32 hexadecimal characters, which are the next stage's input.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from havre.crypto.nir import normalise_nir
from havre.crypto.pseudonym_labels import (
    PROJECT,
    PSEUDONYM_CHARACTERS,
    PSEUDONYM_PATTERN,
    STAGE_1_NIR,
    STAGE_2,
    foreign_label,
    hmac_key,
    is_sentinel,
    technical_label,
)
from havre.errors import InvalidInput

_BIRTH: Final = re.compile("[0-9]{8}")
_SEX: Final = re.compile("[0-9]")


def pseudonym_of_nir(nir: str, *, birth: str, sex: str, secret: bytes) -> str:
    """Make the stage-1 pseudonym of a person from the NIR; done by the holder.

    nir: with its key, as `normalise_nir` takes it.
    birth: AAAAMMJJ, 8 digits; sex: one digit.
    secret: 32 bytes that only the holder has.

    Returns 32 hexadecimal characters.

    Raises:
        InvalidInput: the NIR, the date or the sex has another form.

    >>> pseudonym_of_nir("185052A00400181", birth="19850501", sex="1", secret=bytes(32))
    '030343532be8dc7cd6535bffc1edcb15'
    """
    if not _BIRTH.fullmatch(birth) or not _SEX.fullmatch(sex):
        raise InvalidInput("A birth date is not AAAAMMJJ, or a sex is not one digit.")
    return _hashed(STAGE_1_NIR + normalise_nir(nir) + birth + sex, secret=secret)


def pseudonym_of_foreign(value: str, *, realm: str, secret: bytes) -> str:
    """Make the stage-1 pseudonym of a number that is a pseudonym already.

    value: trimmed here, its case kept; one person's number in the realm.
    realm: equal values of one realm get equal pseudonyms.

    Returns 32 hexadecimal characters.

    Raises:
        InvalidInput: the value is a sentinel: it names nobody.

    >>> pseudonym_of_foreign("1234567890ABCDEFG", realm="nir-psa", secret=bytes(32))
    '952e291bd85c4692f22b94134c5abf86'
    """
    if is_sentinel(value):
        raise InvalidInput("A sentinel is not a person and gets no pseudonym.")
    return _hashed(foreign_label(realm) + value.strip(), secret=secret)


def second_stage(pseudonym: str, *, secret: bytes) -> str:
    """Make the lake pseudonym from the holder's; done by the hub.

    Raises:
        InvalidInput: the input is not 32 hexadecimal characters.
    """
    return _hashed(STAGE_2 + _checked_pseudonym(pseudonym), secret=secret)


def project_pseudonym(pseudonym: str, *, secret: bytes) -> str:
    """Make a project's pseudonym from the lake's, so that two projects share none.

    Raises:
        InvalidInput: the input is not 32 hexadecimal characters.
    """
    return _hashed(PROJECT + _checked_pseudonym(pseudonym), secret=secret)


def project_key(value: str, *, key: str, secret: bytes) -> str:
    """Replace a technical key's value in a project's extract.

    value: canonical text: a number in decimal, a date as ISO 8601, a code as it is.
    key: as `technical_label` takes it.
    """
    return _hashed(technical_label(key) + value, secret=secret)


def _hashed(message: str, *, secret: bytes) -> str:
    key = hmac_key(secret).encode("ascii")
    digest = hmac.new(key, message.encode("utf-8"), hashlib.sha256).hexdigest()
    return digest[:PSEUDONYM_CHARACTERS]


def _checked_pseudonym(text: str) -> str:
    if not re.fullmatch(PSEUDONYM_PATTERN, text):
        raise InvalidInput("A pseudonym is not 32 hexadecimal characters.")
    return text
