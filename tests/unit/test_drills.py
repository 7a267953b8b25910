"""Drills are judged by their table's numbers, and by nothing that a run says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.parties import START
from havre.adapters.pages.words import LANGUAGES, word
from havre.crypto.signatures import SigningKey
from havre.domain.drill_receipt import (
    DrillRun,
    HeldOn,
    read_receipt,
    receipt_statement,
)
from havre.domain.drills import Verdict, judge, standings, verdict_of
from havre.domain.events import DrillRan
from havre.domain.rehearsals import DRILLS, Bound, Criterion, DrillName
from havre.domain.statements import Statement, sign_statement
from havre.domain.transparency import Head
from havre.errors import InvalidInput
from havre.formats.statements import encode_statement, parse_statement

PAGE = Path(__file__).parents[2] / "docs" / "drills.md"
SUBPOENA = DrillName.SUBPOENA
ROW = DRILLS[SUBPOENA]


def good(drill: DrillName) -> dict[str, int]:
    """Numbers that are just good enough."""
    return {each.name: each.limit for each in DRILLS[drill].criteria}


def worse(criterion: Criterion) -> int:
    return criterion.limit + (1 if criterion.bound is Bound.AT_MOST else -1)


def run(**changes: object) -> DrillRun:
    return replace(DrillRun(drill=SUBPOENA, observed=good(SUBPOENA)), **changes)  # type: ignore[arg-type]


def ran(verdict: str = "held", *, days_ago: int = 0, drill: str = "subpoena") -> DrillRan:
    return DrillRan(
        event_id="0" * 32,
        at=START - timedelta(days=days_ago),
        drill=drill,
        verdict=verdict,
        counters={},
        receipt_sha256="",
    )


# ------------------------------------------------------------ judging


@pytest.mark.parametrize("drill", DRILLS)
def test_a_run_that_is_just_good_enough_holds(drill: DrillName) -> None:
    assert verdict_of(judge(drill, good(drill))) is Verdict.HELD


@pytest.mark.parametrize(
    ("drill", "criterion"),
    [(drill, each) for drill, row in DRILLS.items() for each in row.criteria],
    ids=str,
)
def test_one_number_past_its_limit_fails_the_drill(drill: DrillName, criterion: Criterion) -> None:
    observed = {**good(drill), criterion.name: worse(criterion)}

    assert verdict_of(judge(drill, observed)) is Verdict.FAILED


@pytest.mark.parametrize(
    ("drill", "criterion"),
    [(drill, each) for drill, row in DRILLS.items() for each in row.criteria],
    ids=str,
)
def test_what_was_not_tried_is_no_success(drill: DrillName, criterion: Criterion) -> None:
    observed = good(drill)
    del observed[criterion.name]
    excused = {criterion.name: "this machine has no such thing"}

    judged = judge(drill, observed, not_run=excused)

    assert verdict_of(judged) is Verdict.INCOMPLETE
    assert [each.held for each in judged].count(None) == 1


def test_a_failure_is_no_less_one_because_something_was_not_tried() -> None:
    first, second, *_ = ROW.criteria
    observed = {**good(SUBPOENA), first.name: worse(first)}
    del observed[second.name]

    judged = judge(SUBPOENA, observed, not_run={second.name: "no leave"})

    assert verdict_of(judged) is Verdict.FAILED


@pytest.mark.parametrize(
    "spoil",
    [
        lambda seen: {name: seen[name] for name in list(seen)[1:]},
        lambda seen: {**seen, "of-another-drill": 0},
    ],
)
def test_a_run_observes_every_criterion_and_no_other(
    spoil: Callable[[dict[str, int]], dict[str, int]],
) -> None:
    with pytest.raises(ValueError, match="observed or excused"):
        judge(SUBPOENA, spoil(good(SUBPOENA)))


def test_a_criterion_is_not_both_observed_and_excused() -> None:
    with pytest.raises(ValueError, match="once"):
        judge(SUBPOENA, good(SUBPOENA), not_run={ROW.criteria[0].name: "not here"})


# ------------------------------------------------------------ age


@pytest.mark.parametrize(
    ("verdict", "days_ago", "stands"),
    [
        ("held", 0, Verdict.HELD),
        ("held", ROW.period_days, Verdict.HELD),
        ("held", ROW.period_days + 1, Verdict.OVERDUE),
        ("incomplete", 1, Verdict.INCOMPLETE),
        ("incomplete", ROW.period_days + 1, Verdict.OVERDUE),
        ("failed", 1, Verdict.FAILED),
        ("failed", ROW.period_days + 1, Verdict.FAILED),
    ],
)
def test_a_drill_that_is_too_old_counts_as_failed(
    verdict: str, days_ago: int, stands: Verdict
) -> None:
    (standing, *_) = standings([(7, ran(verdict, days_ago=days_ago))], now=START)

    assert (standing.verdict, standing.age_days, standing.index) == (stands, days_ago, 7)
    assert standing.counts_as_failed == (stands in (Verdict.OVERDUE, Verdict.FAILED))


def test_a_drill_that_was_never_run_counts_as_failed() -> None:
    told = standings([], now=START)

    assert [each.drill for each in told] == list(DRILLS)
    assert {each.verdict for each in told} == {Verdict.NEVER}
    assert all(each.counts_as_failed and each.due_at is None for each in told)


def test_the_newest_run_counts_though_it_failed() -> None:
    (standing, *_) = standings([(3, ran("held", days_ago=9)), (8, ran("failed"))], now=START)

    assert (standing.verdict, standing.index) == (Verdict.FAILED, 8)


# ------------------------------------------------------------ receipts


def statement(told: DrillRun) -> Statement:
    held_on = HeldOn(deployment="1" * 64, head=Head(6, b"r" * 32), datasets={"dcir": "2" * 64})
    return receipt_statement(
        told, origin="havre.example/test", held_on=held_on, began_at=START, ended_at=START
    )


def test_a_receipt_names_the_hub_the_log_and_the_datasets_it_was_held_on() -> None:
    told = statement(run(seed="ab"))

    assert told.about == {
        "dataset/dcir": "2" * 64,
        "deployment": "1" * 64,
        "log": (b"r" * 32).hex(),
    }
    assert parse_statement(encode_statement(told)) == told


def test_a_receipt_says_every_criterion_with_limit_observation_and_clock() -> None:
    (first, *_) = criteria = ROW.criteria
    seen = good(SUBPOENA)
    del seen[first.name]
    told = run(observed=seen, not_run={first.name: "no leave"}, not_separated=("one user",))

    receipt = read_receipt(sign_statement(statement(told), [_signer()]))

    assert receipt.verdict == "incomplete"
    assert receipt.not_separated == ("one user",)
    assert [each.name for each in receipt.criteria] == [each.name for each in criteria]
    assert [each.limit for each in receipt.criteria] == [each.limit for each in criteria]
    assert (receipt.criteria[0].held, receipt.criteria[0].not_run) == (None, "no leave")
    assert [each.simulated for each in receipt.criteria] == [each.simulated for each in criteria]


def test_another_statement_is_no_receipt_of_a_drill() -> None:
    other = Statement("havre/v1/permit", "havre.example/test", "subpoena", {})

    with pytest.raises(InvalidInput, match="not that of a drill"):
        read_receipt(sign_statement(other, [_signer()]))


def test_only_a_drill_is_about_more_than_one_thing() -> None:
    other = replace(statement(run()), predicate_type="havre/v1/permit")

    with pytest.raises(InvalidInput, match="in-toto"):
        parse_statement(encode_statement(other))


def _signer() -> SigningKey:
    return SigningKey.generate()


# ------------------------------------------------------------ what is said of it


def _keys() -> list[str]:
    keys = [f"drill-{each.value}" for each in (*DRILLS, *Verdict)]
    keys += [f"rehearses-{each.value}" for each in DRILLS]
    for row in DRILLS.values():
        keys += [f"criterion-{each.name}" for each in row.criteria]
        keys += [f"unit-{each.unit}" for each in row.criteria]
    return sorted(set(keys))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_drill_criterion_and_unit_is_said_in_each_language(language: str) -> None:
    assert [key for key in _keys() if word(key, language) == key] == []


def documented(drill: DrillName) -> list[str]:
    """What the page says of one drill: its facts, then a table of its criteria."""
    row = DRILLS[drill]
    lines = [
        f"## `havre drill {drill.value}`",
        f"**Rehearses:** {row.rehearses}.",
        f"**Held on:** {row.held_on}. **Needs:** {row.needs}. **Period:** {row.period_days} days.",
        "| criterion | counts | limit | clock | from |",
    ]
    lines += [
        f"| `{each.name}` | {each.means} | {each.bound.value} {each.limit} {each.unit} |"
        f" {'simulated' if each.simulated else 'real'} | {each.source} |"
        for each in row.criteria
    ]
    return lines


@pytest.mark.parametrize("drill", DRILLS)
def test_the_page_says_what_the_table_says(drill: DrillName) -> None:
    page = PAGE.read_text("utf-8").splitlines()

    assert [line for line in documented(drill) if line not in page] == []


def test_the_page_has_no_criterion_that_the_table_has_not() -> None:
    wanted = sum(len(row.criteria) for row in DRILLS.values())
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]

    assert len(rows) == wanted
