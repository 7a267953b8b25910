"""Kinds of services in the DCIR: how frequent each is, and what the parts of care are.

Source: the published frequency of `PRS_NAT_REF` in the general population, June 2014
(the codes from one in ten thousand on, and two of hospitals' drugs); names of acts from the CCAM, the NABM and the LPP.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

# Code and percent of the lines that stand for an act.
_SHARES = """
3313 28.33 | 3111 14.41 | 1111 7.113 | 3312 7.024 | 3112 5.619 | 3125 4.938 | 3211 4.782
1112 3.043 | 1352 2.138 | 3341 2.116 | 3122 1.726 | 1351 1.499 | 1842 1.067 | 1211 1.058
1324 0.8859 | 1433 0.7123 | 4382 0.683 | 1113 0.6276 | 3132 0.6063 | 3223 0.5728
1126 0.4656 | 6111 0.4205 | 3533 0.418 | 3515 0.407 | 1331 0.3931 | 3116 0.3845
3514 0.3809 | 3512 0.3175 | 1811 0.3003 | 1117 0.2653 | 3222 0.2548 | 4214 0.2282
3311 0.2214 | 2111 0.2201 | 3511 0.2184 | 1423 0.207 | 1130 0.2062 | 1116 0.2039
3532 0.1954 | 1321 0.1931 | 3521 0.1885 | 8111 0.1814 | 6112 0.1698 | 3133 0.1678
4212 0.1588 | 3323 0.1505 | 6011 0.1464 | 4213 0.1443 | 1911 0.1413 | 1812 0.1383
7111 0.1265 | 2351 0.1263 | 1323 0.1233 | 3121 0.115 | 3522 0.107 | 1114 0.09239
1432 0.08895 | 3322 0.08511 | 6115 0.08311 | 3117 0.07721 | 3326 0.07611 | 2238 0.0734
1224 0.07316 | 1312 0.06991 | 3327 0.06711 | 3316 0.06693 | 1451 0.06583 | 1424 0.05888
1931 0.05547 | 2212 0.05522 | 2252 0.05501 | 1121 0.05438 | 2352 0.04969 | 6122 0.0493
2213 0.0483 | 4381 0.04754 | 1843 0.04643 | 1845 0.04517 | 2211 0.04423 | 3518 0.0439
1453 0.04213 | 1148 0.03585 | 6121 0.03492 | 1336 0.03117 | 3315 0.03036 | 4215 0.02793
3541 0.02748 | 1914 0.02477 | 1133 0.02433 | 3332 0.02333 | 3225 0.02286 | 2336 0.02259
4111 0.02237 | 1935 0.02203 | 3551 0.02166 | 1141 0.02087 | 1932 0.02054 | 3513 0.02049
1212 0.02024 | 3221 0.01948 | 9421 0.01866 | 2135 0.01797 | 2339 0.01774 | 2132 0.01769
1311 0.01769 | 1129 0.01761 | 4113 0.01713 | 1140 0.0165 | 3134 0.01647 | 3381 0.01616
3317 0.01595 | 3115 0.01503 | 6117 0.01432 | 2231 0.0137 | 7112 0.0131 | 2237 0.01269
1115 0.01236 | 1470 0.01229 | 4331 0.01177 | 8113 0.01163 | 2250 0.01162 | 4221 0.01151
5203 0.01106 | 1846 0.0107 | 3328 0.01045 | 1938 0.01022 | 2251 0.01004 | 3320 0.00595 | 3318 0.00215
"""
NATURE_PERCENT: Mapping[str, float] = MappingProxyType(
    {
        code: float(percent)
        for code, percent in (
            each.split() for each in _SHARES.replace("\n", "|").split("|") if each
        )
    }
)

# Kinds of service that nobody was paid for from a day on.
# Source: the remarks ("fermé le") of the SNDS's own list of kinds of service, IR_NAT_V.
ENDED: Mapping[str, date] = MappingProxyType(
    {
        "1311": date(2014, 12, 1),
        "1423": date(2014, 12, 1),
        "1433": date(2014, 12, 1),
        "3323": date(2015, 6, 30),
        "1115": date(2017, 7, 1),
        "1129": date(2017, 12, 31),
        "1130": date(2017, 12, 31),
        "1133": date(2017, 12, 31),
        "1141": date(2017, 12, 31),
        "1914": date(2017, 12, 31),
        "1931": date(2017, 12, 31),
        "1932": date(2017, 12, 31),
    }
)

# Ages at which the curves below are given; between them they are straight.
CURVE_AGES = (0, 4, 12, 20, 35, 50, 65, 80, 95)
# Part of care: how much of it people of each of these ages have, relative to each other;
# how much more women have than men.
CARE: Mapping[str, tuple[tuple[float, ...], float]] = MappingProxyType(
    {
        "drugs": ((1.0, 0.8, 0.4, 0.5, 0.7, 1.0, 1.8, 2.6, 2.8), 1.25),
        "nurse": ((0.1, 0.1, 0.1, 0.2, 0.4, 0.6, 1.4, 5.0, 9.0), 1.15),
        "physio": ((0.5, 0.2, 0.3, 0.6, 1.0, 1.3, 1.6, 2.4, 3.0), 1.3),
        "doctor": ((1.8, 1.1, 0.6, 0.7, 0.9, 1.0, 1.3, 1.5, 1.2), 1.3),
        "visit": ((0.1, 0.1, 0.05, 0.1, 0.1, 0.2, 0.6, 3.5, 9.0), 1.2),
        "technical": ((0.1, 0.2, 0.3, 0.5, 0.7, 1.2, 2.0, 2.2, 1.2), 1.15),
        "dental": ((0.0, 0.2, 1.0, 0.8, 0.9, 1.1, 1.2, 0.7, 0.3), 1.1),
        "biology": ((0.2, 0.2, 0.2, 0.5, 0.9, 1.1, 1.9, 2.9, 3.0), 1.3),
        "device": ((0.6, 0.2, 0.3, 0.4, 0.5, 0.9, 1.8, 2.8, 3.0), 1.1),
        "optics": ((0.0, 0.6, 1.2, 1.0, 0.7, 1.3, 1.3, 0.8, 0.4), 1.2),
        "speech": ((0.1, 1.5, 1.5, 0.4, 0.1, 0.1, 0.2, 0.3, 0.2), 0.7),
        "transport": ((0.2, 0.1, 0.1, 0.2, 0.3, 0.6, 1.3, 2.8, 3.5), 1.0),
        "work": ((0.0, 0.0, 0.0, 0.6, 1.0, 1.2, 0.3, 0.0, 0.0), 1.1),
        "hospital": ((1.0, 0.5, 0.4, 0.6, 0.8, 1.0, 1.7, 2.6, 2.8), 1.0),
        "child": ((6.0, 2.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1.0),
        "birth": ((0.0, 0.0, 0.0, 0.6, 1.2, 0.02, 0.0, 0.0, 0.0), 40.0),
    }
)
# The beginnings of codes that belong to a part; the longest that fits counts.
_PARTS = {
    "doctor": "11 19 9",
    "child": "113 1141 1914 193",
    "visit": "12 1224",
    "technical": "13 2351 2352",
    "dental": "14 9421",
    "birth": "1911 6121 6122",
    "hospital": "21 22 23 3320",
    "nurse": "18 311",
    "physio": "312",
    "speech": "313",
    "biology": "32",
    "drugs": "33 438",
    "device": "35",
    "optics": "353",
    "transport": "41 42 43",
    "work": "5 6 7 8",
}


def part_of(nature: str) -> str:
    """The part of care that a kind of service belongs to.

    >>> part_of("3313"), part_of("3111"), part_of("6111")
    ('drugs', 'nurse', 'work')
    """
    fits = [
        (len(beginning), part)
        for part, beginnings in _PARTS.items()
        for beginning in beginnings.split()
        if part in CARE and nature.startswith(beginning)
    ]
    return max(fits)[1]


# Professional who does it: PSE_ACT_NAT; for doctors a speciality is drawn (PSE_SPE_COD).
ACTIVITY_OF: Mapping[str, str] = MappingProxyType(
    {"nurse": "24", "physio": "26", "speech": "28", "biology": "30", "drugs": "50", "device": "60"}
)
# Consultations and visits of general practitioners, and what is added to them.
GENERAL_NATURES: tuple[str, ...] = ("1111", "1211", "1130", "1116", "1148", "1224")
# Specialities of doctors (PSE_SPE_COD) and their shares; the first is the general practitioner.
SPECIALITIES: tuple[tuple[str, float], ...] = (
    ("01", 0.10),
    ("03", 0.12),
    ("04", 0.06),
    ("05", 0.11),
    ("07", 0.11),
    ("08", 0.08),
    ("11", 0.06),
    ("12", 0.12),
    ("13", 0.05),
    ("15", 0.19),
)

# Kind of service: acts of the CCAM that it is paid for, their share, price, and activity.
CCAM: Mapping[str, tuple[tuple[str, float, float], ...]] = MappingProxyType(
    {
        "1351": (("ZBQK002", 0.45, 21.28), ("NFQK002", 0.30, 33.25), ("ZZQK024", 0.25, 50.54)),
        "1352": (
            ("DEQP003", 0.45, 14.26),
            ("BGQP002", 0.35, 28.29),
            ("GLQP012", 0.10, 40.28),
            ("AAQP007", 0.04, 57.60),
            ("HHQE005", 0.06, 76.80),
        ),
        "1324": (("DZQM006", 0.35, 95.66), ("ZCQM008", 0.45, 56.70), ("EBQM001", 0.20, 75.60)),
        "1321": (
            ("QZFA036", 0.45, 27.80),
            ("BFGA004", 0.25, 271.70),
            ("LMMC002", 0.10, 180.50),
            ("HMFC004", 0.10, 259.40),
            ("NFKA007", 0.10, 460.60),
        ),
        "1323": (("BFGA004", 0.60, 80.20), ("HHQE005", 0.25, 48.00), ("NFKA007", 0.15, 192.00)),
        "1336": (("QEQK001", 1.0, 66.42),),
        "1451": (("HBMD038", 0.7, 60.95), ("HBGD036", 0.3, 39.48)),
        "1453": (("HBJD001", 1.0, 28.92),),
    }
)
ANAESTHESIA = "1323"
# Analyses of the NABM, how frequent, and the value of their letter B (0.27 euro each).
ANALYSES: tuple[tuple[str, float, float], ...] = (
    ("1104", 0.17, 26.0),
    ("0592", 0.14, 6.0),
    ("1610", 0.10, 22.0),
    ("0552", 0.09, 5.0),
    ("0996", 0.08, 20.0),
    ("0522", 0.09, 10.0),
    ("0519", 0.06, 6.0),
    ("1208", 0.07, 25.0),
    ("1804", 0.06, 9.0),
    ("1577", 0.05, 25.0),
    ("0126", 0.05, 17.0),
    ("5201", 0.02, 63.0),
    ("7318", 0.02, 40.0),
)
PRICE_OF_B = 0.27
# Devices of the LPP by kind of service: code, price.
DEVICES: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "3511": ("1126275", 25.00),
        "3512": ("1101720", 53.97),
        "3514": ("1102257", 39.00),
        "3515": ("1360404", 28.32),
        "3532": ("7218831", 30.49),
        "3533": ("2231235", 14.94),
        "": ("1141412", 7.86),
    }
)
# Price in euro of one line where no act gives it.
PRICES: Mapping[str, float] = MappingProxyType(
    {
        "doctor": 26.50,
        "visit": 36.50,
        "technical": 40.00,
        "dental": 28.92,
        "nurse": 6.30,
        "physio": 16.13,
        "speech": 25.00,
        "biology": 8.00,
        "device": 20.00,
        "optics": 14.94,
        "transport": 46.00,
        "work": 210.00,
        "hospital": 690.00,
        "child": 5.00,
        "birth": 25.00,
        "drugs": 9.00,
    }
)
# Percent that the sickness fund pays, where no drug says another.
RATES: Mapping[str, int] = MappingProxyType(
    {"nurse": 60, "physio": 60, "speech": 60, "biology": 60, "device": 60, "optics": 60}
    | {"transport": 65, "work": 100, "hospital": 80, "birth": 100}
)
