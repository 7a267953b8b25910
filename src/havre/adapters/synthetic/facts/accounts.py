"""How sickness funds write care down: lags, parts of the patient, corrections, sentinels.

Source: the recommended filters (HDH and HEVA, 2023) and the Santé publique France
guide: 99 lines in 100 arrive within six months, 98 of drugs; care may be claimed for 27 months.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

# Share of claims that come late, and how late care may arrive, in days.
LATE_SHARE, LATE_SHARE_OF_DRUGS = 0.006, 0.020
MEAN_LAG_DAYS, USUAL_LAG_DAYS, LONGEST_LAG_DAYS = 32.0, 145, 800
# The files end so many months after the last care: what arrives later is not in them yet.
MONTHS_AFTER = 9
# Of consultations, the share that leaves a line of its own for a majoration, and one for a complement.
MAJORATED, COMPLEMENTED = 0.10, 0.03
MAJORATION, PARTICIPATION = "1125", "1951"
# The patient's own part in euro, and from when; of adults who are not exempt.
PARTICIPATION_EURO: tuple[tuple[date, int], ...] = ((date(2005, 1, 1), 1), (date(2024, 5, 15), 2))
EXEMPT = 0.10
CORRECTED, ENTERED_ANEW, CORRECTION_DAYS = 0.007, 0.8, 61
# Lines beyond those of acts, for each of them, so that all together are as many as is asked for.
LINES_PER_ACT = 1.118
# Year and share of hospital lines that public hospitals bill themselves (ETE_IND_TAA 1).
BILLED_BY_HOSPITAL: tuple[tuple[int, float], ...] = (
    (2012, 0.008),
    (2013, 0.03),
    (2014, 0.05),
    (2015, 0.08),
    (2016, 0.24),
    (2017, 0.33),
    (2018, 0.34),
    (2019, 0.35),
)
# Sentinels for what nobody knows, and the share of lines that have them.
UNKNOWN_SHARE: Mapping[str, float] = {
    "PFS_EXE_NUM": 0.005,
    "EXE_SOI_DTF": 0.01,
    "PHA_PRS_C13": 0.0005,
    "DPN_QLF": 0.08,
}
# Specialists ask more than the base in one case of five.
ABOVE_BASE, ABOVE_BASE_SHARE = 1.35, 0.2
