"""Rates of the files that stays in hospital leave, and of what follows on them.

Source: the dictionaries of 2018 (column of observations, MCO 2010), the volumes of
2021 as ATIH published them, and the Santé publique France guide to the SNDS.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

# Associated diagnoses of people whose illnesses say nothing.
OTHER_DIAGNOSES = ("I10", "E669", "E785", "Z921", "F171", "N390", "D649", "E876", "Z501", "K590")
# Diagnoses that a mother's and a child's stay have beside the first.
BIRTH_DIAGNOSES = ("Z370",)

# Stays of acute care per person and year, all rows of a year's table.
STAYS_PER_YEAR = 0.277
BIRTHS_PER_YEAR = 0.0097
# Shares of a year's rows, as observed in 2010.
SHARES_OF_STAYS: Mapping[str, float] = {
    "no_night": 0.54,
    "length_unknown": 0.001,
    "one_unit": 0.932,
    "no_associated": 0.492,
    "no_associated_in_a_unit": 0.479,
    "short_stay_unit": 0.015,
    "bed_of_day": 0.0125,
    "fictitious": 0.104,
    "grouped": 0.89,
    "no_provenance": 0.84,
    "elsewhere": 0.005,
    "nobody": 0.02,
}
# Year and percent of rows whose identity could not be chained; between them it falls evenly in logarithm.
CHAINING_FAULTS: Mapping[str, tuple[tuple[int, float], ...]] = {
    "MCO": ((2005, 7.27), (2017, 1.40)),
    "SSR": ((2005, 13.2), (2017, 1.22)),
    "RIP": ((2007, 36.0), (2017, 3.52)),
    "HAD": ((2005, 10.6), (2010, 34.0), (2017, 0.15)),
}
# Numbers that hospitals write when they know none.
NOBODY = ("x" * 17, "X" * 17, "X" * 16 + "D", "X" * 16 + "S")

# Stays after acute care, and without it: kind of acute stay, share that goes on so.
REHABILITATION: Mapping[str, tuple[float, str, str, str]] = {
    # share, purpose (FP_PEC), morbidity (MOR_PRP), group
    "stroke": (0.35, "Z501", "G819", "0147A2"),
    "fall": (0.45, "Z501", "S720", "0872A1"),
    "hip": (0.35, "Z501", "Z966", "0873A1"),
    "knee": (0.25, "Z501", "Z966", "0874A1"),
    "failure": (0.12, "Z508", "I509", "0512A1"),
    "infarction": (0.25, "Z500", "I219", "0503A0"),
    "copd": (0.10, "Z508", "J449", "0412A1"),
    "dementia": (0.20, "Z518", "G309", "0118A1"),
    "pneumonia": (0.08, "Z518", "J189", "0415A1"),
}
REHABILITATION_ACTS = ("ALQ+183", "ANQ+067", "AKQ+124", "GKQ+190")
HOSPITAL_AT_HOME: Mapping[str, tuple[float, str, str]] = {
    # share, main mode of care (PEC_PAL), group of tariffs
    "lung": (0.10, "04", "20"),
    "palliative": (0.30, "04", "20"),
    "bowel_surgery": (0.12, "10", "17"),
    "chemotherapy": (0.01, "05", "04"),
    "caesarean": (0.05, "21", "09"),
    "infection": (0.08, "03", "07"),
    "fall": (0.02, "09", "25"),
    "pneumonia": (0.03, "03", "07"),
}
# Stays per person and year, 2021: what acute care does not bring is filled up to these.
VOLUMES: Mapping[str, float] = {"SSR": 0.0194, "HAD": 0.0040, "RIP": 0.0120}
MEAN_NIGHTS: Mapping[str, float] = {"SSR": 27.0, "HAD": 20.0, "RIP": 28.0}
# What is coded where no acute stay and no illness says it.
OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "SSR": ("M179", "R268", "E669", "I702"),
    "HAD": ("L89", "Z480", "T818"),
    "RIP": ("F412", "F102", "F432", "F607"),
}
# Illness, stays in psychiatry per year, mean nights, form of activity.
PSYCHIATRY: Mapping[str, tuple[float, float]] = {
    "psychosis": (0.9, 35.0),
    "depression": (0.05, 20.0),
}


def chaining_faults(domain: str, year: int) -> float:
    """The share of a year's rows with a return code that is not zero.

    >>> round(chaining_faults("MCO", 2017), 4), round(chaining_faults("MCO", 2011), 4)
    (0.014, 0.0319)
    """
    points = CHAINING_FAULTS[domain]
    if year >= points[-1][0]:
        return points[-1][1] / 100
    for (first, high), (last, low) in pairwise(points):
        if year <= last:
            share = max(year - first, 0) / (last - first)
            return float(high * (low / high) ** share) / 100
    raise ValueError("years rise")
