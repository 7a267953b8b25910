"""Contracts: read strictly, judged from counts, and every fault named with its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from havre.domain.code_system import CodeCounts, ColumnCodes
from havre.domain.content import LinkCount
from havre.domain.contract import Level, Rule, RuleKind, list_unknown
from havre.domain.contract_judgement import (
    Counted,
    DeliveryFacts,
    State,
    TableFacts,
    broken_of,
    counted_beside,
    judge_delivery,
)
from havre.domain.contract_text import MAX_CONTRACT_BYTES, parse_contract
from havre.domain.delivery import Span
from havre.domain.schema import Catalogue, Column, ColumnType, TableSchema
from havre.errors import InvalidInput

TEXT = """
format = "havre/v1/contract"
dataset = "cepidc"
holder = "holder"
schema_years = [2023, 2024]

[[tables]]
name = "DEATHS"
presence = "must"
key = ["CAUSE"]

[[tables]]
name = "MAP"
presence = "optional"

[freshness]
level = "should"
covers_days = 366
at_most_days_after = 90
every_days = 400

[[rules]]
name = "rows"
level = "must"
kind = "rows"
table = "DEATHS"
at_least = 0.8
at_most = 1.5

[[rules]]
name = "aside"
level = "must"
kind = "set-aside"
table = "DEATHS"
at_most = 0.1

[[rules]]
name = "cause"
level = "should"
kind = "empty"
table = "DEATHS"
column = "CAUSE"
at_most = 0.05

[[rules]]
name = "sex"
level = "should"
kind = "values"
table = "DEATHS"
column = "SEX"
at_least = 0.99

