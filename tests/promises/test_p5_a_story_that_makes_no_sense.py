"""P5. A story that makes no sense is noticed, though everybody signed it.

The hub here signs whatever it likes, and every witness cosigns: what is left are the
rules about what an act may follow from, and about the fields that an act has.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from fakes.hub_log import catalogue_event
from fakes.parties import Cast
from fakes.story import publish, story
from fakes.verifier import GENUINE, NOT_GENUINE, VERIFIER, verify
from havre.domain.events import EVENT_KINDS, Event, encode_event
from havre.domain.permit_states import PermitState
from havre.domain.release import NEXT, ReleaseState
from havre.domain.trust import encode_trust_roots
from havre.formats.canonical import encode_canonical


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


@pytest.fixture(scope="module")
def trust(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elsewhere") / "trust.json"
    path.write_bytes(encode_trust_roots(cast.roots))
    return path


def at(events: list[Event], kind: str, *, last: bool = False) -> int:
    places = [index for index, event in enumerate(events) if event.kind == kind]
    return places[-1 if last else 0]


def changed(kind: str, *, last: bool = False, **fields: Any) -> Callable[[list[Event]], None]:
    def change(events: list[Event]) -> None:
        place = at(events, kind, last=last)
        events[place] = replace(events[place], **fields)

    return change


def repeated(events: list[Event]) -> None:
    events.append(events[1])


def released_twice(events: list[Event]) -> None:
    events.append(replace(events[at(events, "KeysReleased")], event_id="f" * 32))


def one_vote_less(events: list[Event]) -> None:
    del events[at(events, "VoteCast")]


def a_vote_turned(events: list[Event]) -> None:
    place = at(events, "OutputReviewed")
    reviewed: Any = events[place]
    events[place] = replace(reviewed, votes=dict.fromkeys(reviewed.votes, "return"))


def not_reviewed(events: list[Event]) -> None:
    del events[at(events, "OutputReviewed")]


def revoked_before_release_of_keys(events: list[Event]) -> None:
    place = at(events, "PermitMoved", last=True)
    granted: Any = events[place]
    revoked = replace(granted, state="revoked", predecessor=place, event_id="e" * 32)
    events.insert(place + 1, revoked)
    request = at(events, "KeysRequested", last=True)
    released = at(events, "KeysReleased", last=True)
    events[released] = replace(events[released], request=request)  # type: ignore[call-arg]


def without(kind: str, *, last: bool = False, count: int = 1) -> Callable[[list[Event]], None]:
    """Leave entries out; what is after them refers to others than before only where it must."""

    def change(events: list[Event]) -> None:
        place = at(events, kind, last=last)
        for _ in range(count):
            # Replaced, not removed: every index stays what it was.
            events[place] = catalogue_event(900 + place)
            place += 1

    return change


def released_again_with_other_files(events: list[Event]) -> None:
    released: Any = events[at(events, "OutputReleased")]
    events.append(replace(released, event_id="d" * 32, files={"persons.csv": "1" * 64}))


def released_after_it_was_rejected(events: list[Event]) -> None:
    place = next(n for n, e in enumerate(events) if getattr(e, "state", "") == "approved")
    events[place] = replace(events[place], state="rejected")  # type: ignore[call-arg]


def another_job_than_was_submitted(events: list[Event]) -> None:
    place = at(events, "JobRan")
    ran: Any = events[place]
    events.insert(at(events, "ReleaseMoved"), replace(ran, event_id="c" * 32, job="j2"))
    changed("OutputReleased", job="j2")(events)


def taken_in_twice(events: list[Event]) -> None:
    checked = events[at(events, "DeliveryChecked")]
    events.append(replace(checked, event_id="b" * 32))


# Acts that a dishonest hub could sign, and that every reader notices as nonsense.
BREACHES: dict[str, Callable[[list[Event]], None]] = {
    "an act told twice": repeated,
    "keys released without a request": changed("KeysReleased", request=0),
    "keys released for a later request": changed("KeysReleased", request=10**6),
    "one request released twice": released_twice,
    "keys released under a revoked permit": revoked_before_release_of_keys,
    "a delivery that nobody received": changed("KeysRequested", deliveries=(0,)),
    "a version without its parent": changed("VersionPublished", last=True, parent=None),
    "a version with another parent": changed("VersionPublished", last=True, parent=0),
    "a permit granted before anybody looked at it": changed("PermitMoved", state="granted"),
    "a permit without its predecessor": changed("PermitMoved", last=True, predecessor=None),
    "an extract of what is no version": changed("ExtractMade", versions={"dcir": 0}),
    "an extract under another permit": changed("ExtractMade", permit="nobody"),
    "a job on what is no extract": changed("JobRan", extract=0),
    "a vote that was never cast": one_vote_less,
    "a vote turned when it was opened": a_vote_turned,
    "a release that nobody reviewed": not_reviewed,
    "a release of another job": changed("OutputReleased", job="j9"),
    "a count that is not rounded": changed("DeliveryChecked", rows_accepted=1234),
    "another log's opening": changed("HubOpened", origin="elsewhere.example/log"),
    "keys asked for on no ground": changed("KeysRequested", deliveries=()),
    "keys for an extract on a delivery's ground": changed("KeysRequested", purpose="extract"),
    "keys asked for on a permit's earlier entry": changed("KeysRequested", last=True, permit=9),
    "a delivery taken in twice": taken_in_twice,
    "an extract for which no keys were lent": without("KeysRequested", last=True, count=2),
    "an extract by another plan than keys were lent for": changed(
        "ExtractMade", plan_commitment="1" * 64
    ),
    "a job for which no keys were lent": changed("JobRan", permit="other"),
    "a request that skips a vote": without("VoteCast", count=2),
    "a release that the log rejected": released_after_it_was_rejected,
    "a release for which no keys were lent": without("KeysReleased", last=True),
    "a second release with other files": released_again_with_other_files,
    "another job than was submitted": another_job_than_was_submitted,
    "a job that did not finish": changed("JobRan", outcome="timed-out"),
    "a decision that the votes do not bear": changed("OutputReviewed", decision="returned"),
    "a review of another turn": changed("OutputReviewed", turn=2),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_story_that_makes_no_sense_is_noticed_though_everybody_signed_it(
    tmp_path: Path, cast: Cast, trust: Path, breach: str
) -> None:
    events = story(cast)
    BREACHES[breach](events)
    publish(tmp_path / "site", [encode_event(event) for event in events], cast=cast)

    found = verify(tmp_path / "site", "--trust", trust)

    assert found.returncode == NOT_GENUINE
    assert "is not right" in found.stdout


# Entries that no reader of ours would write: a field too many, too few, or of another shape.
MISSHAPEN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a field too many": lambda body: {**body, "patients_who_died": 3},
    "a field too few": lambda body: {k: v for k, v in body.items() if k not in ("files", "people")},
    "a list where a map is": lambda body: {**body, "files": []},
    "a number where a text is": lambda body: {**body, "at": 1},
    "a truth where a number is": lambda body: {**body, "v": True},
    "another version": lambda body: {**body, "v": 2},
}


@pytest.mark.parametrize("shape", MISSHAPEN)
def test_an_entry_with_other_fields_than_its_kind_is_noticed(
    tmp_path: Path, cast: Cast, trust: Path, shape: str
) -> None:
    entries = [encode_event(event) for event in story(cast)]
    place = at(story(cast), "OutputReleased")
    entries[place] = encode_canonical(MISSHAPEN[shape](json.loads(entries[place])))
    publish(tmp_path / "site", entries, cast=cast)

    found = verify(tmp_path / "site", "--trust", trust)

    assert (found.returncode, f"Entry {place} is not right" in found.stdout) == (NOT_GENUINE, True)


def test_the_verifier_knows_every_field_of_every_kind() -> None:
    """The verifier has a table of its own, because it imports nothing: it must be ours."""
    namespace = runpy.run_path(str(VERIFIER))
    common = {word.partition(":")[0] for word in namespace["COMMON_FIELDS"].split()}

    listed = {
        kind: {word.strip("[]").partition(":")[0] for word in words.split()} | common
        for kind, words in namespace["FIELDS"].items()
    }

    assert listed == {
        kind: {field.name for field in fields(event)} | {"kind", "v"}
        for kind, event in EVENT_KINDS.items()
    }


def test_every_state_of_a_permit_or_a_request_is_one_that_the_verifier_knows() -> None:
    namespace = runpy.run_path(str(VERIFIER))

    assert set(namespace["PERMIT_MOVES"]) - {""} == set(PermitState)
    assert {
        ReleaseState(start): {ReleaseState(end) for end in ends.split()}
        for start, ends in namespace["RELEASE_MOVES"].items()
    } == dict(NEXT)


def test_the_story_itself_makes_sense(tmp_path: Path, cast: Cast, trust: Path) -> None:
    publish(tmp_path / "site", [encode_event(event) for event in story(cast)], cast=cast)

    assert verify(tmp_path / "site", "--trust", trust).returncode == GENUINE


def test_an_entry_in_another_spelling_is_noticed(tmp_path: Path, cast: Cast, trust: Path) -> None:
    spaced = [encode_event(event) for event in story(cast)]
    spaced[1] = spaced[1].replace(b":", b": ")
    publish(tmp_path / "site", spaced, cast=cast)

    assert verify(tmp_path / "site", "--trust", trust).returncode == NOT_GENUINE
