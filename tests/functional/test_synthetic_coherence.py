"""The made-up files fit together: with each other, and with the truth that is written beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from fakes.small_hub import quiet
from havre.adapters.synthetic.facts.drugs import DRUGS
from havre.adapters.synthetic.facts.population import DELIVERED_TWICE
from havre.adapters.synthetic.order import FileForm, SyntheticOrder
from havre.adapters.synthetic.tables import ALL_TABLES
from havre.adapters.synthetic.writer import write_population

PEOPLE, BLOCK = 4_000, 1_500
KEY = [
    *("DCT_ORD_NUM", "FLX_DIS_DTD", "FLX_EMT_NUM", "FLX_EMT_ORD", "FLX_EMT_TYP"),
    *("FLX_TRT_DTD", "ORG_CLE_NUM", "PRS_ORD_NUM", "REM_TYP_AFF"),
]
STAY = ["year", "ETA_NUM", "RSA_NUM"]
NUMBER = ["BEN_NIR_PSA", "BEN_RNG_GEM"]
Tables = Mapping[str, pl.DataFrame]


def order(people: int, *, block: int, first_year: int = 2016, years: int = 1) -> SyntheticOrder:
    return SyntheticOrder(
        people,
        first_year,
        years,
        seed=5,
        columns=dict.fromkeys(ALL_TABLES),
        form=FileForm.PARQUET,
        block=block,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three blocks of people, three years."""
    made = tmp_path_factory.mktemp("made-up")
    write_population(order(PEOPLE, block=BLOCK, years=3), made, processes=1, progress=quiet)
    return made


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    """All files of each table together, those of the PMSI with their year."""
    paths: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("deliveries/*/*.parquet")):
        name = path.stem.rsplit("-", 1)[0]
        paths.setdefault(f"{name[:5]}aa{name[7:]}" if name[:2] == "T_" else name, []).append(path)
    return {
        table: pl.concat(
            (
                pl.read_parquet(path).with_columns(year=pl.lit(path.parent.name[-4:]))
                for path in listed
            ),
            how="diagonal_relaxed",
        )
        for table, listed in paths.items()
    }


@pytest.fixture(scope="module")
def truth(folder: Path) -> Tables:
    return {
        name: pl.concat(
            pl.read_csv(path, try_parse_dates=True, infer_schema_length=None)
            for path in sorted(folder.glob(f"truth/{name}*.csv"))
        )
        for name in ("people", "numbers", "illnesses", "families")
    }


def lived(truth: Tables) -> pl.DataFrame:
    """Under each number and rank, when its person was born, and died."""
    numbers = truth["numbers"].join(truth["people"].select("person", "born", "dies"), on="person")
    return numbers.select("person", "born", "dies", BEN_NIR_PSA="number", BEN_RNG_GEM="rank")


def test_the_bytes_do_not_depend_on_how_many_processes_draw(tmp_path: Path) -> None:
    for processes in (1, 2):
        write_population(
            order(100, block=50), tmp_path / str(processes), processes=processes, progress=quiet
        )

    one, two = (
        {
            path.relative_to(tmp_path / name).as_posix(): hashlib.sha256(path.read_bytes()).digest()
            for path in (tmp_path / name).rglob("*.*")
        }
        for name in ("1", "2")
    )
    assert one == two
    assert len(one) > 100


def test_nine_columns_name_one_line(tables: Tables) -> None:
    assert not tables["ER_PRS_F"].select(KEY).is_duplicated().any()


REFINED = (
    *("ER_PHA_F", "ER_CAM_F", "ER_BIO_F", "ER_TIP_F", "ER_ETE_F", "ER_UCD_F"),
    *("ER_ARO_F", "ER_INV_F", "ER_DTR_F"),
)


@pytest.mark.parametrize("table", REFINED)
def test_every_refined_line_has_its_line(tables: Tables, table: str) -> None:
    assert tables[table].height > 0
    assert tables[table].join(tables["ER_PRS_F"], on=KEY, how="anti").is_empty()


def test_the_local_fund_pays_in_alsace_and_moselle_alone(tables: Tables) -> None:
    """And together with the first one never more than 90 percent."""
    paid = tables["ER_ARO_F"].join(tables["ER_PRS_F"], on=KEY)

    assert paid.height > 500
    assert set(paid["BEN_RES_DPT"]) == {"057", "067", "068"}
    assert set(paid["ARO_REM_TAU"] + paid["RGO_REM_TAU"]) == {90}


def test_what_is_taken_back_was_there(tables: Tables) -> None:
    """Signed quantities of one person, day, professional and kind never add up to less than nothing."""
    acts = tables["ER_PRS_F"].filter(pl.col("BSE_PRS_NAT") != "0")
    of = acts.group_by(*NUMBER, "EXE_SOI_DTD", "PRS_NAT_REF", "PFS_PRE_NUM").agg(
        left=pl.col("PRS_ACT_QTE").sum(), lines=pl.len()
    )

    assert acts.filter(pl.col("PRS_ACT_QTE") < 0).height > 100
    # Whoever is corrected after the files end has no line that takes it back.
    assert of.filter(pl.col("left") < 0).is_empty()


