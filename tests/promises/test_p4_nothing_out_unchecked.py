"""P4. No file leaves unchecked: every way around the check and the two checkers is tried.

Real parties with keys of their own, real custodians and key rooms, a real log,
store and records under a folder; each test plants one breach. A hub that dies or
lies meanwhile is `test_p4_a_hub_that_lies.py`, and has the breaches that are not
refused yet.

What hides inside an approved file is limited, not excluded. What the sandbox
lets out is another test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fakes.hub_outputs import GOOD_TABLE, SMALL_TABLE, HubOutputs, outputs
from fakes.parties import Hands
from havre.application import review as review_module
from havre.application.review import KIND_VOTE_SALT
from havre.bootstrap.study_reports import submission_row
from havre.crypto.signatures import key_id
from havre.domain.events import OutputReleased, OutputReviewed, ReleaseMoved, VoteCast, events_of
from havre.domain.permit_states import PermitState
from havre.domain.release import SUBMISSIONS_A_DAY, ReleaseState
from havre.errors import HavreError, NotFound, NotGenuine, Refused
from havre.formats.canonical import parse_canonical

VERIFIER = Path(__file__).parents[2] / "tools/verify_log.py"


@pytest.fixture
def hub(tmp_path: Path) -> HubOutputs:
    return HubOutputs(tmp_path)


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
    found = hub.stranger()
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
    assert hub.stranger().returncode == 0


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
    Breach(a_hash_changed_in_the_records, NotGenuine, "not what was committed to"),
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
    assert hub.reviews().findings("r1") == ["rates.csv, column cases: counts below 11 (1 cell)"]
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
    found = hub.stranger()
    assert found.returncode == 4
    assert "releases/r1/rates.csv is not the file that was released" in found.stdout


def test_a_file_put_beside_the_released_ones_is_noticed_by_a_stranger(hub: HubOutputs) -> None:
    hub.approved()
    release(hub)
    (hub.shelf / "r2").mkdir()
    (hub.shelf / "r2/rates.csv").write_bytes(GOOD_TABLE)

    assert "was not released by the log" in hub.stranger().stdout


# -------------------------------------------------- what an author learns meanwhile


def returned(hub: HubOutputs, number: int) -> None:
    job = hub.left(f"job-{number}", outputs(SMALL_TABLE))
    hub.reviews().submit(f"r{number}", job, researcher=hub.log.cast["researcher"])


def test_an_author_hears_which_rule_broke_and_not_where(hub: HubOutputs) -> None:
    job = hub.left("job-1", outputs(SMALL_TABLE))

    submission = hub.reviews().submit("r1", job, researcher=hub.log.cast["researcher"])

    assert submission_row(submission) == {
        "request": "r1",
        "state": "returned",
        "turn": 1,
        "job": "job-1",
        "votes": 0,
        "rules": ["a count is below the permit's smallest"],
    }


def test_a_project_asks_a_few_times_a_day_and_no_more(hub: HubOutputs) -> None:
    """Every answer is a few bits that nobody looked at."""
    for number in range(SUBMISSIONS_A_DAY):
        returned(hub, number)
    hub.log.clock.move(hours=23)

    with pytest.raises(Refused, match="5 submissions of 24 hours"):
        returned(hub, 99)
    assert {event.request for event in events_of(hub.events(), ReleaseMoved)} == {
        f"r{number}" for number in range(SUBMISSIONS_A_DAY)
    }


def test_the_next_day_it_may_ask_again(hub: HubOutputs) -> None:
    for number in range(SUBMISSIONS_A_DAY):
        returned(hub, number)
    hub.log.clock.move(hours=25)

    returned(hub, 99)

    assert hub.reviews().standing("r99").state is ReleaseState.RETURNED


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


def of_house(hub: HubOutputs, name: str, house: str) -> None:
    """Give a party another operator, in the roots that the hub believes."""
    parties = tuple(
        replace(party, operator=house) if party.name == name else party
        for party in hub.roots.parties
    )
    hub.roots = replace(hub.roots, parties=parties)


def test_two_checkers_of_one_house_count_as_one(hub: HubOutputs) -> None:
    of_house(hub, "checker-2", "house of checker-1")
    hub.submitted()
    hub.voted("approve")

    with pytest.raises(Refused, match="two of one house count as one"):
        hub.reviews().vote("r1", "approve", checker=hub.log.cast["checker-2"])
    assert hub.reviews().standing("r1").state is ReleaseState.PARTIALLY_REVIEWED


def test_a_checker_of_the_projects_house_does_not_vote_or_look(hub: HubOutputs) -> None:
    of_house(hub, "checker-1", "house of researcher")
    hub.submitted()

    with pytest.raises(Refused, match="house that has a part in this project"):
        hub.voted("approve")
    with pytest.raises(Refused, match="house that has a part in this project"):
        hub.reviews().show("r1", checker=hub.log.cast["checker-1"])


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


# ------------------------------------------------------------- the tests themselves


def test_these_tests_would_notice_a_hub_that_lets_one_vote_decide(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breach, planted: with the rule gone, one checker's word lets files out."""
    monkeypatch.setattr(review_module, "VOTES_NEEDED", 1)
    monkeypatch.setattr(review_module, "check_move", lambda *_: None)
    monkeypatch.setattr(review_module, "decide", lambda _: ReleaseState.APPROVED)
    monkeypatch.setattr("havre.domain.release.check_move", lambda *_: None)
    monkeypatch.setattr("havre.domain.release.decide", lambda _: ReleaseState.APPROVED)
    hub.submitted()
    hub.voted("approve")

    release(hub)

    assert hub.public_files()
    assert hub.stranger().returncode == 4


def test_these_tests_would_notice_a_hub_that_checks_nothing(
    hub: HubOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breach, planted: with the rules gone, a small cell leaves."""
    monkeypatch.setattr(review_module, "check_outputs", lambda *_, **__: [])
    a_small_cell_that_was_left(hub)
    hub.voted("approve", "approve")

    release(hub)

    assert hub.public_files()["r1/rates.csv"] == SMALL_TABLE
