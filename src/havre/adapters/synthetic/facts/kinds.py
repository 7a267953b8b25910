"""Kinds of stays in acute care, and what is coded for each.

Source: groups of stays, units and acts from the PMSI's own code lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of stay in acute care.

    codes: principal diagnoses; related: the related one, or empty.
    group, day_group: of stays with and without a night. nights: mean, of those with one.
    day: share without a night. acts: of the CCAM, one of which is done. unit: authorisation.
    emergency: share that enters by the emergency room. common: share among
    the stays that no illness and no birth brings, for ages from and to; sex 0 for both.
    """

    codes: tuple[str, ...]
    group: str
    day_group: str
    nights: float
    day: float
    acts: tuple[str, ...] = ()
    related: str = ""
    unit: str = "53"
    emergency: float = 0.0
    common: float = 0.0
    ages: tuple[int, int] = (0, 200)
    sex: int = 0


KINDS: Mapping[str, Kind] = {
    "failure": Kind(
        ("I500", "I501", "I509"),
        "05M092",
        "05M09T",
        8.5,
        0.03,
        ("DZQM006", "DEQP003"),
        emergency=0.7,
    ),
    "infarction": Kind(
        ("I219", "I214"),
        "05M042",
        "05M04T",
        5.5,
        0.0,
        ("DDAF006", "DZQM006"),
        unit="07A",
        emergency=0.8,
    ),
    "angioplasty": Kind(("I251", "I200"), "05K062", "05K06J", 2.0, 0.4, ("DDAF006",)),
    "rhythm": Kind(
        ("I489", "I480"), "05M082", "05M08T", 4.0, 0.35, ("DEQP003", "DZQM006"), emergency=0.5
    ),
    "stroke": Kind(
        ("I639", "I634", "I619"),
        "01M302",
        "01M30T",
        10.0,
        0.02,
        ("ACQN001",),
        unit="18",
        emergency=0.85,
    ),
    "diabetes": Kind(("E119", "E109"), "10M022", "10M02T", 5.0, 0.4, ()),
    "copd": Kind(
        ("J440", "J441"), "04M052", "04M05T", 7.5, 0.05, ("ZBQK002", "GLQP012"), emergency=0.7
    ),
    "asthma": Kind(("J459",), "04M032", "04M03T", 3.0, 0.2, ("ZBQK002",), emergency=0.8),
    "pneumonia": Kind(
        ("J189",),
        "04M053",
        "04M05T",
        8.0,
        0.04,
        ("ZBQK002",),
        emergency=0.75,
        common=0.030,
        ages=(60, 200),
    ),
    "infection": Kind(
        ("A419", "N390"),
        "18M072",
        "18M07T",
        7.0,
        0.05,
        ("ZBQK002",),
        emergency=0.7,
        common=0.025,
        ages=(50, 200),
    ),
    "chemotherapy": Kind(("Z511",), "28Z07Z", "28Z07Z", 0.0, 1.0, (), related="C"),
    "dialysis": Kind(
        ("Z491",), "28Z04Z", "28Z04Z", 0.0, 1.0, ("JVJF004", "JVJF008"), related="N185"
    ),
    "port": Kind(("Z452",), "05K142", "05K14J", 1.0, 0.85, ("EBLA003",)),
    "breast_surgery": Kind(("C509", "C504"), "09C052", "09C05J", 2.0, 0.45, ("QEFA017",), sex=2),
    "bowel_surgery": Kind(("C187", "C189", "C20"), "06C042", "06C04J", 10.0, 0.0, ("HHFA006",)),
    "lung": Kind(("C349", "C341"), "04M092", "04M09T", 8.0, 0.15, ("ZBQK002", "GEQE004")),
    "palliative": Kind(("Z515",), "23Z02Z", "23Z02T", 12.0, 0.0, (), related="C", emergency=0.3),
    "urology": Kind(
        ("C61", "N40"),
        "12C042",
        "12C04J",
        4.0,
        0.25,
        ("JGFA015",),
        sex=1,
        common=0.012,
        ages=(55, 200),
    ),
    "access": Kind(("N185",), "11K022", "11K02J", 2.0, 0.6, ("EZMA001",)),
    "depression": Kind(
        ("F329", "F322"),
        "19M061",
        "19M06T",
        7.0,
        0.1,
        (),
        emergency=0.6,
        common=0.010,
        ages=(14, 200),
    ),
    "psychosis": Kind(("F200", "F209", "F319"), "19M071", "19M07T", 8.0, 0.1, (), emergency=0.6),
    "dementia": Kind(("G309", "F03"), "01M063", "01M06T", 10.0, 0.1, (), emergency=0.5),
    "fall": Kind(
        ("S720", "S525"),
        "08C472",
        "08C47J",
        9.0,
        0.05,
        ("NBCA010", "NEKA020"),
        emergency=0.85,
        common=0.020,
        ages=(65, 200),
    ),
    "epilepsy": Kind(("G409",), "01M252", "01M25T", 3.0, 0.25, ("AAQP007",), emergency=0.7),
    "arthritis": Kind(("M059", "M069"), "08M262", "08M26T", 4.0, 0.7, ()),
    "delivery": Kind(
        ("O800", "O809"), "14Z14A", "14Z14T", 3.4, 0.0, ("JQGD010",), unit="70", sex=2
    ),
    "caesarean": Kind(
        ("O820", "O821"), "14C08A", "14C08A", 4.6, 0.0, ("JQGA002",), unit="70", sex=2
    ),
    "newborn": Kind(("Z380",), "15M05A", "15M02Z", 3.4, 0.0, (), unit="71"),
    "premature": Kind(("Z380", "P073"), "15M06C", "15M02Z", 18.0, 0.0, (), unit="06"),
    "bronchiolitis": Kind(
        ("J219", "A090"),
        "04M182",
        "04M18T",
        3.0,
        0.3,
        (),
        unit="08",
        emergency=0.8,
        common=0.019,
        ages=(0, 1),
    ),
    "cataract": Kind(
        ("H251", "H259"), "02C052", "02C05J", 1.0, 0.95, ("BFGA004",), common=0.10, ages=(60, 200)
    ),
    "endoscopy": Kind(
        ("K573", "Z121", "K635"),
        "06K042",
        "06K04J",
        1.0,
        0.96,
        ("HHQE005",),
        common=0.16,
        ages=(40, 200),
    ),
    "stomach": Kind(
        ("K297", "K219"), "06K022", "06K02J", 1.0, 0.96, ("HEQE002",), common=0.06, ages=(20, 200)
    ),
    "teeth": Kind(
        ("K011",), "03C171", "03C17J", 1.0, 0.97, ("HBGD038",), common=0.05, ages=(14, 40)
    ),
    "ear": Kind(
        ("H652", "J353"), "03C141", "03C14J", 1.0, 0.90, ("FAFA001",), common=0.03, ages=(1, 10)
    ),
    "hernia": Kind(
        ("K409",), "06C122", "06C12J", 1.5, 0.75, ("LMMC002",), common=0.035, ages=(20, 200)
    ),
    "gallbladder": Kind(
        ("K802",),
        "07C142",
        "07C14J",
        2.5,
        0.4,
        ("HMFC004",),
        emergency=0.2,
        common=0.025,
        ages=(25, 200),
    ),
    "appendix": Kind(
        ("K358",),
        "06C091",
        "06C09T",
        2.5,
        0.05,
        ("HHFA016",),
        emergency=0.9,
        common=0.012,
        ages=(5, 50),
    ),
    "knee": Kind(
        ("M171", "M232"), "08C242", "08C45J", 5.5, 0.4, ("NFKA007",), common=0.040, ages=(45, 200)
    ),
    "hip": Kind(
        ("M161",), "08C482", "08C48J", 5.5, 0.03, ("NEKA020",), common=0.025, ages=(55, 200)
    ),
    "hand": Kind(
        ("G560",), "01C131", "01C13J", 1.0, 0.95, ("AHPA009",), common=0.035, ages=(30, 200)
    ),
    "skin": Kind(
        ("C443", "D229"), "09C102", "09C10J", 1.5, 0.9, ("QZFA036",), common=0.03, ages=(40, 200)
    ),
    "faint": Kind(
        ("R55", "R074"),
        "23M202",
        "23M20T",
        2.5,
        0.45,
        ("DEQP003",),
        emergency=0.85,
        common=0.07,
        ages=(15, 200),
    ),
    "injury": Kind(("S060", "S826"), "01M321", "01M32T", 2.0, 0.5, (), emergency=0.9, common=0.045),
    "poison": Kind(
        ("T424", "F100"),
        "21M102",
        "21M10T",
        2.0,
        0.4,
        (),
        emergency=0.95,
        common=0.025,
        ages=(14, 80),
    ),
    "checkup": Kind(
        ("Z098", "Z090"), "23M062", "23M06T", 2.0, 0.85, ("ZCQM008",), common=0.06, ages=(18, 200)
    ),
    "abortion": Kind(
        ("O049",), "14Z08Z", "14Z08Z", 1.0, 0.95, ("JNJD002",), common=0.02, ages=(15, 45), sex=2
    ),
    "skeleton": Kind(
        ("M545", "M511"),
        "08M252",
        "08M25T",
        4.0,
        0.35,
        (),
        emergency=0.3,
        common=0.035,
        ages=(25, 200),
    ),
}
