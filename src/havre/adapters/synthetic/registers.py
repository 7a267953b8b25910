"""What stands about people themselves: their numbers, their long illnesses, their deaths."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from havre.adapters.synthetic.care import as_day
from havre.adapters.synthetic.people import NEVER, Ints, People, Period, Texts, day_of

# The SNDS writes a missing date so.
NO_DATE = day_of(date(1600, 1, 1))
_OPEN_END = day_of(date(2099, 12, 31))
_LINKED_DEATHS = 0.89
_KNOWN_DIABETES = 0.85
_KNOWN_FAILURE = 0.70
_OTHER_CAUSES = ("C349", "C509", "C189", "I219", "I639", "J189", "G309", "R99", "X599")


def identity_numbers(people: People) -> tuple[Texts, Texts]:
    """Make BEN_IDT_ANO under each person's two numbers: the own one, or number and rank."""
    rank = people.rank.astype(str)
    own = people.own != ""
    first, second = (
        np.where(own, people.own, np.char.add(number, rank)) for number in people.identifiers
    )
    return first, second


def beneficiaries(people: People, *, period: Period) -> pl.DataFrame:
    """IR_BEN_R: one row per number and rank that was seen by the end of the period."""
    identities = identity_numbers(people)
    seen = (people.second_from < NEVER) & (people.dies > people.second_from)
    rows = [np.arange(people.count), np.flatnonzero(seen)]
    frames = [
        _beneficiary_rows(
            people,
            who,
            number=people.identifiers[place],
            identity=identities[place],
            since=np.where(place == 0, period.begins - 900, people.second_from),
            period=period,
        )
        for place, who in enumerate(rows)
    ]
    return pl.concat(frames).sort("BEN_NIR_PSA", "BEN_RNG_GEM")


def _beneficiary_rows(
    people: People, who: Ints, *, number: Texts, identity: Texts, since: Ints, period: Period
) -> pl.DataFrame:
    born = people.born[who]
    dead = people.dies[who] < period.ends
    dies = np.where(dead, people.dies[who], NO_DATE)
    frame = pl.DataFrame(
        {
            "BEN_NIR_PSA": number[who],
            "BEN_RNG_GEM": people.rank[who],
            "BEN_NIR_ANO": people.own[who],
            "BEN_IDT_ANO": identity[who],
            "BEN_IDT_TOP": np.where(people.own[who] != "", "1", "0"),
            "BEN_CDI_NIR": np.full(len(who), "00"),
            "born": born,
            "BEN_SEX_COD": people.sex[who].astype(str),
            "dies": dies,
            "ORG_AFF_BEN": np.char.add(people.scheme[who], "000000").astype("<U9"),
            "BEN_RES_DPT": pl.Series(people.department[who], dtype=pl.String).str.zfill(3),
            "BEN_RES_COM": people.commune[who],
            "since": np.broadcast_to(since, people.count)[who],
        }
    )
    return frame.select(
        "BEN_NIR_PSA",
        "BEN_RNG_GEM",
        "BEN_NIR_ANO",
        "BEN_IDT_ANO",
        "BEN_IDT_TOP",
        "BEN_CDI_NIR",
        as_day("born").dt.year().alias("BEN_NAI_ANN"),
        as_day("born").dt.strftime("%m").alias("BEN_NAI_MOI"),
        "BEN_SEX_COD",
        as_day("dies").alias("BEN_DCD_DTE"),
        as_day("dies").dt.strftime("%Y%m").alias("BEN_DCD_AME"),
        "ORG_AFF_BEN",
        "BEN_RES_DPT",
        "BEN_RES_COM",
        as_day("since").alias("BEN_DTE_INS"),
        as_day("since").alias("BEN_DTE_MAJ"),
    )


