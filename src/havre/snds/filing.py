"""How the published tables of the SNDS are filed: by which date a period cuts them, by which keys they follow.

The published schema says neither. What stands here follows from how the SNDS
names its tables and columns: claims by nine keys, stays by a year, an
establishment and a number. A table that no entry knows has no date, and no
permit is given for it. What a table's own description says goes before this.

The numbers of a hospital begin anew every year, and the year stands in the name of
the file (T_MCO19B), not in a column one can trust. So these tables get one more,
which a delivery gives as a constant; without it a stay of one year would bring
the diagnoses of every other.

Source: shared column names of the 188 published tables (schema-snds, December
2020); the relations between them as Cnam teaches them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

__all__ = ["DCIR_KEYS", "FILINGS", "Filing"]

# What one line of reimbursement is called in every table of the DCIR.
DCIR_KEYS = (
    "DCT_ORD_NUM",
    "FLX_DIS_DTD",
    "FLX_EMT_NUM",
    "FLX_EMT_ORD",
    "FLX_EMT_TYP",
    "FLX_TRT_DTD",
    "ORG_CLE_NUM",
    "PRS_ORD_NUM",
    "REM_TYP_AFF",
)


_SETTLED = date(2026, 11, 25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """One entry; the first that fits a table counts.

    tables: a pattern with `*`, compared without case.
    needs: columns that a table must have for the entry to fit.
    adds: a column for the year that stands in the file's name, or empty.
    period: the date, month or year that a permit's period is about, or null.
    year: the column whose year chooses the partition, or null.
    follows: the table whose kept rows decide, or empty; `by` names the columns.
    timeless: why no period cuts the table, or empty.
    """

    name: str
    why: str
    tables: str
    settled: date = _SETTLED
    needs: tuple[str, ...] = ()
    adds: str = ""
    period: str | None = None
    year: str | None = None
    follows: str = ""
    by: tuple[str, ...] = ()
    timeless: str = ""


# Of a hospital's field: the column of the establishment, the column of the stay.
_STAYS = {
    "MCO": ("ETA_NUM", "RSA_NUM"),
    "SSR": ("ETA_NUM", "RHA_NUM"),
    "HAD": ("ETA_NUM_EPMSI", "RHAD_NUM"),
    "RIP": ("ETA_NUM_EPMSI", "RIP_NUM"),
}
_STATE = "a state that lasts: cut by its beginning, it would be lost for all who were in it before"
_REGISTER = "a register: what somebody or something is, not what happened on a day"


def _hospital(field: str, *, establishment: str, stay: str) -> Iterator[Filing]:
    """File the tables of one field of hospital care, the dated ones before those that follow."""
    tables, year = f"T_{field}aa", f"{field}_ANN"
    named = f"pmsi-{field.lower()}"
    for suffix in ("C", "CSTC"):
        yield Filing(
            name=f"filed-{named}-{suffix.lower()}",
            why="who came, and when: the care begins on EXE_SOI_DTD",
            tables=tables + suffix,
            needs=("EXE_SOI_DTD",),
            period="EXE_SOI_DTD",
            adds=year,
            year=year,
        )
    yield Filing(
        name=f"filed-{named}-stays",
        why="what belongs to a stay has its number, and no day",
        tables=f"{tables}*",
        needs=(establishment, stay),
        follows=f"{tables}C",
        by=(year, establishment, stay),
        adds=year,
        year=year,
    )
    yield Filing(
        name=f"filed-{named}-visits",
        why="what belongs to an outpatient visit has its number, and no day",
        tables=f"{tables}*",
        needs=("ETA_NUM", "SEQ_NUM"),
        follows=f"{tables}CSTC",
        by=(year, "ETA_NUM", "SEQ_NUM"),
        adds=year,
        year=year,
    )
    for suffix in ("E", "GJ"):
        yield Filing(
            name=f"filed-{named}-{suffix.lower()}",
            why="the establishments of a year",
            tables=tables + suffix,
            timeless=_REGISTER,
            adds=year,
            year=year,
        )


def _dated(name: str, tables: str, *, by: str, year: str | None = None, why: str) -> Filing:
    return Filing(
        name=f"filed-{name}",
        why=why,
        tables=tables,
        needs=(by,),
        period=by,
        year=year or by,
    )


def _timeless(name: str, *tables: str, why: str) -> Iterator[Filing]:
    for pattern in tables:
        yield Filing(name=f"filed-{name}", why=why, tables=pattern, timeless=why)


def _claims(name: str, *, prefix: str, keys: tuple[str, ...]) -> Iterator[Filing]:
    """File the lines of reimbursement by their care, and what refines them by the lines."""
    lines = f"{prefix}_PRS_F"
    yield _dated(
        name,
        lines,
        by="EXE_SOI_DTD",
        year="FLX_DIS_DTD",
        why="a line is of the day of its care and lies in the month of its arrival",
    )
    yield Filing(
        name=f"filed-{name}-refined",
        why="what refines a line has its keys, and no day of care",
        tables=f"{prefix}_*_F",
        needs=(*keys, "FLX_DIS_DTD"),
        year="FLX_DIS_DTD",
        follows=lines,
        by=keys,
    )


FILINGS: tuple[Filing, ...] = (
    *_claims("dcir", prefix="ER", keys=DCIR_KEYS),
    *_claims("egb", prefix="EB", keys=("CLE_TEC_PRS",)),
    _dated(
        "dcirs",
        "NS_*_F",
        by="EXE_SOI_DTD",
        year="FLX_DIS_DTD",
        why="every table of the simplified DCIR repeats the day of care",
    ),
    *(
        entry
        for field, (establishment, stay) in _STAYS.items()
        for entry in _hospital(field, establishment=establishment, stay=stay)
    ),
    Filing(
        name="filed-pmsi-rip-acts",
        why="an act outside a stay has the year of its own",
        tables="T_RIPaaR3A",
        adds="RIP_ANN",
        period="RAL_ACT_ANN",
        year="RIP_ANN",
    ),
    Filing(
        name="filed-pmsi-rip-diagnoses",
        why="a diagnosis of an act has the act's number, and no year",
        tables="T_RIPaaR3AD",
        adds="RIP_ANN",
        year="RIP_ANN",
        follows="T_RIPaaR3A",
        by=("RIP_ANN", "ETA_NUM_EPMSI", "SEJ_IDT", "ORD_NUM"),
    ),
    _dated("pmsi-months", "T_*", by="ANN_MOI", why="what a hospital reports for a month"),
    _dated("pmsi-years", "T_*", by="ANN", why="what a hospital reports for a year"),
    _dated("deaths", "KI_*_R", by="BEN_DCD_DTE", why="a certificate is of the day of death"),
    _dated("pregnancies", "IR_MAT_R", by="BEN_GRS_DTE", why="a pregnancy is of its first day"),
    *_timeless("people", "IR_BEN_R", "IR_IBA_R", "EB_INB_F", "EB_HMV_F", why=_REGISTER),
    *_timeless("registers", "BE_IDE_R", "DA_PRA_R", why=_REGISTER),
    *_timeless(
        "states", "IR_IMB_R", "EB_IMB_R", "IR_ETM_R", "IR_MTT_R", "IR_ORC_R", "IR_ACS_R", why=_STATE
    ),
    Filing(
        name="filed-map-of-diseases",
        why="what somebody has in a year; the year stands in the file's name",
        tables="CT_*_AAAA_GN",
        adds="CT_ANN",
        period="CT_ANN",
        year="CT_ANN",
    ),
    _dated("damir", "MA_REM_FT", by="EXD_ANN_MOI", year="FLX_DIS_DTD", why="sums of a month"),
    _dated("damir-open", "OPEN_DAMIR", by="SOI_ANN", year="FLX_ANN_MOI", why="sums of a year"),
)
