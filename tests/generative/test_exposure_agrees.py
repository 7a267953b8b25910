"""The exposure engine against the published rules, tried on every set of operators."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from fakes.exposures import LAWS, MESSAGES, deployments
from fakes.naive_exposure import (
    naive_closure,
    naive_followers,
    naive_kill_sets,
    naive_least,
    naive_margin,
    naive_reach,
    naive_safe,
    subsets,
)
from havre.domain.exposure.clauses import MODES
from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.facts import Function
from havre.domain.exposure.reach import Reading
from havre.domain.exposure.verdicts import Analysis


@settings(deadline=None, max_examples=200)
@given(deployments())
def test_a_coalition_obtains_what_the_rules_say(deployment: Deployment) -> None:
    analysis = Analysis(deployment)

    for mode in MODES:
        for names in subsets(deployment.operators):
            assert analysis.closing.obtain(names, mode=mode) == naive_closure(
                deployment, names, mode
            )


@settings(deadline=None, max_examples=200)
@given(deployments())
def test_the_least_and_the_greatest_coalitions_are_all_found(deployment: Deployment) -> None:
    analysis = Analysis(deployment)

    for mode in MODES:
        for message in MESSAGES:
            found = analysis.coalitions(message, mode=mode)
            assert set(found.least) == naive_least(deployment, message, mode)
            among = analysis.tables.operators
            assert set(found.safe) == naive_safe(deployment, message, mode, among)


@settings(deadline=None, max_examples=200)
@given(deployments())
def test_reach_verdicts_and_margins_are_those_of_the_rules(deployment: Deployment) -> None:
    analysis = Analysis(deployment)

    for law in LAWS:
        for reading in Reading:
            reached = naive_reach(deployment, law, reading)
            assert analysis.reached(law, reading) == reached
    for cell in analysis.cells:
        reached = naive_reach(deployment, cell.law, cell.reading)
        obtained = naive_closure(deployment, reached, cell.mode)
        assert cell.derivable == (cell.message in obtained)
        assert cell.margin.size == naive_margin(deployment, cell.message, cell.mode, reached)
        assert cell.derivable == (cell.margin.size == 0)


@settings(deadline=None, max_examples=100)
@given(deployments())
def test_the_takeovers_that_are_named_suffice(deployment: Deployment) -> None:
    analysis = Analysis(deployment)

    for cell in analysis.cells:
        if cell.margin.takeovers is not None:
            taken = naive_followers(deployment, cell.margin.takeovers)
            side = analysis.reached(cell.law, cell.reading) | taken
            assert cell.message in naive_closure(deployment, side, cell.mode)


@settings(deadline=None, max_examples=200)
@given(deployments())
def test_whose_withdrawal_stops_the_service_is_found(deployment: Deployment) -> None:
    stopping = Analysis(deployment).stopping
    expected = naive_kill_sets(deployment)

    assert set(stopping.coalitions.least) == expected
    some = any(isinstance(fact, Function) for fact in deployment.facts)
    assert (stopping.kill_margin is None) == (not some)
    if some:
        assert stopping.kill_margin == min(map(len, expected)) - 1


@settings(deadline=None, max_examples=200)
@given(deployments())
def test_each_term_comes_by_its_best_evidenced_way(deployment: Deployment) -> None:
    """What is graded g follows from the facts of grade g and better, and from no better ones."""
    analysis = Analysis(deployment)

    for (law, reading, mode), steps in analysis.closures.items():
        grades = {step.operator: step.grade for step in analysis.reaches[law, reading]}
        for term, step in steps.items():
            for level in range(step.grade, step.grade + 2):
                strong = [f for f in deployment.facts if f.evidence.grade >= level]
                kept = replace(deployment, facts=tuple(strong))
                side = {name for name, grade in grades.items() if grade >= level}
                assert (term in naive_closure(kept, side, mode)) == (level == step.grade)
