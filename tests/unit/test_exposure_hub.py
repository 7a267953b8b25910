"""A hub's own deployment follows from how it is set up, its log, and its fact sheets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from havre.domain.exposure.clauses import Mode
from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.evidence import Grade
from havre.domain.exposure.facts import Holds, Push, Unstated
from havre.domain.exposure.hub import (
    THIS_HOUSE,
    UNSTATED_MAKERS,
    HubSetUp,
    PlacedParty,
    PlacedStore,
    acquired,
    derive_deployment,
)
from havre.domain.exposure.reach import Reading
from havre.domain.exposure.sheet import HostSheet, parse_sheet
from havre.domain.exposure.telling import Verdict, answer
from havre.domain.exposure.verdicts import Analysis
from havre.domain.trust import THIS_MACHINE, Role
from havre.values import PartitionKind

ON = date(2026, 11, 25)
KINDS = PartitionKind


def parties(*, apart: bool) -> list[PlacedParty]:
    """A hub's parties: each of a house of its own, or all on one machine."""
    roles = {
        "hub": Role.HUB,
        "custodian-1": Role.CUSTODIAN,
        "custodian-2": Role.CUSTODIAN,
        "custodian-3": Role.CUSTODIAN,
        "escrow": Role.ESCROW,
        "holder": Role.HOLDER,
        **{f"witness-{number}": Role.WITNESS for number in range(1, 5)},
        "authority-1": Role.AUTHORITY,
        "checker-1": Role.CHECKER,
    }
    return [
        PlacedParty(
            name,
            role,
            f"House of {name}" if apart else f"{name} {THIS_MACHINE}",
            apart=apart and role is not Role.HUB,
        )
        for name, role in roles.items()
    ]


def set_up(*, apart: bool, opened: dict[PartitionKind, int] | None = None) -> HubSetUp:
    stores = ["House of store-a", "House of store-b"] if apart else [f"hub {THIS_MACHINE}"]
    return HubSetUp(
        origin="hub.example/log",
        parties=parties(apart=apart),
        stores=[PlacedStore(f"store-{at}", house, apart=apart) for at, house in enumerate(stores)],
        threshold=2,
        quorum=3,
        made={KINDS.DATASET: 40, KINDS.LANDING: 10, KINDS.SECRET: 1, KINDS.PROJECT: 2},
        opened=opened or {},
        entries=12,
    )


def sheet(operator: str, country: str, *, parts: str = '["store"]', more: str = "") -> HostSheet:
    return parse_sheet(
        f"""
format = "havre/v1/host-sheet"
operator = "{operator}"
title = "{operator}"
[evidence]
grade = "E2"
date = 2026-11-01
source = "register"
[seat]
country = "{country}"
[does]
parts = {parts}
{more}
""".encode()
    )


def derived(hub: HubSetUp, *sheets: HostSheet) -> Deployment:
    return derive_deployment(hub, sheets, on=ON).deployment


def least(deployment: Deployment, message: str, mode: Mode = Mode.PASSIVE) -> set[frozenset[str]]:
    return set(Analysis(deployment).coalitions(message, mode=mode).least)


def house(name: str) -> str:
    return f"house-of-{name}"


def test_a_hub_on_one_machine_is_one_operator_who_reads_everything() -> None:
    deployment = derived(set_up(apart=False))

    assert set(deployment.operators) == {THIS_HOUSE, UNSTATED_MAKERS}
    for message in deployment.messages:
        if message.name != "log":
            assert frozenset({THIS_HOUSE}) in least(deployment, message.name)


def test_what_the_trust_roots_claim_sets_nobody_apart_who_is_in_a_directory_here() -> None:
    """Houses by name, and every one of them a directory of the hub's machine."""
    split = set_up(apart=True)
    here = [replace(each, apart=False) for each in split.parties]
    stores = [replace(each, apart=False) for each in split.stores]

    deployment = derived(replace(split, parties=here, stores=stores))

    assert frozenset({house("hub")}) in least(deployment, "base")


def test_the_base_of_a_hub_apart_needs_a_way_to_the_store_and_two_custodians() -> None:
    deployment = derived(set_up(apart=True))

    coalitions = least(deployment, "base")
    assert {len(each) for each in coalitions} == {3}
    ciphertext = {house("hub"), house("store-a"), house("store-b")}
    assert all(len(each & ciphertext) == 1 for each in coalitions)
    custodians = {house(f"custodian-{n}") for n in (1, 2, 3)} | {house("escrow")}
    assert all(len(each & custodians) == 2 for each in coalitions)


def test_what_was_ever_opened_is_known_to_whoever_runs_the_machine() -> None:
    deployment = derived(set_up(apart=True, opened={KINDS.DATASET: 3}))

    assert frozenset({house("hub")}) in least(deployment, "opened")
    assert frozenset({house("hub")}) not in least(deployment, "base")
    (known,) = [
        fact for fact in deployment.facts if isinstance(fact, Holds) and fact.term == "seed/opened"
    ]
    assert known.evidence.grade is Grade.E4
    assert "3 of 40 partitions" in known.evidence.source


