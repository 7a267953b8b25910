"""The register says what the log says, sorted by what it is about."""

from __future__ import annotations

from typing import Any

from fakes.parties import START, Cast
from fakes.story import ZEROS, story
from havre.crypto.signatures import key_id
from havre.domain.events import (
    Event,
    Handover,
    KeysReleased,
    KeysRequested,
    OutputReviewed,
    PartitionsCreated,
    ReleaseMoved,
    VoteCast,
)
from havre.domain.register import Register, read_register

CAST = Cast()


def told(*more: Event) -> Register:
    """The story's register, with some acts after it."""
    return read_register(enumerate([*story(CAST), *more]))


def act(kind: type[Event], **fields: Any) -> Event:
    return kind(event_id="f" * 32, at=START, **fields)


def moved(state: str, request: str = "r2") -> Event:
    return act(ReleaseMoved, request=request, job="j1", state=state, findings_commitment=ZEROS)


def indexes(register: Register, kind: type[Event]) -> list[int]:
    return [index for index, event in register.timeline if isinstance(event, kind)]


def test_what_opens_keys_for_a_permit_names_it_and_what_ingests_names_none() -> None:
    register = told()

    for kind in (KeysRequested, KeysReleased):
        ingest, *others = indexes(register, kind)
        assert ingest not in register.permit_at
        assert {register.permit_at[index] for index in others} == {"diabetes"}


def test_a_ceremony_is_a_permits_own_once_its_extract_names_the_partition() -> None:
    created = act(PartitionsCreated, public_keys={"p4": ZEROS, "p5": ZEROS}, shares={})
    other = act(PartitionsCreated, public_keys={"p9": ZEROS}, shares={})

    register = told(created, other)

    own, foreign = indexes(register, PartitionsCreated)
    assert register.permit_at[own] == "diabetes"
    assert foreign not in register.permit_at


def test_everything_about_a_release_belongs_to_its_permit() -> None:
    register = told()

    for kind in (ReleaseMoved, VoteCast, OutputReviewed):
        assert {register.permit_at[index] for index in indexes(register, kind)} == {"diabetes"}


def test_a_return_before_any_vote_is_the_machines() -> None:
    register = told(moved("submitted"), moved("returned"))

    line = register.releases["r2"]
    assert line.sent_back_by_machine == [
        index for index, move in line.moves if move.state == "returned"
    ]
    assert register.releases["r1"].sent_back_by_machine == []


def test_a_return_after_the_votes_is_the_checkers() -> None:
    states = ("submitted", "partially-reviewed", "reviewed", "returned")

    register = told(*map(moved, states))

    assert register.releases["r2"].sent_back_by_machine == []


def test_who_granted_and_who_approved_are_named_by_their_keys() -> None:
    register = told()

    authorities = tuple(key_id(CAST[name].public) for name in ("authority-1", "authority-2"))
    checkers = {key_id(CAST[name].public) for name in ("checker-1", "checker-2")}
    assert register.permits["diabetes"].granted_by == authorities
    assert set(register.releases["r1"].approved_by) == checkers


def test_a_log_that_ends_with_a_handover_goes_on_elsewhere() -> None:
    handover = act(Handover, log_key=ZEROS, statement="")

    assert told(handover).handed_over
    assert not told(handover, moved("submitted")).handed_over
    assert not told().handed_over
