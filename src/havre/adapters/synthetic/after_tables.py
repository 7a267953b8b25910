"""The tables of rehabilitation (SSR), of hospital at home (HAD), and of psychiatry (RIP).

A stay in rehabilitation is a row per week, one at home a row per stretch of care, one
in psychiatry a row per sequence. Rows are filed by the year in which they end; a
year of rehabilitation repeats the weeks of the year before of stays that go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from havre.adapters.synthetic import columns as col
from havre.adapters.synthetic.after import After, draw_after
from havre.adapters.synthetic.columns import Wanted
from havre.adapters.synthetic.dcir import Context
from havre.adapters.synthetic.draws import YEAR, Ints, Random, Theme, chosen
from havre.adapters.synthetic.facts import stays as facts
from havre.adapters.synthetic.facts.diseases import ILLNESSES
from havre.adapters.synthetic.houses import HOUSES
from havre.adapters.synthetic.illnesses import Illnesses
from havre.adapters.synthetic.people import PLACES, Block
from havre.adapters.synthetic.records import (
    RETURN_CODES,
    by_year,
    chained_numbers,
    return_codes,
    years_of,
)
from havre.adapters.synthetic.stays import KIND_NAMES

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SINCE = {"COH_NAI_RET": 2013, "COH_SEX_RET": 2013, "TYP_GEN_RHA": 2015, "TYP_GEN_RSA": 2015}
# Domain: its number for the stream; its columns for establishment and stay; digits of the latter.
_DOMAINS = {
    "SSR": (1, "ETA_NUM", "RHA_NUM", 7),
    "HAD": (2, "ETA_NUM_EPMSI", "RHAD_NUM", 5),
    "RIP": (3, "ETA_NUM_EPMSI", "RIP_NUM", 6),
}
# Streams of tables stand after those of the stays themselves.
_TABLES_OF = 10
# More than a block of people has in one hospital, in ten years.
_STAYS_PER_HOUSE = 900
_MOST_DAYS = {"SSR": 7, "HAD": 30, "RIP": 90}


@dataclass(frozen=True, slots=True)
class _Filed:
    """Parts of stays, as rows: which stay, which part of it from 1, its days, and the year of its table."""

    stay: Ints
    part: Ints
    first: Ints
    last: Ints
    year: Ints


def draw_after_tables(
    context: Context, illnesses: Illnesses, block: Block, wanted: Wanted
) -> Iterator[tuple[str, Iterator[tuple[str, int, pl.DataFrame]]]]:
    """Make the tables of the three domains: domain, and its tables with their year and rows."""
    if any(wanted.has(f"T_{domain}aaC") for domain in _DOMAINS):
        for domain, after in draw_after(context, illnesses, block).items():
            yield domain, _tables(domain, after, context, illnesses, block=block, wanted=wanted)


def _tables(
    domain: str,
    after: After,
    context: Context,
    illnesses: Illnesses,
    *,
    block: Block,
    wanted: Wanted,
) -> Iterator[tuple[str, int, pl.DataFrame]]:
    number, house, stay_column, width = _DOMAINS[domain]
    random = block.stream(Theme.AFTER, _TABLES_OF + number)
    filed = _filed(domain, after, block)
    key = {
        f"{domain}_ANN": filed.year,
        house: chosen(HOUSES, after.house[filed.stay]),
        stay_column: _serials(after, block, width).gather(filed.stay.astype(np.uint32)),
    }
    keys = pl.DataFrame(key)
    make = {"SSR": _rehabilitation, "HAD": _at_home, "RIP": _psychiatry}[domain]
    tables = {f"T_{domain}aaC": _chain(domain, keys, after, filed, context=context, random=random)}
    tables |= make(keys, after, filed, context, illnesses=illnesses, random=random)
    yield from by_year(tables, wanted, year_column=f"{domain}_ANN", since=_SINCE)


def _serials(after: After, block: Block, width: int) -> pl.Series:
    """Numbers of stays within their hospital that no two blocks share; letters, where digits are too few."""
    order = np.argsort(after.house, kind="stable")
    house = after.house[order]
    begins = np.concatenate([[True], house[1:] != house[:-1]])[: len(house)]
    place = np.arange(len(house))
    rank = np.empty(len(house), dtype=np.int64)
    rank[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    number = block.number * _STAYS_PER_HOUSE + rank + 1
    if 10**width > _STAYS_PER_HOUSE * 10_000:
        return pl.Series(number).cast(pl.String).str.zfill(width)
    texts = pl.Series([""], dtype=pl.String).new_from_index(0, len(rank))
    for _ in range(width):
        texts = chosen(_DIGITS, number % 36) + texts
        number = number // 36
    return texts


def _filed(domain: str, after: After, block: Block) -> _Filed:
    """Cut stays into parts; each is filed by the year in which it ends, if the period has it."""
    most = _MOST_DAYS[domain]
    # Weeks begin on Monday; the first of 1970 was a Thursday.
    before = (after.entry + 3) % 7 if domain == "SSR" else np.zeros(after.count, dtype=np.int64)
    parts = (after.exit - after.entry + before) // most + 1
    stay = np.repeat(np.arange(after.count), parts)
    part = np.arange(len(stay)) - np.repeat(np.cumsum(parts) - parts, parts)
    begins = (after.entry - before)[stay] + part * most
    first = np.maximum(begins, after.entry[stay])
    last = np.minimum(begins + most - 1, after.exit[stay])
    year = years_of(last)
    if domain == "SSR":
        # Of a stay that goes on in the next year, the weeks before are there again.
        goes_on = np.flatnonzero(year < years_of(after.exit[stay]))
        stay, part, first, last, year = (
            np.concatenate([column, column[goes_on] + add])
            for column, add in ((stay, 0), (part, 0), (first, 0), (last, 0), (year, 1))
        )
    kept = (year >= block.period.first_year) & (year <= block.period.last_year)
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((part[rows], stay[rows], year[rows]))]
    return _Filed(stay[rows], part[rows] + 1, first[rows], last[rows], year[rows])


def _chain(
    domain: str,
    keys: pl.DataFrame,
    after: After,
    filed: _Filed,
    *,
    context: Context,
    random: Random,
) -> pl.DataFrame:
    """One row per stay and year: numbers, dates, return codes."""
    _, at = np.unique(filed.stay * 10_000 + filed.year, return_index=True)
    at = np.sort(at)
    stay = filed.stay[at]
    person, entry, leaves = after.person[stay], after.entry[stay], after.exit[stay]
    codes, nobody = return_codes(
        domain, filed.year[at], random, names=(*RETURN_CODES, "COH_NAI_RET", "COH_SEX_RET")
    )
    frame = pl.DataFrame(
        {
            "NIR_ANO_17": chained_numbers(context, person, entry, nobody, random),
            **codes,
            "SEJ_NUM": pl.Series(1 + person % 90000).cast(pl.String).str.zfill(5),
            "EXE_SOI_DTD": col.dates(entry)(),
            "EXE_SOI_DTF": col.dates(leaves)(),
            "ENT_DAT": col.formatted(entry, "%d%m%Y")(),
            "SOR_DAT": col.formatted(leaves, "%d%m%Y")(),
            "EXE_SOI_AMD": col.formatted(entry, "%Y%m")(),
            "EXE_SOI_AMF": col.formatted(leaves, "%Y%m")(),
        }
    )
    return pl.concat([keys[at], frame], how="horizontal")


def _shared(after: After, filed: _Filed, context: Context) -> dict[str, pl.Series]:
    """What every row says of its person, and of the stay's beginning and end."""
    stay = filed.stay
    person = after.person[stay]
    age = np.floor((after.entry[stay] - context.people.born[person]) / YEAR).astype(np.int64)
    place = context.people.place_at(person, after.entry[stay])
    died = after.exit[stay] == context.dies[person]
    ended = filed.last >= after.exit[stay]
    return {
        "AGE_ANN": pl.Series(np.maximum(age, 0)),
        "COD_SEX": chosen("012", context.people.sex[person]),
        "BDI_DEP": chosen(PLACES, place),
        "BDI_COD": chosen(PLACES, place)
        + pl.Series(context.people.commune[person]).cast(pl.String).str.zfill(3),
        "ENT_MOD": chosen(["8", "7"], (after.kind[stay] >= 0).astype(np.int64)),
        "ENT_PRV": chosen(["", "1"], (after.kind[stay] >= 0).astype(np.int64)),
        "SOR_MOD": chosen(["", "8", "9"], np.where(ended, 1 + died, 0)),
        "SOR_DES": chosen([""], np.zeros(len(stay), dtype=np.int64)),
    }


