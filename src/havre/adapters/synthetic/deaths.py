"""Certificates of death, and the causes that stand on them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from havre.adapters.synthetic import columns as col
from havre.adapters.synthetic.columns import Column, Wanted
from havre.adapters.synthetic.dcir import Context
from havre.adapters.synthetic.draws import Floats, Ints, Theme, chosen, most
from havre.adapters.synthetic.facts.diseases import ILLNESSES, TERMINAL_CAUSES
from havre.adapters.synthetic.facts.population import LINKED_DEATHS, share_in
from havre.adapters.synthetic.illnesses import NAMES, Illnesses, cause_codes
from havre.adapters.synthetic.people import PLACES, Block
from havre.adapters.synthetic.registers import last_number

_CERTIFICATE_CHARACTERS = 64
# Causes on a certificate beside the one that began it: one or two above it, others beside it.
_MEAN_ABOVE, _TWO_BESIDE, _AGE_ITSELF = 1.3, 0.25, 0.6


def draw_deaths(
    context: Context, illnesses: Illnesses, block: Block, wanted: Wanted
) -> Iterator[tuple[str, int, pl.DataFrame]]:
    """Make the certificates of a period: table, year of death, and its rows."""
    random, period = block.stream(Theme.DEATHS), block.period
    person = np.flatnonzero((context.dies >= period.begins) & (context.dies < period.ends))
    person = person[np.argsort(context.dies[person], kind="stable")]
    day = context.dies[person]
    year = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    linked = np.zeros(len(person), dtype=np.bool_)
    for each in np.unique(year).tolist():
        rows = np.flatnonzero(year == each)
        linked[rows] = most(random.random(len(rows)), share_in(LINKED_DEATHS, each))
    drawn = random.integers(0, 16, (len(person), _CERTIFICATE_CHARACTERS))
    letters = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[drawn].view("S64").ravel()
    certificate = pl.Series(letters.astype("U64"), dtype=pl.String)
    identity = pl.select(
        pl.when(pl.lit(pl.Series(linked)))
        .then(pl.lit(chosen(context.numbers.identity, last_number(context, person, day))))
        .otherwise(pl.lit(""))
    ).to_series()
    began = cause_codes(illnesses, person)
    above, beside = _other_causes(illnesses, person, random.random((3, len(person))))
    for number in np.unique(year).tolist():
        rows = np.flatnonzero(year == number)
        shared = {
            "DCD_IDT_ENC": certificate.gather(rows),
            "DCD_IDT_TOP": pl.Series(linked[rows]).cast(pl.Int64).cast(pl.String),
            "BEN_IDT_ANO": identity.gather(rows),
        }
        if wanted.has("KI_CCI_R"):
            makers = _certificate(context, person[rows], shared)
            makers["DCD_CIM_COD"] = _texts([began[row] for row in rows.tolist()])
            yield "KI_CCI_R", number, wanted.frame("KI_CCI_R", makers, len(rows))
        if wanted.has("KI_ECD_R"):
            causes = [
                (place, 2 if line else 1, rank, code)
                for place, row in enumerate(rows.tolist())
                for line, listed in enumerate(([*above[row], began[row]], beside[row]))
                for rank, code in enumerate(listed, 1)
            ]
            yield "KI_ECD_R", number, _causes(causes, day[rows], shared, wanted)


def _texts(listed: list[str]) -> Column:
    return lambda: pl.Series(listed, dtype=pl.String)


def _certificate(context: Context, person: Ints, shared: dict[str, pl.Series]) -> dict[str, Column]:
    people, rows = context.people, len(person)
    dies = context.dies[person]
    place = people.place_at(person, dies)
    department = col.texts([code.zfill(3) for code in PLACES], place)
    makers: dict[str, Column] = {
        "FLX_PER_ANN": col.years(dies),
        "DCD_DPT_COD": department,
        "BEN_RES_DPT": department,
        "BEN_RES_COM": col.whole(people.commune[person], width=3),
        "BEN_DCD_DTE": col.dates(dies),
        "BEN_DCD_AME": col.formatted(dies, "%Y%m"),
        "BEN_NAI_ANN": col.years(people.born[person]),
        "BEN_NAI_MOI": col.formatted(people.born[person], "%m"),
        "BEN_SEX_COD": col.texts(("0", "1", "2"), people.sex[person]),
        "CER_VER_NUM": col.constant("2", rows),
        "DCD_LIE_COD": col.constant("2", rows),
    }
    return {name: _kept(series) for name, series in shared.items()} | makers


def _kept(series: pl.Series) -> Column:
    return lambda: series


def _other_causes(
    illnesses: Illnesses, person: Ints, drawn: Floats
) -> tuple[list[list[str]], list[list[str]]]:
    """What came last, above the cause that began it, and what else the person had."""
    listed = list(ILLNESSES.values())
    above, beside = [], []
    for who, first, second, third in zip(person.tolist(), *drawn.tolist(), strict=True):
        several = 1 + (first < _MEAN_ABOVE - 1)
        start = int(second * len(TERMINAL_CAUSES))
        above.append(
            [TERMINAL_CAUSES[(start + step) % len(TERMINAL_CAUSES)] for step in range(several)]
        )
        had = [
            listed[row].codes[int(illnesses.variant[row, who])]
            for row in range(len(NAMES))
            if illnesses.onset[row, who] < illnesses.dies[who] and row != illnesses.cause[who]
        ]
        # Most certificates name one illness beside, some two; of the old, age itself.
        named = had[: 2 if third < _TWO_BESIDE else 1]
        beside.append(named or (["R54"] if third < _AGE_ITSELF else []))
    return above, beside


def _causes(
    causes: list[tuple[int, int, int, str]],
    day: Ints,
    shared: dict[str, pl.Series],
    wanted: Wanted,
) -> pl.DataFrame:
    place = np.array([each[0] for each in causes], dtype=np.int64)
    makers: dict[str, Column] = {
        name: _kept(series.gather(place.astype(np.uint32))) for name, series in shared.items()
    }
    makers |= {
        "FLX_PER_ANN": col.years(day[place]),
        "CER_LIG_NUM": lambda: pl.Series([each[1] for each in causes], dtype=pl.Int64),
        "ECD_CAU_RNG": lambda: pl.Series([each[2] for each in causes], dtype=pl.Int64),
        "ECD_CIM_COD": _texts([each[3] for each in causes]),
        "BEN_DCD_DTE": col.dates(day[place]),
        "BEN_DCD_AME": col.formatted(day[place], "%Y%m"),
    }
    return wanted.frame("KI_ECD_R", makers, len(causes))
