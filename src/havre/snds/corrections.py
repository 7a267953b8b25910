"""What is wrong in the public schema of the SNDS, and what we put in its place, as data.

Each entry names the defect, the day we settled it, why, and what changes. The
published files are never edited: a hub that imports them applies this table on
top and says which entries it used. Entries are applied in order; the last word
about a property counts.

Types and lengths by name stand in `snds.registry`; how tables are filed, in `snds.filing`.

Source: an audit of the 188 published tables (schema-snds, December 2020)
against the dictionaries of Cnam and ATIH of 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from havre.snds.history import FIRST_YEARS, LAST_YEARS
from havre.snds.registry import LENGTH_OF_NAMES, TYPE_OF_NAMES
from havre.snds.treatments import TREATMENTS, ColumnTreatment

__all__ = ["CORRECTIONS", "TREATMENTS", "ColumnTreatment", "Correction"]

RETURN_CODE = "[0-9]"
FINESS_9 = "[0-9][0-9AB][0-9]{7}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One entry.

    tables, columns: patterns with `*`, compared without case.
    names: whole names in upper case, compared without case; besides the patterns.
    types: only columns published with one of these; empty means any.
    coded: only columns that have a code list.
    to_type: the type that is right, or null to leave it.
    pattern: a regular expression for the whole cell, or null.
    to_length: most characters, or null to leave it; 0 takes the limit away.
    to_upper_case: the name is written in capitals.
    by_year: a delivered header may lack columns that are published for some years only.
    to_since, to_until: first and last year that have the columns, or null to leave them.
    primary_key: the columns that no two rows share, or null to leave it.
    may_lack, may_have: columns that a delivered header may lack or have besides.
    """

    defect: str
    settled: date
    why: str
    tables: str = "*"
    columns: str = ""
    types: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    coded: bool = False
    to_type: str | None = None
    to_length: int | None = None
    pattern: str | None = None
    to_upper_case: bool = False
    by_year: bool = False
    to_since: int | None = None
    to_until: int | None = None
    primary_key: tuple[str, ...] | None = None
    may_lack: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()


_SETTLED = date(2026, 11, 23)
_REGISTERED = date(2026, 11, 25)
_LOOKED_UP = date(2026, 11, 30)