def _of_kind(after: After, filed: _Filed, texts: dict[str, str], otherwise: str) -> pl.Series:
    listed = [*(texts.get(name, otherwise) for name in KIND_NAMES), otherwise]
    kind = after.kind[filed.stay]
    return chosen(listed, np.where(kind < 0, len(KIND_NAMES), kind))


def _other_codes(after: After, filed: _Filed, illnesses: Illnesses, rows: Ints) -> pl.DataFrame:
    """Diagnoses beside the first, of these rows: `row` and `code`; what the person had fallen ill of."""
    parts = []
    person = after.person[filed.stay[rows]]
    for number, illness in enumerate(ILLNESSES.values()):
        has = np.flatnonzero(illnesses.onset[number, person] < filed.first[rows])
        codes = chosen(illness.codes, illnesses.variant[number, person[has]])
        parts.append(pl.DataFrame({"row": rows[has], "code": codes}))
    return pl.concat(parts).sort("row", "code")


def _with(keys: pl.DataFrame, rows: pl.Series | Ints, columns: dict[str, object]) -> pl.DataFrame:
    return pl.concat([keys[rows], pl.DataFrame(columns)], how="horizontal")


def _rehabilitation(
    keys: pl.DataFrame,
    after: After,
    filed: _Filed,
    context: Context,
    *,
    illnesses: Illnesses,
    random: Random,
) -> dict[str, pl.DataFrame]:
    count = len(filed.stay)
    week = {"RHS_NUM": pl.Series(filed.part).cast(pl.String).str.zfill(3)}
    monday = (filed.first + 3) // 7 * 7 - 3
    day = monday[:, None] + np.arange(7)[None, :]
    there = (day >= filed.first[:, None]) & (day <= filed.last[:, None])
    weights = 10 ** np.arange(4, -1, -1)
    dependence = random.integers(1, 5, (6, count))
    purposes = {name: row[1] for name, row in facts.REHABILITATION.items()}
    groups = {name: row[3] for name, row in facts.REHABILITATION.items()}
    others = _other_codes(after, filed, illnesses, np.arange(count))
    counted = np.bincount(others["row"].to_numpy(), minlength=count)
    acts = np.repeat(np.arange(count), random.poisson(4.0, count))
    weeks = keys.with_columns(**week)
    group = _of_kind(after, filed, groups, "0871A1")
    b = {
        "RHA_VER": chosen(["M1D"], np.zeros(count, dtype=np.int64)),
        **_shared(after, filed, context),
        "HOS_TYP_UM": chosen(["1"], np.zeros(count, dtype=np.int64)),
        "MOI_ANN": col.formatted(filed.last, "%Y%m")(),
        "JP_HWE": pl.Series(there[:, :5] @ weights).cast(pl.String).str.zfill(5),
        "JP_WE": pl.Series(there[:, 5:] @ weights[3:]).cast(pl.String).str.zfill(2),
        "FP_PEC": _of_kind(after, filed, purposes, "Z518"),
        "MOR_PRP": after.code.gather(filed.stay.astype(np.uint32)),
        "ETL_AFF": after.code.gather(filed.stay.astype(np.uint32)),
        **{
            name: chosen("01234", dependence[place])
            for place, name in enumerate(
                ("HAB_DEP", "DPL_DEP", "ALI_DEP", "CON_DEP", "CPT_DEP", "REL_DEP")
            )
        },
        "NBR_DGN": counted,
        "NBR_CSARR": np.bincount(acts, minlength=count),
        "GRG_GME": group,
        "GRG_RET": chosen(["000"], np.zeros(count, dtype=np.int64)),
        "TYP_GEN_RHA": chosen("0", np.zeros(count, dtype=np.int64)),
    }
    act = random.integers(0, len(facts.REHABILITATION_ACTS), len(acts))
    return {
        "T_SSRaaB": pl.concat([weeks, pl.DataFrame(b)], how="horizontal"),
        "T_SSRaaD": _with(weeks, others["row"], {"DGN_COD": others["code"]}),
        "T_SSRaaCSARR": _with(
            weeks,
            acts,
            {
                "CSARR_COD": chosen(facts.REHABILITATION_ACTS, act),
                "NBR_CSARR": np.ones(len(acts), dtype=np.int64),
            },
        ),
    }


