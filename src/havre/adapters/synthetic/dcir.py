"""The tables of the DCIR, made of accounting lines: one central table, and those that refine it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import polars as pl

from havre.adapters.synthetic import columns as col
from havre.adapters.synthetic.accounting import (
    CCAM_ACTS,
    COMPLEMENT,
    MAJORATION,
    PARTICIPATION,
    Lines,
)
from havre.adapters.synthetic.care import NATURES, PARTS
from havre.adapters.synthetic.columns import Column, Wanted
from havre.adapters.synthetic.complements import (
    is_of_local_fund,
    is_pension,
    is_transport,
    local_fund_columns,
    pension_columns,
    transport_columns,
)
from havre.adapters.synthetic.draws import NO_DATE, YEAR, Flags, Ints, Random, chosen, most, pick
from havre.adapters.synthetic.facts import accounts, acts
from havre.adapters.synthetic.facts.drugs import DRUGS
from havre.adapters.synthetic.facts.hospital_drugs import BESIDE_A_STAY, UNITS
from havre.adapters.synthetic.facts.population import (
    MERGED_YEAR,
    SCHEMES,
    SELF_EMPLOYED,
    share_in,
)
from havre.adapters.synthetic.houses import HOUSES, IS_PUBLIC
from havre.adapters.synthetic.offices import SPECIALITIES, office_numbers, speciality_places
from havre.adapters.synthetic.people import PLACES, Numbers, People
from havre.adapters.synthetic.stays import Stays

# A maker of the columns of a refined table, of some rows of the lines.
Refined: TypeAlias = Callable[[Lines, Ints, Random], dict[str, Column]]
_DRUGS, _HOSPITAL, _BIOLOGY = (PARTS.index(name) for name in ("drugs", "hospital", "biology"))
_DEVICE_PARTS = (PARTS.index("device"), PARTS.index("optics"))
_SCHEMES = tuple(code for code, _ in SCHEMES)


@dataclass(frozen=True)
class Context:
    """What lines point to: the people of a block, their numbers, stays and hospitals.

    stay_drugs: beside each stay a place in `UNITS`, or -1.
    flow: the sequence number of this block's flows, so that no two blocks share a key.
    """

    people: People
    numbers: Numbers
    stays: Stays
    stay_drugs: Ints
    houses: Ints
    dies: Ints
    flow: int
    last_day: int

    def funds(self, person: Ints, day: Ints) -> Column:
        """ORG_AFF_BEN of each person on a day: the self-employed changed theirs in 2019."""
        return col.texts(_fund_codes(), self._fund(person, day))

    def fund_offices(self, person: Ints, day: Ints, place: Ints) -> Column:
        """ORG_CLE_NUM, the fund's office of a department."""
        offices = [f"{fund[:3]}{place_code}0000"[:9] for fund in _SCHEMES for place_code in PLACES]
        return col.texts(offices, self._fund(person, day) * len(PLACES) + place)

    def _fund(self, person: Ints, day: Ints) -> Ints:
        scheme = self.people.scheme[person]
        merged = (scheme == _SCHEMES.index(SELF_EMPLOYED)) & (day >= _first_day(MERGED_YEAR))
        return np.where(merged, _SCHEMES.index("01C"), scheme)


@cache
def _fund_codes() -> tuple[str, ...]:
    return tuple(f"{code}000000" for code in _SCHEMES)


def _first_day(year: int) -> int:
    return int(np.datetime64(f"{year}-01-01", "D").astype(np.int64))


