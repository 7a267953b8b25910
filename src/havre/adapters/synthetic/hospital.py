"""Hospital stays, as the five tables of a year of acute care (PMSI MCO).

The year of a stay is that of its end and stands in the file's name. Stays that
end after the period are not there yet. Two in a hundred carry the number that
hospitals write when they know none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from havre.adapters.synthetic.care import as_day, days_alive, draw_events
from havre.adapters.synthetic.people import NEVER, YEAR, Flags, Ints, People, Period, Texts

NOBODY = "X" * 17
_NUMBERLESS_SHARE = 0.02
_DIED_THERE_SHARE = 0.55
_FAILURE_CODES = ("I500", "I501", "I509")
# Principal diagnosis: how often, mean days of stay, group of stays, and one act.
_COMMON = {
    "Z380": (0.06, 4.0, "15M05A", ""),
    "H251": (0.16, 0.0, "02C05J", "BFGA004"),
    "K573": (0.08, 0.0, "06K04J", "HHQE005"),
    "S720": (0.08, 9.0, "08C47B", "NBCA010"),
    "J189": (0.12, 8.0, "04M053", "ZBQK002"),
    "I639": (0.08, 9.0, "01M302", "ACQN001"),
    "N185": (0.06, 1.0, "11M041", "JVJF004"),
    "R55": (0.10, 2.0, "23M20T", "DEQP003"),
    "C509": (0.08, 2.0, "09C04Z", "QEFA017"),
    "M171": (0.10, 6.0, "08C241", "NFKA007"),
    "F329": (0.08, 7.0, "19M061", ""),
}


@dataclass(frozen=True, slots=True)
class _Stays:
    """One row per stay; `entry` and `exit` are days, `died` a death on the last of them."""

    person: Ints
    entry: Ints
    exit: Ints
    principal: Texts
    died: Flags


def draw_stays(
    people: People, *, period: Period, random: np.random.Generator
) -> dict[str, pl.DataFrame]:
    """Draw a period's stays: the tables by the last letters of their names, all with MCO_ANN."""
    stays = _kept(
        _concatenated(
            [
                _of_failure(people, period, random),
                _of_anything(people, period, random),
                _last(people, random),
            ]
        ),
        people,
        period,
    )
    frame = _numbered(stays, people, random)
    return {
        "C": _chain(frame, people, random),
        "B": _description(frame, people),
        "D": _associated(frame, people, random),
        "A": _acts(frame),
        "UM": _units(frame),
    }


def _of_failure(people: People, period: Period, random: np.random.Generator) -> _Stays:
    """A failing heart begins with a stay, and often brings its owner back."""
    first = np.flatnonzero(people.failure < NEVER)
    rate = np.where(people.failure < period.ends, 0.5, 0.0)
    again, day = draw_events(rate, people, period, random)
    later = day > people.failure[again] + 30
    person = np.concatenate([first, again[later]])
    entry = np.concatenate([people.failure[first], day[later]])
    return _made(person, entry, random.choice(np.array(_FAILURE_CODES), len(person)), 8.5, random)


def _of_anything(people: People, period: Period, random: np.random.Generator) -> _Stays:
    age = np.maximum((period.begins - people.born) / YEAR, 0.0)
    person, entry = draw_events(0.05 + 0.0035 * age, people, period, random)
    codes = np.array(list(_COMMON))
    shares = np.array([row[0] for row in _COMMON.values()])
    which = random.choice(len(codes), len(person), p=shares / shares.sum())
    principal = codes[which]
    young = people.born[person] > entry - 3
    principal = np.where(young, "Z380", np.where(principal == "Z380", "R55", principal))
    days = np.array([row[1] for row in _COMMON.values()])[which]
    length = random.poisson(days)
    return _Stays(person, entry, entry + length, principal, np.zeros(len(person), dtype=bool))


def _last(people: People, random: np.random.Generator) -> _Stays:
    """Somewhat more than half of those who die do so in hospital."""
    dead = np.flatnonzero((people.dies < NEVER) & (random.random(people.count) < _DIED_THERE_SHARE))
    failing = people.failure[dead] < people.dies[dead]
    principal = np.where(
        failing, "I509", random.choice(np.array(["J189", "I639", "C509"]), len(dead))
    )
    ends = people.dies[dead]
    entry = np.maximum(ends - random.poisson(7.0, len(dead)), people.born[dead])
    return _Stays(dead, entry, ends, principal, np.ones(len(dead), dtype=bool))


def _made(
    person: Ints, entry: Ints, principal: Texts, mean_days: float, random: np.random.Generator
) -> _Stays:
    length = 1 + random.poisson(mean_days, len(person))
    return _Stays(person, entry, entry + length, principal, np.zeros(len(person), dtype=bool))


def _concatenated(parts: list[_Stays]) -> _Stays:
    return _Stays(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("person", "entry", "exit", "principal", "died")
        )
    )


def _kept(stays: _Stays, people: People, period: Period) -> _Stays:
    alive = days_alive(people, stays.person, stays.entry) | stays.died
    ends = np.where(stays.died, stays.exit, np.minimum(stays.exit, people.dies[stays.person]))
    died = stays.died | (ends == people.dies[stays.person])
    kept = alive & (ends >= period.begins) & (ends < period.ends)
    return _Stays(
        stays.person[kept], stays.entry[kept], ends[kept], stays.principal[kept], died[kept]
    )


