"""Care outside hospital, as the accounting lines of the DCIR.

The grain is the line, not the act: a consultation leaves a line for its price
and one for the patient's own part; an error is corrected by a line of minus one
and a new line of plus one, in a later flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import polars as pl

from havre.adapters.synthetic.people import NEVER, YEAR, Flags, Floats, Ints, People, Period, Texts

_GENERAL_DRUGS = (
    "3400936158832",
    "3400935848178",
    "3400935378064",
    "3400938268706",
    "3400936579538",
    "3400937800853",
    "3400927585111",
    "3400933247379",
    "3400936225701",
    "3400934936876",
    "3400932539192",
)
_DIABETES_DRUGS = ("3400922152363", "3400936671010", "3400938567991", "3400938678116")
_INSULIN = ("3400937722988", "3400930016169")
_FAILURE_DRUGS = ("3400932560592", "3400927690129", "3400937403702")
# Act of the CCAM, the kind of service it is paid as, and its price.
_ACTS = (
    ("DEQP003", "1352", 14.26),
    ("ZBQK002", "1351", 21.28),
    ("DZQM006", "1324", 95.66),
    ("BGQP002", "1352", 28.29),
    ("HHQE005", "1352", 76.80),
)
_CONSULTATION_PRICE = 26.50
_REFILL_DAYS = 91
# 99 in 100 lines arrive within six months; the law allows 27.
_MEAN_LAG_DAYS = 36.0
_MOST_LAG_DAYS = 260
_CORRECTED_SHARE = 0.012


@dataclass(frozen=True, slots=True)
class Lines:
    """The three tables: one row per line, one per refined line; `month` is the flow's."""

    services: pl.DataFrame
    drugs: pl.DataFrame
    acts: pl.DataFrame


class _Drawn(TypedDict):
    people: People
    period: Period
    random: np.random.Generator


@dataclass(frozen=True, slots=True)
class _Events:
    """Acts of care, one row each: who, when, paid as what, which code, at which price."""

    person: Ints
    day: Ints
    nature: Texts
    code: Texts
    price: Floats
    specialty: Texts


def draw_lines(people: People, *, period: Period, random: np.random.Generator) -> Lines:
    """Draw what these people's care leaves behind, cut to the period of care."""
    drawn = [
        _consultations(people, period, random),
        _nursing(people, period, random),
        _common_drugs(people, period, random),
        *_chronic_drugs(people, period, random),
        _acts(people, period, random),
    ]
    events = _joined(drawn)
    services = _services(events, people, random)
    services = pl.concat([services, _own_parts(services), *_corrections(services, random)])
    services = services.sort("month", "DCT_ORD_NUM", "PRS_ORD_NUM")
    return Lines(services, _drugs(services), _acts_of(services))


def days_alive(people: People, person: Ints, day: Ints) -> Flags:
    """Keep what happens between a person's birth and death."""
    alive: Flags = (people.born[person] <= day) & (day < people.dies[person])
    return alive