def _at_home(
    keys: pl.DataFrame,
    after: After,
    filed: _Filed,
    context: Context,
    *,
    illnesses: Illnesses,
    random: Random,
) -> dict[str, pl.DataFrame]:
    count = len(filed.stay)
    parts = keys.with_columns(
        SEQ_NUM=pl.lit("0001"), SSEQ_NUM=pl.Series(filed.part).cast(pl.String).str.zfill(4)
    )
    modes = {name: row[1] for name, row in facts.HOSPITAL_AT_HOME.items()}
    groups = {name: row[2] for name, row in facts.HOSPITAL_AT_HOME.items()}
    others = _other_codes(after, filed, illnesses, np.arange(count))
    # A machine could not group one stretch of care in a hundred.
    ungrouped = random.random(count) < 0.01
    nights = filed.last - filed.first + 1
    b = {
        **_shared(after, filed, context),
        "DGN_PAL": after.code.gather(filed.stay.astype(np.uint32)),
        "PEC_PAL": _of_kind(after, filed, modes, "09"),
        "PEC_ASS": chosen(["00", "14"], random.integers(0, 2, count)),
        "DEP_COT": chosen(["50", "70", "30"], random.integers(0, 3, count)),
        "SEJ_NBJ": (after.exit - after.entry)[filed.stay],
        "SSEQ_SEQ_NBJ": nights,
        "NBR_DGN": np.bincount(others["row"].to_numpy(), minlength=count),
        "FIN_ANN_SEQ": years_of(filed.last),
        "FIN_MOI_SEQ": col.formatted(filed.last, "%m")(),
        "SOR_ANN_SSEQ": years_of(filed.last),
        "SOR_MOI_SSEQ": col.formatted(filed.last, "%m")(),
    }
    group = _of_kind(after, filed, groups, "25")
    tariff = pl.select(
        pl.when(pl.lit(pl.Series(ungrouped))).then(pl.lit("99")).otherwise(pl.lit(group))
    ).to_series()
    return {
        "T_HADaaB": pl.concat([parts, pl.DataFrame(b)], how="horizontal"),
        "T_HADaaD": _with(parts, others["row"], {"DGN_ASS": others["code"]}),
        "T_HADaaGRP": _with(parts, np.arange(count), {"GHT_NUM": tariff, "GHT_NBJ": nights}),
    }


