"""The rows that stays leave in a year of acute care, before they are tables: which, how many, numbered how.

Beside the stays that happened there are rows that a machine made (group 90Z00Z),
rows that two hospitals share, and until 2017 rows that stand twice, under a site and
under its group. The shares are those that were published for 2010.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from havre.adapters.synthetic.columns import Column, Wanted
from havre.adapters.synthetic.dcir import Context
from havre.adapters.synthetic.draws import Flags, Ints, Random, chosen, most
from havre.adapters.synthetic.facts import stays as facts
from havre.adapters.synthetic.facts.diseases import ILLNESSES
from havre.adapters.synthetic.facts.kinds import KINDS
from havre.adapters.synthetic.facts.population import LAST_TWICE
from havre.adapters.synthetic.houses import HOUSES, SITES
from havre.adapters.synthetic.illnesses import Illnesses
from havre.adapters.synthetic.people import Block

_KINDS = tuple(KINDS.values())
_SITES = tuple((legal, site) for legal, listed in SITES.items() for site in listed)
# All numbers that a row may stand under: hospitals, then sites of groups.
ESTABLISHMENTS: tuple[str, ...] = (*HOUSES, *(site for _, site in _SITES))
NIGHTS_UNKNOWN = 999
RETURN_CODES = ("NIR_RET", "NAI_RET", "SEX_RET", "SEJ_RET", "FHO_RET", "PMS_RET", "DAT_RET")
# Those that say no more than right or wrong.
_OF_TWO = ("SEJ_RET", "PMS_RET", "DAT_RET", "ENT_DAT_RET")


@dataclass(frozen=True, slots=True)
class Records:
    """The rows that a period's stays leave, doubles left out; all arrays of one length.

    stay: the row among the stays, or -1 where a machine made it up. units: how many the
    stay went through. associated: how many diagnoses beside the first.
    """

    stay: Ints
    person: Ints
    entry: Ints
    exit: Ints
    year: Ints
    house: Ints
    nights: Ints
    units: Ints
    associated: Ints
    shared: Flags

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.stay)

    @property
    def real(self) -> Flags:
        """Which of them happened."""
        happened: Flags = self.stay >= 0
        return happened


def draw_diagnoses(context: Context, illnesses: Illnesses, random: Random) -> pl.DataFrame:
    """Diagnoses that stand beside the first: `record`, `code`; long illnesses are often coded."""
    stays = context.stays
    listed = list(ILLNESSES.values())
    first = chosen([kind.codes[0][:3] for kind in _KINDS], stays.kind)
    parts = []
    for row, illness in enumerate(listed):
        has = illnesses.onset[row, stays.person] < stays.exit
        rows = np.flatnonzero(has & (random.random(stays.count) < 0.8))
        codes = chosen(illness.codes, illnesses.variant[row, stays.person[rows]])
        same = first.gather(rows.astype(np.uint32)) == codes.str.slice(0, 3)
        parts.append(pl.DataFrame({"record": rows, "code": codes}).filter(~same))
    rows = np.flatnonzero(random.random(stays.count) < 0.6)
    which = random.integers(0, len(facts.OTHER_DIAGNOSES), len(rows))
    parts.append(pl.DataFrame({"record": rows, "code": chosen(facts.OTHER_DIAGNOSES, which)}))
    births = np.flatnonzero(stays.is_kind("delivery", "caesarean"))
    codes = pl.Series([facts.BIRTH_DIAGNOSES[0]], dtype=pl.String).new_from_index(0, len(births))
    parts.append(pl.DataFrame({"record": births, "code": codes}))
    return pl.concat(parts).unique(maintain_order=True)


def draw_records(
    context: Context, block: Block, diagnoses: pl.DataFrame, random: Random
) -> Records:
    """Draw what is coded of each stay, and the rows that a machine adds."""
    stays, shares = context.stays, facts.SHARES_OF_STAYS
    made = round(stays.count * shares["fictitious"] / (1 - shares["fictitious"]))
    whose = random.integers(0, context.people.count, made)
    begins = np.maximum(context.people.born[whose], block.period.begins)
    span = np.minimum(context.dies[whose], block.period.ends) - begins
    alive = span > 0
    whose, day = whose[alive], (begins + random.random(made) * span).astype(np.int64)[alive]
    made = len(whose)
    total = stays.count + made
    entry = np.concatenate([stays.entry, day])
    exit_day = np.concatenate([stays.exit, day])
    house = np.concatenate(
        [context.houses, context.houses[random.integers(0, max(stays.count, 1), made)]]
    )
    nights = exit_day - entry
    unknown = most(random.random(made), shares["length_unknown"] * total / max(made, 1))
    nights[stays.count :][unknown] = NIGHTS_UNKNOWN
    counted = np.bincount(diagnoses["record"].to_numpy(), minlength=total)
    # Whoever stays long, or gives birth, has more that is coded.
    score = np.minimum(nights, 30) * 0.1 + random.random(total) + 2.0 * (counted > 1)
    score[stays.count :] = -1.0
    births = np.zeros(total, dtype=np.bool_)
    births[: stays.count] = stays.is_kind("delivery", "caesarean")
    score[births] += 100
    score[counted == 0] = -0.5
    some = most(score, 1 - shares["no_associated"])
    long = np.where(nights == NIGHTS_UNKNOWN, 0, nights) + random.random(total)
    several = most(np.where(np.arange(total) < stays.count, long, -1.0), 1 - shares["one_unit"])
    short = np.flatnonzero((nights == 0) & (np.arange(total) < stays.count))
    shared = np.zeros(total, dtype=np.bool_)
    shared[short] = most(
        random.random(len(short)), shares["elsewhere"] * total / max(len(short), 1)
    )
    return Records(
        stay=np.concatenate([np.arange(stays.count), np.full(made, -1)]),
        person=np.concatenate([stays.person, whose]),
        entry=entry,
        exit=exit_day,
        year=years_of(exit_day),
        house=house,
        nights=nights,
        units=np.where(several, 2 + (random.random(total) < 0.3), 1),
        associated=np.where(some, counted, 0),
        shared=shared,
    )


def doubled(records: Records, random: Random) -> tuple[Ints, Ints]:
    """Which record each row is of, and under which number it stands."""
    first_site = len(HOUSES)
    rows, where = [np.arange(records.count)], [records.house]
    for legal in SITES:
        twice = np.flatnonzero((records.house == legal) & (records.year <= LAST_TWICE))
        sites = np.array([place for place, (group, _) in enumerate(_SITES) if group == legal])
        rows.append(twice)
        where.append(first_site + sites[random.integers(0, len(sites), len(twice))])
    return np.concatenate(rows), np.concatenate(where)


def number_rows(records: Records, source: Ints, where: Ints, block: Block) -> pl.DataFrame:
    """The keys of all rows: `record`, year, ETA_NUM, RSA_NUM, in their order."""
    frame = pl.DataFrame(
        {
            "record": source,
            "MCO_ANN": records.year[source],
            "ETA_NUM": chosen(ESTABLISHMENTS, where),
        }
    ).sort("MCO_ANN", "ETA_NUM", "record")
    return frame.with_columns(
        serial("MCO_ANN", "ETA_NUM", block=block, width=10, per_block=5).alias("RSA_NUM")
    )


def serial(*groups: str, block: Block, width: int, per_block: int) -> pl.Expr:
    """Number rows within groups, as texts of a width, so that no two blocks share a number."""
    number: pl.Expr = pl.int_range(1, pl.len() + 1).over(*groups) + block.number * 10**per_block
    texts: pl.Expr = number.cast(pl.String).str.zfill(width)
    return texts


def return_codes(
    domain: str, year: Ints, random: Random, *, names: tuple[str, ...] = RETURN_CODES
) -> tuple[dict[str, pl.Series], Flags]:
    """Draw the return codes of rows, and which rows carry nobody's number."""
    count = len(year)
    faulty = np.zeros(count, dtype=np.bool_)
    for each in np.unique(year).tolist():
        rows = np.flatnonzero(year == each)
        faulty[rows] = most(random.random(len(rows)), facts.chaining_faults(domain, each))
    nobody = faulty & (random.random(count) < 0.55)
    # Most faults are of the number itself.
    which = np.where(random.random(count) < 0.5, 0, random.integers(1, len(names), count))
    value = random.integers(1, 3, count)
    codes = {}
    for place, name in enumerate(names):
        wrong = (faulty & ~nobody & (which == place)) | (nobody & (place == 0))
        top = 1 if name in _OF_TWO else 2
        digit = np.where(wrong, np.minimum(value, top), 0)
        if name == "FHO_RET":
            digit = np.where(nobody, 9, digit)
        codes[name] = chosen("0123456789", digit)
    return codes, nobody