def draw_tables(
    lines: Lines, context: Context, wanted: Wanted, random: Random
) -> Iterator[tuple[str, pl.DataFrame, Ints]]:
    """Make the wanted tables of some lines.

    Yields a table's name, its rows in the order of the flow, and the month of each row's flow.
    """
    hospital = _hospital(lines, context, random)
    if wanted.has("ER_PRS_F"):
        central = _central(lines, context, hospital, random)
        yield "ER_PRS_F", wanted.frame("ER_PRS_F", central, lines.count), lines.month
    part, real = lines.part, lines.kind <= COMPLEMENT
    place = context.people.place_at(lines.person, lines.day)
    refined = {
        "ER_PHA_F": (_drug_columns, real & (part == _DRUGS) & (lines.item >= 0)),
        "ER_CAM_F": (_act_columns, real & (lines.act >= 0) & (lines.act < len(CCAM_ACTS))),
        "ER_UCD_F": (_unit_columns, real & (lines.act >= len(CCAM_ACTS))),
        "ER_BIO_F": (_analysis_columns, real & (part == _BIOLOGY)),
        "ER_TIP_F": (_device_columns, real & np.isin(part, _DEVICE_PARTS)),
        "ER_ETE_F": (_house_columns(hospital), real & (hospital.house >= 0)),
        "ER_ARO_F": (local_fund_columns, is_of_local_fund(lines, place)),
        "ER_INV_F": (pension_columns, is_pension(lines)),
        "ER_DTR_F": (transport_columns, is_transport(lines)),
    }
    for table, (make, kept) in refined.items():
        if wanted.has(table):
            rows = np.flatnonzero(kept)
            if table == "ER_BIO_F":
                # One line of the central table stands for one to four analyses.
                rows = np.repeat(rows, random.integers(1, 5, len(rows)))
            makers = make(lines, rows, random) | _keys(lines, context, rows)
            yield table, wanted.frame(table, makers, len(rows)), lines.month[rows]


@dataclass(frozen=True, slots=True)
class _Hospital:
    """Beside each line: the hospital, or -1; whether it billed itself (1), is private (2) or neither."""

    house: Ints
    billing: Ints
    informs: Flags


def _hospital(lines: Lines, context: Context, random: Random) -> _Hospital:
    here = (lines.part == _HOSPITAL) & (lines.item >= 0)
    house = np.full(lines.count, -1, dtype=np.int64)
    house[here] = context.houses[lines.item[here]]
    public = here & IS_PUBLIC[house]
    billing = np.where(here & ~public, 2, 0)
    year = (lines.day / YEAR).astype(np.int64) + 1970
    for each in np.unique(year[public]).tolist():
        rows = np.flatnonzero(public & (year == each))
        of_all = int((here & (year == each)).sum()) / len(rows)
        share = share_in(accounts.BILLED_BY_HOSPITAL, each) * of_all
        billing[rows[most(random.random(len(rows)), share)]] = 1
    # What a public hospital does not bill itself stands here for information only.
    return _Hospital(house, billing, public & (billing == 0))


def _central(
    lines: Lines, context: Context, hospital: _Hospital, random: Random
) -> Mapping[str, Column]:
    return (
        _who(lines, context)
        | _what(lines, hospital, random)
        | _amounts(lines)
        | _professionals(lines, hospital, random)
        | _keys(lines, context, np.arange(lines.count))
    )


def _who(lines: Lines, context: Context) -> dict[str, Column]:
    person, day, rows = lines.person, lines.day, lines.count
    people = context.people
    slot = context.numbers.slot_at(person, day)
    born = people.born[person]
    place = people.place_at(person, day)
    age = np.maximum((day - born) / YEAR, 0.0)
    months = (age * 12).astype(np.int64)
    dead = (context.dies[person] <= lines.taken_in) & (context.dies[person] < context.last_day)
    dies = np.where(dead, context.dies[person], NO_DATE)
    return {
        "BEN_NIR_PSA": lambda: chosen(context.numbers.number, slot),
        "BEN_RNG_GEM": col.integers(context.numbers.rank[slot]),
        "BEN_NAI_ANN": col.years(born),
        "BEN_SEX_COD": col.texts(("0", "1", "2"), people.sex[person]),
        "BEN_RES_DPT": col.texts([code.zfill(3) for code in PLACES], place),
        "BEN_RES_COM": col.whole(people.commune[person], width=3),
        "BEN_AMA_COD": col.integers(np.where(age < 2, 1000 + months, age.astype(np.int64))),
        "BEN_CDI_NIR": col.constant("00", rows),
        "BEN_DCD_DTE": col.dates(dies),
        "BEN_DCD_AME": col.formatted(dies, "%Y%m"),
        "BEN_QAF_COD": col.texts(("1", "2"), (age < 18).astype(np.int64)),
        "ORG_AFF_BEN": context.funds(person, day),
        "EXE_SOI_DTD": col.dates(day),
        "EXE_SOI_AMD": col.formatted(day, "%Y%m"),
    }