CORRECTIONS: tuple[Correction, ...] = (
    Correction(
        defect="1-finess",
        settled=_SETTLED,
        why="ETA_NUM is an integer in two tables and a text in 27: joins fail, 2A and 2B are lost",
        columns="ETA_NUM*",
        to_type="string",
    ),
    Correction(
        defect="1-finess-form",
        settled=_SETTLED,
        why="a FINESS number has nine characters; Corsican ones hold a letter",
        tables="T_MCO*",
        columns="ETA_NUM",
        pattern=FINESS_9,
    ),
    Correction(
        defect="1-rsa",
        settled=_SETTLED,
        why="RSA_NUM is an integer in two tables and a text in their children: zeros are lost",
        columns="RSA_NUM",
        to_type="string",
    ),
    Correction(
        defect="2-return-codes",
        settled=_SETTLED,
        why="return codes are published as booleans; the source has characters 0 to 9",
        columns="*",
        types=("boolean",),
        to_type="string",
        to_length=1,
        pattern=RETURN_CODE,
    ),
    Correction(
        defect="3-grouping-codes",
        settled=_SETTLED,
        why="GRG_RET and GRC_RET are three characters such as 000 and 024, not a boolean",
        columns="GR?_RET",
        to_type="string",
        to_length=3,
        pattern="[0-9]{3}",
    ),
    Correction(
        defect="6-grain-had",
        settled=_SETTLED,
        why="the grain of T_HADaaB is the sub-sequence, not the stay",
        tables="T_HADaaB",
        primary_key=("ETA_NUM_EPMSI", "RHAD_NUM", "SEQ_NUM", "SSEQ_NUM"),
    ),
    Correction(
        defect="6-grain-ace",
        settled=_SETTLED,
        why="an outpatient visit has several lines: its number is no key of FBSTC",
        tables="T_???aaFBSTC",
        primary_key=(),
    ),
    Correction(
        defect="6-grain-psychiatry",
        settled=_LOOKED_UP,
        why="an act outside a stay has several diagnoses: its number is no key of theirs",
        tables="T_RIPaaR3AD",
        primary_key=(),
    ),
    Correction(
        defect="6-grain-invoices",
        settled=_LOOKED_UP,
        why="a stay has several lines of an invoice: its number is no key of theirs",
        tables="T_RIPaaFB",
        primary_key=(),
    ),
    Correction(
        defect="6-grain-professionals",
        settled=_LOOKED_UP,
        why="the register of professionals has a row for each month, not one for each of them",
        tables="DA_PRA_R",
        primary_key=("DTE_ANN_TRT", "DTE_MOI_FIN", "PFS_PFS_NUM"),
    ),
    Correction(
        defect="7-identifier",
        settled=_SETTLED,
        why="BEN_IDT_ANO has 18 characters where it is a pseudonym and a rank",
        columns="BEN_IDT_ANO",
        to_length=18,
    ),
    Correction(
        defect="7-rank",
        settled=_SETTLED,
        why="BEN_RNG_GEM has one digit in ER_PRS_F and two elsewhere",
        columns="BEN_RNG_GEM",
        to_type="integer",
        to_length=2,
    ),
    Correction(
        defect="9-care-dates",
        settled=_SETTLED,
        why="EXE_SOI_DTD and DTF are moments in four tables and days everywhere else",
        columns="EXE_SOI_DT?",
        to_type="date",
    ),
    Correction(
        defect="9-care-months",
        settled=_SETTLED,
        why="EXE_SOI_AMD and AMF are texts in some tables and months in others",
        columns="EXE_SOI_AM?",
        to_type="yearmonth",
    ),
    Correction(
        defect="10-stays",
        settled=_SETTLED,
        why="AGE_ANN is a number in some tables and an integer in others",
        columns="AGE_*",
        types=("number",),
        to_type="integer",
    ),
    Correction(
        defect="11-coded-integers",
        settled=_SETTLED,
        why="a code published as an integer loses its leading zeros",
        columns="*",
        types=("integer",),
        coded=True,
        to_type="string",
    ),
    Correction(
        defect="11-measures",
        settled=_SETTLED,
        why="the name of a measure of isolation is a number with decimals: a key has a text",
        columns="MES_REP_TPS",
        to_type="string",
        to_length=0,
    ),
    Correction(
        defect="11-drug-codes",
        settled=_SETTLED,
        why="CIP, LPP and NABM numbers are names, nobody adds them up",
        columns="*_PRS_IDE",
        to_type="string",
    ),
    *(
        Correction(
            defect=f"10-one-type-{kind}",
            settled=_REGISTERED,
            why="a name has two types or more over the tables: their rows could not be joined",
            names=frozenset(names.split()),
            to_type=kind,
        )
        for kind, names in TYPE_OF_NAMES.items()
    ),
    *(
        Correction(
            defect="7-one-length",
            settled=_REGISTERED,
            why="a text is shorter in one table than in the next: nothing is cut or set aside for it",
            names=frozenset(names.split()),
            to_length=length,
        )
        for length, names in LENGTH_OF_NAMES.items()
    ),
    Correction(
        defect="13-case",
        settled=_REGISTERED,
        why="names are in small letters in three tables and in part of a fourth, else in capitals",
        columns="*",
        to_upper_case=True,
    ),
    Correction(
        defect="12-years",
        settled=_REGISTERED,
        why="columns come and go with the years: a file of a year without one is whole",
        by_year=True,
    ),
    *(
        Correction(
            defect="12-first-years",
            settled=_LOOKED_UP,
            why="the description gives these columns no first year, the history of the tables does",
            tables=table,
            names=frozenset(names.split()),
            to_since=year,
        )
        for (table, year), names in FIRST_YEARS.items()
    ),
    *(
        Correction(
            defect="12-last-years",
            settled=_LOOKED_UP,
            why="the description has the table still there, the history of the tables has not",
            tables=table,
            names=frozenset(names.split()),
            to_until=year,
        )
        for (table, year), names in LAST_YEARS.items()
    ),
    Correction(
        defect="header-er-dct-f",
        settled=_SETTLED,
        why="the public files of ER_DCT_F carry a column that the schema does not know",
        tables="ER_DCT_F",
        may_have=("DCT_FOR_AMO",),
    ),
    Correction(
        defect="header-er-prs-f",
        settled=_SETTLED,
        why="PRS_PPU_SEC is published for ER_PRS_F, but stands in ER_ETE_F; the public files lack it",
        tables="ER_PRS_F",
        may_lack=("PRS_PPU_SEC",),
    ),
)
