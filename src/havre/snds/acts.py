"""Codes of acts and devices: CCAM, CSARR, NABM and LPP. Their forms, not which of them exist.

Source: the CCAM's general provisions (site, action, access, then three digits; one digit for
the activity, one for the phase); the CSARR; the NABM and the LPP as Cnam publishes them (the
key of an LPP code was tried on all 19,717).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from havre.snds.medicines import key_of_seven

_CCAM = re.compile("(?P<code>[A-Z]{4}[0-9]{3})(?:(?P<activity>[1-5])(?P<phase>[0-9])?)?")
_CSARR = re.compile(r"[A-Z]{3}\+[0-9]{3}")
_NABM = re.compile("[0-9]{1,4}")
_LPP = re.compile("[0-9]{7}")
ANAESTHESIA = "4"


@dataclass(frozen=True, slots=True)
class CcamAct:
    """An act of the CCAM.

    activity: 1 is the main one, 4 the anaesthesia; empty when the text has none.
    phase: of an act in several sittings, 0 when there is one; empty when the text has none.
    """

    code: str
    activity: str = ""
    phase: str = ""

    @property
    def site(self) -> str:
        """The part of the body: two letters."""
        return self.code[:2]

    @property
    def action(self) -> str:
        """What is done: one letter."""
        return self.code[2]

    @property
    def access(self) -> str:
        """How it is reached: one letter."""
        return self.code[3]


def read_ccam(text: str) -> CcamAct | None:
    """Read an act with its activity and phase, if it has them; null when it is none.

    >>> read_ccam("AHQP00110"), read_ccam("AHQP1")
    (CcamAct(code='AHQP001', activity='1', phase='0'), None)
    """
    found = _CCAM.fullmatch(text.strip().upper())
    return CcamAct(found["code"], found["activity"] or "", found["phase"] or "") if found else None


def is_csarr(code: str) -> bool:
    """Tell whether a text has the form of an act of rehabilitation.

    >>> is_csarr("ALQ+183"), is_csarr("ALQ183")
    (True, False)
    """
    return bool(_CSARR.fullmatch(code))


def plain_nabm(text: str) -> str:
    """Write the number of an act of biology with four digits; empty when it is none.

    >>> plain_nabm("215"), plain_nabm("00000215"), plain_nabm("B20")
    ('0215', '0215', '')
    """
    digits = text.strip().lstrip("0") or "0"
    return digits.zfill(4) if _NABM.fullmatch(digits) else ""


def plain_lpp(text: str) -> str:
    """Write a device's code with seven digits, as the SNDS pads it to thirteen; empty when it is none.

    >>> plain_lpp("0000001100028"), plain_lpp("1100028"), plain_lpp("1100029")
    ('1100028', '1100028', '')
    """
    code = (text.strip().lstrip("0") or "-").zfill(7)
    return code if _LPP.fullmatch(code) and key_of_seven(code) == code[6] else ""
