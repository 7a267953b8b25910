"""Care of public hospitals without a stay (ACE): emergency rooms, consultations, acts, analyses.

One passage is an invoice: who and when (CSTC), its head (FASTC), what was billed of
prestations (FBSTC), fees (FCSTC), acts of the CCAM (FMSTC) and of the NABM (FLSTC).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from havre.adapters.synthetic import columns as col
from havre.adapters.synthetic.columns import Wanted
from havre.adapters.synthetic.dcir import Context
from havre.adapters.synthetic.draws import YEAR, Ints, Random, Theme, about, chosen, pick
from havre.adapters.synthetic.facts import acts
from havre.adapters.synthetic.houses import HOUSES, public_houses
from havre.adapters.synthetic.people import PLACES, Block
from havre.adapters.synthetic.records import (
    by_year,
    chained_numbers,
    return_codes,
    serial,
    years_of,
)

# Passages per person and year (77 million in 2017), and what each leaves.
_PASSAGES = 1.15
_EMERGENCY, _CONSULTATION, _ACT, _ANALYSES = 0.22, 0.55, 0.30, 0.25
# Share of passages that hospitals bill themselves.
_DIRECT = 0.35
_SINCE = {"FIDES_TOP": 2012, "ETA_NUM_GEO": 2016, "RNG_NAI": 2016, "DEL_DAT_ENT": 2013}
_CODES = ("NIR_RET", "NAI_RET", "SEX_RET", "IAS_RET", "ENT_DAT_RET")
_CCAM = ("ZBQK002", "DEQP003", "ZCQM008", "NFQK002", "QZFA036")
_KEY = ("MCO_ANN", "ETA_NUM", "SEQ_NUM")


@dataclass(frozen=True, slots=True)
class _Passages:
    """One row per passage, in the order of their numbers."""

    person: Ints
    day: Ints
    keys: pl.DataFrame

    @property
    def count(self) -> int:
        return len(self.person)


def draw_outpatients(
    context: Context, block: Block, wanted: Wanted, *, share: float
) -> Iterator[tuple[str, int, pl.DataFrame]]:
    """Make the tables of passages: table, year, and its rows.

    share: of the passages that there are; the same as of the lines of the DCIR.
    """
    random = block.stream(Theme.OUTPATIENTS)
    passages = _passages(context, block, share, random)
    tables = _heads(passages, context, random) | _bills(passages, random)
    yield from by_year(tables, wanted, year_column="MCO_ANN", since=_SINCE)


def _passages(context: Context, block: Block, share: float, random: Random) -> _Passages:
    first = np.maximum(context.people.born, block.period.begins)
    span = np.maximum(np.minimum(context.dies, block.period.ends) - first, 0)
    age = ((block.period.begins + block.period.ends) / 2 - context.people.born) / YEAR
    weight = np.interp(age, acts.CURVE_AGES, acts.CARE["hospital"][0]) * span
    person = pick(weight, about(_PASSAGES * share * span.sum() / YEAR, random), random)
    day = first[person] + (random.random(len(person)) * span[person]).astype(np.int64)
    # Only public hospitals write these files.
    house = public_houses(context.people.place_at(person, day), random)
    frame = pl.DataFrame(
        {
            "person": person,
            "day": day,
            "MCO_ANN": years_of(day),
            "ETA_NUM": chosen(HOUSES, house),
        }
    ).sort("MCO_ANN", "ETA_NUM", "day", "person")
    number = serial("MCO_ANN", "ETA_NUM", block=block, width=8, per_block=4)
    frame = frame.with_columns(number.alias("SEQ_NUM"))
    return _Passages(frame["person"].to_numpy(), frame["day"].to_numpy(), frame.select(_KEY))


def _rows(passages: _Passages, rows: Ints, columns: dict[str, object]) -> pl.DataFrame:
    return pl.concat([passages.keys[rows], pl.DataFrame(columns)], how="horizontal")


def _heads(passages: _Passages, context: Context, random: Random) -> dict[str, pl.DataFrame]:
    person, day, count = passages.person, passages.day, passages.count
    everything = np.arange(count)
    codes, nobody = return_codes("MCO", years_of(day), random, names=_CODES)
    slot = context.numbers.slot_at(person, day)
    month = col.formatted(day, "%m")()
    chain = {
        "NIR_ANO_17": chained_numbers(context, person, day, nobody, random),
        **codes,
        "EXE_SOI_DTD": col.dates(day)(),
        "EXE_SOI_DTF": col.dates(day)(),
        "ENT_DAT": col.formatted(day, "%d%m%Y")(),
        "SOR_DAT": col.formatted(day, "%d%m%Y")(),
        "EXE_SOI_AMD": col.formatted(day, "%Y%m")(),
        "EXE_SOI_AMF": col.formatted(day, "%Y%m")(),
        "SEJ_NUM": pl.Series(1 + person % 90000).cast(pl.String).str.zfill(5),
        "RNG_NAI": pl.Series(context.numbers.rank[slot]).cast(pl.String),
    }
    age = np.floor((day - context.people.born[person]) / YEAR).astype(np.int64)
    direct = random.random(count) < _DIRECT
    head = {
        "AGE_ANN": pl.Series(np.maximum(age, 0)),
        "COD_SEX": chosen("012", context.people.sex[person]),
        "BDI_DEP": chosen(PLACES, context.people.place_at(person, day)),
        "BDI_COD": chosen(PLACES, context.people.place_at(person, day))
        + pl.Series(context.people.commune[person]).cast(pl.String).str.zfill(3),
        "NUM_FAC": chosen(["001"], np.zeros(count, dtype=np.int64)),
        "FIDES_TOP": chosen("01", direct.astype(np.int64)),
        "NAT_ASS": chosen(["10", "41"], (random.random(count) < 0.1).astype(np.int64)),
        "SOR_ANN": years_of(day),
        "SOR_MOI": month,
    }
    return {
        "T_MCOaaCSTC": _rows(passages, everything, dict(chain)),
        "T_MCOaaFASTC": _rows(passages, everything, dict(head)),
    }


def _bills(passages: _Passages, random: Random) -> dict[str, pl.DataFrame]:
    count = passages.count
    emergency = random.random(count) < _EMERGENCY
    consulted = emergency | (random.random(count) < _CONSULTATION)
    acted = random.random(count) < _ACT
    analysed = random.random(count) < _ANALYSES
    # Whatever brought somebody there is billed.
    consulted |= ~acted & ~analysed
    urgent, seen, done = (np.flatnonzero(each) for each in (emergency, consulted, acted))
    tested = np.repeat(np.flatnonzero(analysed), 1 + random.poisson(2.0, int(analysed.sum())))
    speciality = pick([share for _, share in acts.SPECIALITIES], len(seen), random)
    analysis = pick([share for _, share, _ in acts.ANALYSES], len(tested), random)
    return {
        "T_MCOaaFBSTC": _rows(
            passages, urgent, _billed(passages, urgent) | _priced("ATU", 25.28, len(urgent))
        ),
        "T_MCOaaFCSTC": _rows(
            passages,
            seen,
            _billed(passages, seen)
            | _priced("CS", 25.0, len(seen))
            | {"EXE_SPE": chosen([code for code, _ in acts.SPECIALITIES], speciality)},
        ),
        "T_MCOaaFMSTC": _rows(
            passages,
            done,
            _billed(passages, done)
            | {
                "CCAM_COD": chosen(_CCAM, random.integers(0, len(_CCAM), len(done))),
                "ACV_ACT": chosen("1", np.zeros(len(done), dtype=np.int64)),
                "PHA_ACT": chosen("0", np.zeros(len(done), dtype=np.int64)),
            },
        ),
        "T_MCOaaFLSTC": _rows(
            passages,
            tested,
            {
                "NUM_FAC": chosen(["001"], np.zeros(len(tested), dtype=np.int64)),
                "DEL_DAT_ENT": np.zeros(len(tested), dtype=np.int64),
                "NABM_COD": chosen([code for code, *_ in acts.ANALYSES], analysis),
                "ACT_NBR": np.ones(len(tested), dtype=np.int64),
            },
        ),
    }


def _billed(passages: _Passages, rows: Ints) -> dict[str, object]:
    day = passages.day[rows]
    return {
        "NUM_FAC": chosen(["001"], np.zeros(len(rows), dtype=np.int64)),
        "DEL_DAT_ENT": np.zeros(len(rows), dtype=np.int64),
        "SOR_ANN": years_of(day),
        "SOR_MOI": col.formatted(day, "%m")(),
    }


def _priced(code: str, euro: float, rows: int) -> dict[str, object]:
    zero = np.zeros(rows, dtype=np.int64)
    return {
        "ACT_COD": chosen([code], zero),
        "ACT_NBR": zero + 1,
        "ACT_COE": zero + 1.0,
        "PRI_UNI": zero + euro,
        "REM_BAS": zero + euro,
        "REM_TAU": zero + 70,
        "AMO_MNR": np.round(zero + euro * 0.7, 2),
        "HON_MNT": zero + euro,
    }
