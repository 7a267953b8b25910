"""P4. No file leaves unchecked: every way around the check and the two checkers is tried.

Real parties with keys of their own, real custodians and key rooms, a real log,
store and records under a folder; each test plants one breach. Breaches that the
hub does not refuse yet are marked `xfail`, each with its reason: the mark fails
on the day that the hub refuses, and is then taken away.

What hides inside an approved file is limited, not excluded. What the sandbox
lets out is another test.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fakes.hub_outputs import GOOD_TABLE, SMALL_TABLE, HubOutputs, outputs
from fakes.parties import Hands, SetClock
from havre.application import review as review_module
from havre.application.review import KIND_VOTE, KIND_VOTE_SALT, PREDICATE_VOTE, Reviews
from havre.crypto.random import new_object_id
from havre.crypto.signatures import key_id
from havre.domain.events import OutputReleased, OutputReviewed, ReleaseMoved, VoteCast, events_of
from havre.domain.permit_states import PermitState
from havre.domain.release import ReleaseState
from havre.domain.statements import Statement, sign_statement
from havre.errors import HavreError, NotFound, NotGenuine, Refused, Unavailable
from havre.formats.canonical import Json, parse_canonical
from havre.ports.records import Document

VERIFIER = Path(__file__).parents[2] / "tools/verify_log.py"


@pytest.fixture
def hub(tmp_path: Path) -> HubOutputs:
    return HubOutputs(tmp_path)


def gap(reason: str, raises: type[BaseException]) -> pytest.MarkDecorator:
    return pytest.mark.xfail(reason=reason, raises=raises, strict=True)


def stranger(hub: HubOutputs) -> subprocess.CompletedProcess[str]:
    """What somebody who has only the site and the trust roots finds."""
    words = [sys.executable, "-I", VERIFIER, hub.log.site, "--trust", hub.log.trust]
    return subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, timeout=60, env={}
    )


def release(hub: HubOutputs) -> None:
    hub.releases().release("r1")


def left_nothing(hub: HubOutputs) -> bool:
    return not hub.public_files() and not events_of(hub.events(), OutputReleased)


# ------------------------------------------------------------ the way it should go


def test_what_two_checkers_approved_leaves_as_it_was_and_a_stranger_can_tell(
    hub: HubOutputs,
) -> None:
    hub.approved()

    release(hub)

    files = hub.public_files()
    assert files["r1/rates.csv"] == GOOD_TABLE
    assert set(files) == {"r1/outputs.json", "r1/rates.csv", "r1/ro-crate-metadata.json"}
    found = stranger(hub)
    assert found.returncode == 0, found.stdout
    assert "3 released files against the log" in found.stdout


def test_the_manifest_names_every_file_by_its_hash(hub: HubOutputs) -> None:
    hub.approved()
    release(hub)
    manifest = parse_canonical(hub.public_files()["r1/ro-crate-metadata.json"])
    (released,) = events_of(hub.events(), OutputReleased)

    assert isinstance(manifest, dict)
    graph = manifest["@graph"]
    assert isinstance(graph, list)
    parts = [each for each in graph if isinstance(each, dict) and each["@type"] == "File"]
    assert {str(each["@id"]): str(each["sha256"]) for each in parts} == released.files


def test_a_corrected_run_is_a_new_turn_with_votes_of_its_own(hub: HubOutputs) -> None:
    hub.submitted()
    hub.voted("return", "approve")
    author = hub.log.cast["researcher"]
    hub.reviews().submit("r1", hub.left("job-2"), researcher=author)

    hub.voted("approve", "approve")
    release(hub)

    standing = hub.reviews().standing("r1")
    assert (standing.state, standing.turn, standing.job) == (ReleaseState.RELEASED, 2, "job-2")
    assert stranger(hub).returncode == 0


# ----------------------------------------------------- breaches that are refused


@dataclass(frozen=True)
class Breach:
    """A way around the check: `plant` gets as far as it can; releasing must then fail."""

    plant: Callable[[HubOutputs], None]
    refusal: type[HavreError]
    reason: str


def a_small_cell_that_was_left(hub: HubOutputs) -> None:
    job = hub.left("job-1", outputs(SMALL_TABLE))
    hub.reviews().submit("r1", job, researcher=hub.log.cast["researcher"])


def no_vote(hub: HubOutputs) -> None:
    hub.submitted()


def one_vote(hub: HubOutputs) -> None:
    hub.submitted()
    hub.voted("approve")


def one_approval_and_one_return(hub: HubOutputs) -> None:
    hub.submitted()
    hub.voted("approve", "return")


def a_byte_of_the_sealed_files_flipped(hub: HubOutputs) -> None:
    hub.approved()
    path = next((hub.root / "store").rglob(hub.job("job-1").bundle))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def other_files_sealed_in_their_place(hub: HubOutputs) -> None:
    hub.approved()
    bundle, bundle_sha256 = hub.sealed(outputs(SMALL_TABLE))
    hub.rewrite_job(replace(hub.job("job-1"), bundle=bundle, bundle_sha256=bundle_sha256))


def the_object_gone_for_another(hub: HubOutputs) -> None:
    hub.approved()
    bundle, _ = hub.sealed(outputs(SMALL_TABLE))
    hub.rewrite_job(replace(hub.job("job-1"), bundle=bundle))


def a_hash_changed_in_the_records(hub: HubOutputs) -> None:
    hub.approved()
    hashes = {**hub.job("job-1").files, "rates.csv": "0" * 64}
    hub.rewrite_job(replace(hub.job("job-1"), files=hashes))


def a_permit_that_was_revoked_since(hub: HubOutputs) -> None:
    hub.approved()
    hub.permits().decide(
        "diabetes", PermitState.REVOKED, authority=hub.log.cast["authority-1"], reason="misuse"
    )


def a_request_that_was_never_made(hub: HubOutputs) -> None:
    hub.left("job-1")


REFUSED = [
    Breach(a_small_cell_that_was_left, Refused, "from returned to released"),
    Breach(no_vote, Refused, "from submitted to released"),
    Breach(one_vote, Refused, "from partially-reviewed to released"),
    Breach(one_approval_and_one_return, Refused, "from returned to released"),
    Breach(a_byte_of_the_sealed_files_flipped, NotGenuine, "not the one that was written"),
    Breach(other_files_sealed_in_their_place, NotGenuine, "not those that came out of it"),
    Breach(the_object_gone_for_another, NotGenuine, "not the one that was written"),
    Breach(a_hash_changed_in_the_records, NotGenuine, "not those that came out of it"),
    Breach(a_permit_that_was_revoked_since, Refused, "is revoked"),
    Breach(a_request_that_was_never_made, NotFound, "There is no request r1"),
]


@pytest.mark.parametrize("breach", REFUSED, ids=lambda breach: breach.plant.__name__)
def test_a_breach_is_refused_by_name_and_nothing_leaves(hub: HubOutputs, breach: Breach) -> None:
    breach.plant(hub)

    with pytest.raises(breach.refusal, match=breach.reason):
        release(hub)
    assert left_nothing(hub)


def test_what_the_machine_found_goes_back_before_anybody_can_vote(hub: HubOutputs) -> None:
    job = hub.left("job-1", outputs(SMALL_TABLE))

    submission = hub.reviews().submit("r1", job, researcher=hub.log.cast["researcher"])

    assert submission.standing.state is ReleaseState.RETURNED
    assert hub.reviews().findings("r1") == ["rates.csv, column cases: counts below 11 (1 cells)"]
    with pytest.raises(Refused, match="from returned to partially-reviewed"):
        hub.voted("approve")


def test_a_request_leaves_once_and_its_name_is_not_used_again(hub: HubOutputs) -> None:
    hub.approved()
    release(hub)
    before = hub.public_files()
    author = hub.log.cast["researcher"]

    with pytest.raises(Refused, match="from released to submitted"):
        hub.reviews().submit("r1", hub.left("job-2"), researcher=author)
    release(hub)
    assert hub.public_files() == before
    assert len(events_of(hub.events(), OutputReleased)) == 1


def test_a_file_changed_after_its_release_is_noticed_here_and_by_a_stranger(
    hub: HubOutputs,
) -> None:
    hub.approved()
    release(hub)
    (hub.shelf / "r1/rates.csv").write_bytes(SMALL_TABLE)

    with pytest.raises(Refused, match="Other files stand under the release r1"):
        release(hub)
    found = stranger(hub)
    assert found.returncode == 4
    assert "releases/r1/rates.csv is not the file that was released" in found.stdout


def test_a_file_put_beside_the_released_ones_is_noticed_by_a_stranger(hub: HubOutputs) -> None:
    hub.approved()
    release(hub)
    (hub.shelf / "r2").mkdir()
    (hub.shelf / "r2/rates.csv").write_bytes(GOOD_TABLE)

    assert "belongs to no release on the log" in stranger(hub).stdout


# ------------------------------------------------------------------- who may vote


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("researcher", "no output checker"),
        ("authority-1", "no output checker"),
        ("hub", "no output checker"),
    ],
)
def test_the_author_and_whoever_is_no_checker_do_not_vote_or_look(
    hub: HubOutputs, name: str, reason: str
) -> None:
    hub.submitted()

    with pytest.raises(Refused, match=reason):
        hub.reviews().vote("r1", "approve", checker=hub.log.cast[name])
    with pytest.raises(Refused, match=reason):
        hub.reviews().show("r1", checker=hub.log.cast[name])
    assert events_of(hub.events(), VoteCast) == []


def test_a_checker_who_wrote_the_study_does_not_vote_on_it(hub: HubOutputs) -> None:
    hub.submitted()
    hub.rewrite_job(replace(hub.job("job-1"), researcher="checker-1"))

    with pytest.raises(Refused, match="checker-1 has a part in this project"):
        hub.voted("approve")


def test_a_stranger_to_the_trust_roots_does_not_vote(hub: HubOutputs) -> None:
    hub.submitted()

    with pytest.raises(NotGenuine, match="not in the trust roots"):
        hub.reviews().vote("r1", "approve", checker=Hands("checker-1"))


def test_one_checker_does_not_vote_twice(hub: HubOutputs) -> None:
    hub.submitted()
    hub.voted("approve")

    with pytest.raises(Refused, match="checker-1 has voted in this turn already"):
        hub.voted("approve")
    with pytest.raises(Refused, match="from partially-reviewed to released"):
        release(hub)


def test_another_word_is_no_vote(hub: HubOutputs) -> None:
    hub.submitted()

    with pytest.raises(Refused, match="A vote is"):
        hub.voted("approved")


def test_only_the_author_asks_for_the_outputs_of_a_job(hub: HubOutputs) -> None:
    job = hub.left("job-1")

    with pytest.raises(Refused, match="another researcher's"):
        hub.reviews().submit("r1", job, researcher=hub.log.cast["authority-1"])
    assert events_of(hub.events(), ReleaseMoved) == []


# ---------------------------------------------------------------------- blindness


def test_a_first_vote_says_nothing_until_the_second_is_in(hub: HubOutputs) -> None:
    """Whatever the first checker said, all that the public sees is that somebody voted."""
    hub.submitted()
    hub.reviews().vote("r1", "return", checker=hub.log.cast["checker-1"])

    assert events_of(hub.events(), OutputReviewed) == []
    shown = b"".join(p.read_bytes() for p in (hub.log.site / "log").rglob("*") if p.is_file())
    assert b'"vote"' not in shown
    assert b"votes" not in shown
    (salt,) = hub.records.list_documents(KIND_VOTE_SALT)
    assert salt.body not in shown
    assert salt.body.hex().encode() not in shown


def test_two_equal_votes_look_different_on_the_log(hub: HubOutputs) -> None:
    hub.approved()
    first, second = events_of(hub.events(), VoteCast)

    assert first.vote_commitment != second.vote_commitment


def test_both_votes_are_opened_in_one_entry(hub: HubOutputs) -> None:
    hub.approved()
    (opened,) = events_of(hub.events(), OutputReviewed)
    checkers = {key_id(hub.log.cast[f"checker-{number}"].public) for number in (1, 2)}

    assert opened.votes == dict.fromkeys(checkers, "approve")


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
    assert stranger(hub).returncode == 0


def test_votes_that_a_dead_hub_did_not_open_are_opened_later(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.submitted()
    with monkeypatch.context() as dead:
        dead.setattr(Reviews, "_open_votes", lambda *_: None)
        hub.voted("approve", "approve")
    assert hub.reviews().standing("r1").state is ReleaseState.REVIEWED

    release(hub)

    assert stranger(hub).returncode == 0


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


def test_a_stranger_notices_a_release_that_nobody_voted_for(hub: HubOutputs) -> None:
    waved_through(hub)
    release(hub)

    found = stranger(hub)

    assert found.returncode == 4
    assert "two checkers had not approved it" in found.stdout


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
    opened_otherwise(hub, monkeypatch)

    found = stranger(hub)

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
    assert left_nothing(hub)


# ------------------------------------------------------------- the tests themselves


def test_these_tests_would_notice_a_hub_that_lets_one_vote_decide(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breach, planted: with the rule gone, one checker's word lets files out."""
    monkeypatch.setattr(review_module, "VOTES_NEEDED", 1)
    monkeypatch.setattr(review_module, "check_move", lambda *_: None)
    monkeypatch.setattr(review_module, "decide", lambda _: ReleaseState.APPROVED)
    monkeypatch.setattr("havre.domain.release.check_move", lambda *_: None)
    hub.submitted()
    hub.voted("approve")

    release(hub)

    assert hub.public_files()
    assert stranger(hub).returncode == 4


