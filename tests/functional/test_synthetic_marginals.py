"""What is published of the SNDS is found again in the made-up files: share by share.

A share above one in a hundred is met within 5 %, a smaller one within 20 %, as far
as there are enough rows to tell. The published figures stand here, not where
they are drawn from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fakes.small_hub import quiet
from havre.adapters.synthetic.order import FileForm, SyntheticOrder
from havre.adapters.synthetic.records import return_codes
from havre.adapters.synthetic.tables import ALL_TABLES
from havre.adapters.synthetic.writer import write_population

PEOPLE, FIRST_YEAR, YEARS, LINES = 40_000, 2015, 2, 24.0
# Rows of a share that are few say nothing: of 400 drawn by chance, one case in 20,000 is 20 % off.
FEWEST_ROWS = 400

Tables = Mapping[str, pl.DataFrame]
Measure = Callable[[Tables], float]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("made-up")
    order = SyntheticOrder(
        PEOPLE,
        FIRST_YEAR,
        YEARS,
        seed=3,
        columns=dict.fromkeys(ALL_TABLES) | {"ER_PRS_F": (*KEY, *ASKED)},
        lines_a_year=LINES,
        form=FileForm.PARQUET,
    )
    write_population(order, folder, processes=2, progress=quiet)
    return dict(_read(folder / "deliveries"))


def _read(folder: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """All files of each table; those of the PMSI with their year."""
    paths: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*/*.parquet")):
        name = path.stem.rsplit("-", 1)[0]
        paths.setdefault(f"{name[:5]}aa{name[7:]}" if name.startswith("T_") else name, []).append(
            path
        )
    for table, listed in paths.items():
        frames = [
            pl.read_parquet(path).with_columns(year=pl.lit(int(path.parent.name[-4:])))
            if table.startswith("T_")
            else pl.read_parquet(path)
            for path in listed
        ]
        yield table, pl.concat(frames, how="diagonal_relaxed")


EVERY = pl.lit(value=True)


def share(table: str, which: pl.Expr, *, among: pl.Expr = EVERY) -> Measure:
    """The share of a table's rows, among some of them."""
    return lambda tables: float(
        tables[table].filter(among).select(which.fill_null(value=False).mean()).item()
    )


def in_year(table: str, year: int, which: pl.Expr) -> Measure:
    return share(table, which, among=pl.col("year") == year)


def a_year(table: str, *, by: tuple[str, ...] = ()) -> Measure:
    """Rows, or different values of a column, per person who was there and year."""

    def measure(tables: Tables) -> float:
        rows = tables[table].unique(list(by)) if by else tables[table]
        return rows.height / (PEOPLE * YEARS)

    return measure


def faulty() -> pl.Expr:
    """A row of which any return code is not zero."""
    return pl.any_horizontal(
        pl.col("^(NIR|NAI|SEX|SEJ|FHO|PMS|DAT|IAS|ENT_DAT|COH_.*)_RET$") != "0"
    )


def scheme(*beginnings: str) -> pl.Expr:
    return pl.col("ORG_AFF_BEN").str.slice(0, len(beginnings[0])).is_in(beginnings)