def draw_events(
    rate: Floats, people: People, period: Period, random: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw persons and days of something that happens `rate` times a year to each."""
    counts = random.poisson(rate * period.years)
    person = np.repeat(np.arange(people.count), counts)
    day = random.integers(period.begins, period.ends, len(person))
    kept = days_alive(people, person, day)
    return person[kept], day[kept]


def _age(people: People, period: Period) -> Floats:
    age: Floats = np.maximum((period.begins - people.born) / YEAR, 0.0)
    return age


def _consultations(people: People, period: Period, random: np.random.Generator) -> _Events:
    person, day = draw_events(2.4 + 0.030 * _age(people, period), people, period, random)
    general = random.random(len(person)) < 0.7
    return _Events(
        person,
        day,
        np.where(general, "1111", "1112"),
        np.full(len(person), "", dtype="<U13"),
        np.full(len(person), _CONSULTATION_PRICE),
        np.where(general, "01", random.choice(np.array(["03", "08", "15", "05"]), len(person))),
    )


def _nursing(people: People, period: Period, random: np.random.Generator) -> _Events:
    age = _age(people, period)
    sick = (people.diabetes < period.ends) * 1.0 + (people.failure < period.ends) * 3.0
    rate = 0.4 + np.maximum(age - 55, 0) * 0.16 + sick
    person, day = draw_events(rate, people, period, random)
    return _Events(
        person,
        day,
        np.where(random.random(len(person)) < 0.72, "3111", "3112"),
        np.full(len(person), "", dtype="<U13"),
        np.full(len(person), 6.30),
        np.full(len(person), "24"),
    )


def _common_drugs(people: People, period: Period, random: np.random.Generator) -> _Events:
    person, day = draw_events(3.0 + 0.075 * _age(people, period), people, period, random)
    return _dispensed(person, day, random.choice(np.array(_GENERAL_DRUGS), len(person)), random)


def _chronic_drugs(people: People, period: Period, random: np.random.Generator) -> list[_Events]:
    """Refills every quarter from the day an illness is known; some stop taking them."""
    everybody = np.arange(people.count)
    tablets = random.choice(np.array(_DIABETES_DRUGS), people.count)
    insulin = random.choice(np.array(_INSULIN), people.count)
    first = np.where(people.type_1, insulin, tablets)
    late = random.random(people.count) < 0.18
    of: _Drawn = {"people": people, "period": period, "random": random}
    refills = [
        _refilled(everybody, people.diabetes, first, **of),
        _refilled(everybody[late], people.diabetes[late] + 400, insulin[late], **of),
    ]
    for drug in _FAILURE_DRUGS:
        takes = random.random(people.count) < 0.8
        begins = people.failure[takes] + 8
        codes = np.full(int(takes.sum()), drug)
        refills.append(_refilled(everybody[takes], begins, codes, **of))
    return refills


def _refilled(
    person: Ints,
    begins: Ints,
    codes: Texts,
    *,
    people: People,
    period: Period,
    random: np.random.Generator,
) -> _Events:
    most = int(period.years * YEAR / _REFILL_DAYS) + 1
    start = np.maximum(begins, period.begins - random.integers(0, _REFILL_DAYS, len(begins)))
    step = np.arange(most)[None, :] * _REFILL_DAYS
    day = (start[:, None] + step + random.integers(0, 15, (len(start), most))).ravel()
    who, what = np.repeat(person, most), np.repeat(codes, most)
    kept = (np.repeat(begins, most) < NEVER) & (day >= period.begins) & (day < period.ends)
    kept &= days_alive(people, who, day) & (random.random(len(day)) < 0.93)
    return _dispensed(who[kept], day[kept], what[kept], random)


def _dispensed(person: Ints, day: Ints, codes: Texts, random: np.random.Generator) -> _Events:
    price = np.round(2.0 + random.gamma(1.3, 5.0, len(person)), 2)
    return _Events(
        person, day, np.full(len(person), "3313"), codes, price, np.full(len(person), "50")
    )


def _acts(people: People, period: Period, random: np.random.Generator) -> _Events:
    sick = (people.failure < period.ends) * 1.2 + (people.diabetes < period.ends) * 0.5
    person, day = draw_events(0.25 + 0.013 * _age(people, period) + sick, people, period, random)
    which = random.choice(len(_ACTS), len(person), p=[0.42, 0.25, 0.15, 0.13, 0.05])
    codes, natures, prices = zip(*_ACTS, strict=True)
    return _Events(
        person,
        day,
        np.array(natures)[which],
        np.array(codes)[which],
        np.array(prices)[which],
        np.full(len(person), "03"),
    )


def _joined(drawn: list[_Events]) -> _Events:
    return _Events(
        *(
            np.concatenate([getattr(each, name) for each in drawn])
            for name in ("person", "day", "nature", "code", "price", "specialty")
        )
    )


def _services(events: _Events, people: People, random: np.random.Generator) -> pl.DataFrame:
    count, who = len(events.person), events.person
    lag = 2 + np.minimum(random.exponential(_MEAN_LAG_DAYS, count), _MOST_LAG_DAYS).astype(np.int64)
    taken_in = events.day + lag
    department = people.department[who]
    full = (people.diabetes[who] < events.day) | (people.failure[who] < events.day)
    rate = np.where(full, 100, np.where(events.nature == "3313", 65, 70))
    covered = np.round(events.price * rate / 100, 2)
    # Few professionals do much, many do little.
    office = (random.pareto(1.2, count) * 3).astype(np.int64) % 400
    return pl.DataFrame(
        {
            "BEN_NIR_PSA": people.number_at(who, events.day),
            "BEN_RNG_GEM": people.rank[who],
            "born": people.born[who],
            "BEN_SEX_COD": people.sex[who].astype(str),
            "BEN_RES_DPT": np.char.zfill(department, 3),
            "ORG_AFF_BEN": np.char.add(people.scheme[who], "000000").astype("<U9"),
            "day": events.day,
            "PRS_NAT_REF": events.nature,
            "BSE_PRS_NAT": events.nature,
            "CPL_PRS_NAT": np.full(count, "0"),
            "PRS_ACT_QTE": np.ones(count, dtype=np.int64),
            "PRS_PAI_MNT": events.price,
            "RGO_REM_TAU": rate,
            "BSE_REM_BSE": events.price,
            "BSE_REM_MNT": covered,
            "CPL_MAJ_TOP": np.full(count, "0"),
            "CPL_AFF_COD": np.full(count, "0"),
            "CPL_REM_MNT": np.zeros(count),
            "DPN_QLF": np.full(count, "0"),
            "PSE_SPE_COD": events.specialty,
            "PFS_EXE_NUM": np.char.add(
                np.char.zfill(department, 2), np.char.zfill(office.astype(str), 7)
            ),
            "DCT_ORD_NUM": np.arange(1, count + 1),
            "FLX_EMT_NUM": random.integers(1, 20, count),
            "FLX_EMT_ORD": random.integers(1, 9, count),
            "FLX_EMT_TYP": np.where(people.scheme[who] == "02", 2, 1),
            "taken_in": taken_in,
            "ORG_CLE_NUM": np.char.add(np.char.add(people.scheme[who], department), "0000").astype(
                "<U9"
            ),
            "PRS_ORD_NUM": np.ones(count, dtype=np.int64),
            "REM_TYP_AFF": np.ones(count, dtype=np.int64),
            "code": events.code,
        }
    ).with_columns(_month("taken_in"))


def _month(column: str) -> pl.Expr:
    """The month in which a flow becomes available: the first day of the next one."""
    day = pl.col(column).cast(pl.Int32).cast(pl.Date)
    return day.dt.truncate("1mo").dt.offset_by("1mo").alias("month")


def _own_parts(services: pl.DataFrame) -> pl.DataFrame:
    """The euro that an adult pays for a consultation: a line of its own, without an act."""
    adults = pl.col("day") - pl.col("born") > 18 * YEAR
    return services.filter(pl.col("PRS_NAT_REF").is_in(["1111", "1112"]) & adults).with_columns(
        PRS_NAT_REF=pl.lit("1951"),
        BSE_PRS_NAT=pl.lit("0"),
        CPL_PRS_NAT=pl.lit("1951"),
        PRS_PAI_MNT=pl.lit(0.0),
        BSE_REM_BSE=pl.lit(0.0),
        BSE_REM_MNT=pl.lit(0.0),
        CPL_MAJ_TOP=pl.lit("2"),
        CPL_AFF_COD=pl.lit("16"),
        CPL_REM_MNT=pl.lit(-1.0),
        PRS_ORD_NUM=pl.lit(2, dtype=pl.Int64),
        code=pl.lit(""),
    )


def _corrections(services: pl.DataFrame, random: np.random.Generator) -> list[pl.DataFrame]:
    """Take some lines back, two months later, and enter most of them anew."""
    wrong = services.filter(pl.Series(random.random(len(services)) < _CORRECTED_SHARE))
    last = services.select(pl.col("DCT_ORD_NUM").max()).item() or 0
    number = pl.int_range(last + 1, last + 1 + pl.len(), dtype=pl.Int64).alias("DCT_ORD_NUM")
    later = wrong.with_columns(number, pl.col("taken_in") + 61).with_columns(_month("taken_in"))
    amounts = ("PRS_ACT_QTE", "PRS_PAI_MNT", "BSE_REM_BSE", "BSE_REM_MNT")
    taken_back = later.with_columns(-pl.col(name) for name in amounts)
    again = later.filter(pl.Series(random.random(len(later)) < 0.8)).with_columns(
        PRS_ORD_NUM=pl.lit(2, dtype=pl.Int64)
    )
    return [taken_back, again]


def _drugs(services: pl.DataFrame) -> pl.DataFrame:
    return services.filter(pl.col("PRS_NAT_REF") == "3313").select(
        *_KEYS,
        "month",
        PHA_ORD_NUM=pl.lit(1, dtype=pl.Int64),
        PHA_PRS_C13="code",
        PHA_ACT_QSN=pl.col("PRS_ACT_QTE"),
        PHA_ACT_PRU=pl.col("BSE_REM_BSE").abs(),
    )


def _acts_of(services: pl.DataFrame) -> pl.DataFrame:
    natures = sorted({nature for _, nature, _ in _ACTS})
    return services.filter(pl.col("PRS_NAT_REF").is_in(natures)).select(
        *_KEYS,
        "month",
        CAM_ORD_NUM=pl.lit(1, dtype=pl.Int64),
        CAM_PRS_IDE="code",
        CAM_ACT_COD=pl.lit("1"),
        CAM_TRT_PHA=pl.lit("0"),
        CAM_ACT_PRU=pl.col("BSE_REM_BSE").abs(),
    )


def as_day(column: str) -> pl.Expr:
    """Days since 1970 as a date."""
    return pl.col(column).cast(pl.Int32).cast(pl.Date)


_KEYS = (
    "DCT_ORD_NUM",
    pl.col("month").alias("FLX_DIS_DTD"),
    "FLX_EMT_NUM",
    "FLX_EMT_ORD",
    "FLX_EMT_TYP",
    as_day("taken_in").alias("FLX_TRT_DTD"),
    "ORG_CLE_NUM",
    "PRS_ORD_NUM",
    "REM_TYP_AFF",
)


def service_columns(services: pl.DataFrame) -> pl.DataFrame:
    """Name and order the central table's columns as they are delivered."""
    return services.select(
        "BEN_NIR_PSA",
        "BEN_RNG_GEM",
        as_day("born").dt.year().alias("BEN_NAI_ANN"),
        "BEN_SEX_COD",
        "BEN_RES_DPT",
        "ORG_AFF_BEN",
        as_day("day").alias("EXE_SOI_DTD"),
        as_day("day").alias("EXE_SOI_DTF"),
        "PRS_NAT_REF",
        "BSE_PRS_NAT",
        "CPL_PRS_NAT",
        "PRS_ACT_QTE",
        "PRS_PAI_MNT",
        "RGO_REM_TAU",
        "BSE_REM_BSE",
        "BSE_REM_MNT",
        "CPL_MAJ_TOP",
        "CPL_AFF_COD",
        "CPL_REM_MNT",
        "DPN_QLF",
        "PSE_SPE_COD",
        "PFS_EXE_NUM",
        *_KEYS,
    )
