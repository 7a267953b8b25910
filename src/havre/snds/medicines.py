"""Codes of medicines: CIP of a box, UCD of a hospital's unit, ATC of a substance.

Their forms and keys, not which of them exist: that is a nomenclature's to say.

Source: the rules of Club Inter Pharmaceutique (CIP7 and UCD7: weights 2 to 7, modulo 11;
CIP13 and UCD13: an EAN 13 that begins with 34009 or 34008), tried on the 9,635 CIP7, 23,126
CIP13 and 1,812 UCD codes that Cnam publishes; the levels of the WHO's ATC index.
"""

from __future__ import annotations

import re

_ATC = re.compile(
    "(?P<one>[A-Z])(?:(?P<two>[0-9]{2})(?:(?P<three>[A-Z])(?:(?P<four>[A-Z])(?P<five>[0-9]{2})?)?)?)?"
)
_SEVEN = re.compile("[0-9]{7}")
_THIRTEEN = re.compile("[0-9]{13}")
_BOX, _UNIT = "34009", "34008"


def is_cip7(code: str) -> bool:
    """Tell whether a text is a CIP of seven digits with its key. A padded one is none.

    >>> is_cip7("3173882"), is_cip7("3173883"), is_cip7("0000003173882")
    (True, False, False)
    """
    return bool(_SEVEN.fullmatch(code)) and key_of_seven(code) == code[6]


def is_cip13(code: str) -> bool:
    """Tell whether a text is a CIP of thirteen digits with its key.

    >>> is_cip13("3400934768491"), is_cip13("3400934768492")
    (True, False)
    """
    return _is_ean(code) and code.startswith(_BOX)


def is_ucd(code: str) -> bool:
    """Tell whether a text is a UCD: of seven digits, of thirteen, or padded as the SNDS has it.

    >>> is_ucd("9231824"), is_ucd("0000009231824"), is_ucd(ucd13_of("9231824")), is_ucd("9231825")
    (True, True, True, False)
    """
    if len(code) == 13 and not code.startswith("000000"):
        return _is_ean(code) and code.startswith(_UNIT)
    seven = code.removeprefix("000000") if len(code) == 13 else code
    return bool(_SEVEN.fullmatch(seven)) and key_of_seven(seven) == seven[6]


def cip13_of(cip7: str) -> str:
    """Write a CIP of seven digits as one of thirteen.

    >>> cip13_of("3476849")
    '3400934768491'
    """
    return _with_key(_BOX + cip7)


def cip7_of(cip13: str) -> str | None:
    """Find the old CIP in a new one; null when it never had one, as boxes since 2009.

    >>> cip7_of("3400934768491"), cip7_of("3400930000007")
    ('3476849', None)
    """
    seven = cip13[5:12]
    return seven if is_cip13(cip13) and key_of_seven(seven) == seven[6] else None


def ucd13_of(ucd7: str) -> str:
    """Write a UCD of seven digits as one of thirteen.

    >>> ucd13_of("9231824")
    '3400892318240'
    """
    return _with_key(_UNIT + ucd7)


def key_of_seven(code: str) -> str:
    """Work out the last digit of a CIP7, a UCD7 or an LPP code from its first six.

    >>> key_of_seven("317388"), key_of_seven("110007")
    ('2', '0')
    """
    return str(
        sum(int(digit) * weight for digit, weight in zip(code[:6], range(2, 8), strict=True))
        % 11
        % 10
    )


def atc_levels(code: str) -> tuple[str, ...]:
    """List a substance's groups from the anatomical one to itself; empty when it is no ATC code.

    >>> atc_levels("A10BA02")
    ('A', 'A10', 'A10B', 'A10BA', 'A10BA02')
    >>> atc_levels("C05B"), atc_levels("WHOMEO")
    (('C', 'C05', 'C05B'), ())
    """
    found = _ATC.fullmatch(code)
    if found is None:
        return ()
    parts = [part for part in found.groups() if part]
    return tuple("".join(parts[:level]) for level in range(1, len(parts) + 1))


def _is_ean(code: str) -> bool:
    return bool(_THIRTEEN.fullmatch(code)) and _with_key(code[:12]) == code


def _with_key(twelve: str) -> str:
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve))
    return f"{twelve}{-total % 10}"