B, UM = "T_MCOaaB", "T_MCOaaUM"
LONG = pl.col("IMB_ETM_NAT").is_in(["41", "43", "45"])
# What, the published figure, and how it is measured. Source: SNDS fact base, sections 1.5, 1.6 and 2.
PUBLISHED: tuple[tuple[str, float, Measure], ...] = (
    ("stays of acute care per person and year", 0.277, a_year(B)),
    ("AGE_ANN is empty below one year", 0.044, share(B, pl.col("AGE_ANN").is_null())),
    ("AGE_JOU is 0 at birth", 0.034, share(B, pl.col("AGE_JOU") == 0)),
    ("no night", 0.54, share(B, pl.col("SEJ_NBJ") == 0)),
    ("nights are 999", 0.001, share(B, pl.col("SEJ_NBJ") == 999)),
    ("one unit", 0.932, share(B, pl.col("NBR_RUM") == 1)),
    ("no associated diagnosis", 0.492, share(B, pl.col("NBR_DGN") == 0)),
    ("none in a unit", 0.479, share(UM, pl.col("DGN_ASS_NBR") == 0)),
    ("no extreme low length", 0.9875, share(B, pl.col("BEH_NBJ") == 0)),
    ("in a short-stay unit", 0.015, share(B, pl.col("UHCD_TOP") == "1")),
    ("made by a machine", 0.104, share(B, pl.col("GRG_GHM") == "90Z00Z")),
    ("grouped without error", 0.89, share(B, pl.col("GRG_RET") == "000")),
    ("no provenance", 0.84, share(B, pl.col("ENT_PRV") == "")),
    ("shared by two hospitals", 0.005, share(B, pl.col("SEJ_TYP") == "B")),
    ("acute care badly chained, 2016", 0.0161, in_year("T_MCOaaC", 2016, faulty())),
    ("rehabilitation badly chained, 2016", 0.0149, in_year("T_SSRaaC", 2016, faulty())),
    ("psychiatry badly chained, 2016", 0.0444, in_year("T_RIPaaC", 2016, faulty())),
    ("stays in rehabilitation", 0.0194, a_year("T_SSRaaC", by=("ETA_NUM", "RHA_NUM"))),
    (
        "stays at home under a hospital",
        0.0040,
        a_year("T_HADaaC", by=("ETA_NUM_EPMSI", "RHAD_NUM")),
    ),
    ("stays in psychiatry", 0.0120, a_year("T_RIPaaC", by=("ETA_NUM_EPMSI", "RIP_NUM"))),
    (
        "passages in public hospitals, of which as many as of all lines are drawn",
        77 / 67 * LINES / 164,
        a_year("T_MCOaaCSTC"),
    ),
    ("passages badly chained, 2016", 0.0161, in_year("T_MCOaaCSTC", 2016, faulty())),
    ("numbers per person", 1.6, lambda tables: tables["IR_BEN_R"].height / PEOPLE),
    ("own number known, 2016", 0.955, share("IR_BEN_R", pl.col("BEN_IDT_TOP") == "1")),
    ("general scheme", 0.76, share("IR_BEN_R", scheme("01C"))),
    ("mutual sections", 0.11, share("IR_BEN_R", scheme("01M"))),
    ("farmers", 0.06, share("IR_BEN_R", scheme("02"))),
    ("self-employed", 0.05, share("IR_BEN_R", scheme("03"))),
    ("other schemes", 0.02, share("IR_BEN_R", scheme("04", "06", "08"))),
    (
        "long illness until 2099",
        0.105,
        share("IR_IMB_R", pl.col("IMB_ALD_DTF").dt.year() == 2099, among=LONG),
    ),
    (
        "deaths linked, 2015",
        0.901,
        share("KI_CCI_R", pl.col("DCD_IDT_TOP") == "1", among=pl.col("FLX_PER_ANN") == 2015),
    ),
    (
        "deaths linked, 2016",
        0.833,
        share("KI_CCI_R", pl.col("DCD_IDT_TOP") == "1", among=pl.col("FLX_PER_ANN") == 2016),
    ),
    (
        "causes per certificate",
        3.4,
        lambda tables: tables["KI_ECD_R"].height / tables["KI_CCI_R"].height,
    ),
    ("lines of the central table", LINES, a_year("ER_PRS_F")),
)


@pytest.mark.parametrize(
    ("what", "published", "measure"), PUBLISHED, ids=[row[0] for row in PUBLISHED]
)
def test_what_is_published_is_found_again(
    tables: Tables, what: str, published: float, measure: Measure
) -> None:
    measured = measure(tables)

    assert math.isclose(measured, published, rel_tol=0.05 if published > 0.01 else 0.20), (
        f"{what}: {measured:.4f}"
    )


# Domain, year, and the published percent of rows with a return code that is not zero.
CHAINED = [
    *(("MCO", 2005, 7.27), ("MCO", 2017, 1.40), ("SSR", 2005, 13.2), ("SSR", 2017, 1.22)),
    *(("RIP", 2007, 36.0), ("RIP", 2017, 3.52)),
    *(("HAD", 2005, 10.6), ("HAD", 2010, 34.0), ("HAD", 2017, 0.15)),
]


@pytest.mark.parametrize(("domain", "year", "percent"), CHAINED)
def test_rows_are_badly_chained_as_often_as_published(
    domain: str, year: int, percent: float
) -> None:
    rows = np.full(20_000, year)

    codes, nobody = return_codes(domain, rows, np.random.default_rng(1))

    frame = pl.DataFrame(codes)
    measured = frame.select(faulty().mean()).item()
    assert math.isclose(measured, percent / 100, rel_tol=0.05)
    # Where the number is nobody's, nothing could be compared.
    assert frame.filter(pl.Series(nobody))["FHO_RET"].unique().to_list() == ["9"]


# The values that each return code can have, 0 for what is right.
VALUES = {
    "NIR_RET": "01234",
    "NAI_RET": "01234",
    "SEX_RET": "012",
    "SEJ_RET": "01",
    "FHO_RET": "01239",
    "PMS_RET": "01",
    "DAT_RET": "01",
    "ENT_DAT_RET": "01",
}


@pytest.mark.parametrize("table", ["T_MCOaaC", "T_SSRaaC", "T_HADaaC", "T_RIPaaC", "T_MCOaaCSTC"])
def test_return_codes_have_the_values_that_are_known(tables: Tables, table: str) -> None:
    listed = [name for name in VALUES if name in tables[table].columns]

    assert len(listed) >= 4
    assert {name: set(tables[table][name]) - set(VALUES[name]) for name in listed} == {
        name: set() for name in listed
    }


