"""Acute care as hospitals write it down: the tables of one year, the year in their names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from havre.adapters.synthetic import columns as col
from havre.adapters.synthetic.columns import Wanted
from havre.adapters.synthetic.dcir import Context
from havre.adapters.synthetic.draws import YEAR, Flags, Ints, Random, Theme, chosen, most
from havre.adapters.synthetic.facts import stays as facts
from havre.adapters.synthetic.facts.diseases import ILLNESSES
from havre.adapters.synthetic.facts.hospital_drugs import UNITS
from havre.adapters.synthetic.facts.kinds import KINDS
from havre.adapters.synthetic.houses import IS_PUBLIC
from havre.adapters.synthetic.illnesses import NAMES, Illnesses
from havre.adapters.synthetic.people import PLACES, Block
from havre.adapters.synthetic.records import (
    NIGHTS_UNKNOWN,
    RETURN_CODES,
    Records,
    by_year,
    chained_numbers,
    doubled,
    draw_diagnoses,
    draw_records,
    number_rows,
    return_codes,
    years_of,
)

_KINDS = tuple(KINDS.values())
_KEY = ("MCO_ANN", "ETA_NUM", "RSA_NUM")
MADE_BY_MACHINE = "90Z00Z"
_CANCERS = ("lung_cancer", "breast_cancer", "bowel_cancer", "prostate_cancer")
# Columns that came later, and the first year that has them.
SINCE = {
    "COH_NAI_RET": 2013,
    "COH_SEX_RET": 2013,
    "NIR_ANO_MAM": 2013,
    "ETA_NUM_GEO": 2013,
    "TYP_GEN_RSA": 2015,
    "RNG_NAI": 2015,
    "DGN_ASS_NUM": 2014,
    "UHCD_TOP": 2009,
}


def draw_mco(
    context: Context, illnesses: Illnesses, block: Block, wanted: Wanted
) -> Iterator[tuple[str, int, pl.DataFrame]]:
    """Make the tables of acute care of a period: table, year, and its rows."""
    random = block.stream(Theme.TABLES, 1)
    diagnoses = draw_diagnoses(context, illnesses, random)
    records = draw_records(context, block, diagnoses, random)
    diagnoses = diagnoses.filter(pl.col("record").is_in(np.flatnonzero(records.associated > 0)))
    source, where = doubled(records, random)
    numbered = number_rows(records, source, where, block)
    makers = {
        "T_MCOaaC": _chain(context, records, numbered, random),
        "T_MCOaaB": _description(context, records, numbered, illnesses, random=random),
        "T_MCOaaD": _associated(numbered, diagnoses),
        "T_MCOaaA": _acts(records, numbered, context, random),
        "T_MCOaaUM": _units(records, numbered, context, random),
        "T_MCOaaE": _establishments(numbered),
        "T_MCOaaMED": _drugs(records, numbered, context),
    }
    yield from by_year(makers, wanted, year_column="MCO_ANN", since=SINCE)


def _chain(
    context: Context, records: Records, numbered: pl.DataFrame, random: Random
) -> pl.DataFrame:
    codes, nobody = return_codes(
        "MCO", records.year, random, names=(*RETURN_CODES, "COH_NAI_RET", "COH_SEX_RET")
    )
    number = chained_numbers(context, records.person, records.entry, nobody, random)
    mothers = np.full(records.count, -1)
    real = records.real
    child = context.stays.child[records.stay[real]]
    mothers[real] = np.where(child >= 0, context.people.mother[child], -1)
    slot = context.numbers.slot_at(np.maximum(mothers, 0), records.entry)
    mother = pl.select(
        pl.when(pl.lit(pl.Series(mothers >= 0)))
        .then(pl.lit(chosen(context.numbers.number, slot)))
        .otherwise(pl.lit(""))
    ).to_series()
    slots = context.numbers.slot_at(records.person, records.entry)
    frame = pl.DataFrame(
        {
            "NIR_ANO_17": number,
            **codes,
            "NIR_ANO_MAM": mother,
            "RNG_NAI": pl.Series(context.numbers.rank[slots]).cast(pl.String),
            "SEJ_NUM": pl.Series(1 + records.person % 90000).cast(pl.String).str.zfill(5),
            "EXE_SOI_DTD": col.dates(records.entry)(),
            "EXE_SOI_DTF": col.dates(records.exit)(),
            "ENT_DAT": col.formatted(records.entry, "%d%m%Y")(),
            "SOR_DAT": col.formatted(records.exit, "%d%m%Y")(),
            "EXE_SOI_AMD": col.formatted(records.entry, "%Y%m")(),
            "EXE_SOI_AMF": col.formatted(records.exit, "%Y%m")(),
            "SOR_ANN": records.year,
            "SOR_MOI": col.formatted(records.exit, "%m")(),
        }
    )
    return pl.concat([numbered.select(_KEY), frame[numbered["record"]]], how="horizontal")


def _kind_texts(records: Records, context: Context, texts: list[str]) -> pl.Series:
    """One text per record, of its kind of stay; the last is for what a machine made."""
    kind = np.full(records.count, len(_KINDS))
    kind[records.real] = context.stays.kind[records.stay[records.real]]
    return chosen(texts, kind)


def _principal(
    records: Records, context: Context, illnesses: Illnesses
) -> tuple[pl.Series, pl.Series]:
    """The first diagnosis and the related one."""
    flat = [code for kind in _KINDS for code in kind.codes]
    start = np.cumsum([0, *(len(kind.codes) for kind in _KINDS)])
    real = records.real
    place = np.full(records.count, len(flat))
    stay = records.stay[real]
    place[real] = start[context.stays.kind[stay]] + context.stays.variant[stay]
    cancers = [NAMES.index(name) for name in _CANCERS]
    codes = ["", "N185", *(ILLNESSES[name].codes[0] for name in _CANCERS), "C809"]
    relation = {"": 0, "N185": 1, "C": len(codes) - 1}
    related = np.zeros(records.count, dtype=np.int64)
    related[real] = np.array([relation[kind.related] for kind in _KINDS])[context.stays.kind[stay]]
    for number, row in enumerate(cancers):
        has = illnesses.onset[row, records.person] < records.exit
        related = np.where((related == len(codes) - 1) & has, 2 + number, related)
    return chosen([*flat, ""], place), chosen(codes, related)


def _description(
    context: Context,
    records: Records,
    numbered: pl.DataFrame,
    illnesses: Illnesses,
    *,
    random: Random,
) -> pl.DataFrame:
    first, related = _principal(records, context, illnesses)
    shares, zero = facts.SHARES_OF_STAYS, np.zeros(records.count, dtype=np.int64)
    seances = [*("1" if kind.group[:2] == "28" else "0" for kind in _KINDS), "0"]
    bed_of_day = most(records.nights + random.random(records.count), shares["bed_of_day"])
    frame = pl.DataFrame(
        {
            **_person(context, records),
            "DGN_PAL": first,
            "DGN_REL": related,
            **_ways(context, records, random),
            "SEJ_NBJ": records.nights,
            "SEJ_TYP": chosen(["", "B"], records.shared.astype(np.int64)),
            "SOR_ANN": records.year,
            "SOR_MOI": col.formatted(records.exit, "%m")(),
            "NBR_DGN": records.associated,
            "NBR_ACT": _act_counts(records, context),
            "NBR_RUM": records.units,
            "NBR_SEA": _kind_texts(records, context, seances).cast(pl.Int64),
            **_groups(context, records, random),
            "BEH_NBJ": np.where(bed_of_day, 3, 0),
            "TYP_GEN_RSA": chosen("10", records.real.astype(np.int64)),
            "RSS_NUM": chosen(["001"], zero),
            "GHS_NUM": chosen(["9999", "2000"], records.real.astype(np.int64)),
        }
    )
    return pl.concat([numbered.select(_KEY), frame[numbered["record"]]], how="horizontal")


def _person(context: Context, records: Records) -> dict[str, pl.Series]:
    """Age in years, or below one year in days; sex and home."""
    age = (records.entry - context.people.born[records.person]).astype(np.int64)
    years = np.floor(age / YEAR).astype(np.int64)
    place = chosen(PLACES, context.people.place_at(records.person, records.entry))
    commune = pl.Series(context.people.commune[records.person]).cast(pl.String).str.zfill(3)
    frame = pl.DataFrame({"years": years, "days": age}).select(
        AGE_ANN=pl.when(pl.col("years") >= 1).then("years"),
        AGE_JOU=pl.when(pl.col("years") < 1).then("days"),
    )
    return {
        "AGE_ANN": frame["AGE_ANN"],
        "AGE_JOU": frame["AGE_JOU"],
        "COD_SEX": chosen("012", context.people.sex[records.person]),
        "BDI_DEP": place,
        "BDI_COD": place + commune,
    }


def _ways(context: Context, records: Records, random: Random) -> dict[str, pl.Series]:
    """How people came and went."""
    count, real, shares = records.count, records.real, facts.SHARES_OF_STAYS
    stay = records.stay[real]
    emergency, moved = np.zeros(count), np.zeros(count, dtype=np.int64)
    died = np.zeros(count, dtype=np.bool_)
    emergency[real] = np.array([kind.emergency for kind in _KINDS])[context.stays.kind[stay]]
    moved[real], died[real] = context.stays.moved[stay], context.stays.died[stay]
    score = np.where(moved == 2, 9.0, emergency + 0.6 * random.random(count))
    came = most(np.where(real & ~records.shared, score, -1.0), 1 - shares["no_provenance"])
    entry_mode = np.select([~real, records.shared, moved == 2], [0, 1, 2], default=3)
    left = np.select([~real, records.shared, died, moved == 1], [0, 1, 2, 3], default=4)
    short = np.where(came & (records.nights <= 1), random.random(count), -1.0)
    uhcd = most(short, shares["short_stay_unit"])
    return {
        "ENT_MOD": chosen(["", "0", "7", "8"], entry_mode),
        "ENT_PRV": chosen(["", "1", "5"], np.where(came, np.where(moved == 2, 1, 2), 0)),
        "SOR_MOD": chosen(["", "0", "9", "7", "8"], left),
        "SOR_DES": chosen(["", "1"], (moved == 1).astype(np.int64)),
        "UHCD_TOP": chosen("01", uhcd.astype(np.int64)),
    }


def _groups(context: Context, records: Records, random: Random) -> dict[str, pl.Series]:
    """The group of each stay, and what became of the grouping."""
    real, shares = records.real, facts.SHARES_OF_STAYS
    by_night = _kind_texts(records, context, [*(kind.group for kind in _KINDS), MADE_BY_MACHINE])
    by_day = _kind_texts(records, context, [*(kind.day_group for kind in _KINDS), MADE_BY_MACHINE])
    # Beside what a machine made up, some rows have another error.
    score = np.where(real, random.random(records.count), -1.0)
    ungrouped = most(score, 1 - shares["grouped"] - shares["fictitious"])
    outcome = np.where(~real, 1, np.where(ungrouped, 2, 0))
    return {
        "GRG_GHM": by_day.zip_with(pl.Series(records.nights == 0), by_night),
        "GRG_RET": chosen(["000", "024", "014"], outcome),
    }


def _has_act(records: Records, context: Context) -> tuple[Flags, Flags]:
    """Which records have an act, and which of these one of anaesthesia, too."""
    acted, operated = (
        np.zeros(records.count, dtype=np.bool_),
        np.zeros(records.count, dtype=np.bool_),
    )
    kind = context.stays.kind[records.stay[records.real]]
    acted[records.real] = np.array([bool(each.acts) for each in _KINDS])[kind]
    surgery = np.array([each.group[2:3] in "CK" for each in _KINDS])[kind]
    operated[records.real] = surgery & acted[records.real]
    return acted, operated


def _act_counts(records: Records, context: Context) -> Ints:
    acted, operated = _has_act(records, context)
    return acted.astype(np.int64) + operated


def _acts(
    records: Records, numbered: pl.DataFrame, context: Context, random: Random
) -> pl.DataFrame:
    acted, operated = _has_act(records, context)
    rows = np.flatnonzero(acted)
    kind = context.stays.kind[records.stay[rows]]
    flat = [code for each in _KINDS for code in each.acts]
    start = np.cumsum([0, *(len(each.acts) for each in _KINDS)])
    which = start[kind] + random.integers(
        0, np.maximum([len(each.acts) for each in _KINDS], 1)[kind]
    )
    acts = pl.DataFrame(
        {
            "record": rows,
            "CDC_ACT": chosen(flat, which),
            "ACV_ACT": pl.Series(["1"]).new_from_index(0, len(rows)),
            "PHA_ACT": pl.Series(["0"]).new_from_index(0, len(rows)),
            "ENT_DAT_DEL": np.minimum(records.nights[rows], random.integers(0, 3, len(rows))),
            "NBR_EXE_ACT": np.ones(len(rows), dtype=np.int64),
        }
    )
    asleep = acts.filter(pl.Series(operated[rows])).with_columns(ACV_ACT=pl.lit("4"))
    return _beside(numbered, pl.concat([acts, asleep]), by=("CDC_ACT", "ACV_ACT"))


def _associated(numbered: pl.DataFrame, diagnoses: pl.DataFrame) -> pl.DataFrame:
    frame = diagnoses.rename({"code": "ASS_DGN"})
    rank = pl.int_range(1, pl.len() + 1).over("record").alias("DGN_ASS_NUM")
    return _beside(numbered, frame.with_columns(rank), by=("ASS_DGN",))


def _beside(numbered: pl.DataFrame, rows: pl.DataFrame, *, by: tuple[str, ...]) -> pl.DataFrame:
    """Give rows of records their keys; a record that stands twice has its rows twice."""
    joined = numbered.join(rows, on="record", how="inner").drop("record")
    return joined.select(*_KEY, pl.exclude(*_KEY)).sort(*_KEY, *by)


def _units(
    records: Records, numbered: pl.DataFrame, context: Context, random: Random
) -> pl.DataFrame:
    record = np.repeat(np.arange(records.count), records.units)
    start = np.repeat(np.cumsum(records.units) - records.units, records.units)
    order = np.arange(len(record)) - start + 1
    several = records.units[record] > 1
    count = records.associated[record]
    # So many units have none as are observed, although their stay has some.
    wanted = facts.SHARES_OF_STAYS["no_associated_in_a_unit"] * len(record)
    short = wanted - int((count == 0).sum())
    some = np.flatnonzero(several & (count > 0))
    emptied = some[most(random.random(len(some)), short / max(len(some), 1))]
    count = count.copy()
    count[emptied] = 0
    flat = [code for kind in _KINDS for code in kind.codes]
    first = np.cumsum([0, *(len(kind.codes) for kind in _KINDS)])
    place = np.full(records.count, len(flat))
    stay = records.stay[records.real]
    place[records.real] = first[context.stays.kind[stay]] + context.stays.variant[stay]
    unit = _kind_texts(records, context, [*(kind.unit for kind in _KINDS), "53"])
    nights = np.where(records.nights == NIGHTS_UNKNOWN, 0, records.nights)[record]
    frame = pl.DataFrame(
        {
            "record": record,
            "UM_ORD_NUM": order,
            "DGN_PAL": chosen([*flat, ""], place[record]),
            "AUT_TYP1_UM": pl.select(
                pl.when(pl.lit(pl.Series(order == 1)))
                .then(pl.lit(unit.gather(record.astype(np.uint32))))
                .otherwise(pl.lit("51"))
            ).to_series(),
            "DGN_ASS_NBR": count,
            "PAR_DUR_SEJ": np.maximum(nights // records.units[record], 0),
        }
    )
    return _beside(numbered, frame, by=("UM_ORD_NUM",))


def _drugs(records: Records, numbered: pl.DataFrame, context: Context) -> pl.DataFrame:
    """What was given beside the tariff, in public hospitals: private ones bill it elsewhere."""
    unit = np.full(records.count, -1)
    unit[records.real] = context.stay_drugs[records.stay[records.real]]
    rows = np.flatnonzero((unit >= 0) & IS_PUBLIC[records.house])
    day, given = records.entry[rows], unit[rows]
    frame = pl.DataFrame(
        {
            "record": rows,
            "UCD_UCD_COD": chosen([each.padded for each in UNITS], given),
            "ADM_NBR": np.array([float(each.units) for each in UNITS])[given],
            "ADM_MOIS": col.formatted(day, "%m")(),
            "DAT_ADM_ANN": years_of(day),
            "DELAI": np.zeros(len(rows), dtype=np.int64),
            "NBR_SEJ": np.ones(len(rows), dtype=np.int64),
        }
    )
    return _beside(numbered, frame, by=("UCD_UCD_COD",))


def _establishments(numbered: pl.DataFrame) -> pl.DataFrame:
    """One row per hospital and year of these rows."""
    return (
        numbered.select("MCO_ANN", "ETA_NUM")
        .unique()
        .sort("MCO_ANN", "ETA_NUM")
        .with_columns(
            ETB_EXE_FIN=pl.col("ETA_NUM").str.slice(0, 8),
            SOC_RAI=pl.lit("HOPITAL ") + pl.col("ETA_NUM"),
            VAL_ETA=pl.lit("1"),
        )
    )
