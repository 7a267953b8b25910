"""A request moves as its table says, in the hub and in whatever a log claims."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.parties import START
from havre.crypto.random import new_object_id
from havre.domain.events import Event, OutputReviewed, ReleaseMoved, VoteCast
from havre.domain.release import (
    NEXT,
    NOT_YET,
    ReleaseStanding,
    ReleaseState,
    check_move,
    decide,
    replay_release,
    reviews_of,
)
from havre.errors import NotGenuine, Refused

# Written down a second time on purpose, as the airlock's own documents have it.
AIRLOCK = """
pending            -> submitted withdrawn
submitted          -> partially-reviewed returned
partially-reviewed -> reviewed returned
reviewed           -> approved rejected returned
returned           -> submitted withdrawn
approved           -> released
released           ->
rejected           ->
withdrawn          ->
"""
PAIRS = list(itertools.product(ReleaseState, ReleaseState))


def moved(state: str, *, request: str = "r1", job: str = "job-1") -> ReleaseMoved:
    return ReleaseMoved(
        event_id=new_object_id(),
        at=START,
        request=request,
        job=job,
        state=state,
        findings_commitment="",
    )


def cast(checker: str, *, request: str = "r1") -> VoteCast:
    return VoteCast(
        event_id=new_object_id(), at=START, request=request, checker=checker, vote_commitment=""
    )


def reviewed(request: str) -> OutputReviewed:
    return OutputReviewed(
        event_id=new_object_id(),
        at=START,
        request=request,
        turn=1,
        decision="returned",
        votes={},
        salts={},
    )


def told(states: Iterable[ReleaseState]) -> Iterator[Event]:
    """A way through the states, with the votes that an approval needs."""
    for state in states:
        if state is ReleaseState.APPROVED:
            yield cast("one")
            yield cast("two")
            votes = dict.fromkeys(("one", "two"), "approve")
            yield replace(reviewed("r1"), decision="approved", votes=votes)
        yield moved(state.value)


def is_open(start: ReleaseState, end: ReleaseState) -> bool:
    return end in NEXT[start] and (start, end) not in NOT_YET


def ways() -> dict[ReleaseState, list[ReleaseState]]:
    """The shortest way from the beginning to each state that open moves reach."""
    found: dict[ReleaseState, list[ReleaseState]] = {ReleaseState.PENDING: []}
    for _ in ReleaseState:
        for start, end in PAIRS:
            if start in found and is_open(start, end):
                found.setdefault(end, [*found[start], end])
    return found


WAYS = ways()


def test_the_table_is_the_airlocks() -> None:
    drawn = {
        start.strip(): set(ends.split())
        for start, ends in (line.split("->") for line in AIRLOCK.strip().splitlines())
    }

    assert {start.value: {end.value for end in ends} for start, ends in NEXT.items()} == drawn


def test_every_state_has_a_row() -> None:
    assert set(NEXT) == set(ReleaseState)


def test_what_is_closed_for_now_is_a_move_of_the_table() -> None:
    assert all(end in NEXT[start] for start, end in NOT_YET)


@pytest.mark.parametrize(("start", "end"), PAIRS)
def test_a_request_moves_as_the_table_says_and_no_other_way(
    start: ReleaseState, end: ReleaseState
) -> None:
    if is_open(start, end):
        check_move(start, end)
        return
    with pytest.raises(Refused, match=f"from {start.value} to {end.value}"):
        check_move(start, end)


def test_only_what_was_approved_is_released_and_only_what_was_reviewed_is_approved() -> None:
    into = {end: {start for start in ReleaseState if is_open(start, end)} for end in ReleaseState}

    assert into[ReleaseState.RELEASED] == {ReleaseState.APPROVED}
    assert into[ReleaseState.APPROVED] == {ReleaseState.REVIEWED}


def test_a_refusal_names_the_ways_that_are_open() -> None:
    with pytest.raises(Refused) as refusal:
        check_move(ReleaseState.RETURNED, ReleaseState.RELEASED)

    assert refusal.value.hint == "From returned it can go to: submitted."


def test_every_state_is_reached_but_those_that_only_closed_moves_lead_to() -> None:
    assert set(ReleaseState) - set(WAYS) == {ReleaseState.REJECTED, ReleaseState.WITHDRAWN}


@pytest.mark.parametrize(("start", "end"), [pair for pair in PAIRS if pair[0] in WAYS])
def test_a_log_that_moves_a_request_otherwise_is_not_believed(
    start: ReleaseState, end: ReleaseState
) -> None:
    events = list(told((*WAYS[start], end)))

    if is_open(start, end):
        assert replay_release("r1", events).state is end
        return
    with pytest.raises(NotGenuine, match=r"The log (moves|approves) request|The votes opened"):
        replay_release("r1", events)


def test_a_state_that_does_not_exist_is_not_believed() -> None:
    with pytest.raises(NotGenuine, match="r1"):
        replay_release("r1", [moved("waved-through")])


def test_nothing_on_the_log_is_a_request_that_was_never_made() -> None:
    assert replay_release("r1", []) == ReleaseStanding("r1")


def test_another_requests_entries_change_nothing() -> None:
    events = [moved("submitted", request="r2"), cast("a", request="r2")]

    assert replay_release("r1", events) == ReleaseStanding("r1")


def test_a_submission_after_a_return_is_a_new_turn_without_votes() -> None:
    events = [moved("submitted"), cast("a"), moved("partially-reviewed"), cast("b")]
    events += [moved("reviewed"), moved("returned"), moved("submitted", job="job-2")]

    standing = replay_release("r1", events)

    assert standing == ReleaseStanding("r1", ReleaseState.SUBMITTED, 2, "job-2")


def test_votes_of_a_turn_are_kept_by_their_checkers() -> None:
    standing = replay_release("r1", [moved("submitted"), cast("a"), moved("partially-reviewed")])

    assert standing.voters == {"a"}


@given(st.dictionaries(st.text(max_size=3), st.sampled_from(["approve", "return", "reject", ""])))
def test_only_two_who_all_approve_let_anything_out(votes: dict[str, str]) -> None:
    """Whatever else is said, by however many, does not end in a release."""
    out = len(votes) >= 2 and all(vote == "approve" for vote in votes.values())

    assert (decide(votes) is ReleaseState.APPROVED) == out


def test_a_requests_reviews_are_found_among_others() -> None:
    mine, other = reviewed("r1"), reviewed("r2")

    assert reviews_of("r1", [other, moved("submitted"), mine]) == [mine]


@pytest.mark.parametrize(
    ("voters", "votes"),
    [
        ((), {}),
        (("one",), {"one": "approve"}),
        (("one", "two"), {"one": "approve", "two": "return"}),
        (("one", "two"), {"one": "approve", "three": "approve"}),
    ],
)
def test_a_log_that_approves_without_two_approvals_is_not_believed(
    voters: tuple[str, ...], votes: dict[str, str]
) -> None:
    way = [ReleaseState.SUBMITTED, ReleaseState.PARTIALLY_REVIEWED, ReleaseState.REVIEWED]
    events: list[Event] = [moved(state.value) for state in way]
    events += [cast(voter) for voter in voters]
    events.append(replace(reviewed("r1"), decision="approved", votes=votes))

    with pytest.raises(NotGenuine):
        replay_release("r1", [*events, moved("approved")])