def _psychiatry(
    keys: pl.DataFrame,
    after: After,
    filed: _Filed,
    context: Context,
    *,
    illnesses: Illnesses,
    random: Random,
) -> dict[str, pl.DataFrame]:
    count = len(filed.stay)
    parts = keys.with_columns(
        SEQ_SEQ_NUM=pl.Series(filed.part).cast(pl.String).str.zfill(3),
        SEJ_IDT=pl.Series(1 + filed.stay % 90000).cast(pl.String).str.zfill(5),
        # A hospital's own number of a patient: it chains nothing elsewhere.
        IPP_IRR_CRY=pl.Series(10**15 + after.person[filed.stay] * 7919).cast(pl.String),
    )
    first = after.code.gather(filed.stay.astype(np.uint32))
    coded = pl.Series(random.random(count) < 0.95)
    others = _other_codes(after, filed, illnesses, np.arange(count))
    days = filed.last - filed.first + 1
    rsa = {
        **_shared(after, filed, context),
        "DGN_PAL": pl.select(
            pl.when(pl.lit(coded)).then(pl.lit(first)).otherwise(pl.lit(""))
        ).to_series(),
        "FOR_ACT": chosen(["01", "06"], (random.random(count) < 0.12).astype(np.int64)),
        "MOD_SOI": chosen(["1", "3"], (random.random(count) < 0.12).astype(np.int64)),
        "SEQ_IND": chosen(["C"], np.zeros(count, dtype=np.int64)),
        "SEQ_FIN_MOI": col.formatted(filed.last, "%m")(),
        "SEQ_FIN_ANN": years_of(filed.last),
        "PRE_JOU_NBJ": days,
        "SEQ_COU_NBJ": days,
        "NBR_DGN": np.bincount(others["row"].to_numpy(), minlength=count),
        "TYP_GEN_RSA": chosen("0", np.zeros(count, dtype=np.int64)),
    }
    return {
        "T_RIPaaRSA": pl.concat([parts, pl.DataFrame(rsa)], how="horizontal"),
        "T_RIPaaRSAD": _with(parts, others["row"], {"ASS_DGN": others["code"]}),
    }