def test_these_tests_would_notice_a_hub_that_checks_nothing(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breach, planted: with the rules gone, a small cell leaves."""
    monkeypatch.setattr(review_module, "check_outputs", lambda *_, **__: [])
    a_small_cell_that_was_left(hub)
    hub.voted("approve", "approve")

    release(hub)

    assert hub.public_files()["r1/rates.csv"] == SMALL_TABLE


# --------------------------------------------------------------- not refused yet


@gap("files are compared with the records, not with the log's commitment", pytest.fail.Exception)
def test_files_changed_since_review_stay_also_when_the_records_were_changed_with_them(
    hub: HubOutputs,
) -> None:
    """Sealing needs only a public half: whoever has store and records can do this."""
    hub.approved()
    hub.replace_outputs("job-1", outputs(SMALL_TABLE))

    with pytest.raises(NotGenuine):
        release(hub)


@gap("votes are opened without a look at their commitments", pytest.fail.Exception)
def test_a_vote_opened_differently_than_committed_is_refused_by_the_hub_itself(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotGenuine):
        opened_otherwise(hub, monkeypatch)


@gap("the log's moves are believed without the votes behind them", pytest.fail.Exception)
def test_what_nobody_voted_for_is_not_released_by_an_honest_hub(hub: HubOutputs) -> None:
    waved_through(hub)

    with pytest.raises(NotGenuine):
        release(hub)


@gap("a vote that waits for witnesses is not seen, and is cast again", NotGenuine)
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
    assert stranger(hub).returncode == 0


class RunningClock(SetClock):
    """A clock that goes on while it is read."""

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@gap("the manifest's moment and the log's are read one after the other", NotGenuine)
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