def _what(lines: Lines, hospital: _Hospital, random: Random) -> dict[str, Column]:
    rows = lines.count
    unknown_end = random.random(rows) < accounts.UNKNOWN_SHARE["EXE_SOI_DTF"]
    ends = np.where(unknown_end, NO_DATE, lines.day)
    beside = lines.kind >= MAJORATION
    complement = np.select(
        [lines.kind == COMPLEMENT, lines.kind == MAJORATION, lines.kind == PARTICIPATION],
        [lines.nature + 3, 1, 2],
        default=0,
    )
    affected = np.select(
        [lines.kind == COMPLEMENT, lines.kind == MAJORATION, lines.kind == PARTICIPATION],
        [1, 2, 3],
        default=0,
    )
    unsaid = random.random(rows) < accounts.UNKNOWN_SHARE["DPN_QLF"]
    kind_of_spend = np.where(hospital.informs, 1, np.where(unsaid, 2, 0))
    prescribed = np.isin(
        lines.part,
        [PARTS.index(name) for name in ("drugs", "biology", "nurse", "physio", "device")],
    )
    return {
        "EXE_SOI_DTF": col.dates(ends),
        "EXE_SOI_AMF": col.formatted(ends, "%Y%m"),
        "PRE_PRE_DTD": col.dates(np.where(prescribed, lines.day - 5, NO_DATE)),
        "PRS_GRS_DTD": col.dates(np.full(rows, NO_DATE)),
        "PRS_HOS_DTD": col.dates(np.full(rows, NO_DATE)),
        "PRS_NAT_REF": col.texts(NATURES, lines.nature),
        "BSE_PRS_NAT": col.texts(("0", *NATURES), np.where(beside, 0, lines.nature + 1)),
        "CPL_PRS_NAT": col.texts(
            ("0", accounts.MAJORATION, accounts.PARTICIPATION, *NATURES), complement
        ),
        "CPL_MAJ_TOP": col.texts(("0", "1", "2", "2"), lines.kind),
        "CPL_AFF_COD": col.texts(("0", "2", "18", "16"), affected),
        "DPN_QLF": lambda: pl.Series(["0", "71", None], dtype=pl.String).gather(
            kind_of_spend.astype(np.uint32)
        ),
        "PRS_DPN_QLP": col.texts(("0", "71"), hospital.informs.astype(np.int64)),
        "RGO_ASU_NAT": col.constant("10", rows),
        "EXO_MTF": col.texts(("0", "41"), (lines.rate == 100).astype(np.int64)),
        "PRS_REJ_TOP": col.constant("0", rows),
        "PRS_PPU_SEC": col.texts(("2", "1"), (hospital.billing == 1) | hospital.informs),
    }


def _amounts(lines: Lines) -> dict[str, Column]:
    covered = np.round(lines.base * lines.rate / 100).astype(np.int64)
    quantity = lines.boxes * lines.sign
    return {
        "PRS_ACT_QTE": col.integers(quantity),
        "PRS_ACT_NBR": col.integers(quantity),
        "PRS_PAI_MNT": col.euros(lines.paid),
        "PRS_DEP_MNT": col.euros(lines.paid - lines.base),
        "RGO_REM_TAU": col.integers(lines.rate),
        "RGO_THE_TAU": col.integers(lines.rate),
        "BSE_REM_BSE": col.euros(lines.base),
        "BSE_REM_MNT": col.euros(covered),
        "BSE_REM_PRU": col.euros(np.where(lines.kind >= MAJORATION, 0, lines.price)),
        "BSE_REM_SGN": col.texts(("0", "1"), (lines.sign > 0).astype(np.int64)),
        "CPL_REM_MNT": col.euros(lines.extra * lines.sign),
        "CPL_REM_BSE": col.euros(np.maximum(lines.extra, 0) * lines.sign),
        "RGO_MOD_MNT": col.euros(np.zeros(lines.count, dtype=np.int64)),
    }