def test_kinds_of_services_are_as_frequent_as_published(tables: Tables) -> None:
    """Of the lines that stand for an act; the published frequency is the one of June 2014.

    What has ended since is in no line any more.
    """
    acts = tables["ER_PRS_F"].filter(pl.col("CPL_MAJ_TOP") != "2")
    counted = dict(acts["PRS_NAT_REF"].value_counts().iter_rows())

    compared = {code: percent for code, percent in NATURES.items() if code not in ENDED}
    assert not ENDED - {"3323"} & counted.keys()
    assert {
        code: counted.get(code, 0)
        for code, percent in compared.items()
        if abs(counted.get(code, 0) / acts.height / (percent / 100) - 1)
        > (0.05 if percent > 1 else 0.20)
        and acts.height * percent / 100 > FEWEST_ROWS
    } == {}


def test_a_kind_of_service_that_has_ended_is_in_no_later_line(tables: Tables) -> None:
    """Copies of prescriptions ended with June 2015."""
    copies = tables["ER_PRS_F"].filter(pl.col("PRS_NAT_REF") == "3323", pl.col("PRS_ACT_QTE") > 0)

    assert copies.height > 500
    assert copies["EXE_SOI_DTD"].max() == date(2015, 6, 29)


def test_ninety_nine_lines_in_a_hundred_arrive_within_six_months(tables: Tables) -> None:
    """Of care of the first year; of drugs, 98."""
    care, flow = pl.col("EXE_SOI_DTD"), pl.col("FLX_DIS_DTD")
    months = (flow.dt.year() - care.dt.year()) * 12 + flow.dt.month() - care.dt.month()
    first = tables["ER_PRS_F"].filter(care.dt.year() == FIRST_YEAR, pl.col("PRS_ACT_QTE") > 0)
    drugs = pl.col("PRS_NAT_REF").str.starts_with("33")

    late = first.select(all=(months > 6).mean(), drugs=(months > 6).filter(drugs).mean()).row(0)

    assert math.isclose(late[0], 0.01, rel_tol=0.2)
    assert math.isclose(late[1], 0.02, rel_tol=0.2)


@pytest.mark.parametrize(("year", "published"), [(2015, 0.08), (2016, 0.24)])
def test_public_hospitals_bill_more_themselves_from_year_to_year(
    tables: Tables, year: int, published: float
) -> None:
    lines = tables["ER_ETE_F"].join(tables["ER_PRS_F"], on=KEY, how="inner")
    of_year = lines.filter(pl.col("EXE_SOI_DTD").dt.year() == year)

    measured = of_year.select((pl.col("ETE_IND_TAA") == "1").mean()).item()

    assert math.isclose(measured, published, rel_tol=0.05)
    assert set(of_year.filter(pl.col("DPN_QLF") == "71")["ETE_IND_TAA"]) == {"0"}


# Of the central table, only what is looked at: the rest costs seconds.
ASKED = ("EXE_SOI_DTD", "PRS_NAT_REF", "CPL_MAJ_TOP", "PRS_ACT_QTE", "DPN_QLF")
KEY = (
    *("DCT_ORD_NUM", "FLX_DIS_DTD", "FLX_EMT_NUM", "FLX_EMT_ORD", "FLX_EMT_TYP"),
    *("FLX_TRT_DTD", "ORG_CLE_NUM", "PRS_ORD_NUM", "REM_TYP_AFF"),
)
_NATURES = """
3313 28.33 3111 14.41 1111 7.11 3312 7.02 3112 5.62 3125 4.94 3211 4.78 1112 3.04
1352 2.14 3341 2.12 3122 1.73 1351 1.50 1842 1.07 1211 1.06 1324 0.89 1433 0.71
4382 0.68 1113 0.63 3132 0.61 3223 0.57 1126 0.47 6111 0.42 3533 0.42 3515 0.41
1331 0.393 3116 0.384 3514 0.381 3512 0.317 1811 0.300 1117 0.265 3222 0.255
4214 0.228 3311 0.221 2111 0.220 3511 0.218 1423 0.207 1130 0.206 1116 0.204 3532
0.195 1321 0.193 3521 0.189 8111 0.181 6112 0.170 3133 0.168 4212 0.159 3323
0.150 6011 0.146 4213 0.144 1911 0.141 1812 0.138 7111 0.127 2351 0.126 1323
0.123 3121 0.115 3522 0.107 1114 0.092 1432 0.089 3322 0.085 6115 0.083 3117
0.077 3326 0.076 2238 0.073 1224 0.073 1312 0.070 3327 0.067 3316 0.067 1451
0.066 1424 0.059 1931 0.055 2212 0.055 2252 0.055 1121 0.054
"""
# Dentists' acts of the old list, and acts in KC, ended with November 2014; copies in June 2015.
ENDED = {"1311", "1423", "1433", "3323"}
_WORDS = _NATURES.split()
NATURES = {code: float(percent) for code, percent in zip(_WORDS[::2], _WORDS[1::2], strict=True)}
