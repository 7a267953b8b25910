"""P3 and P5: whoever objects is in nothing that is made afterwards, within the register's rhythm.

The drill is held as it is, and then with something broken on purpose: it must say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fakes.small_hub import ENVIRONMENT, SmallHub, copy_of, environment, founded
from fakes.verifier import GENUINE, verify
from havre.application.extract import Extraction
from havre.application.run import StudyRuns
from havre.bootstrap.drills import opposition_story as story
from havre.bootstrap.drills.objecting_holder import Answer, Asked, act
from havre.bootstrap.drills.opposition import opposition
from havre.bootstrap.opposing import take_in_lists
from havre.cli.main import app
from havre.domain.drill_receipt import DrillRun
from havre.domain.drills import Verdict
from havre.domain.events import ExtractMade
from havre.domain.plan import Plan
from havre.domain.plan_making import make_plan
from havre.domain.rehearsals import DRILLS, DrillName
from havre.errors import InvalidInput

SEED = "0123456789abcdef" * 2


@cache
def held() -> DrillRun:
    environment()
    return opposition(SEED, environment=ENVIRONMENT)


def failed(run: DrillRun) -> set[str]:
    return {each.criterion.name for each in run.judged if each.held is False}


def test_whoever_objects_is_out_within_a_week_and_whoever_returns_is_back() -> None:
    run = held()

    assert run.details["failures"] == {}
    assert failed(run) == set()
    assert run.verdict is Verdict.HELD
    assert run.observed["delay"] == 7
    assert run.observed["receipts"] == 4


def test_days_that_nobody_waited_for_are_said_to_be_simulated() -> None:
    simulated = {each.criterion.name for each in held().judged if each.criterion.simulated}

    assert simulated == {"delay", "early-lists", "not-back"}
    assert held().counters["simulated_days"] == 14


# ------------------------------------------------------------ something broken on purpose


def forget_the_register(patch: pytest.MonkeyPatch) -> None:
    """The hub cuts its extracts without the lists, and says that it used them."""

    def careless(*grants: Any, **limits: Any) -> Plan:
        return make_plan(*grants, **{**limits, "register": None})

    patch.setattr("havre.application.extract.make_plan", careless)


def record_what_was_overtaken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Extraction, "_check_newest", lambda *_: None)


def leave_out_too_much(patch: pytest.MonkeyPatch) -> None:
    """Where there is a list, half of the year is left out with it."""

    def greedy(*grants: Any, **limits: Any) -> Plan:
        if limits["register"]:
            limits["period"] = (limits["period"][0], date(2023, 2, 28))
        return make_plan(*grants, **limits)

    patch.setattr("havre.application.extract.make_plan", greedy)


def take_no_third_list(patch: pytest.MonkeyPatch) -> None:
    """A hub that takes nothing in any more: whoever came back waits for ever."""
    true, left = take_in_lists, [3]

    def tired(hub: Any) -> Any:
        left[0] -= 1
        return true(hub) if left[0] >= 0 else None

    patch.setattr("havre.bootstrap.drills.opposition_story.take_in_lists", tired)


def ask_no_calendar(patch: pytest.MonkeyPatch) -> None:
    """Neither the holder nor the hub looks at the day: a list could come because of one person."""
    patch.setattr("havre.application.oppose.check_follows", lambda *_, **__: None)
    patch.setattr("havre.application.oppositions.check_follows", lambda *_, **__: None)

    def beside(self: story.Player, what: str, file: Path, **more: Any) -> Answer:
        stage = self._stage
        return act(
            Asked(
                what, str(stage.parties / "holder"), str(stage.hub), self._days, str(file), **more
            )
        )

    patch.setattr(story.Player, "_holder", beside)


def believe_everything(patch: pytest.MonkeyPatch, folder: Path) -> None:
    program = folder / "verify.py"
    program.write_text("")
    patch.setattr(story, "verifier_path", lambda: program)


def run_on_the_first_extract(patch: pytest.MonkeyPatch) -> None:
    """Studies go on with an extract from before."""

    def oldest(self: StudyRuns, name: str) -> tuple[int, ExtractMade]:
        return next(
            (logged.index, logged.event)
            for logged in self._log.entries()
            if isinstance(logged.event, ExtractMade) and logged.event.permit == name
        )

    patch.setattr(StudyRuns, "_newest_extract", oldest)


Spoil = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize(
    ("spoils", "criteria"),
    [
        (
            (forget_the_register, record_what_was_overtaken),
            {"residual-rows", "delay", "overtaken"},
        ),
        ((leave_out_too_much, take_no_third_list), {"rows-lost", "lists", "not-back"}),
        ((ask_no_calendar,), {"early-lists"}),
    ],
)
def test_what_is_broken_is_found(
    spoils: tuple[Spoil, ...], criteria: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for spoil in spoils:
        spoil(monkeypatch)
    run = opposition(SEED)

    assert run.verdict is Verdict.FAILED
    assert failed(run) >= criteria


def test_a_verifier_that_believes_everything_and_a_study_on_an_old_extract_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment()
    believe_everything(monkeypatch, tmp_path)
    run_on_the_first_extract(monkeypatch)
    run = opposition(SEED, environment=ENVIRONMENT)

    assert failed(run) == {"false-receipts-believed", "in-outputs"}
    assert run.observed["false-receipts-believed"] == 8
    assert run.observed["in-outputs"] == 4


def test_a_stage_on_which_nothing_works_is_a_failure_and_no_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lose_a_custodian_and_the_escrow(stage: Any) -> None:
        for name in ("custodian-1", "custodian-2"):
            (stage.parties / name).rename(stage.root / f"lost-{name}")

    run = opposition(SEED, spoil=lose_a_custodian_and_the_escrow)

    assert run.verdict is Verdict.FAILED
    assert failed(run) >= {"lists", "residual-rows", "delay", "not-back"}
    assert run.details["failures"]


# ------------------------------------------------------------ what it says


def test_every_criterion_is_observed_or_excused() -> None:
    names = {each.name for each in DRILLS[DrillName.OPPOSITION].criteria}

    assert set(held().observed) == names
    assert held().not_run == {}


def test_the_holders_process_does_two_things_and_no_third() -> None:
    with pytest.raises(InvalidInput):
        act(replace(Asked("send", "x", "y", 0, "z"), act="gossip"))
    assert asdict(Answer()) == {"version": 0, "refused": ""}


def test_the_command_leaves_a_receipt_that_a_stranger_judges_anew(tmp_path: Path) -> None:
    hub: SmallHub = copy_of(founded(), tmp_path / "hub")
    words = ["drill", "opposition", "--hub", str(hub.hub), "--seed", SEED, "--json"]
    ran = CliRunner().invoke(app, words, env={"HAVRE_ENVIRONMENT": ""})
    told = json.loads(ran.stdout)
    hub.open().publication.publish()
    found = verify(hub.hub / "site", "--trust", hub.parties / "authority-1/trust.json")

    assert ran.exit_code == 0
    assert told["verdict"] == "incomplete"
    assert "simulated clock" in told["criteria"]["delay"]
    assert told["criteria"]["in-outputs"].startswith("not run: no study environment")
    assert found.returncode == GENUINE, found.stdout
    assert "1 receipts of drills, judged anew" in found.stdout
    receipt = (hub.hub / "site/drills" / f"{told['receipt_sha256']}.json").read_bytes()
    assert receipt
