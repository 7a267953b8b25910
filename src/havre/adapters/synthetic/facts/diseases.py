"""The illnesses: who falls ill when, what it costs in life, care, drugs and days in hospital.

A hazard is a logistic curve of age (per year): it rises around an age and levels
off. Rates are orders of magnitude of what France publishes; the links between
illnesses (who has one gets another) are what a study can find again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Illness:
    """One illness, as rates and shares.

    codes: of the CIM-10, as hospitals write them; one is drawn per person.
    ald: the number of the long illness; empty for none. ald_share: recognised.
    level, middle, width: the hazard per year: `level / (1 + exp((middle - age) / width))`.
    men: hazard of men to that of everybody. ages: outside of these nobody falls ill.
    region: the place of its relative risk in the table of regions; 0 for none.
    raised_by: illness, and by how much having it raises this hazard.
    mortality: by how much it raises the hazard of death.
    fatal: shares of the ill, and the mean days until they die of it.
    drugs: class (ATC), share who take it, days from onset until they do.
    care: part of care, and how much is added to a person's weight in it.
    stays: kind of stay, and how many a year.
    begins_in: kind of stay that it may begin with, and the share.
    """

    codes: tuple[str, ...]
    ald: str
    ald_share: float
    level: float
    middle: float
    width: float
    men: float = 1.0
    ages: tuple[int, int] = (0, 200)
    region: int = 0
    raised_by: Mapping[str, float] = field(default_factory=dict)
    mortality: float = 1.0
    fatal: tuple[tuple[float, float], ...] = ()
    drugs: tuple[tuple[str, float, int], ...] = ()
    care: Mapping[str, float] = field(default_factory=dict)
    stays: tuple[tuple[str, float], ...] = ()
    begins_in: tuple[str, float] = ("", 0.0)


# In order: an illness is raised by those before it only.
ILLNESSES: Mapping[str, Illness] = {
    "hypertension": Illness(
        ("I10",),
        "",
        0.0,
        0.045,
        62,
        10,
        ages=(25, 200),
        mortality=1.05,
        drugs=(
            ("C09CA06", 0.35, 3),
            ("C09AA05", 0.35, 3),
            ("C08CA01", 0.4, 30),
            ("C03AA03", 0.2, 90),
        ),
        care={"doctor": 0.5, "biology": 0.5},
    ),
    "diabetes_1": Illness(
        ("E109",),
        "8",
        0.95,
        0.0009,
        0,
        60,
        ages=(1, 40),
        mortality=1.6,
        drugs=(("A10AE04", 1.0, 0),),
        care={"nurse": 3.0, "doctor": 0.6, "biology": 1.2, "device": 4.0},
        stays=(("diabetes", 0.05),),
        begins_in=("diabetes", 0.6),
    ),
    "diabetes_2": Illness(
        ("E119", "E112", "E114", "E110"),
        "8",
        0.85,
        0.0185,
        58,
        8,
        men=1.19,
        ages=(19, 200),
        region=1,
        raised_by={"hypertension": 1.4},
        mortality=1.35,
        drugs=(
            ("A10BA02", 0.75, 0),
            ("A10BB09", 0.25, 0),
            ("A10BD07", 0.1, 60),
            ("A10AE04", 0.18, 400),
            ("C10AA05", 0.5, 40),
        ),
        care={"nurse": 3.0, "doctor": 0.7, "biology": 1.2, "technical": 0.4, "device": 1.5},
        stays=(("diabetes", 0.02),),
    ),
    "coronary": Illness(
        ("I251", "I209", "I200"),
        "13",
        0.75,
        0.018,
        78,
        10,
        men=1.45,
        ages=(35, 200),
        region=2,
        raised_by={"hypertension": 1.6, "diabetes_2": 1.8},
        mortality=1.3,
        fatal=((0.04, 60.0),),
        drugs=(("B01AC06", 0.9, 2), ("C10AA05", 0.8, 2), ("C07AB07", 0.6, 5), ("C01DA02", 0.2, 20)),
        care={"doctor": 0.7, "technical": 1.5, "biology": 0.6},
        stays=(("angioplasty", 0.05), ("infarction", 0.02)),
        begins_in=("infarction", 0.35),
    ),
    "failure": Illness(
        ("I500", "I501", "I509"),
        "5",
        0.70,
        0.050,
        98,
        11.5,
        ages=(41, 200),
        region=2,
        raised_by={"diabetes_2": 2.0, "coronary": 2.2, "hypertension": 1.2},
        mortality=1.6,
        fatal=((0.20, 110.0), (0.80, 4000.0)),
        drugs=(
            ("C03CA01", 0.85, 8),
            ("C07AB07", 0.8, 8),
            ("C09AA05", 0.8, 8),
            ("C03DA01", 0.3, 30),
        ),
        care={"nurse": 6.0, "doctor": 0.8, "technical": 1.2, "biology": 2.0, "transport": 2.0},
        stays=(("failure", 0.5),),
        begins_in=("failure", 1.0),
    ),
    "fibrillation": Illness(
        ("I489", "I480"),
        "5",
        0.5,
        0.035,
        85,
        9,
        men=1.2,
        ages=(40, 200),
        region=2,
        raised_by={"failure": 2.0, "hypertension": 1.4},
        mortality=1.2,
        drugs=(("B01AF02", 0.55, 3), ("B01AA03", 0.25, 3), ("C07AB07", 0.5, 5)),
        care={"doctor": 0.5, "technical": 1.0, "biology": 1.5},
        stays=(("rhythm", 0.08),),
        begins_in=("rhythm", 0.3),
    ),
    "stroke": Illness(
        ("I639", "I634", "I619"),
        "1",
        0.7,
        0.022,
        88,
        10,
        ages=(30, 200),
        region=2,
        raised_by={"fibrillation": 3.0, "hypertension": 1.6, "diabetes_2": 1.4},
        mortality=1.3,
        fatal=((0.17, 40.0),),
        drugs=(("B01AC04", 0.6, 10), ("C10AA05", 0.6, 10)),
        care={"nurse": 5.0, "physio": 5.0, "speech": 1.5, "transport": 3.0, "device": 2.0},
        stays=(("stroke", 0.03),),
        begins_in=("stroke", 0.95),
    ),
    "copd": Illness(
        ("J449", "J440", "J441"),
        "14",
        0.35,
        0.012,
        72,
        9,
        men=1.3,
        ages=(40, 200),
        region=2,
        mortality=1.7,
        drugs=(("R03BB04", 0.6, 5), ("R03AK06", 0.6, 5), ("R03AC02", 0.5, 0)),
        care={"doctor": 0.7, "technical": 0.7, "physio": 1.5, "device": 3.0},
        stays=(("copd", 0.15), ("pneumonia", 0.05)),
    ),
    "asthma": Illness(
        ("J459", "J450"),
        "",
        0.0,
        0.0032,
        0,
        100,
        ages=(2, 60),
        drugs=(("R03AC02", 0.7, 0), ("R03BA02", 0.5, 5), ("R03DC03", 0.2, 20)),
        care={"doctor": 0.5, "drugs": 0.5},
        stays=(("asthma", 0.01),),
    ),
    "breast_cancer": Illness(
        ("C509", "C504"),
        "30",
        0.93,
        0.0021,
        46,
        8,
        men=0.01,
        ages=(25, 200),
        mortality=1.1,
        fatal=((0.14, 1300.0),),
        drugs=(("L02BA01", 0.25, 200), ("L02BG03", 0.35, 200)),
        care={"nurse": 2.0, "doctor": 0.8, "technical": 2.0, "biology": 1.5, "transport": 4.0},
        stays=(("chemotherapy", 0.9), ("port", 0.05)),
        begins_in=("breast_surgery", 0.85),
    ),
    "prostate_cancer": Illness(
        ("C61",),
        "30",
        0.9,
        0.0045,
        64,
        6,
        men=2.0,
        ages=(45, 200),
        mortality=1.1,
        fatal=((0.12, 1800.0),),
        drugs=(("L02AE02", 0.25, 60),),
        care={"doctor": 0.6, "biology": 1.2, "technical": 1.0},
        stays=(("urology", 0.08),),
        begins_in=("urology", 0.6),
    ),
    "bowel_cancer": Illness(
        ("C187", "C189", "C20"),
        "30",
        0.93,
        0.0022,
        68,
        8,
        men=1.15,
        ages=(35, 200),
        mortality=1.2,
        fatal=((0.40, 900.0),),
        care={"nurse": 3.0, "doctor": 0.8, "technical": 1.8, "biology": 2.0, "transport": 4.0},
        stays=(("chemotherapy", 1.6), ("port", 0.08)),
        begins_in=("bowel_surgery", 0.8),
    ),
    "lung_cancer": Illness(
        ("C349", "C341"),
        "30",
        0.95,
        0.0014,
        60,
        7,
        men=1.35,
        ages=(35, 200),
        region=2,
        raised_by={"copd": 4.0},
        mortality=1.3,
        fatal=((0.75, 420.0),),
        care={
            "nurse": 4.0,
            "doctor": 0.8,
            "technical": 2.5,
            "biology": 2.5,
            "transport": 6.0,
            "device": 2.0,
        },
        stays=(("chemotherapy", 3.0), ("lung", 0.5), ("palliative", 0.2)),
        begins_in=("lung", 0.9),
    ),
    "kidney_failure": Illness(
        ("N185",),
        "19",
        0.95,
        0.00025,
        72,
        10,
        men=1.25,
        ages=(18, 200),
        region=1,
        raised_by={"diabetes_2": 3.0, "diabetes_1": 3.0, "hypertension": 2.0},
        mortality=2.5,
        drugs=(("V03AE02", 0.6, 30), ("B03XA01", 0.5, 60), ("C03CA01", 0.4, 20)),
        care={"nurse": 2.0, "biology": 5.0, "transport": 30.0, "technical": 1.0},
        stays=(("dialysis", 60.0), ("access", 0.3)),
        begins_in=("access", 0.7),
    ),
    "depression": Illness(
        ("F329", "F322", "F339"),
        "23",
        0.12,
        0.010,
        30,
        12,
        men=0.68,
        ages=(14, 200),
        mortality=1.15,
        drugs=(
            ("N06AB10", 0.6, 0),
            ("N06AX16", 0.2, 10),
            ("N06AX11", 0.2, 10),
            ("N05BA12", 0.4, 0),
        ),
        care={"doctor": 1.0},
        stays=(("depression", 0.03),),
    ),
    "psychosis": Illness(
        ("F200", "F209", "F319"),
        "23",
        0.85,
        0.00035,
        10,
        40,
        men=1.15,
        ages=(16, 55),
        mortality=2.0,
        drugs=(("N05AX08", 0.35, 0), ("N05AH03", 0.35, 0), ("N05AX12", 0.3, 0)),
        care={"doctor": 1.5, "nurse": 2.0},
        stays=(("psychosis", 0.25),),
        begins_in=("psychosis", 0.6),
    ),
    "dementia": Illness(
        ("G309", "F009", "F03"),
        "15",
        0.6,
        0.075,
        91,
        6,
        men=0.85,
        ages=(60, 200),
        mortality=2.0,
        drugs=(("N06DA02", 0.25, 20), ("N06DX01", 0.2, 200)),
        care={"nurse": 8.0, "visit": 3.0, "speech": 0.4, "device": 2.0, "transport": 1.5},
        stays=(("dementia", 0.06), ("fall", 0.12)),
    ),
    "parkinson": Illness(
        ("G20",),
        "16",
        0.85,
        0.0045,
        82,
        8,
        men=1.2,
        ages=(50, 200),
        mortality=1.6,
        drugs=(("N04BA02", 0.9, 0), ("N04BC05", 0.3, 100)),
        care={"nurse": 5.0, "physio": 7.0, "doctor": 0.6},
        stays=(("fall", 0.08),),
    ),
    "epilepsy": Illness(
        ("G409",),
        "9",
        0.5,
        0.0006,
        20,
        80,
        mortality=1.4,
        drugs=(("N03AX14", 0.5, 0), ("N03AG01", 0.25, 0), ("N03AX09", 0.25, 0)),
        care={"doctor": 0.5, "technical": 0.3},
        stays=(("epilepsy", 0.06),),
        begins_in=("epilepsy", 0.5),
    ),
    "arthritis": Illness(
        ("M059", "M069"),
        "22",
        0.7,
        0.0006,
        48,
        12,
        men=0.5,
        ages=(18, 200),
        mortality=1.2,
        drugs=(("L04AX03", 0.7, 10), ("L04AB04", 0.2, 300), ("H02AB06", 0.4, 0)),
        care={"doctor": 0.8, "biology": 3.0, "technical": 0.8, "physio": 2.0},
        stays=(("arthritis", 0.15),),
    ),
    "hiv": Illness(
        ("B24", "B238"),
        "7",
        0.9,
        0.00012,
        18,
        20,
        men=1.35,
        ages=(16, 70),
        mortality=1.3,
        drugs=(("J05AR13", 0.9, 30),),
        care={"doctor": 0.5, "biology": 3.0},
        stays=(("infection", 0.05),),
    ),
}
# What people die of who die of none of these: code, share, and the one after which the age rises.
OTHER_CAUSES: tuple[tuple[str, float, tuple[int, int]], ...] = (
    ("I219", 0.10, (40, 200)),
    ("J189", 0.10, (60, 200)),
    ("C259", 0.09, (45, 200)),
    ("C809", 0.08, (30, 200)),
    ("R99", 0.10, (0, 200)),
    ("R54", 0.10, (85, 200)),
    ("X599", 0.06, (60, 200)),
    ("V499", 0.05, (15, 60)),
    ("X709", 0.06, (15, 90)),
    ("K709", 0.06, (35, 85)),
    ("A419", 0.06, (50, 200)),
    ("P072", 0.03, (0, 1)),
    ("Q249", 0.02, (0, 5)),
)
# What stands on a certificate above the cause that began it all.
TERMINAL_CAUSES = ("R092", "I469", "J969", "R570", "A419", "N179", "R402")