def test_nothing_is_done_for_the_unborn_and_the_dead(tables: Tables, truth: Tables) -> None:
    lines = tables["ER_PRS_F"].join(lived(truth), on=NUMBER, how="left")

    assert lines["person"].null_count() == 0
    day = pl.col("EXE_SOI_DTD")
    assert lines.filter((day < pl.col("born")) | (day > pl.col("dies"))).is_empty()


def test_nobody_takes_drugs_for_diabetes_without_it(tables: Tables, truth: Tables) -> None:
    """Except where lines of a code are filled up to the published share: never of this class."""
    packs = [drug.cip13 for drug in DRUGS if drug.atc.startswith("A10")]
    taken = (
        tables["ER_PHA_F"]
        .filter(pl.col("PHA_PRS_C13").is_in(packs))
        .join(tables["ER_PRS_F"], on=KEY)
        .join(lived(truth), on=NUMBER)
        .join(truth["people"].select("person", "diabetes"), on="person")
    )

    assert taken.height > 500
    assert taken.filter(
        pl.col("diabetes").is_null() | (pl.col("EXE_SOI_DTD") < pl.col("diabetes"))
    ).is_empty()


def test_what_is_recognised_is_in_the_register(tables: Tables, truth: Tables) -> None:
    recognised = truth["illnesses"].filter(pl.col("recognised").dt.year() <= 2018)
    rows = tables["IR_IMB_R"].join(lived(truth), on=NUMBER)
    found = rows.select("person", code="MED_MTF_COD", recognised="IMB_ALD_DTD").unique()

    assert recognised.height > 200
    assert recognised.join(found, on=["person", "code", "recognised"], how="anti").is_empty()


def test_one_of_a_persons_numbers_says_that_they_died(tables: Tables, truth: Tables) -> None:
    rows = tables["IR_BEN_R"].join(lived(truth), on=NUMBER)
    dead = rows.filter(pl.col("dies").dt.year() <= 2018)
    says = dead.group_by("person").agg(
        said=(pl.col("BEN_DCD_DTE").dt.year() > 1600).sum(),
        right=(pl.col("BEN_DCD_DTE") == pl.col("dies")).sum(),
    )

    assert says.height > 50
    assert set(says["said"]) == set(says["right"]) == {1}
    assert dead.height > says.height


def test_year_hospital_and_number_name_one_stay(tables: Tables) -> None:
    stays = tables["T_MCOaaC"].select(STAY)

    assert not stays.is_duplicated().any()
    assert stays.sort(STAY).equals(tables["T_MCOaaB"].select(STAY).sort(STAY))
    for table in ("T_MCOaaA", "T_MCOaaD", "T_MCOaaUM"):
        assert tables[table].join(stays, on=STAY, how="anti").is_empty()
    counted = tables["T_MCOaaD"].group_by(STAY).len("rows")
    both = tables["T_MCOaaB"].join(counted, on=STAY, how="left").fill_null(0)
    assert both.filter(pl.col("rows") != pl.col("NBR_DGN")).is_empty()


def test_drugs_beside_a_stay_are_given_to_people_with_the_illness(
    tables: Tables, truth: Tables
) -> None:
    """A number that twins share is enough of whom one is ill; what is handed out needs no stay."""
    against = pl.DataFrame(
        [
            ("0000009261771", "lung_cancer"),
            ("0000009220097", "breast_cancer"),
            ("0000009395106", "breast_cancer"),
            ("0000009261110", "bowel_cancer"),
            ("0000009301128", "bowel_cancer"),
            ("0000009213737", "arthritis"),
            ("0000009197719", "arthritis"),
        ],
        schema=["UCD_UCD_COD", "illness"],
        orient="row",
    )
    number = tables["T_MCOaaC"].filter(pl.col("NIR_RET") == "0").select(*STAY, "NIR_ANO_17")
    given = tables["T_MCOaaMED"].join(against, on="UCD_UCD_COD", how="left")
    ill = truth["illnesses"].join(truth["numbers"], on="person").rename({"number": "NIR_ANO_17"})

    assert given.height > 30
    assert given["illness"].null_count() == 0
    assert (
        given.join(number, on=STAY).join(ill, on=["illness", "NIR_ANO_17"], how="anti").is_empty()
    )
    handed = tables["ER_UCD_F"].join(tables["ER_PRS_F"], on=KEY)
    assert handed.height > 20
    assert set(handed.select("PRS_NAT_REF", "UCD_TOP_UCD").unique().iter_rows()) <= {
        ("3317", "0"),
        ("3318", "0"),
        ("3320", "1"),
    }


