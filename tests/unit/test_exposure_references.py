"""The seven reference deployments give the published table, figure by figure."""

from __future__ import annotations

from functools import cache

import pytest

from fakes.exposures import REFERENCES, reference
from havre.domain.exposure.clauses import Mode
from havre.domain.exposure.verdicts import Analysis

PASSIVE, ACTIVE, BROKEN = Mode.PASSIVE, Mode.ACTIVE, Mode.BROKEN
# Margin against US law, size of the smallest coalition; with makers' updates gated or not.
TABLE = """
    deployment | message     | mode            | gated | k | coalition
    a0         | base        | passive         | yes   | 0 | 1
    a0         | base        | active          | yes   | 0 | 1
    a1         | base        | passive         | yes   | 0 | 1
    a1         | base        | active          | yes   | 0 | 1
    a2         | base        | passive         | yes   | 1 | 2
    a2         | base        | active          | yes   | 0 | 1
    a2         | base        | broken-hardware | yes   | 0 | 1
    b0         | base        | passive         | yes   | 1 | 1
    b0         | base        | active          | no    | 0 | 1
    b0         | base        | active          | yes   | 1 | 1
    b1         | base        | passive         | yes   | 3 | 3
    b1         | base        | active          | yes   | 3 | 3
    b1         | base        | active          | no    | 3 | 3
    b1         | working-set | passive         | yes   | 1 | 1
    b1         | working-set | active          | no    | 0 | 1
    b1         | working-set | active          | yes   | 1 | 1
    b2         | base        | passive         | yes   | 2 | 3
    b2         | base        | active          | yes   | 2 | 3
    b2         | base        | active          | no    | 2 | 3
    b2         | working-set | passive         | yes   | 1 | 1
    b2         | working-set | active          | no    | 0 | 1
    b2         | working-set | active          | yes   | 1 | 1
    b3         | base        | passive         | yes   | 2 | 3
    b3         | base        | active          | yes   | 2 | 3
    b3         | working-set | passive         | yes   | 2 | 3
    b3         | working-set | active          | no    | 0 | 1
    b3         | working-set | active          | yes   | 1 | 2
    b3         | working-set | broken-hardware | yes   | 1 | 1
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE.strip().splitlines()[1:]]
SEEN_BY_US = {
    "a0": {"metadata", "logins"},
    "a1": {"metadata", "logins"},
    "a2": {"metadata", "logins"},
    "b0": set(),
    "b1": set(),
    "b2": {"metadata"},
    "b3": {"metadata"},
}


@cache
def analysed(name: str, gated: str = "yes") -> Analysis:
    deployment = reference(name)
    return Analysis(deployment if gated == "yes" else deployment.without_gates())


def least(name: str, message: str, mode: Mode, gated: str = "yes") -> set[frozenset[str]]:
    return set(analysed(name, gated).coalitions(message, mode=mode).least)


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_margin_and_smallest_coalition_are_those_of_the_table(row: tuple[str, ...]) -> None:
    deployment, message, mode, gated, k, coalition = row
    analysis = analysed(deployment, gated)

    cell = analysis.cell(message, law="US", mode=Mode(mode))

    assert cell.margin.size == int(k)
    assert analysis.coalitions(message, mode=Mode(mode)).smallest == int(coalition)
    assert cell.derivable == (k == "0")


@pytest.mark.parametrize("name", REFERENCES)
def test_metadata_and_logins_are_exposed_to_us_law_where_the_table_says(name: str) -> None:
    analysis = analysed(name)

    exposed = {
        each.message
        for each in analysis.cells
        if each.law == "US" and each.derivable and each.message in {"metadata", "logins"}
    }

    assert exposed == SEEN_BY_US[name]


@pytest.mark.parametrize(
    ("name", "margin"),
    [("a0", 0), ("a1", 0), ("a2", 0), ("b0", 0), ("b1", 1), ("b2", 1), ("b3", 1)],
)
def test_the_kill_margin_is_that_of_the_table(name: str, margin: int) -> None:
    assert analysed(name).stopping.kill_margin == margin


def test_provider_its_parent_and_ministry_each_stop_the_first_deployment() -> None:
    stopping = analysed("a0").stopping

    assert set(stopping.coalitions.least) == {
        frozenset({"msft"}),
        frozenset({"msft-ie"}),
        frozenset({"ministry"}),
    }


def test_the_coalitions_that_the_table_names_are_the_ones() -> None:
    assert least("a0", "base", PASSIVE) == {frozenset({"msft-ie"})}
    assert frozenset({"msft-ie", "hdh"}) in least("a2", "base", PASSIVE)
    assert frozenset({"cpu-vendor"}) in least("a2", "base", ACTIVE)
    assert frozenset({"msft-ie"}) in least("a2", "base", BROKEN)
    assert frozenset({"host"}) in least("b0", "base", PASSIVE)
    assert frozenset({"store-a", "hub", "third"}) in least("b1", "base", PASSIVE)
    assert frozenset({"compute"}) in least("b1", "working-set", PASSIVE)
    assert frozenset({"cpu-vendor", "compute"}) in least("b3", "working-set", ACTIVE)


def test_a_second_store_adds_coalitions_and_none_that_is_smaller() -> None:
    """Every coalition for the base has exactly one store in it, whichever."""
    coalitions = least("b1", "base", PASSIVE)

    assert {len(each) for each in coalitions} == {3}
    assert {len(each & {"store-a", "store-b"}) for each in coalitions} == {1}
    assert len(coalitions) == 6


def test_what_a_hold_your_own_key_contract_changes_for_the_base_is_nothing() -> None:
    for mode in Mode:
        assert least("a1", "base", mode) == least("a0", "base", mode)
