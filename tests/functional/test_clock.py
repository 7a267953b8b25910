"""The clock of a real hub: what is due is done once, by whoever may, and a stranger can verify it."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fakes.departed import moving, opened_at
from fakes.opposing import send, take_in
from fakes.small_hub import PERMIT_NAME, copy_of, granted, ingested, permit_text
from fakes.timekeeping import TimedHub
from fakes.verifier import GENUINE, NOT_GENUINE, verify
from havre.application.clock import StillOpen
from havre.application.journal import Journal
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.key_life import project_partitions
from havre.bootstrap.timekeeping import clockwork
from havre.cli.main import app
from havre.domain.clock_events import NoticeGiven, ProjectDeleted
from havre.domain.deletion import KIND_DELETION, open_deletion
from havre.domain.events import Event, events_of
from havre.domain.handover import HandedOver
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.permit_states import PermitState
from havre.domain.terms import TermName
from havre.errors import HavreError, Refused

OVER = "2031-01-01"


@pytest.fixture
def timed(tmp_path: Path) -> TimedHub:
    """With a permit in force and an extract."""
    return TimedHub(copy_of(granted(), tmp_path / "hub"))


def events(timed: TimedHub) -> list[Event]:
    return [logged.event for logged in timed.open().log.entries()]


def kinds_since(timed: TimedHub, size: int) -> list[str]:
    return [event.kind for event in events(timed)[size:] if event.kind != "NoticeGiven"]


def stranger(timed: TimedHub) -> Any:
    trust = timed.small.parties / "authority-1/trust.json"
    return verify(timed.small.hub / "site", "--trust", trust)


def test_at_a_permits_end_its_project_is_deleted_certified_and_published(timed: TimedHub) -> None:
    size = len(events(timed))
    run = timed.on(OVER).run()

    assert run.waits == []
    assert kinds_since(timed, size) == [
        "PermitMoved",
        "ErasureOrdered",
        "KeysErased",
        "ProjectDeleted",
        # What landed four years before.
        "ErasureOrdered",
        "KeysErased",
    ]
    opened = timed.open()
    assert opened.permits.standing(PERMIT_NAME).state is PermitState.EXPIRED
    (deleted,) = events_of(events(timed), ProjectDeleted)
    document = opened.records.document(KIND_DELETION, deleted.statement_sha256)
    certificate = open_deletion(document, roots=opened.roots)
    assert certificate.permit == PERMIT_NAME
    assert len(certificate.extracts) == 1
    assert len(certificate.attested) >= 3
    beside = timed.small.hub / f"site/register/deletions/{PERMIT_NAME}.json"
    assert beside.read_bytes() == document


def test_a_stranger_verifies_the_end_of_a_project(timed: TimedHub) -> None:
    timed.on(OVER).run()
    found = stranger(timed)

    assert found.returncode == GENUINE, found.stdout
    assert "1 certificates of deleted projects against the log" in found.stdout


def test_a_certificate_that_was_altered_is_noticed(timed: TimedHub) -> None:
    timed.on(OVER).run()
    beside = timed.small.hub / f"site/register/deletions/{PERMIT_NAME}.json"
    beside.write_bytes(beside.read_bytes().replace(b"A", b"B", 1))
    found = stranger(timed)

    assert found.returncode == NOT_GENUINE
    assert "register/deletions" in found.stdout


def test_a_second_run_does_nothing_more(timed: TimedHub) -> None:
    timed.on(OVER).run()
    size = len(events(timed))
    again = timed.run()

    assert (again.did, again.waits) == ([], [])
    assert len(events(timed)) == size


def test_nothing_is_done_on_the_last_day(timed: TimedHub) -> None:
    timed.on("2030-12-30")
    timed.run()

    state = timed.open().permits.standing(PERMIT_NAME).state
    assert state is PermitState.GRANTED
    assert events_of(events(timed), ProjectDeleted) == []


def test_listing_does_nothing(timed: TimedHub) -> None:
    size = len(events(timed.on(OVER)))
    owed = timed.owed()

    assert TermName.END in {duty.term for duty in owed}
    assert len(events(timed)) == size


def test_a_permit_is_not_said_to_be_over_before_it_is(timed: TimedHub) -> None:
    with pytest.raises(Refused, match="holds until 2030-12-31"):
        timed.open().permits.expire(PERMIT_NAME)


def test_a_revoked_permits_project_is_deleted_too(timed: TimedHub) -> None:
    timed.open().permits.decide(
        PERMIT_NAME,
        PermitState.REVOKED,
        authority=timed.small.token("authority-1"),
        reason="a breach",
    )
    timed.run()

    (deleted,) = events_of(events(timed), ProjectDeleted)
    opened = timed.open()
    document = opened.records.document(KIND_DELETION, deleted.statement_sha256)
    assert open_deletion(document, roots=opened.roots).state == "revoked"
    assert stranger(timed).returncode == GENUINE


def test_with_too_few_custodians_the_order_stands_and_the_next_run_ends_it(
    timed: TimedHub, tmp_path: Path
) -> None:
    timed.on(OVER)
    away = tmp_path / "away"
    shutil.move(timed.small.parties / "custodian-2", away)
    first = timed.run()
    waits = {duty.term: fault for duty, fault in first.waits}

    assert isinstance(waits[TermName.DELETION], StillOpen)
    assert "custodian-2" in waits[TermName.DELETION].message
    assert events_of(events(timed), ProjectDeleted) == []
    shutil.move(away, timed.small.parties / "custodian-2")
    second = timed.run()
    assert second.waits == []
    assert len(events_of(events(timed), ProjectDeleted)) == 1
    orders = [each for each in events_of(events(timed), ErasureOrdered) if each.permit]
    assert len(orders) == 1


def test_custodians_that_never_attest_are_told_when_the_term_is_past(
    timed: TimedHub, tmp_path: Path
) -> None:
    timed.on(OVER)
    shutil.move(timed.small.parties / "custodian-2", tmp_path / "away")
    timed.run()
    timed.after(190).run()
    timed.run()

    told = [
        (each.stage, each.to)
        for each in events_of(events(timed), NoticeGiven)
        if each.term == TermName.DELETION
    ]
    assert told == [("overdue", ("custodian",))]


def test_what_landed_is_erased_after_ninety_days_and_not_before(timed: TimedHub) -> None:
    timed.after(89).run()
    before = events_of(events(timed), ErasureOrdered)
    run = timed.after(2).run()

    assert before == []
    (order,) = events_of(events(timed), ErasureOrdered)
    assert order.ground == "taken-in"
    assert len(order.partitions) == len([e for e in events(timed) if e.kind == "DeliveryReceived"])
    assert {act.did for act in run.did if act.duty.term is TermName.DELIVERY} == {"erased"}
    assert len(events_of(events(timed), KeysErased)) == 1


def test_authorities_are_told_once_ahead_and_once_when_it_is_over(timed: TimedHub) -> None:
    for days in (80, 1, 15, 1):
        timed.after(days).run()

    told = [
        (each.stage, each.about, each.to)
        for each in events_of(events(timed), NoticeGiven)
        if each.term == TermName.RENEWAL
    ]
    assert told == [
        ("ahead", PERMIT_NAME, ("authority",)),
        ("overdue", PERMIT_NAME, ("authority",)),
    ]
    assert stranger(timed).returncode == GENUINE


def test_a_holder_whose_list_is_late_is_told(tmp_path: Path) -> None:
    timed = TimedHub(copy_of(ingested(), tmp_path / "hub"))
    send(timed.small, {}, every_hours=24)
    assert take_in(timed.small).taken
    timed.after(1).run()
    early = [each.term for each in events_of(events(timed), NoticeGiven)]
    timed.after(2).run()

    assert TermName.REGISTER not in early
    told = [
        (each.about, each.stage)
        for each in events_of(events(timed), NoticeGiven)
        if each.term == TermName.REGISTER
    ]
    assert told == [("holder", "overdue")]
    assert stranger(timed).returncode == GENUINE


def test_one_refusal_spares_nothing_else(timed: TimedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_hub: object, _permit: str) -> None:
        raise Refused("The keys are held by different custodians.")

    monkeypatch.setattr("havre.bootstrap.timekeeping.erase_project", refuse)
    run = timed.on(OVER).run()

    assert [duty.term for duty, _ in run.waits] == [TermName.DELETION]
    assert TermName.DELIVERY in {act.duty.term for act in run.did}
    assert events_of(events(timed), NoticeGiven)


def test_a_certificate_leaves_with_the_hub_and_its_clock_goes_on_elsewhere(
    timed: TimedHub,
) -> None:
    timed.open().permits.decide(
        PERMIT_NAME,
        PermitState.REVOKED,
        authority=timed.small.token("authority-1"),
        reason="a breach",
    )
    timed.run()
    move = moving(timed.small)
    with pytest.raises(HandedOver):
        clockwork(OpenHub(timed.small.hub)).run()
    opened_at(move)
    there = OpenHub(move.new)
    run = clockwork(there).run()

    # The pages are written anew at the new host; everything else was done.
    assert {act.did for act in run.did} == {"published"}
    assert run.waits == []
    assert (move.new / f"site/register/deletions/{PERMIT_NAME}.json").is_file()
    trust = timed.small.parties / "authority-1/trust.json"
    assert verify(move.new / "site", "--trust", trust).returncode == GENUINE


# ---------------------------------------------------------------- killed anywhere


def _die_at(number: int) -> Callable[..., tuple[int, ...]]:
    """A journal that dies behind its n-th record, when it is published."""
    true, left = Journal.record, [number]

    def record(self: Journal, *told: Event, **given: Any) -> tuple[int, ...]:
        indexes = true(self, *told, **given)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return indexes

    return record


def test_a_run_that_is_killed_anywhere_is_gone_on_with(timed: TimedHub, tmp_path: Path) -> None:
    """After each record of a run in turn: the next run ends with the same acts, each once."""
    timed.on(OVER)
    whole = TimedHub(copy_of(timed.small, tmp_path / "whole"), timed.clock)
    size = len(events(timed))
    whole.run()
    wanted = sorted(event.kind for event in events(whole)[size:])
    for number in range(1, len(wanted) + 2):
        cut = TimedHub(copy_of(timed.small, tmp_path / f"cut-{number}"), timed.clock)
        child = os.fork()
        if child == 0:
            Journal.record = _die_at(number)  # type: ignore[method-assign]
            cut.run()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            break
        cut.run()
        assert sorted(event.kind for event in events(cut)[size:]) == wanted, number
        assert stranger(cut).returncode == GENUINE
    else:
        pytest.fail("no run came to its end")
    assert number > 3


# ---------------------------------------------------------------- the command


def invoke(*words: object) -> Any:
    return CliRunner().invoke(app, list(map(str, words)))


def test_the_command_lists_runs_and_says_who_must_act(tmp_path: Path) -> None:
    small = copy_of(granted(), tmp_path / "hub")
    listed = invoke("clock", "list", "--all", "--hub", small.hub, "--json")
    rows = json.loads(listed.output)
    ran = invoke("clock", "run", "--hub", small.hub, "--json")
    plain = invoke("clock", "list", "--hub", small.hub)

    assert listed.exit_code == ran.exit_code == plain.exit_code == 0, ran.output
    (renewal,) = [row for row in rows if row["term"] == "permit-renewed"]
    assert renewal["who"] == "authority-1, authority-2"
    assert renewal["how"] == f"havre permit sign {PERMIT_NAME}"
    assert renewal["state"] == "running"
    assert {row["state"] for row in rows} <= {"running", "due"}
    # The decision of this permit was not on the public site yet.
    assert {each["term"] for each in json.loads(ran.output)["did"]} == {"decision-published"}
    assert "Nothing is due" in plain.output


def test_the_command_ends_with_six_while_custodians_are_missing(
    timed: TimedHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed.open().permits.decide(
        PERMIT_NAME, PermitState.REVOKED, authority=timed.small.token("authority-1"), reason="x"
    )
    shutil.move(timed.small.parties / "custodian-1", tmp_path / "away")
    ran = invoke("clock", "run", "--hub", timed.small.hub)

    assert ran.exit_code == 6
    assert "project-deleted" in ran.output
    assert "custodian-1" in ran.output


def test_a_project_that_never_had_keys_needs_no_deletion(tmp_path: Path) -> None:
    small = copy_of(ingested(), tmp_path / "hub")
    small.ask(permit_text())
    timed = TimedHub(small)
    timed.on(OVER).run()

    assert timed.open().permits.standing(PERMIT_NAME).state is PermitState.EXPIRED
    assert events_of(events(timed), ProjectDeleted) == []
    with pytest.raises(HavreError):
        project_partitions(timed.open(), PERMIT_NAME)
