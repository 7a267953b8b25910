"""Professionals: those of a department and part of care, of whom few do much and many do little.

General practitioners have even ranks, specialists odd ones; an office has one
speciality for good.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from havre.adapters.synthetic.care import PARTS
from havre.adapters.synthetic.draws import Flags, Ints, Random, chosen
from havre.adapters.synthetic.facts import acts
from havre.adapters.synthetic.people import PLACES

_STRIDE = 250
_FEWEST = 6
_PEOPLE_PER_RANK = 300_000
GENERAL = "01"
SPECIALITIES: tuple[str, ...] = ("0", GENERAL, *(code for code, _ in acts.SPECIALITIES[1:]))
_DOCTORS = tuple(PARTS.index(name) for name in ("doctor", "visit", "technical"))


def offices_for(people: int) -> int:
    """How many professionals of a part a department has, among so many people in all."""
    return min(max(people // _PEOPLE_PER_RANK, _FEWEST), _STRIDE)


def draw_offices(place: Ints, part: Ints, general: Flags, *, offices: int, random: Random) -> Ints:
    """Draw professionals of departments and parts of care, as places in `office_numbers`."""
    rank = (random.pareto(1.2, len(place)) * 3).astype(np.int64) % (offices // 2) * 2 + ~general
    found: Ints = (place * len(PARTS) + part) * _STRIDE + rank
    return found


@cache
def office_numbers() -> pl.Series:
    """The numbers of all professionals (PFS_EXE_NUM), in the order of department, part and rank."""
    within = np.tile(np.arange(len(PARTS) * _STRIDE), len(PLACES))
    place = np.repeat(np.arange(len(PLACES)), len(PARTS) * _STRIDE)
    key = pl.Series((place * 7 + within) % 10).cast(pl.String)
    return chosen(PLACES, place) + pl.Series(within).cast(pl.String).str.zfill(6) + key


def speciality_places(office: Ints) -> Ints:
    """The speciality of each office, as a place in `SPECIALITIES`; 0 for whoever is no doctor."""
    part = office // _STRIDE % len(PARTS)
    edges = np.cumsum([share for _, share in acts.SPECIALITIES[1:]])
    # The same for good: it follows from the office's own number.
    at = (office * 2_654_435_761 % 10_007) / 10_007 * edges[-1]
    special = 2 + np.minimum(np.searchsorted(edges, at, side="right"), len(edges) - 1)
    doctor = np.where(office % 2 == 0, 1, special)
    found: Ints = np.where(np.isin(part, _DOCTORS), doctor, 0)
    return found


def list_offices(offices: int) -> Ints:
    """All professionals that there are."""
    cells = np.arange(len(PLACES) * len(PARTS)) * _STRIDE
    listed: Ints = (cells[:, None] + np.arange(offices // 2 * 2)[None, :]).ravel()
    return listed
