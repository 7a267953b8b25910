"""What one takeover changes, what two do, and what a hub must bear."""

from __future__ import annotations

import pytest

from fakes.exposures import REFERENCES, reference
from havre.domain.exposure.clauses import Mode
from havre.domain.exposure.shock import faults_of_shock, pairs, shock
from havre.domain.exposure.verdicts import Analysis


@pytest.mark.parametrize("name", REFERENCES)
def test_a_takeover_never_widens_a_margin_and_narrows_it_by_one_at_most(name: str) -> None:
    """By more only where what is bought brings firms of its own along, and here none do that hold."""
    for line in shock(Analysis(reference(name))):
        if line.before is None:
            assert line.after is None
        else:
            assert line.after is not None
            assert line.before - 1 <= line.after <= line.before


def test_the_base_of_a_split_hub_bears_every_single_takeover() -> None:
    analysis = Analysis(reference("b1"))

    assert {line.after for line in shock(analysis) if line.message == "base"} == {2, 3}
    assert [each for each in faults_of_shock(analysis) if each.message == "base"] == []


def test_the_host_of_everything_undoes_a_single_host_hub() -> None:
    faults = {each.message: each for each in faults_of_shock(Analysis(reference("b0")))}

    assert faults["base"].margin == 1
    assert faults["base"].operators == ("host",)


def test_a_working_set_is_excused_by_a_hub_that_can_leave_its_machines_in_time() -> None:
    analysis = Analysis(reference("b1"))

    def broken(*left_in_time: str) -> set[str]:
        return {each.message for each in faults_of_shock(analysis, left_in_time=left_in_time)}

    assert broken() == {"working-set"}
    assert broken("store-a") == {"working-set"}
    assert broken("compute") == set()


def test_what_is_exposed_already_is_no_matter_of_leaving_in_time() -> None:
    analysis = Analysis(reference("b1").without_gates())

    faults = list(faults_of_shock(analysis, left_in_time=list(analysis.following)))

    assert [(each.message, each.mode, each.margin) for each in faults] == [
        ("working-set", Mode.ACTIVE, 0)
    ]


def test_pairs_are_those_that_suffice_together_and_not_alone() -> None:
    analysis = Analysis(reference("b2"))

    found = {each.operators for each in pairs(analysis) if each.message == "base"}

    # The store stands under US law already: any two custodians complete it.
    assert found == {("cnam", "hub"), ("cnam", "third"), ("hub", "third")}
    assert [each for each in pairs(Analysis(reference("b1"))) if each.message == "base"] == []