def _professionals(lines: Lines, hospital: _Hospital, random: Random) -> dict[str, Column]:
    rows = lines.count
    unknown = random.random(rows) < accounts.UNKNOWN_SHARE["PFS_EXE_NUM"]
    activities = tuple(acts.ACTIVITY_OF.get(part, "0") for part in PARTS)
    numbers = office_numbers()

    def office(offices: Ints) -> pl.Series:
        return chosen(numbers, offices)

    return {
        "PSE_SPE_COD": col.texts(SPECIALITIES, speciality_places(lines.office)),
        "PSE_ACT_NAT": col.texts(activities, lines.part),
        "PFS_EXE_NUM": lambda: pl.select(
            pl.when(pl.lit(pl.Series(unknown)))
            .then(pl.lit("00000000"))
            .otherwise(pl.lit(office(lines.office)))
        ).to_series(),
        "PFS_PRE_NUM": lambda: office(lines.prescriber),
        "PRS_MTT_NUM": lambda: office(lines.prescriber),
        "PSP_SPE_COD": col.constant("01", rows),
        "PSE_STJ_COD": col.constant("51", rows),
        "PSE_CNV_COD": col.constant("1", rows),
        "ETB_PRE_FIN": lambda: chosen(["", *(code[:8] for code in HOUSES)], hospital.house + 1),
    }


def _keys(lines: Lines, context: Context, rows: Ints) -> dict[str, Column]:
    place = context.people.place_at(lines.person[rows], lines.day[rows])
    month = lines.month[rows].astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    scheme = context.people.scheme[lines.person[rows]]
    offices = context.fund_offices(lines.person[rows], lines.day[rows], place)
    return {
        "DCT_ORD_NUM": col.integers(lines.claim[rows]),
        "FLX_DIS_DTD": col.dates(month),
        "FLX_EMT_NUM": col.integers(1 + place % 90),
        "FLX_EMT_ORD": col.integers(np.full(len(rows), context.flow)),
        "FLX_EMT_TYP": col.integers(np.where(scheme == _SCHEMES.index("02A"), 2, 1)),
        "FLX_TRT_DTD": col.dates(lines.taken_in[rows]),
        "ORG_CLE_NUM": offices,
        "ORG_CLE_NEW": offices,
        "PRS_ORD_NUM": col.integers(lines.order[rows]),
        "REM_TYP_AFF": col.number(1, len(rows)),
    }


def _drug_columns(lines: Lines, rows: Ints, random: Random) -> dict[str, Column]:
    unknown = random.random(len(rows)) < accounts.UNKNOWN_SHARE["PHA_PRS_C13"]
    pack = np.where(unknown, 0, lines.item[rows] + 1)
    return {
        "PHA_ORD_NUM": col.number(1, len(rows)),
        "PHA_PRS_C13": col.texts(("0", *(drug.cip13 for drug in DRUGS)), pack),
        "PHA_PRS_IDE": col.texts(("0", *(drug.cip13[5:12] for drug in DRUGS)), pack),
        "PHA_ACT_QSN": col.integers(lines.boxes[rows] * lines.sign[rows]),
        "PHA_ACT_PRU": col.euros(lines.price[rows]),
        "PHA_SEQ_RNV": col.number(0, len(rows)),
        "PHA_DEC_TOP": col.constant("C", len(rows)),
        "PHA_CPA_PCP": col.constant("0", len(rows)),
    }