def long_illnesses(people: People, *, period: Period, random: np.random.Generator) -> pl.DataFrame:
    """IR_IMB_R: recognised long illnesses; some are renewed by a second row."""
    kind = np.where(people.type_1, "E109", "E119")
    failing = np.full(people.count, "I509")
    frames = [
        _recognised(
            people,
            people.diabetes,
            number="8",
            code=kind,
            share=_KNOWN_DIABETES,
            period=period,
            random=random,
        ),
        _recognised(
            people,
            people.failure,
            number="5",
            code=failing,
            share=_KNOWN_FAILURE,
            period=period,
            random=random,
        ),
    ]
    return pl.concat(frames).sort("BEN_NIR_PSA", "BEN_RNG_GEM", "IMB_ALD_NUM", "INS_DTE")


def _recognised(
    people: People,
    onset: Ints,
    *,
    number: str,
    code: Texts,
    share: float,
    period: Period,
    random: np.random.Generator,
) -> pl.DataFrame:
    start = onset + random.integers(20, 90, people.count)
    known = (start < np.minimum(period.ends, people.dies)) & (random.random(people.count) < share)
    who = np.flatnonzero(known)
    ends = random.choice(np.array([NO_DATE, _OPEN_END]), len(who))
    frame = pl.DataFrame(
        {
            "BEN_NIR_PSA": people.number_at(who, start[who]),
            "BEN_RNG_GEM": people.rank[who],
            "start": start[who],
            "end": ends,
            "IMB_ALD_NUM": np.full(len(who), number),
            "MED_MTF_COD": code[who],
            "entered": start[who] + 10,
        }
    )
    renewed = frame.filter(pl.Series(random.random(len(frame)) < 0.3)).with_columns(
        pl.col("entered") + 400
    )
    rows = pl.concat([frame, renewed.filter(pl.col("entered") < period.ends)])
    return rows.select(
        "BEN_NIR_PSA",
        "BEN_RNG_GEM",
        as_day("start").alias("IMB_ALD_DTD"),
        as_day("end").alias("IMB_ALD_DTF"),
        "IMB_ALD_NUM",
        pl.lit("41").alias("IMB_ETM_NAT"),
        "MED_MTF_COD",
        as_day("entered").alias("INS_DTE"),
        as_day("entered").alias("UPD_DTE"),
    )


def deaths(people: People, *, period: Period, random: np.random.Generator) -> pl.DataFrame:
    """KI_CCI_R: one certificate per death; about nine in ten find their person."""
    who = np.flatnonzero((people.dies >= period.begins) & (people.dies < period.ends))
    first, second = identity_numbers(people)
    day = people.dies[who]
    identity = np.where(people.second_from[who] <= day, second[who], first[who])
    linked = random.random(len(who)) < _LINKED_DEATHS
    other = random.choice(np.array(_OTHER_CAUSES), len(who))
    failing = (people.failure[who] < day) & (random.random(len(who)) < 0.7)
    diabetic = (people.diabetes[who] < day) & (random.random(len(who)) < 0.08)
    cause = np.where(failing, "I509", np.where(diabetic, "E149", other))
    letters = random.integers(0, 16, (len(who), 64))
    certificate = np.array(list("0123456789abcdef"))[letters].view("<U64").ravel()
    frame = pl.DataFrame(
        {
            "DCD_IDT_ENC": certificate,
            "DCD_IDT_TOP": np.where(linked, "1", "0"),
            "BEN_IDT_ANO": np.where(linked, identity, ""),
            "BEN_RES_DPT": pl.Series(people.department[who], dtype=pl.String).str.zfill(3),
            "day": day,
            "born": people.born[who],
            "BEN_SEX_COD": people.sex[who].astype(str),
            "DCD_CIM_COD": cause,
        }
    )
    return frame.select(
        "DCD_IDT_ENC",
        "DCD_IDT_TOP",
        "BEN_IDT_ANO",
        as_day("day").dt.year().alias("FLX_PER_ANN"),
        "BEN_RES_DPT",
        as_day("day").alias("BEN_DCD_DTE"),
        as_day("born").dt.year().alias("BEN_NAI_ANN"),
        "BEN_SEX_COD",
        "DCD_CIM_COD",
    ).sort("BEN_DCD_DTE", "DCD_IDT_ENC")
