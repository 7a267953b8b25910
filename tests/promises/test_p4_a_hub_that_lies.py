"""P4 when the hub itself dies or lies: who notices, and what it must not do by accident."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fakes.hub_outputs import GOOD_TABLE, SMALL_TABLE, HubOutputs, outputs
from fakes.parties import SetClock
from havre.application import review as review_module
from havre.application.review import KIND_VOTE, PREDICATE_VOTE, Reviews
from havre.crypto.random import new_object_id
from havre.crypto.signatures import key_id
from havre.domain.events import ReleaseMoved, VoteCast, events_of
from havre.domain.release import ReleaseStanding, ReleaseState
from havre.domain.statements import Statement, sign_statement
from havre.errors import NotGenuine, Refused, Unavailable
from havre.formats.canonical import Json
from havre.formats.statements import parse_envelope, parse_statement
from havre.ports.records import Document


@pytest.fixture
def hub(tmp_path: Path) -> HubOutputs:
    return HubOutputs(tmp_path)


def release(hub: HubOutputs) -> None:
    hub.releases().release("r1")


# --------------------------------------------------------- a hub that dies or lies


def test_a_release_cut_short_before_its_files_were_out_is_finished(hub: HubOutputs) -> None:
    hub.approved()
    releases = hub.releases()
    hub.shelf.parent.mkdir(exist_ok=True)
    hub.shelf.write_bytes(b"")  # where the folder should be, a file: nothing can be written

    with pytest.raises(OSError, match="releases"):
        releases.release("r1")
    hub.shelf.unlink()
    hub.log.clock.move(hours=1)
    release(hub)

    assert hub.public_files()["r1/rates.csv"] == GOOD_TABLE
    assert hub.stranger().returncode == 0


def test_votes_that_a_dead_hub_did_not_open_are_opened_later(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.submitted()
    with monkeypatch.context() as dead:
        dead.setattr(Reviews, "_open_votes", lambda *_: None)
        hub.voted("approve", "approve")
    assert hub.reviews().standing("r1").state is ReleaseState.REVIEWED

    release(hub)

    assert hub.stranger().returncode == 0


def moved(hub: HubOutputs, state: ReleaseState) -> ReleaseMoved:
    return ReleaseMoved(
        event_id=new_object_id(),
        at=hub.log.clock.now(),
        request="r1",
        job="job-1",
        state=state.value,
        findings_commitment="",
    )


def waved_through(hub: HubOutputs) -> None:
    """A hub that lies: it writes approved on the log, and nobody voted."""
    hub.submitted()
    hub.journal.record(
        moved(hub, ReleaseState.PARTIALLY_REVIEWED),
        moved(hub, ReleaseState.REVIEWED),
        moved(hub, ReleaseState.APPROVED),
    )


def test_a_stranger_notices_a_release_that_nobody_voted_for(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub whose own rules were taken out lets the files go; the log still tells."""
    waved_through(hub)
    approved = ReleaseStanding("r1", ReleaseState.APPROVED, 1, "job-1")
    monkeypatch.setattr(review_module, "replay_release", lambda *_: approved)
    release(hub)

    found = hub.stranger()

    assert found.returncode == 4
    assert "the votes did not lead there" in found.stdout


