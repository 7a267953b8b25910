"""What stands about people themselves: their numbers, their long illnesses, their pregnancies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from havre.adapters.synthetic import columns as col
from havre.adapters.synthetic.columns import Column, Wanted
from havre.adapters.synthetic.dcir import Context
from havre.adapters.synthetic.draws import NEVER, NO_DATE, Ints, Random, Theme, chosen, dealt
from havre.adapters.synthetic.facts.diseases import ILLNESSES
from havre.adapters.synthetic.facts.population import PROVISIONAL
from havre.adapters.synthetic.illnesses import Illnesses
from havre.adapters.synthetic.people import PLACES, Block
from havre.adapters.synthetic.recognition import Recognised

_OPEN_END = 47481  # 2099-12-31
# Of the recognised illnesses, the shares whose end is 2099, 1600, or a day; and who ask anew.
_ENDS = (0.105, 0.35, 0.545)
_UPDATED = 0.3
# What else the register of illnesses holds, beside long ones, and how often per person and year.
_OTHER_ENTRIES = (("11", "S61", 0.010), ("12", "M75", 0.0015), ("13", "M54", 0.002))
_OUTSIDE_THE_LIST = 0.06


@dataclass(frozen=True, slots=True)
class _Entries:
    """Rows of the register of illnesses before their numbers are known; days since 1970."""

    person: Ints
    start: Ints
    end: Ints
    entered: Ints
    code: list[str]
    number: list[str]
    nature: list[str]


def draw_registers(
    context: Context, illnesses: Illnesses, recognised: Recognised, block: Block, *, wanted: Wanted
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Make the wanted registers: a table's name and its rows."""
    if wanted.has("IR_BEN_R"):
        yield "IR_BEN_R", _beneficiaries(context, block, wanted)
    random = block.stream(Theme.REGISTERS, 1)
    entries = _long_illnesses(illnesses, recognised, block, random)
    if wanted.has("IR_IMB_R"):
        yield "IR_IMB_R", _illness_rows(entries, context, wanted)
    if wanted.has("IR_IBA_R"):
        yield "IR_IBA_R", _identities(context, block, wanted)
    if wanted.has("IR_MAT_R"):
        yield "IR_MAT_R", _pregnancies(context, block, wanted)


def seen_numbers(context: Context, block: Block) -> tuple[Ints, Ints]:
    """Every number that was in use before the period ended: its place, and its person."""
    people = context.people.count
    since = context.numbers.since
    ends = np.minimum(context.dies, block.period.ends)
    places = np.flatnonzero((since < ends[None, :]).ravel())
    return places, places % people


def last_number(context: Context, person: Ints, day: Ints) -> Ints:
    """The place of the number that each person used last, on a day or at death."""
    return context.numbers.slot_at(person, np.minimum(day, context.dies[person]))


def _about(context: Context, person: Ints, *, dies: Ints) -> dict[str, Column]:
    """What registers say of a person, beside numbers."""
    people = context.people
    rows = len(person)
    day = np.full(rows, context.last_day - 1)
    place = people.place_at(person, day)
    return {
        "BEN_CDI_NIR": col.constant("00", rows),
        "BEN_NAI_ANN": col.years(people.born[person]),
        "BEN_NAI_MOI": col.formatted(people.born[person], "%m"),
        "BEN_SEX_COD": col.texts(("0", "1", "2"), people.sex[person]),
        "BEN_DCD_DTE": col.dates(dies),
        "BEN_DCD_AME": col.formatted(dies, "%Y%m"),
        "ORG_AFF_BEN": context.funds(person, day),
        "BEN_RES_DPT": col.texts([code.zfill(3) for code in PLACES], place),
        "BEN_RES_COM": col.whole(people.commune[person], width=3),
        "BEN_TOP_CNS": col.constant("1", rows),
        "ORG_CLE_NEW": context.fund_offices(person, day, place),
    }


