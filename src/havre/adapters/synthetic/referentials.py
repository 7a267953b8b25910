"""Registers of what is no person's: packs of drugs, hospitals, professionals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from havre.adapters.synthetic import columns as col
from havre.adapters.synthetic.columns import Column, Wanted
from havre.adapters.synthetic.draws import chosen
from havre.adapters.synthetic.facts.drugs import DRUGS
from havre.adapters.synthetic.houses import HOUSES, IS_PUBLIC
from havre.adapters.synthetic.offices import (
    SPECIALITIES,
    list_offices,
    office_numbers,
    speciality_places,
)


def make_referentials(
    year: int, offices: int, wanted: Wanted
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Make the wanted registers of a year: a table's name and its rows."""
    makers = {
        "IR_PHA_R": (_packs(), len(DRUGS)),
        "BE_IDE_R": (_houses(), len(HOUSES)),
        "DA_PRA_R": _professionals(year, offices),
    }
    for table, (columns, rows) in makers.items():
        if wanted.has(table):
            yield table, wanted.frame(table, columns, rows)


def _texts(listed: list[str]) -> Column:
    return lambda: pl.Series(listed, dtype=pl.String)


def _packs() -> dict[str, Column]:
    return {
        "PHA_CIP_C13": _texts([drug.cip13 for drug in DRUGS]),
        "PHA_PRS_IDE": _texts([drug.cip13[5:12] for drug in DRUGS]),
        "PHA_ATC_CLA": _texts([drug.atc for drug in DRUGS]),
        "PHA_ATC_C07": _texts([drug.atc for drug in DRUGS]),
        "PHA_ATC_C03": _texts([drug.atc[:3] for drug in DRUGS]),
        "PHA_PRI_UNI": _texts([f"{drug.price:.2f}" for drug in DRUGS]),
        "PHA_GRD_CND": col.constant("N", len(DRUGS)),
    }


def _houses() -> dict[str, Column]:
    return {
        "IDE_ETA_NU8": _texts([code[:8] for code in HOUSES]),
        "IDE_ETA_NUM": _texts(list(HOUSES)),
        "IDE_ETA_NOM": _texts([f"HOPITAL {code}" for code in HOUSES]),
        "IDE_PSH_CAT": col.texts(("365", "101"), IS_PUBLIC.astype(np.int64)),
        "IDE_PSH_STJ": col.texts(("95", "13"), IS_PUBLIC.astype(np.int64)),
    }


def _professionals(year: int, offices: int) -> tuple[dict[str, Column], int]:
    listed = list_offices(offices)
    rows = len(listed)
    numbers = chosen(office_numbers(), listed)
    return {
        "DTE_ANN_TRT": col.number(year, rows),
        "DTE_MOI_FIN": col.constant("12", rows),
        "PFS_PFS_NUM": lambda: numbers.str.slice(0, 8),
        "PFS_PRA_SPE": col.texts(SPECIALITIES, speciality_places(listed)),
        "PFS_COD_POS": lambda: numbers.str.slice(0, 2) + "000",
        "CNV_CNV_COD": col.constant("1", rows),
    }, rows