def test_deliveries_and_the_second_secret_are_counted_once_an_ingest_opened_them() -> None:
    before = derived(set_up(apart=True))
    after = derived(set_up(apart=True, opened={KINDS.LANDING: 1, KINDS.SECRET: 1}))

    assert "deliveries" not in [each.name for each in before.messages]
    assert frozenset({house("hub")}) in least(after, "deliveries")
    assert frozenset({house("hub")}) in least(after, "second-secret")
    assert frozenset({house("hub")}) not in least(before, "second-secret")
    assert frozenset({house("hub"), house("holder")}) in least(after, "identities")


def test_of_whom_there_is_no_sheet_nothing_is_known_and_that_is_said() -> None:
    found = derive_deployment(set_up(apart=True), [sheet("House of store-a", "FR")], on=ON)

    assert house("store-a") not in found.unstated
    assert house("store-b") in found.unstated
    unstated = [f for f in found.deployment.facts if isinstance(f, Unstated)]
    assert {fact.evidence.grade for fact in unstated} == {Grade.E0}
    assert {fact.operator for fact in unstated} == {*found.unstated, UNSTATED_MAKERS}


def test_an_unknown_is_no_comfort() -> None:
    analysis = Analysis(derived(set_up(apart=True)))

    found = answer(analysis, message="base", law="US", mode=Mode.PASSIVE)

    assert found.verdict is Verdict.NOT_EXCLUDED
    assert not analysis.cell("base", law="US", mode=Mode.PASSIVE).derivable
    assert analysis.cell("base", law="US", mode=Mode.PASSIVE, reading=Reading.WIDEST).derivable


def all_sheets(**countries: str) -> list[HostSheet]:
    names = [each.house for each in set_up(apart=True).parties]
    names += ["House of store-a", "House of store-b"]
    updates = """
[[makers]]
name = "cpu-vendor"
country = "US"
[[updates]]
by = ["cpu-vendor"]
gated = true
"""
    return [
        sheet(name, countries.get(name.split()[-1].replace("-", "_"), "FR"), more=updates)
        for name in names
    ]


def test_a_hub_whose_houses_are_all_stated_has_the_margins_of_the_reference() -> None:
    analysis = Analysis(derived(set_up(apart=True), *all_sheets()))

    assert analysis.cell("base", law="US", mode=Mode.ACTIVE).margin.size == 3
    assert analysis.cell("working-set", law="US", mode=Mode.ACTIVE).margin.size == 1
    assert UNSTATED_MAKERS not in analysis.deployment.operators
    pushes = [fact for fact in analysis.deployment.facts if isinstance(fact, Push)]
    assert [(each.by, each.gates) for each in pushes] == [(("cpu-vendor",), (house("hub"),))]


def test_a_store_that_was_bought_costs_one_takeover() -> None:
    deployment = derived(set_up(apart=True), *all_sheets())

    bought = acquired(deployment, operator=house("store-a"), law="US", on=ON)

    analysis = Analysis(bought)
    assert analysis.cell("base", law="US", mode=Mode.PASSIVE).margin.size == 2
    assert analysis.cell("metadata", law="US", mode=Mode.PASSIVE).derivable
    assert analysis.cell("metadata", law="US", mode=Mode.PASSIVE).grade is Grade.E0


def test_a_store_abroad_is_under_that_law() -> None:
    analysis = Analysis(derived(set_up(apart=True), *all_sheets(store_b="US")))

    assert analysis.cell("metadata", law="US", mode=Mode.PASSIVE).derivable
    assert analysis.cell("base", law="US", mode=Mode.PASSIVE).margin.size == 2


def test_where_a_sheet_and_the_set_up_differ_is_said() -> None:
    found = derive_deployment(
        set_up(apart=True),
        [sheet("House of store-a", "FR", parts='["custodian"]'), sheet("Nobody here", "FR")],
        on=ON,
    )

    assert list(found.remarks) == [
        "House of store-a also has these parts, which its sheet leaves out: store.",
        "The sheet of House of store-a states parts that it has not here: custodian.",
        "The fact sheet of Nobody here is of nobody who does anything here.",
    ]


def test_who_makes_the_machines_changes_what_follows_from_what_lies_there() -> None:
    """On one machine the shares lie beside the hub: whoever pushes to it has them too."""
    makers = frozenset({UNSTATED_MAKERS})

    assert makers in least(derived(set_up(apart=False)), "base", Mode.ACTIVE)
    assert makers not in least(derived(set_up(apart=True)), "base", Mode.ACTIVE)
    assert makers in least(derived(set_up(apart=True)), "working-set", Mode.ACTIVE)


@pytest.mark.parametrize(("apart", "margin"), [(False, 0), (True, 0)])
def test_the_hubs_own_machine_is_needed_to_run(*, apart: bool, margin: int) -> None:
    stopping = Analysis(derived(set_up(apart=apart))).stopping

    assert stopping.kill_margin == margin
    own = house("hub") if apart else THIS_HOUSE
    assert [each for each in stopping.coalitions.least if len(each) == 1] == [frozenset({own})]