[[rules]]
name = "died"
level = "must"
kind = "covered"
table = "DEATHS"
column = "DIED"
at_least = 1
"""
CONTRACT = parse_contract(TEXT.encode())
SCHEMA = TableSchema(
    name="DEATHS",
    dataset="cepidc",
    columns=(
        Column(name="CAUSE"),
        Column(name="SEX", values=("1", "2")),
        Column(name="DIED", type=ColumnType.DATE),
    ),
)
MAP = TableSchema(name="MAP", dataset="cepidc", columns=(Column(name="A"),))

GOOD = DeliveryFacts(
    received_on=date(2025, 2, 1),
    covers=Span(date(2024, 1, 1), date(2024, 12, 31)),
    tables={"DEATHS": TableFacts(100, 95)},
    counted={"cause": Counted(95, 1), "sex": Counted(95, 95), "died": Counted(95, 95)},
    before={"DEATHS": 90},
    before_received_on=date(2024, 2, 1),
)


def broken(facts: DeliveryFacts) -> set[str]:
    return {each.name for each in judge_delivery(CONTRACT, facts) if each.state is State.BROKEN}


def test_a_delivery_as_agreed_breaks_nothing() -> None:
    judged = judge_delivery(CONTRACT, GOOD)

    assert {each.state for each in judged} == {State.KEPT}
    assert len(judged) == 1 + 1 + 3 + 5


def test_the_first_delivery_is_measured_against_none_before() -> None:
    judged = judge_delivery(CONTRACT, replace(GOOD, before=None, before_received_on=None))

    assert [each.name for each in judged if each.state is State.NOT_MEASURED] == [
        "days between",
        "rows",
    ]
    assert not broken_of(judged, level=Level.MUST)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"tables": {}}, {"table DEATHS"}),
        (
            {"tables": {**GOOD.tables, "OTHER": TableFacts(1, 1)}},
            {"table OTHER"},
        ),
        ({"tables": {"DEATHS": TableFacts(100, 71)}}, {"rows", "aside"}),
        ({"tables": {"DEATHS": TableFacts(200, 190)}}, {"rows"}),
        ({"tables": {"DEATHS": TableFacts(110, 95)}}, {"aside"}),
        ({"counted": {**GOOD.counted, "cause": Counted(95, 5)}}, {"cause"}),
        ({"counted": {**GOOD.counted, "sex": Counted(95, 94)}}, {"sex"}),
        ({"counted": {**GOOD.counted, "died": Counted(95, 94)}}, {"died"}),
        ({"received_on": date(2025, 4, 1)}, {"days after", "days between"}),
        (
            {"covers": Span(date(2024, 1, 1), date(2025, 1, 31))},
            {"schema years", "days covered"},
        ),
        ({"covers": None}, {"schema years", "days covered", "days after", "died"}),
    ],
)
def test_what_differs_from_what_was_agreed_is_named(
    change: dict[str, object], names: set[str]
) -> None:
    assert broken(replace(GOOD, **change)) == names  # type: ignore[arg-type]


def test_what_is_counted_anyway_answers_rules_about_codes_and_parents() -> None:
    def rule(name: str, kind: RuleKind, column: str | None = None) -> Rule:
        return Rule(name=name, level=Level.MUST, kind=kind, table="T", column=column, at_least=1)

    rules = [
        rule("codes", RuleKind.CODES, "C"),
        rule("no list", RuleKind.CODES, "D"),
        rule("empty", RuleKind.EMPTY, "C"),
        rule("parents", RuleKind.PARENTS),
    ]
    codes = [ColumnCodes("T", "C", "L", "0" * 64, CodeCounts(5, 1, 1, 2, 40))]

    assert counted_beside(rules, links=LinkCount(50, 49), codes=codes) == {
        "codes": Counted(9, 5),
        "parents": Counted(50, 49),
    }
    assert counted_beside(rules[1:], links=None, codes=codes) == {}


def test_the_catalogue_has_everything_that_the_contract_names() -> None:
    assert list_unknown(CONTRACT, Catalogue((SCHEMA, MAP))) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "MAP"', 'name = "MAPS"', "no table MAPS"),
        ('key = ["CAUSE"]', 'key = ["NUMBER"]', "key of DEATHS names NUMBER"),
        ('column = "SEX"', 'column = "GENDER"', "names GENDER"),
        ('column = "SEX"', 'column = "CAUSE"', "has no values"),
        ('column = "DIED"', 'column = "SEX"', "is no date"),
        ('column = "SEX"', 'column = "DIED"', "is no text"),
    ],
)
def test_what_the_catalogue_has_not_is_named(old: str, new: str, said: str) -> None:
    assert old in TEXT
    faults = list_unknown(parse_contract(TEXT.replace(old, new).encode()), Catalogue((SCHEMA, MAP)))

    assert len(faults) == 1
    assert said in faults[0]


def appended(line: str) -> Callable[[str], str]:
    return lambda text: text + line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("dataset =", "datasets ="), "it has no key datasets; it lacks"),
        (lambda text: text.replace('level = "must"', 'level = "may"'), "level of rule 1 is not"),
        (lambda text: text.replace("at_most = 1.5", "at_most = 0.5"), "at_least above its at_most"),
        (lambda text: text.replace("at_most = 0.1", "at_most = 1.1"), "rule 2 has a share above 1"),
        (lambda text: text.replace("at_most = 0.1\n", ""), "rule 2 has neither"),
        (lambda text: text.replace('column = "SEX"\n', ""), "rule 4 is of kind values and lacks"),
        (lambda text: text.replace('"aside"', '"rows"'), "rule rows stands twice"),
        (lambda text: text.replace('"MAP"', '"DEATHS"'), "table DEATHS stands twice"),
        (lambda text: text.replace("[2023, 2024]", '["2023"]'), "schema_years of it is not"),
        (
            lambda text: text.replace("covers_days = 366", "covers_days = 0"),
            "covers_days of [fresh",
        ),
        (lambda text: text.replace('holder = "holder"', 'holder = "A b"'), "no short name"),
        (appended('values = ["1"]\n'), "rule 5 is of kind covered and has values"),
        (appended("x = "), "is not TOML"),
        (lambda text: text.replace('table = "DEATHS"', 'table = "D"', 1), "which is not expected"),
        (appended("#" * MAX_CONTRACT_BYTES), "is longer than"),
    ],
)
def test_a_contract_is_read_strictly(change: Callable[[str], str], said: str) -> None:
    text = change(TEXT)
    assert text != TEXT

    with pytest.raises(InvalidInput) as refusal:
        parse_contract(text.encode())
    assert said in refusal.value.message