def opened_otherwise(hub: HubOutputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second checker returns; in the records, the first one's approval takes its place."""
    hub.submitted()
    whole = Reviews._open_votes

    def swapped(self: Reviews, request: str) -> None:
        first, second = (key_id(hub.log.cast[f"checker-{n}"].public) for n in (1, 2))
        approval = hub.records.document(KIND_VOTE, f"{request}.1.{first}")
        hub.records.commit([], [Document(KIND_VOTE, f"{request}.1.{second}", approval)])
        whole(self, request)

    monkeypatch.setattr(Reviews, "_open_votes", swapped)
    hub.voted("approve", "return")


def test_a_stranger_notices_a_vote_that_was_opened_differently(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_module, "check_opening", lambda *_, **__: None)
    monkeypatch.setattr(Reviews, "_check_voter", lambda *_, **__: None)
    opened_otherwise(hub, monkeypatch)

    found = hub.stranger()

    assert found.returncode == 4
    assert "a vote that was opened is not the one that was cast" in found.stdout


def test_a_vote_that_nobody_signed_is_not_opened(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub alone cannot make an approval: it has no checker's key."""
    hub.submitted()
    whole = Reviews._open_votes

    def forged(self: Reviews, request: str) -> None:
        second = key_id(hub.log.cast["checker-2"].public)
        said: dict[str, Json] = {
            "checker": second,
            "request": request,
            "turn": 1,
            "vote": "approve",
        }
        statement = Statement(PREDICATE_VOTE, hub.roots.origin, request, said)
        envelope = sign_statement(statement, [hub.log.cast["hub"]])
        hub.records.commit([], [Document(KIND_VOTE, f"{request}.1.{second}", envelope)])
        whole(self, request)

    monkeypatch.setattr(Reviews, "_open_votes", forged)
    with pytest.raises(Refused, match="1 of role checker"):
        hub.voted("approve", "return")
    assert hub.public_files() == {}


# ------------------------------------------------------- the hub itself refuses


def test_files_changed_since_review_stay_also_when_the_records_were_changed_with_them(
    hub: HubOutputs,
) -> None:
    """Sealing needs only a public half: whoever has store and records can do this."""
    hub.approved()
    hub.replace_outputs("job-1", outputs(SMALL_TABLE))

    with pytest.raises(NotGenuine):
        release(hub)


def test_a_vote_opened_differently_than_committed_is_refused_by_the_hub_itself(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotGenuine):
        opened_otherwise(hub, monkeypatch)


@pytest.mark.parametrize("about", ["other files", "a file less", "none"])
def test_a_vote_about_other_files_than_the_jobs_is_not_opened(hub: HubOutputs, about: str) -> None:
    """A checker's own signature, from another day: it approved, and not these bytes."""
    hub.submitted()
    hub.voted("approve")
    first = hub.log.cast["checker-1"]
    name = f"r1.1.{key_id(first.public)}"
    cast = parse_statement(parse_envelope(hub.records.document(KIND_VOTE, name)).payload)
    assert cast.predicate["files"] == hub.job("job-1").files
    said = {key: value for key, value in cast.predicate.items() if key != "files"}
    if about == "other files":
        said["files"] = {**hub.job("job-1").files, "rates.csv": "0" * 64}
    elif about == "a file less":
        said["files"] = {"outputs.json": hub.job("job-1").files["outputs.json"]}
    envelope = sign_statement(replace(cast, predicate=said), [first])
    hub.records.commit([], [Document(KIND_VOTE, name, envelope)])

    with pytest.raises(NotGenuine, match="about other files"):
        hub.reviews().vote("r1", "approve", checker=hub.log.cast["checker-2"])
    with pytest.raises(NotGenuine, match="about other files"):
        release(hub)
    assert hub.public_files() == {}


def test_what_nobody_voted_for_is_not_released_by_an_honest_hub(hub: HubOutputs) -> None:
    waved_through(hub)

    with pytest.raises(NotGenuine):
        release(hub)


def test_a_vote_tried_again_after_too_few_witnesses_counts_once(hub: HubOutputs) -> None:
    """The log is append-only: two votes of one checker on it can never be mended."""
    hub.submitted()
    cosigners = hub.journal._cosigners
    everybody, cosigners._witnesses = cosigners._witnesses, cosigners._witnesses[:1]
    with pytest.raises(Unavailable):
        hub.voted("approve")
    cosigners._witnesses = everybody

    hub.voted("approve")

    assert len(events_of(hub.events(), VoteCast)) == 1
    assert hub.stranger().returncode == 0


def test_a_vote_tried_again_as_another_vote_is_refused_by_name(hub: HubOutputs) -> None:
    """A checker who corrects a vote that waits hears that the first one stands."""
    hub.submitted()
    cosigners = hub.journal._cosigners
    everybody, cosigners._witnesses = cosigners._witnesses, cosigners._witnesses[:1]
    with pytest.raises(Unavailable):
        hub.voted("approve")
    cosigners._witnesses = everybody

    with pytest.raises(Refused, match=r"vote of this turn is approve.*return was not cast"):
        hub.voted("return")
    assert len(events_of(hub.events(), VoteCast)) == 1


class RunningClock(SetClock):
    """A clock that goes on while it is read."""

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def test_a_release_cut_short_is_finished_also_when_a_second_passed_within_it(
    hub: HubOutputs,
) -> None:
    hub.approved()
    releases = hub.releases()
    releases._clock = RunningClock(hub.log.clock.at)
    hub.shelf.parent.mkdir(exist_ok=True)
    hub.shelf.write_bytes(b"")
    with pytest.raises(OSError, match="releases"):
        releases.release("r1")
    hub.shelf.unlink()

    release(hub)

    assert hub.public_files()["r1/rates.csv"] == GOOD_TABLE
