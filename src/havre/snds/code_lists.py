"""How the public code lists of the SNDS are read: spelled how, and valid from when to when.

The lists themselves are imported, never shipped. What stands here is what their files do not
say: that a code has a form, that a number is padded, which columns are its first and last day.

Source: the 502 code lists beside schema-snds (December 2020), and their columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from havre.snds.acts import is_csarr, plain_lpp, plain_nabm, read_ccam
from havre.snds.diagnoses import is_diagnosis
from havre.snds.medicines import is_cip7, is_cip13, is_ucd


class Spelling(StrEnum):
    """How two spellings of a code are one: beyond blanks around it and small letters.

    DIAGNOSIS: without a dot, a dagger or a star.
    NUMBER: without zeros before it.
    """

    PLAIN = "plain"
    DIAGNOSIS = "diagnosis"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """What is known of a list beside its file.

    spelling: null lets the file's own type say whether its codes are numbers.
    begins: the column of the first day, or empty.
    ends: the column of the last day, or empty; `ends_before` that of the first day without.
    has_form: tells whether a text could be a code of it, or null.
    """

    spelling: Spelling | None = None
    begins: str = ""
    ends: str = ""
    ends_before: str = ""
    has_form: Callable[[str], bool] | None = None


def _is_ccam(code: str) -> bool:
    return read_ccam(code) is not None


def _is_nabm(code: str) -> bool:
    return plain_nabm(code) != ""


def _is_lpp(code: str) -> bool:
    return plain_lpp(code) != ""


def _is_cip(code: str) -> bool:
    return is_cip13(code) or is_cip7(code.lstrip("0"))


_DIAGNOSES = CodeList(spelling=Spelling.DIAGNOSIS, has_form=is_diagnosis)
_ACTS = CodeList(has_form=_is_ccam)
_UNITS = CodeList(spelling=Spelling.NUMBER, has_form=is_ucd)

CODE_LISTS: Mapping[str, CodeList] = MappingProxyType(
    {
        "CSARR": CodeList(has_form=is_csarr),
        "IR_BIO_R": CodeList(
            spelling=Spelling.NUMBER,
            begins="BIO_CRE_DAT",
            ends_before="BIO_SUP_DAT",
            has_form=_is_nabm,
        ),
        "IR_BTF_R": CodeList(spelling=Spelling.NUMBER, begins="BTF_HIS_DTD", ends="BTF_HIS_DTF"),
        "IR_CCAM_V54": _ACTS,
        "IR_CCAM_V63": _ACTS,
        "IR_CIM_V": _DIAGNOSES,
        "IR_CIP_V": CodeList(spelling=Spelling.NUMBER, has_form=_is_cip),
        "IR_PHA_R": CodeList(spelling=Spelling.NUMBER, has_form=_is_cip),
        "IR_UCD_V": _UNITS,
        "MS_CIM_V": _DIAGNOSES,
        "NT_LPP": CodeList(spelling=Spelling.NUMBER, ends="LPP_VAL_DTF", has_form=_is_lpp),
        "NU_UCD_R": _UNITS,
    }
)
