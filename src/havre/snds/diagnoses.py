"""Codes of the CIM-10 as hospitals write them: their form, their category, their stars.

Without a dot, three to six characters, some with an extension of the PMSI behind a plus
(F55+0). The SNDS pads some with blanks. Which codes exist is a nomenclature's to say.

Source: the WHO's ICD-10, volume 2 (dagger and asterisk); the 19,272 codes of MS_CIM_V.
"""

from __future__ import annotations

import re

_FORM = re.compile(r"(?P<category>[A-Z][0-9]{2})(?P<rest>[0-9]{0,3})(?P<extension>\+[0-9]{1,2})?")
_MARKS = str.maketrans("", "", ".†* ")

# Categories of a manifestation: never the cause of a death, and never coded alone.
ASTERISK_CATEGORIES = frozenset(
    {
        *("D63", "D77", "E35", "E90", "F00", "F02", "G01", "G02", "G05", "G07", "G13", "G22"),
        *("G26", "G32", "G46", "G53", "G55", "G59", "G63", "G73", "G94", "G99", "H03", "H06"),
        *("H13", "H19", "H22", "H28", "H32", "H36", "H42", "H45", "H48", "H58", "H62", "H67"),
        *("H75", "H82", "H94", "I32", "I39", "I41", "I43", "I52", "I68", "I79", "I98", "J17"),
        *("J91", "J99", "K23", "K67", "K77", "K87", "K93", "L14", "L45", "L54", "L62", "L86"),
        *("L99", "M01", "M03", "M07", "M09", "M14", "M36", "M49", "M63", "M68", "M73", "M82"),
        *("M90", "N08", "N16", "N22", "N29", "N33", "N37", "N51", "N74", "N77", "P75"),
    }
)


def plain_diagnosis(text: str) -> str:
    """Write a diagnosis as the SNDS does: capitals, no dot, no blank, no dagger and no star.

    >>> plain_diagnosis("e11.9 "), plain_diagnosis("G63.2*"), plain_diagnosis("A17.0†")
    ('E119', 'G632', 'A170')
    """
    return text.upper().translate(_MARKS)


def is_diagnosis(code: str) -> bool:
    """Tell whether a text has the form of a code, written plainly.

    >>> is_diagnosis("E119"), is_diagnosis("F55+0"), is_diagnosis("E11.9"), is_diagnosis("XXXXXX")
    (True, True, False, False)
    """
    return bool(_FORM.fullmatch(code))


def category_of(code: str) -> str:
    """Find the category of three characters; empty when the code has no form.

    >>> category_of("E119"), category_of("F55+0"), category_of("nothing")
    ('E11', 'F55', '')
    """
    found = _FORM.fullmatch(code)
    return found["category"] if found else ""


def parents_of(code: str) -> tuple[str, ...]:
    """List what a code refines, from its category on: an extension first loses itself.

    >>> parents_of("S82101"), parents_of("I200+0"), parents_of("E11")
    (('S82', 'S821', 'S8210'), ('I20', 'I200'), ())
    """
    found = _FORM.fullmatch(code)
    if found is None:
        return ()
    whole = found["category"] + found["rest"]
    shorter = tuple(whole[:length] for length in range(3, len(whole)))
    return (*shorter, whole) if found["extension"] else shorter


def is_manifestation(code: str) -> bool:
    """Tell whether a code is one with a star: what a disease does somewhere else in the body.

    >>> is_manifestation("G632"), is_manifestation("E114")
    (True, False)
    """
    return category_of(code) in ASTERISK_CATEGORIES
