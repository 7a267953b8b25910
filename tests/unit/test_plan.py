"""Plans: one reading, every fault named, and the permit's tables followed to their people."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from havre.domain.permit import Population, TableGrant
from havre.domain.plan import (
    Between,
    Follow,
    OneOf,
    Oppositions,
    Plan,
    TablePlan,
    Tie,
    check_plan,
    encode_plan,
)
from havre.domain.plan_making import PopulationTable, make_plan
from havre.domain.schema import Catalogue, Column, ColumnType, Link, TableSchema, Treatment
from havre.errors import InvalidInput

REALMS = dict.fromkeys(("BEN_NIR_PSA", "NIR_ANO_17"), "nir-psa")


def columns(*names: str, **typed: ColumnType) -> tuple[Column, ...]:
    strings = tuple(Column(name=name, realm=REALMS.get(name, "")) for name in names)
    return strings + tuple(Column(name=name, type=kind) for name, kind in typed.items())


PEOPLE = TableSchema(
    name="IR_BEN_R",
    dataset="dcir",
    columns=columns("BEN_NIR_PSA", "BEN_RNG_GEM", "BEN_NAI_ANN", "BEN_RES_DPT"),
    person=("BEN_NIR_PSA", "BEN_RNG_GEM"),
)
CARE = TableSchema(
    name="ER_PRS_F",
    dataset="dcir",
    columns=columns(
        "BEN_NIR_PSA",
        "BEN_RNG_GEM",
        "FLX",
        "ORD",
        EXE_SOI_DTD=ColumnType.DATE,
        AMOUNT=ColumnType.DECIMAL,
    ),
    person=("BEN_NIR_PSA", "BEN_RNG_GEM"),
    period_column="EXE_SOI_DTD",
)
DRUGS = TableSchema(
    name="ER_PHA_F",
    dataset="dcir",
    columns=columns("FLX", "ORD", "CIP"),
    link=Link("ER_PRS_F", ("FLX", "ORD")),
)
STAYS = TableSchema(
    name="T_MCOaaC",
    dataset="pmsi-mco",
    columns=columns("NIR_ANO_17", "RSA_NUM", EXE_SOI_DTD=ColumnType.DATETIME),
    person=("NIR_ANO_17",),
    period_column="EXE_SOI_DTD",
)
CODES = TableSchema(name="CODES", dataset="ref", columns=columns("CODE"))
CATALOGUE = Catalogue((PEOPLE, CARE, DRUGS, STAYS, CODES))
WHERE = PopulationTable("IR_BEN_R", "BEN_NAI_ANN", "BEN_RES_DPT")
PERIOD = (date(2021, 1, 1), date(2022, 12, 31))


def made(*tables: TableGrant, population: Population) -> Plan:
    return make_plan(
        tables, period=PERIOD, population=population, people=WHERE, catalogue=CATALOGUE
    )


def test_what_has_no_person_and_no_date_follows_its_link() -> None:
    plan = made(
        TableGrant("dcir", "ER_PHA_F", ("CIP",)), population=Population((1940, 1960), ("2A", "75"))
    )

    assert plan == Plan(
        (
            TablePlan(
                table="IR_BEN_R",
                columns=(),
                conditions=(
                    Between("BEN_NAI_ANN", "1940", "1960"),
                    OneOf("BEN_RES_DPT", ("2A", "75")),
                ),
            ),
            TablePlan(
                table="ER_PRS_F",
                columns=(),
                conditions=(Between("EXE_SOI_DTD", *PERIOD),),
                follows=(Follow("IR_BEN_R", PEOPLE.person, PEOPLE.person),),
            ),
            TablePlan(
                table="ER_PHA_F",
                columns=("CIP",),
                follows=(Follow("ER_PRS_F", ("FLX", "ORD"), ("FLX", "ORD")),),
            ),
        )
    )


def test_without_a_limit_on_people_only_the_period_cuts() -> None:
    plan = made(
        TableGrant("dcir", "ER_PHA_F", ("CIP",)),
        TableGrant("ref", "CODES", ("CODE",)),
        population=Population(),
    )

    assert [part.table for part in plan.tables] == ["ER_PRS_F", "ER_PHA_F", "CODES"]
    assert plan.table("ER_PRS_F").follows == ()


def test_tables_meet_on_the_person_columns_that_both_have() -> None:
    plan = made(
        TableGrant("pmsi-mco", "T_MCOaaC", ("RSA_NUM",)), population=Population((1940, 1960))
    )

    assert plan.table("T_MCOaaC").follows == (
        Follow("IR_BEN_R", ("NIR_ANO_17",), ("BEN_NIR_PSA",)),
    )


def test_a_granted_people_table_comes_out_itself() -> None:
    plan = made(
        TableGrant("dcir", "IR_BEN_R", ("BEN_NAI_ANN",)), population=Population((1940, 1960))
    )

    assert plan.table("IR_BEN_R").columns == ("BEN_NAI_ANN",)
    assert len(plan.tables) == 1


def test_a_table_that_no_limit_on_people_can_reach_is_refused() -> None:
    with pytest.raises(InvalidInput, match="CODES"):
        made(TableGrant("ref", "CODES", ("CODE",)), population=Population((1940, 1960)))


def test_a_circle_of_links_is_refused() -> None:
    one = TableSchema(name="A", dataset="d", columns=columns("K"), link=Link("B", ("K",)))
    two = TableSchema(name="B", dataset="d", columns=columns("K"), link=Link("A", ("K",)))

    with pytest.raises(InvalidInput, match="circle"):
        make_plan(
            [TableGrant("d", "A", ("K",))],
            period=PERIOD,
            population=Population(),
            people=WHERE,
            catalogue=Catalogue((one, two)),
        )


def test_a_plan_reads_the_columns_that_others_follow() -> None:
    plan = made(TableGrant("dcir", "ER_PHA_F", ("CIP",)), population=Population((1940, 1960)))

    assert plan.columns_read("ER_PRS_F") == {
        "BEN_NIR_PSA",
        "BEN_RNG_GEM",
        "EXE_SOI_DTD",
        "FLX",
        "ORD",
    }


def part(**changes: object) -> TablePlan:
    declared: dict[str, object] = {"table": "ER_PRS_F", "columns": ("FLX",)}
    return TablePlan(**(declared | changes))  # type: ignore[arg-type]


FAULTY: list[tuple[Plan, str]] = [
    (Plan(()), "names no table"),
    (Plan((part(table="NONE"),)), "no such table"),
    (Plan((part(table="er_prs_f"),)), "other letters"),
    (Plan((part(), part())), "named twice"),
    (Plan((part(columns=("FLX", "NONE")),)), "no column NONE"),
    (Plan((part(columns=("FLX", "FLX")),)), "stands twice"),
    (Plan((part(conditions=(OneOf("NONE", ("a",)),)),)), "no column NONE"),
    (Plan((part(conditions=(OneOf("FLX", (1,)),)),)), "another type"),
    (Plan((part(conditions=(OneOf("FLX", ()),)),)), "another type"),
    (Plan((part(conditions=(Between("FLX", "a", 1),)),)), "another type"),
    (Plan((part(conditions=(Between("AMOUNT", 1, 2),)),)), "another type"),
    (Plan((part(conditions=(Between("EXE_SOI_DTD", "2021", "2022"),)),)), "another type"),
    (
        Plan(
            (part(conditions=(Between("EXE_SOI_DTD", *[datetime(2021, 1, 1, tzinfo=UTC)] * 2),)),)
        ),
        "another type",
    ),
    (Plan((part(follows=(Follow("ER_PHA_F", ("FLX",), ("FLX",)),)),)), "does not come before"),
    (Plan((part(), part(table="ER_PHA_F", follows=(Follow("ER_PRS_F", ("FLX",), ("N",)),)))), "N"),
    (Plan((part(), part(table="ER_PHA_F", follows=(Follow("ER_PRS_F", ("FLX",), ()),)))), "uneven"),
    (Plan((part(), part(table="ER_PHA_F", follows=(Follow("ER_PRS_F", (), ()),)))), "uneven"),
]


@pytest.mark.parametrize(("plan", "named"), FAULTY)
def test_a_faulty_plan_is_refused_and_the_fault_named(plan: Plan, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        check_plan(plan, CATALOGUE)


def test_all_faults_are_named_not_the_first() -> None:
    with pytest.raises(InvalidInput, match=r"NONE.*OTHER"):
        check_plan(Plan((part(columns=("NONE",)), part(table="OTHER"))), CATALOGUE)


def test_two_plans_have_two_spellings() -> None:
    plans = [
        Plan((part(),)),
        Plan((part(columns=("ORD",)),)),
        Plan((part(conditions=(OneOf("FLX", ("1",)),)),)),
        Plan((part(conditions=(Between("FLX", "1", "1"),)),)),
        Plan((part(conditions=(Between("EXE_SOI_DTD", *PERIOD),)),)),
    ]

    assert len({encode_plan(plan) for plan in plans}) == len(plans)


_NAMED = TableSchema(
    name="NAMED",
    dataset="d",
    columns=(
        Column(name="OWN", treatment=Treatment.FOREIGN_PSEUDONYM),
        Column(name="OTHER", treatment=Treatment.FOREIGN_PSEUDONYM),
        Column(name="DAY", type=ColumnType.DATE),
        Column(name="KEY", treatment=Treatment.TECHNICAL_KEY),
    ),
    person=("OWN",),
    period_column="DAY",
)
_PEOPLE_TABLE = PopulationTable("NAMED", "YEAR", "AREA", ("OWN", "OTHER", "NEVER-DELIVERED"))


def leaving_out(**changes: PopulationTable) -> Plan:
    return make_plan(
        [TableGrant("d", "NAMED", ("KEY",))],
        period=PERIOD,
        population=Population(),
        people=changes.get("people", _PEOPLE_TABLE),
        catalogue=Catalogue((_NAMED, CODES)),
        register=("LIST", "NUMBER"),
    )


def test_with_a_register_every_column_that_names_a_person_is_looked_at() -> None:
    plan = leaving_out()

    assert plan.table("NAMED").names == ("OWN", "OTHER")
    assert plan.oppositions == Oppositions("LIST", "NUMBER", (Tie("NAMED", ("OWN", "OTHER")),))
    assert plan.tables_read == {"LIST", "NAMED"}
    assert plan.tables_read_whole == {"LIST", "NAMED"}


def test_a_catalogue_without_a_table_of_people_ties_no_numbers() -> None:
    assert leaving_out(people=WHERE).oppositions == Oppositions("LIST", "NUMBER")


def test_a_plan_that_looks_for_oppositions_elsewhere_is_refused_with_every_fault() -> None:
    plan = Plan(
        (TablePlan(table="NAMED", columns=("KEY",), names=("OWN",)),),
        Oppositions("LIST", "NUMBER", (Tie("NAMED", ("OWN", "KEY")), Tie("NONE", ("A", "B")))),
    )

    with pytest.raises(InvalidInput) as refusal:
        check_plan(plan, Catalogue((_NAMED,)))

    assert refusal.value.message == (
        "The plan cannot be worked out: NAMED: oppositions are looked for in other columns than"
        " name people; NAMED: no number of a person in KEY; NONE: the catalogue has no such table"
        " to tie numbers with."
    )


def test_a_plan_says_whom_it_leaves_out_and_one_that_leaves_nobody_out_says_nothing() -> None:
    assert b'"register":"LIST"' in encode_plan(leaving_out())
    assert b"oppositions" not in encode_plan(Plan((TablePlan(table="T", columns=("A",)),)))
