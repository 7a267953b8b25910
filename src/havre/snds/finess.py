"""Numbers of establishments in the FINESS: nine characters, of which the last is a key.

The DCIR has the first eight alone, the PMSI all nine. The number does not tell a legal
entity (EJ) from a place of care (ET); the column it stands in does, and not in all fields:
a public hospital signs its stays as the legal entity, a private one as the place.

Corsican numbers begin with 2A or 2B; how their key is worked out is not published, so it is
not judged here.

Source: the key is Luhn's, tried on the 46 numbers that Cnam and HDH publish as counted twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_FORM = re.compile("[0-9][0-9AB][0-9]{7}")
_EIGHT = re.compile("[0-9]{8}")

# What the number of a column names.
KIND_OF_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "ETA_NUM": "the legal entity of a public hospital, the place of a private one",
        "ETA_NUM_EPMSI": "whoever sends the stays to ATIH: an entity or a place",
        "ETA_NUM_GEO": "the place of care",
        "ETA_NUM_TWO": "the place of care",
        "ETB_EXE_FIN": "the establishment that did the act, without its key",
        "ETB_PRE_FIN": "the establishment that prescribed the act, without its key",
        "IDE_ETA_NU8": "the establishment, without its key",
        "IDE_GES_NUM": "the legal entity that runs the place",
    }
)


def is_finess(code: str) -> bool:
    """Tell whether a text is a number of nine characters with its key.

    >>> is_finess("750100018"), is_finess("750100019"), is_finess("75010001")
    (True, False, False)
    >>> is_finess("2A0000999")
    True
    """
    if not _FORM.fullmatch(code):
        return False
    return not code.isdigit() or finess_key(code[:8]) == code[8]


def finess_key(eight: str) -> str:
    """Work out the ninth digit.

    Raises:
        ValueError: these are not eight digits.

    >>> finess_key("75010001")
    '8'
    """
    if not _EIGHT.fullmatch(eight):
        raise ValueError("eight digits have a key")
    total = 0
    for place, digit in enumerate(reversed(eight)):
        doubled = int(digit) * (1 if place % 2 else 2)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)
