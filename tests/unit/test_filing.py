"""How tables of the SNDS are filed, and that no permit is given for one that no period could cut."""

from __future__ import annotations

from datetime import date

import pytest

from havre.bootstrap.schemas import SNDS_LAYER, core_tables
from havre.domain.catalogue import build_table
from havre.domain.permit import Population, TableGrant
from havre.domain.permit_check import list_period_faults
from havre.domain.plan import Between, Follow, Plan
from havre.domain.plan_making import PEOPLE, make_plan
from havre.domain.schema import Catalogue, Link, TableSchema
from havre.errors import InvalidInput
from havre.formats.table_schema import parse_table_schema
from havre.snds.filing import DCIR_KEYS, FILINGS

ONE_MONTH = (date(2019, 3, 1), date(2019, 3, 31))
ONE_YEAR = (date(2020, 1, 1), date(2020, 12, 31))


def published(name: str, *names: str, **typed: str) -> TableSchema:
    fields = [{"name": each} for each in names]
    fields += [{"name": each, "type": kind} for each, kind in typed.items()]
    document = {"name": name, "produit": "published", "fields": fields}
    return build_table(parse_table_schema(document), layer=SNDS_LAYER).schema


TABLES = (
    published("ER_PRS_F", "BEN_NIR_PSA", *DCIR_KEYS, EXE_SOI_DTD="date"),
    published("ER_BIO_F", *DCIR_KEYS, "BIO_PRS_IDE"),
    published("NS_PRS_F", "BEN_IDT_ANO", "CLE_DCI_JNT", EXE_SOI_DTD="date", FLX_DIS_DTD="date"),
    published("T_SSRaaC", "NIR_ANO_17", "ETA_NUM", "RHA_NUM", EXE_SOI_DTD="date"),
    published("T_SSRaaD", "ETA_NUM", "RHA_NUM", "DGN_COD"),
    published("T_HADaaC", "NIR_ANO_17", "ETA_NUM_EPMSI", "RHAD_NUM", EXE_SOI_DTD="datetime"),
    published("T_MCOaaE", "ETA_NUM", "SOC_RAI"),
    published("T_SUPaaFFM", "ETA_NUM", ANN_MOI="yearmonth"),
    published("T_RIPaaR3A", "ETA_NUM_EPMSI", "SEJ_IDT", "ORD_NUM", RAL_ACT_ANN="year"),
    published("NOBODY_KNOWS", "BEN_NIR_PSA", "SOME_DAY"),
)
CATALOGUE = Catalogue(TABLES)


def plan_of(name: str, period: tuple[date, date] = ONE_MONTH) -> Plan:
    schema = CATALOGUE.table(name)
    grant = TableGrant(schema.dataset, name, schema.column_names)
    return make_plan(
        [grant], period=period, population=Population(), people=PEOPLE, catalogue=CATALOGUE
    )


def faults_of(name: str, period: tuple[date, date] = ONE_MONTH) -> list[str]:
    grant = TableGrant("published", name, ())
    return list(list_period_faults(grant, period, CATALOGUE))


@pytest.mark.parametrize("name", ["ER_PRS_F", "NS_PRS_F", "T_SSRaaC", "T_HADaaC"])
def test_a_dated_table_is_cut_to_the_month_of_the_permit(name: str) -> None:
    assert plan_of(name).table(name).conditions == (Between("EXE_SOI_DTD", *ONE_MONTH),)
    assert faults_of(name) == []


def test_a_refined_line_follows_its_line_by_nine_keys() -> None:
    plan = plan_of("ER_BIO_F")

    assert plan.table("ER_PRS_F").conditions == (Between("EXE_SOI_DTD", *ONE_MONTH),)
    assert plan.table("ER_BIO_F").follows == (Follow("ER_PRS_F", DCIR_KEYS, DCIR_KEYS),)


def test_what_belongs_to_a_stay_follows_it_within_one_year() -> None:
    """The numbers of a hospital begin anew every year."""
    keys = ("SSR_ANN", "ETA_NUM", "RHA_NUM")

    assert plan_of("T_SSRaaD").table("T_SSRaaD").follows == (Follow("T_SSRaaC", keys, keys),)
    assert CATALOGUE.table("T_SSRaaC").year_column == "SSR_ANN"
    assert CATALOGUE.table("T_SSRaaD").column("SSR_ANN").required


def test_months_and_years_are_cut_where_the_period_is_of_whole_ones() -> None:
    months = plan_of("T_SUPaaFFM").table("T_SUPaaFFM").conditions
    years = plan_of("T_RIPaaR3A", ONE_YEAR).table("T_RIPaaR3A").conditions

    assert months == (Between("ANN_MOI", "201903", "201903"),)
    assert years == (Between("RAL_ACT_ANN", "2020", "2020"),)
    assert faults_of("T_SUPaaFFM") == faults_of("T_RIPaaR3A", ONE_YEAR) == []


@pytest.mark.parametrize(
    ("name", "period", "words"),
    [
        ("T_RIPaaR3A", ONE_MONTH, "dated by year"),
        ("T_SUPaaFFM", (date(2019, 3, 1), date(2019, 3, 30)), "dated by month"),
        ("T_SUPaaFFM", (date(2019, 3, 2), date(2019, 3, 31)), "dated by month"),
        ("NOBODY_KNOWS", ONE_YEAR, "NOBODY_KNOWS has no date"),
    ],
)
def test_a_table_that_the_period_cannot_cut_is_named(
    name: str, period: tuple[date, date], words: str
) -> None:
    [fault] = faults_of(name, period)

    assert words in fault


def test_a_register_is_timeless_for_a_reason() -> None:
    assert CATALOGUE.table("T_MCOaaE").timeless
    assert faults_of("T_MCOaaE") == []


def test_our_own_tables_have_a_date_a_link_or_a_reason() -> None:
    catalogue = Catalogue(tuple(built.schema for built in core_tables()))

    for table in catalogue.tables:
        grant = TableGrant(table.dataset, table.name, ())
        assert list(list_period_faults(grant, ONE_YEAR, catalogue)) == []


def test_what_a_description_says_itself_goes_before_the_layer() -> None:
    document = {
        "name": "ER_BIO_F",
        "produit": "dcir",
        "fields": [{"name": name} for name in DCIR_KEYS],
        "havre": {"link": {"table": "MINE", "columns": ["PRS_ORD_NUM"]}},
    }

    built = build_table(parse_table_schema(document), layer=SNDS_LAYER)

    assert built.schema.link == Link("MINE", ("PRS_ORD_NUM",))


def test_every_entry_says_why_and_since_when() -> None:
    assert all(each.why and each.settled and each.name for each in FILINGS)
    assert all(each.period or each.follows or each.timeless for each in FILINGS)


@pytest.mark.parametrize("own", [["A", "B"], ["C"], []])
def test_a_foreign_key_of_unknown_or_uneven_columns_is_refused(own: list[str]) -> None:
    keys = [{"fields": own, "reference": {"resource": "S", "fields": ["X"]}}]
    fields = [{"name": "A"}, {"name": "B"}]

    with pytest.raises(InvalidInput, match="foreign key of table T"):
        parse_table_schema({"name": "T", "fields": fields, "foreignKeys": keys})