def _beneficiaries(context: Context, block: Block, wanted: Wanted) -> pl.DataFrame:
    """IR_BEN_R: one row per number and rank. Of a person's numbers only the last says that they died."""
    places, person = seen_numbers(context, block)
    numbers = context.numbers
    last = last_number(context, person, np.full(len(person), block.period.ends - 1))
    dead = (context.dies[person] < block.period.ends) & (places == last)
    known = numbers.own.gather(person.astype(np.uint32))
    since = numbers.since.ravel()[places]
    first = np.maximum(since, block.period.begins - 900)
    # A number that is not the last one may have been a provisional one.
    random = block.stream(Theme.REGISTERS, 2)
    provisional = (places != last) & (random.random(len(person)) < PROVISIONAL)
    makers = {
        "BEN_NIR_PSA": lambda: chosen(numbers.number, places),
        "BEN_RNG_GEM": col.integers(numbers.rank[places]),
        "BEN_NIR_ANO": lambda: known,
        "BEN_IDT_ANO": lambda: chosen(numbers.identity, places),
        "BEN_IDT_TOP": lambda: pl.select(
            pl.when(pl.lit(known) != "").then(pl.lit("1")).otherwise(pl.lit("0"))
        ).to_series(),
    } | _about(context, person, dies=np.where(dead, context.dies[person], NO_DATE))
    makers |= {
        "BEN_CDI_NIR": col.texts(("00", "03"), provisional.astype(np.int64)),
        "BEN_DTE_INS": col.dates(first),
        "BEN_DTE_MAJ": col.dates(first),
        "BEN_IDT_MAJ": col.dates(first),
        "MAX_TRT_DTD": col.dates(np.full(len(person), block.period.ends - 1)),
    }
    frame = wanted.frame("IR_BEN_R", makers, len(person))
    return frame.sort("BEN_NIR_PSA", "BEN_RNG_GEM") if "BEN_NIR_PSA" in frame.columns else frame


def _identities(context: Context, block: Block, wanted: Wanted) -> pl.DataFrame:
    """IR_IBA_R: one row per identity."""
    places, person = seen_numbers(context, block)
    identity = chosen(context.numbers.identity, places)
    kept = np.sort(identity.arg_unique().to_numpy())
    person, identity = person[kept], identity.gather(kept)
    dead = context.dies[person] < block.period.ends
    makers = {
        "BEN_IDT_ANO": lambda: identity,
        "BEN_IDT_TOP": lambda: (identity.str.len_chars() == 17).cast(pl.Int64).cast(pl.String),
    } | _about(context, person, dies=np.where(dead, context.dies[person], NO_DATE))
    return wanted.frame("IR_IBA_R", makers, len(person))


def _pregnancies(context: Context, block: Block, wanted: Wanted) -> pl.DataFrame:
    """IR_MAT_R: the pregnancies that began in the period, and came to a birth."""
    people = context.people
    child = np.flatnonzero((people.mother >= 0) & (people.born >= block.period.begins + 266))
    mother, day = people.mother[child], people.born[child]
    slot = context.numbers.slot_at(mother, day)
    makers = {
        "BEN_NIR_PSA": lambda: chosen(context.numbers.number, slot),
        "BEN_RNG_GEM": col.integers(context.numbers.rank[slot]),
        "BEN_NIR_ANO": lambda: chosen(context.numbers.own, mother),
        "BEN_IDT_ANO": lambda: chosen(context.numbers.identity, slot),
        "BEN_GRS_DTE": col.dates(day - 266),
        "BEN_DRA_AME": col.formatted(day - 266, "%Y%m"),
        "IND_RNM_BEN": col.constant("0", len(child)),
    }
    return wanted.frame("IR_MAT_R", makers, len(child))