def chained_numbers(
    context: Context, person: Ints, day: Ints, nobody: Flags, random: Random
) -> pl.Series:
    """NIR_ANO_17 of each row: the number in use on a day, or one of those that mean nobody."""
    number = chosen(context.numbers.number, context.numbers.slot_at(person, day))
    unknown = chosen(facts.NOBODY, random.integers(0, len(facts.NOBODY), len(person)))
    return pl.select(
        pl.when(pl.lit(pl.Series(nobody))).then(pl.lit(unknown)).otherwise(pl.lit(number))
    ).to_series()


def by_year(
    frames: dict[str, pl.DataFrame], wanted: Wanted, *, year_column: str, since: dict[str, int]
) -> Iterator[tuple[str, int, pl.DataFrame]]:
    """Part tables by year, with the columns that are wanted, and that the year had."""
    for table, frame in frames.items():
        if not wanted.has(table):
            continue
        for (year,), rows in sorted(frame.partition_by(year_column, as_dict=True).items()):
            kept = rows.drop(year_column)
            late = [name for name in kept.columns if since.get(name, 0) > year]
            asked = wanted.of_year(table, year)
            if asked is None:
                kept = kept.drop(late)
            else:
                makers = {name: _same(kept[name]) for name in kept.columns if name not in late}
                named = [name for name in asked if name != year_column]
                kept = Wanted({table: named}).frame(table, makers, kept.height)
            yield table, int(year), kept


def _same(series: pl.Series) -> Column:
    return lambda: series


def years_of(day: Ints) -> Ints:
    """The years of some days."""
    years: Ints = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return years