def _act_columns(lines: Lines, rows: Ints, _random: Random) -> dict[str, Column]:
    anaesthesia = lines.nature[rows] == NATURES.index(acts.ANAESTHESIA)
    return {
        "CAM_ORD_NUM": col.number(1, len(rows)),
        "CAM_PRS_IDE": col.texts(CCAM_ACTS, lines.act[rows]),
        "CAM_ACT_COD": col.texts(("1", "4"), anaesthesia.astype(np.int64)),
        "CAM_TRT_PHA": col.constant("0", len(rows)),
        "CAM_ACT_PRU": col.euros(lines.price[rows]),
        "CAM_REM_BSE": col.euros(lines.price[rows]),
        "CAM_ASS_COD": col.constant("0", len(rows)),
    }


def _unit_columns(lines: Lines, rows: Ints, _random: Random) -> dict[str, Column]:
    unit = lines.act[rows] - len(CCAM_ACTS)
    beside = lines.nature[rows] == NATURES.index(BESIDE_A_STAY)
    price = np.array([round(each.price * 100) for each in UNITS])[unit]
    units = np.array([each.units for each in UNITS])[unit]
    return {
        "UCD_ORD_NUM": col.number(1, len(rows)),
        "UCD_LGN_NUM": col.number(1, len(rows)),
        "UCD_UCD_COD": col.texts([each.padded for each in UNITS], unit),
        # Without its sign, which is that of the line.
        "UCD_DLV_NBR": col.integers(units * lines.boxes[rows]),
        "UCD_TOP_UCD": col.flags(beside),
        "UCD_FAC_PRU": col.euros(price),
        "UCD_ACH_PRU": col.euros(price),
    }


def _analysis_columns(lines: Lines, rows: Ints, random: Random) -> dict[str, Column]:
    begins = np.concatenate([[True], rows[1:] != rows[:-1]])[: len(rows)]
    start = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    which = pick([share for _, share, _ in acts.ANALYSES], len(rows), random)
    return {
        "BIO_ORD_NUM": col.integers(np.arange(len(rows)) - start + 1),
        "BIO_PRS_IDE": col.texts([code for code, *_ in acts.ANALYSES], which),
        "BIO_ACT_QSN": col.integers(lines.sign[rows]),
    }


def _device_columns(lines: Lines, rows: Ints, _random: Random) -> dict[str, Column]:
    listed = [acts.DEVICES.get(nature, acts.DEVICES[""])[0] for nature in NATURES]
    return {
        "TIP_ORD_NUM": col.number(1, len(rows)),
        "TIP_PRS_IDE": col.texts(listed, lines.nature[rows]),
        "TIP_ACT_QSN": col.integers(lines.sign[rows]),
        "TIP_ACT_PRU": col.euros(lines.price[rows]),
        "TIP_PUB_PRX": col.euros(lines.price[rows]),
        "TIP_ACL_DTD": col.dates(lines.day[rows]),
        "TIP_ACL_DTF": col.dates(np.full(len(rows), NO_DATE)),
        "TIP_PRS_TYP": col.constant("1", len(rows)),
    }


def _house_columns(hospital: _Hospital) -> Refined:
    def make(_lines: Lines, rows: Ints, _random: Random) -> dict[str, Column]:
        house = hospital.house[rows]
        return {
            "ETB_EXE_FIN": col.texts([code[:8] for code in HOUSES], house),
            "ETE_IND_TAA": col.texts(("0", "1", "2"), hospital.billing[rows]),
            "ETE_GHS_NUM": col.constant("0", len(rows)),
            "ETE_CAT_COD": col.texts(("365", "101"), IS_PUBLIC[house].astype(np.int64)),
            "ETE_STJ_COD": col.texts(("95", "13"), IS_PUBLIC[house].astype(np.int64)),
            "MDT_COD": col.constant("3", len(rows)),
            "DDP_COD": col.constant("181", len(rows)),
            "MFT_COD": col.texts(("7", "3"), IS_PUBLIC[house].astype(np.int64)),
            "PRS_PPU_SEC": col.texts(("2", "1"), IS_PUBLIC[house].astype(np.int64)),
        }

    return make
