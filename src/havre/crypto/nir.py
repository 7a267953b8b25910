"""The NIR, the French social security number: its form and its key.

Sex 1-8, year, month (20-42 and 50-99 when the civil record is incomplete),
department with Corsica's letters, commune or country, order; then the key.
"""

from __future__ import annotations

import re
from typing import Final

from havre.errors import InvalidInput

NIR_PATTERN: Final = "[1-8][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}[0-9]{2}"


def normalise_nir(text: str) -> str:
    """Read a NIR with its key and return the 13 characters that name the person.

    text: 15 characters besides spaces; letters in any case.

    Raises:
        InvalidInput: another form, or the key does not fit.

    Source: the key is 97 - (N mod 97), where the Corsican departments 2A and
    2B count as 19 and 18.

    >>> normalise_nir("1 85 05 2A 004 001 81")
    '185052A004001'
    """
    compact = text.replace(" ", "").upper()
    if not re.fullmatch(NIR_PATTERN, compact):
        raise InvalidInput("A NIR is not 13 characters and a key of two digits.")
    number, key = compact[:13], compact[13:]
    if 97 - int(number.replace("2A", "19").replace("2B", "18")) % 97 != int(key):
        raise InvalidInput("The key of a NIR does not fit its number.")
    return number
