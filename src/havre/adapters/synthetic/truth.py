"""The truth, which no holder has and no hub is given: who is who, who fell ill of what, and when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from havre.adapters.synthetic.dcir import Context
from havre.adapters.synthetic.draws import NEVER, Ints, chosen
from havre.adapters.synthetic.facts.diseases import ILLNESSES
from havre.adapters.synthetic.illnesses import NAMES, Illnesses, cause_codes
from havre.adapters.synthetic.people import REGION_OF_PLACE, SLOTS, Block
from havre.adapters.synthetic.recognition import Recognised


def write_truth(
    folder: Path, context: Context, illnesses: Illnesses, recognised: Recognised, *, block: Block
) -> None:
    """Write one block's part of the truth: its people, their numbers, illnesses, and deaths."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = f"-{block.number:04d}" if block.number else ""
    for name, rows in (
        ("people", _people(context, illnesses, block)),
        ("numbers", _numbers(context, block)),
        ("illnesses", _illnesses(illnesses, recognised, block)),
        ("families", _families(context, illnesses, block)),
    ):
        rows.write_csv(folder / f"{name}{suffix}.csv")


def _day(name: str, days: Ints) -> pl.Series:
    series = pl.Series(name, np.minimum(days, NEVER).astype(np.int32))
    return pl.select(
        pl.when(pl.lit(series) < NEVER).then(pl.lit(series)).cast(pl.Date).alias(name)
    ).to_series()


def _people(context: Context, illnesses: Illnesses, block: Block) -> pl.DataFrame:
    people, numbers = context.people, context.numbers
    count = people.count
    everybody = np.arange(count)
    has = numbers.since[1] < NEVER
    first, second = numbers.number[:count], numbers.number[count : 2 * count]
    no = pl.Series([""], dtype=pl.String).new_from_index(0, count)
    diabetes = np.minimum(illnesses.of("diabetes_1"), illnesses.of("diabetes_2"))
    return pl.DataFrame(
        {
            "person": everybody + block.before,
            "number_1": first,
            "number_2": second.zip_with(pl.Series(has), no),
            "identity_1": numbers.identity[:count],
            "identity_2": numbers.identity[count : 2 * count].zip_with(pl.Series(has), no),
            "region": chosen(REGION_OF_PLACE, people.place),
            "born": _day("born", people.born),
            "diabetes": _day("diabetes", diabetes),
            "heart_failure": _day("heart_failure", illnesses.of("failure")),
            "dies": _day("dies", illnesses.dies),
        }
    )


def _numbers(context: Context, block: Block) -> pl.DataFrame:
    numbers, count = context.numbers, context.people.count
    return pl.DataFrame(
        {
            "person": np.tile(np.arange(count), SLOTS) + block.before,
            "number": numbers.number,
            "rank": numbers.rank,
            "identity": numbers.identity,
            "since": _day("since", numbers.since.ravel()),
        }
    ).filter(pl.col("since").is_not_null())


def _illnesses(illnesses: Illnesses, recognised: Recognised, block: Block) -> pl.DataFrame:
    row, person = np.nonzero(illnesses.onset < np.minimum(block.period.ends, illnesses.dies))
    codes = [illness.codes for illness in ILLNESSES.values()]
    variant = illnesses.variant[row, person]
    return pl.DataFrame(
        {
            "person": person + block.before,
            "illness": chosen(NAMES, row),
            "code": [codes[r][v] for r, v in zip(row.tolist(), variant.tolist(), strict=True)],
            "begins": _day("begins", illnesses.onset[row, person]),
            "recognised": _day("recognised", recognised.start[row, person]),
        }
    ).sort("person", "begins")


def _families(context: Context, illnesses: Illnesses, block: Block) -> pl.DataFrame:
    people = context.people
    dead = np.flatnonzero(illnesses.dies < block.period.ends)
    cause = np.full(people.count, "", dtype="<U5")
    cause[dead] = cause_codes(illnesses, dead)

    def relative(row: Ints) -> pl.Series:
        numbered = pl.Series(row + block.before)
        return pl.select(pl.when(pl.lit(pl.Series(row >= 0))).then(pl.lit(numbered))).to_series()

    return pl.DataFrame(
        {
            "person": np.arange(people.count) + block.before,
            "sex": people.sex,
            "mother": relative(people.mother),
            "partner": relative(people.partner),
            "moves": _day("moves", people.moves),
            "cause": pl.Series(cause),
        }
    )