def _numbered(stays: _Stays, people: People, random: np.random.Generator) -> pl.DataFrame:
    department = people.department[stays.person]
    house = np.minimum((random.pareto(1.5, len(department)) * 2).astype(np.int64), 5) + 1
    finess = np.char.add(np.char.add(department, "000"), np.char.zfill(house.astype(str), 4))
    frame = pl.DataFrame(
        {
            "person": stays.person,
            "entry": stays.entry,
            "exit": stays.exit,
            "DGN_PAL": stays.principal,
            "died": stays.died,
            "ETA_NUM": finess,
        }
    ).with_columns(as_day("exit").dt.year().alias("MCO_ANN"))
    number = pl.int_range(1, pl.len() + 1).over("MCO_ANN", "ETA_NUM").cast(pl.String)
    return frame.sort("MCO_ANN", "ETA_NUM", "entry", "person", "DGN_PAL").with_columns(
        number.str.zfill(10).alias("RSA_NUM")
    )


_KEY = ("MCO_ANN", "ETA_NUM", "RSA_NUM")


def _chain(frame: pl.DataFrame, people: People, random: np.random.Generator) -> pl.DataFrame:
    number = people.number_at(frame["person"].to_numpy(), frame["entry"].to_numpy())
    unknown = random.random(len(frame)) < _NUMBERLESS_SHARE
    zero = pl.lit("0")
    return frame.select(
        *_KEY,
        pl.Series("NIR_ANO_17", np.where(unknown, NOBODY, number)),
        pl.Series("NIR_RET", np.where(unknown, "2", "0")),
        NAI_RET=zero,
        SEX_RET=zero,
        SEJ_RET=zero,
        FHO_RET=zero,
        PMS_RET=zero,
        DAT_RET=zero,
        EXE_SOI_DTD=as_day("entry"),
        EXE_SOI_DTF=as_day("exit"),
    )


def _description(frame: pl.DataFrame, people: People) -> pl.DataFrame:
    who = frame["person"].to_numpy()
    age = (frame["entry"].to_numpy() - people.born[who]) / YEAR
    groups = {code: row[2] for code, row in _COMMON.items()}
    groups |= dict.fromkeys(_FAILURE_CODES, "05M092")
    left = pl.when("died").then(pl.lit("9")).otherwise(pl.lit("8"))
    return frame.select(
        *_KEY,
        pl.Series("AGE_ANN", np.floor(np.maximum(age, 0)).astype(np.int64)),
        pl.Series("COD_SEX", people.sex[who].astype(str)),
        pl.Series("BDI_DEP", people.department[who]),
        "DGN_PAL",
        DGN_REL=pl.lit(""),
        ENT_MOD=pl.lit("8"),
        SOR_MOD=left,
        SEJ_NBJ=pl.col("exit") - pl.col("entry"),
        SOR_ANN="MCO_ANN",
        SOR_MOI=as_day("exit").dt.strftime("%m"),
        NBR_DGN=pl.lit(1),
        NBR_ACT=pl.lit(1),
        NBR_RUM=pl.when(pl.col("exit") - pl.col("entry") > 12).then(2).otherwise(1),
        GRG_GHM=pl.col("DGN_PAL").replace_strict(groups, default="23M20T"),
        GRG_RET=pl.lit("000"),
    )


def _associated(frame: pl.DataFrame, people: People, random: np.random.Generator) -> pl.DataFrame:
    who, entry = frame["person"].to_numpy(), frame["entry"].to_numpy()
    diabetic = (people.diabetes[who] < entry) & (random.random(len(who)) < 0.85)
    tense = random.random(len(who)) < 0.3
    kind = np.where(people.type_1[who], "E109", "E119")
    parts = [
        frame.filter(pl.Series(diabetic))
        .select(*_KEY)
        .with_columns(pl.Series("ASS_DGN", kind[diabetic])),
        frame.filter(pl.Series(tense)).select(*_KEY, ASS_DGN=pl.lit("I10")),
    ]
    return pl.concat(parts).sort(*_KEY, "ASS_DGN")


def _acts(frame: pl.DataFrame) -> pl.DataFrame:
    acts = {code: row[3] for code, row in _COMMON.items() if row[3]}
    acts |= dict.fromkeys(_FAILURE_CODES, "DZQM006")
    return (
        frame.select(
            *_KEY,
            CDC_ACT=pl.col("DGN_PAL").replace_strict(acts, default=""),
            ACV_ACT=pl.lit("1"),
            PHA_ACT=pl.lit("0"),
            ENT_DAT_DEL=pl.lit(0),
        )
        .filter(pl.col("CDC_ACT") != "")
        .sort(*_KEY)
    )


def _units(frame: pl.DataFrame) -> pl.DataFrame:
    row = frame.select(
        *_KEY,
        UM_ORD_NUM=pl.lit(1),
        DGN_PAL="DGN_PAL",
        AUT_TYP1_UM=pl.lit("53"),
        DGN_ASS_NBR=pl.lit(1),
        long=pl.col("exit") - pl.col("entry") > 12,
    )
    second = row.filter("long").with_columns(UM_ORD_NUM=pl.lit(2), AUT_TYP1_UM=pl.lit("51"))
    return pl.concat([row, second]).drop("long").sort(*_KEY, "UM_ORD_NUM")