def _long_illnesses(
    illnesses: Illnesses, recognised: Recognised, block: Block, random: Random
) -> _Entries:
    """Recognised illnesses with their updates, and what else is in the register."""
    ends, listed = block.period.ends, list(ILLNESSES.values())
    kind, person = np.nonzero(recognised.start < ends)
    start = recognised.start[kind, person]
    drawn = dealt(_ENDS, len(person), random)
    for_years = start + np.where(random.random(len(person)) < 0.5, 1826, 3652)
    end = np.where(
        drawn < _ENDS[0], _OPEN_END, np.where(drawn < sum(_ENDS[:2]), NO_DATE, for_years)
    )
    # An end that is past is that of the round after it: long illnesses are renewed.
    end = np.where((end > 0) & (end < ends), end + 3652, end)
    variant = illnesses.variant[kind, person]
    code = [listed[k].codes[v][:4] for k, v in zip(kind.tolist(), variant.tolist(), strict=True)]
    number = [listed[k].ald for k in kind.tolist()]
    outside = random.random(len(person)) < _OUTSIDE_THE_LIST
    nature = ["43" if each else "41" for each in outside.tolist()]
    others = _other_entries(illnesses, block, random)
    again = np.flatnonzero(
        (random.random(len(person)) < _UPDATED)
        & (start + 410 < np.minimum(ends, illnesses.dies[person]))
    )
    picked = [(values[place]) for values in (code, number, nature) for place in again.tolist()]
    size = len(again)
    return _Entries(
        np.concatenate([person, person[again], others.person]),
        np.concatenate([start, start[again], others.start]),
        np.concatenate([end, end[again], others.end]),
        np.concatenate([start + 10, start[again] + 410, others.entered]),
        code + picked[:size] + others.code,
        number + picked[size : 2 * size] + others.number,
        nature + picked[2 * size :] + others.nature,
    )


def _other_entries(illnesses: Illnesses, block: Block, random: Random) -> _Entries:
    """Accidents at work, occupational illnesses, invalidity: in the register, and no long illness."""
    period = block.period
    people = illnesses.dies.shape[0]
    parts = [
        (nature, code, random.integers(0, people, random.poisson(people * rate * period.years)))
        for nature, code, rate in _OTHER_ENTRIES
    ]
    person = np.concatenate([who for *_, who in parts])
    start = random.integers(period.begins, period.ends, len(person))
    kept = start < np.minimum(illnesses.dies[person], NEVER)
    code = [code for _, code, who in parts for _ in range(len(who))]
    nature = [nature for nature, _, who in parts for _ in range(len(who))]
    rows = np.flatnonzero(kept)
    return _Entries(
        person[rows],
        start[rows],
        start[rows] + 90,
        start[rows] + 10,
        [code[row] for row in rows.tolist()],
        ["0"] * len(rows),
        [nature[row] for row in rows.tolist()],
    )


def _illness_rows(entries: _Entries, context: Context, wanted: Wanted) -> pl.DataFrame:
    slot = context.numbers.slot_at(entries.person, entries.start)
    rows = len(entries.person)
    makers: dict[str, Column] = {
        "BEN_NIR_PSA": lambda: chosen(context.numbers.number, slot),
        "BEN_RNG_GEM": col.integers(context.numbers.rank[slot]),
        "IMB_ALD_DTD": col.dates(entries.start),
        "IMB_ALD_DTF": col.dates(entries.end),
        "IMB_ALD_NUM": lambda: pl.Series(entries.number, dtype=pl.String),
        "IMB_ETM_NAT": lambda: pl.Series(entries.nature, dtype=pl.String),
        "MED_MTF_COD": lambda: pl.Series(entries.code, dtype=pl.String),
        "INS_DTE": col.dates(entries.entered),
        "UPD_DTE": col.dates(entries.entered),
        "IMB_SDR_LOP": col.constant("0", rows),
        "MED_NCL_IDT": col.constant("CIM10", rows),
    }
    frame = wanted.frame("IR_IMB_R", makers, rows)
    return frame.sort("BEN_NIR_PSA", "BEN_RNG_GEM", "IMB_ALD_DTD", "MED_MTF_COD", "INS_DTE")
