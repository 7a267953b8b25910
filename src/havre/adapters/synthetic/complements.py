"""Tables that say more of some lines: what a second fund pays, pensions of invalidity, ways of transport.

Codes are those of the SNDS's own lists. How categories of pensions and distances are
shared out is an assumption: nothing is published of it.
"""

from __future__ import annotations

import numpy as np

from havre.adapters.synthetic import columns as col
from havre.adapters.synthetic.accounting import MAJORATION, Lines
from havre.adapters.synthetic.care import NATURES, PARTS
from havre.adapters.synthetic.columns import Column
from havre.adapters.synthetic.draws import Flags, Ints, Random, pick
from havre.adapters.synthetic.people import PLACES

# Departments whose people have a local fund that pays most of the patient's part.
_LOCAL = [place for place, code in enumerate(PLACES) if code in ("57", "67", "68")]
# Percent that this fund and the first one pay together.
_TOGETHER = 90
_PENSIONS = [place for place, nature in enumerate(NATURES) if nature.startswith("711")]
_TRANSPORT = [place for place, nature in enumerate(NATURES) if nature in ("4212", "4213", "4214")]
_CATEGORIES = (("1", 0.25), ("2", 0.72), ("3", 0.03))
# Fixed fee of a department, kilometres at the usual tariff.
_FEE, _KILOMETRES = "11", "21"


def is_of_local_fund(lines: Lines, place: Ints) -> Flags:
    """Which lines the fund of Alsace and Moselle pays a part of."""
    care = ~np.isin(lines.part, [PARTS.index("work"), PARTS.index("hospital")])
    pays: Flags = care & np.isin(place, _LOCAL) & (lines.rate < _TOGETHER) & (lines.base != 0)
    return pays & (lines.kind < MAJORATION)


def is_pension(lines: Lines) -> Flags:
    """Which lines are pensions of invalidity."""
    found: Flags = np.isin(lines.nature, _PENSIONS)
    return found


def is_transport(lines: Lines) -> Flags:
    """Which lines are of an ambulance, a light vehicle or a taxi."""
    found: Flags = np.isin(lines.nature, _TRANSPORT)
    return found


def local_fund_columns(lines: Lines, rows: Ints, _random: Random) -> dict[str, Column]:
    """The columns of `ER_ARO_F`."""
    rate = _TOGETHER - lines.rate[rows]
    base = lines.base[rows]
    return {
        "ARO_ORD_NUM": col.number(1, len(rows)),
        "ARO_REM_TYP": col.constant("4", len(rows)),
        "ARO_ASU_NAT": col.constant("10", len(rows)),
        "ARO_ENV_TYP": col.constant("8", len(rows)),
        "ARO_FJH_TYP": col.constant("1", len(rows)),
        "ARO_PRS_NAT": col.texts(NATURES, lines.nature[rows]),
        "ARO_REM_BSE": col.euros(base),
        "ARO_REM_TAU": col.integers(rate),
        "ARO_REM_MNT": col.euros(np.round(base * rate / 100).astype(np.int64)),
        "ARO_REM_SGN": col.texts(("2", "1"), (lines.sign[rows] > 0).astype(np.int64)),
    }


def pension_columns(lines: Lines, rows: Ints, _random: Random) -> dict[str, Column]:
    """The columns of `ER_INV_F`; a person stays in one category."""
    shares = np.cumsum([share for _, share in _CATEGORIES])
    # A number of the person's own between 0 and 1, the same in every part of the period.
    own = lines.person[rows] * 7919 % 10007 / 10007
    category = np.minimum(np.searchsorted(shares, own), len(_CATEGORIES) - 1)
    return {"INV_PEN_CAT": col.texts([code for code, _ in _CATEGORIES], category)}


def transport_columns(lines: Lines, rows: Ints, random: Random) -> dict[str, Column]:
    """The columns of `ER_DTR_F`: a fee, or kilometres."""
    by_distance = pick((0.5, 0.5), len(rows), random)
    distance = 1 + random.poisson(18.0, len(rows))
    # Series of journeys, to a hospital and back, and others; none of more than 150 km.
    purposes = ("0", "10", "100")
    return {
        "TRS_ORD_NUM": col.number(1, len(rows)),
        "TRS_PRS_IDE": col.texts((_FEE, _KILOMETRES), by_distance),
        "TRS_TRS_MTF": col.texts(purposes, pick((0.3, 0.4, 0.3), len(rows), random)),
        "TRS_ACT_QSN": col.integers(np.where(by_distance == 1, distance, 1) * lines.sign[rows]),
        "TRS_ACT_PRU": col.euros(
            np.round(lines.price[rows] / np.where(by_distance == 1, distance, 1)).astype(np.int64)
        ),
    }