def test_a_person_is_in_one_bed(tables: Tables, truth: Tables) -> None:
    """Stays of all four kinds of hospitals share no night, and nobody is seen in the midst of one.

    Only sessions without a night are elsewhere while somebody is in rehabilitation, at home
    or in psychiatry. A person is known by a number that no twin shares.
    """
    numbers = truth["numbers"].filter(~pl.col("number").is_duplicated())
    known = numbers.select("person", NIR_ANO_17="number")
    sites = [site for _, listed in DELIVERED_TWICE for site in listed]
    happened = tables["T_MCOaaB"].filter(pl.col("GRG_GHM") != "90Z00Z").select(STAY)
    acute = tables["T_MCOaaC"].join(happened, on=STAY).filter(~pl.col("ETA_NUM").is_in(sites))
    others = [tables[f"T_{domain}aaC"] for domain in ("SSR", "HAD", "RIP")]

    everywhere = pl.concat(
        frame.join(known, on="NIR_ANO_17")
        .select("person", "EXE_SOI_DTD", "EXE_SOI_DTF")
        # A stay in rehabilitation is in the files of two years.
        .unique()
        for frame in (acute.filter(pl.col("EXE_SOI_DTD") < pl.col("EXE_SOI_DTF")), *others)
    )
    in_acute_care = acute.join(known, on="NIR_ANO_17")

    assert everywhere.height > 1_500
    assert in_acute_care.filter(pl.col("EXE_SOI_DTD") == pl.col("EXE_SOI_DTF")).height > 1_000
    for stays in (everywhere, in_acute_care):
        ordered = stays.sort("person", "EXE_SOI_DTD", "EXE_SOI_DTF")
        until = pl.col("EXE_SOI_DTF").cum_max().shift(1).over("person")
        assert ordered.filter(pl.col("EXE_SOI_DTD") < until).is_empty()


def test_three_groups_are_delivered_twice_until_2017(tables: Tables) -> None:
    sites = {site: legal for legal, listed in DELIVERED_TWICE for site in listed}
    stays = tables["T_MCOaaC"].join(tables["T_MCOaaB"].select(*STAY, "GRG_GHM", "DGN_PAL"), on=STAY)
    of_sites = stays.filter(pl.col("ETA_NUM").is_in(list(sites)))
    legal = of_sites.with_columns(ETA_NUM=pl.col("ETA_NUM").replace(sites))
    same = ["year", "ETA_NUM", "NIR_ANO_17", "EXE_SOI_DTD", "EXE_SOI_DTF", "GRG_GHM", "DGN_PAL"]

    assert set(of_sites["year"]) == {"2016", "2017"}
    assert legal.join(stays, on=same, how="anti").is_empty()
    assert not stays.filter(
        pl.col("year") == "2018", pl.col("ETA_NUM").is_in(list(sites.values()))
    ).is_empty()


def test_a_mother_and_her_child_are_in_one_hospital_on_one_day(tables: Tables) -> None:
    stays = tables["T_MCOaaC"].join(tables["T_MCOaaB"].select(*STAY, "DGN_PAL"), on=STAY)
    sites = [site for _, listed in DELIVERED_TWICE for site in listed]
    stays = stays.filter(~pl.col("ETA_NUM").is_in(sites))
    born = stays.filter(pl.col("DGN_PAL").is_in(["Z380", "P073"]), pl.col("NIR_ANO_MAM") != "")
    # Those whose own number is nobody's cannot be found by it.
    mothers = stays.filter(pl.col("DGN_PAL").str.starts_with("O8"))
    where = ["ETA_NUM", "EXE_SOI_DTD", "NIR_ANO_MAM"]

    alone = born.join(mothers, on=where, how="anti")

    assert born.height > 50
    # Only a mother who is still there when the period ends has no stay yet.
    assert alone.filter(pl.col("EXE_SOI_DTF").dt.year() < 2018).height <= born.height * 0.02


def test_a_year_has_the_columns_of_its_time(tmp_path: Path) -> None:
    """A mother's number came into the table of chaining in 2013, the rank of birth in 2015."""
    made = order(100, block=100, first_year=2012, years=4)
    write_population(made, tmp_path, processes=1, progress=quiet)

    columns = {
        year: set(
            pl.read_parquet_schema(tmp_path / f"deliveries/pmsi-mco-20{year}/T_MCO{year}C.parquet")
        )
        for year in (12, 13, 15)
    }

    assert columns[13] - columns[12] == {"NIR_ANO_MAM", "COH_NAI_RET", "COH_SEX_RET"}
    assert columns[15] - columns[13] == {"RNG_NAI"}


def test_couples_and_children_live_together(tables: Tables, truth: Tables) -> None:
    """Where nobody has moved: one department and commune of a couple, of a mother and her child."""
    home = ["BEN_RES_DPT", "BEN_RES_COM"]
    homes = (
        tables["IR_BEN_R"].join(lived(truth), on=NUMBER).select("person", *home).unique("person")
    )
    families = truth["families"].filter(pl.col("moves").is_null())
    where = families.join(homes, on="person")

    for relative in ("mother", "partner"):
        pairs = where.join(where, left_on=relative, right_on="person", suffix="_of_the_other")
        assert pairs.height > 300
        assert all(pairs[column].equals(pairs[f"{column}_of_the_other"]) for column in home)
    assert families.filter(pl.col("partner") == pl.col("mother")).is_empty()


def test_no_number_is_one_that_a_living_person_could_have(truth: Tables) -> None:
    assert not truth["numbers"]["number"].str.contains("^[0-9]{13}").any()
