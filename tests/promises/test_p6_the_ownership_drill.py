"""P6: a host that is bought is left in time, with everything, and what it may keep says nothing.

The drill is held as it is, and then with something broken on purpose: it must say so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, founded
from havre.bootstrap.drills.bought_store import BOUGHT
from havre.bootstrap.drills.ownership import AT_WORK, Told, left_in_time, ownership
from havre.bootstrap.drills.stage import Stage
from havre.bootstrap.exposing import read_reference
from havre.bootstrap.place import CONFIGURATION
from havre.domain.drill_receipt import DrillRun
from havre.domain.drills import Verdict
from havre.domain.events import DrillRan, events_of
from havre.domain.exposure.hub import THIS_HOUSE
from havre.domain.exposure.verdicts import Analysis

SEED = "0123456789abcdef" * 2
NEXT, STAYS = "host-c", "host-b"


def told(reference: str, *, left: tuple[str, ...] = (), size_bytes: int = 0) -> Told:
    return Told(Analysis(read_reference(reference)), left, size_bytes)


def failed(run: DrillRun) -> set[str]:
    return {each.criterion.name for each in run.judged if each.held is False}


def objects_of(stage: Stage, host: str) -> list[Path]:
    return sorted(path for path in (stage.root / host / "objects").rglob("*") if path.is_file())


def test_a_hub_whose_keys_are_with_many_bears_a_takeover_and_leaves_the_bought_host() -> None:
    run = ownership(SEED, told=told("b1", left=("compute",)))

    assert (run.verdict, failed(run)) == (Verdict.HELD, set())
    assert run.observed["moved"] > 10
    assert run.details["exposed_by_the_purchase"] == ["log", "metadata"]
    assert run.details["exposed_after"] == run.details["exposed_before"] == ["log"]
    assert run.counters["pairs"] > 0
    assert run.parameters["left_in_time"] == ["compute"]


def test_what_is_broken_is_found() -> None:
    def spoil(stage: Stage, moment: str) -> None:
        if moment == AT_WORK:
            (stage.root / BOUGHT / "objects" / "left").write_bytes(stage.people()[0].encode())
            return
        objects_of(stage, NEXT)[0].unlink()
        configuration = stage.hub / CONFIGURATION
        named = f'\n[[stores]]\nname = "{BOUGHT}"\nhost = "{BOUGHT}"\npath = "../{BOUGHT}"\n'
        configuration.write_text(configuration.read_text() + named)

    run = ownership(SEED, told=told("a0"), spoil=spoil)

    assert failed(run) == {
        "one-takeover",
        "bought-host-reads",
        "not-whole",
        "left-at-bought",
        "still-exposed",
    }
    assert run.observed["left-at-bought"] == 1


def test_a_bought_host_is_not_emptied_while_something_is_whole_nowhere_else() -> None:
    """Both hosts' copies of one object are bad: nothing is thrown away."""
    had: list[int] = []

    def spoil(stage: Stage, moment: str) -> None:
        if moment == AT_WORK:
            for host in (BOUGHT, STAYS):
                bad = objects_of(stage, host)[0]
                bad.write_bytes(bad.read_bytes()[:-1] + b"?")
            had.append(len(objects_of(stage, BOUGHT)))
        else:
            had.append(len(objects_of(stage, BOUGHT)))

    run = ownership(SEED, told=told("b1", left=("compute",)), spoil=spoil)

    assert {"not-whole", "functions-failed", "left-at-bought"} <= failed(run)
    assert had[0] == had[1]


def test_a_bought_host_that_also_keeps_shares_exposes_what_it_kept_and_a_slow_exit_is_none() -> (
    None
):
    houses = {"custodian-1": "Host A", "custodian-2": "Host A"}

    run = ownership(SEED, told=told("b1", left=("compute",), size_bytes=10**16), houses=houses)

    assert failed(run) == {"still-exposed", "kept-exposes", "exit-time"}
    assert "base" in json.dumps(run.details["exposed_by_the_purchase"])


# ------------------------------------------------------------ of a hub


def test_a_hub_on_one_machine_is_told_that_one_takeover_reads_everything(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    words = [sys.executable, "-m", "havre", "drill", "ownership", "--hub", str(hub.hub), "--json"]

    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 4, done.stderr
    said = json.loads(done.stdout)
    assert said["verdict"] == "failed"
    bad = {name for name, text in said["criteria"].items() if not text.endswith(": held")}
    assert bad == {"one-takeover", "working-set-taken"}
    (ran,) = events_of([each.event for each in hub.open().log.entries()], DrillRan)
    assert (ran.drill, ran.verdict) == ("ownership", "failed")


@pytest.mark.parametrize(
    ("verdict", "days_ago", "excused"),
    [("held", 1, (THIS_HOUSE,)), ("held", 91, ()), ("failed", 1, ()), ("incomplete", 1, ())],
)
def test_only_a_fresh_seizure_that_held_shows_that_a_machine_can_be_left(
    tmp_path: Path, verdict: str, days_ago: int, excused: tuple[str, ...]
) -> None:
    hub = copy_of(founded(), tmp_path)
    opened = hub.open()
    opened.journal.record(seized(at=opened.clock.now() - timedelta(days=days_ago), verdict=verdict))

    assert left_in_time(hub.open()) == excused


def test_without_any_seizure_nothing_shows_it() -> None:
    assert left_in_time(SmallHub(founded().root).open()) == ()


def seized(*, at: datetime, verdict: str) -> DrillRan:
    return DrillRan(
        event_id="0" * 32,
        at=at,
        drill="seizure",
        verdict=verdict,
        counters={},
        receipt_sha256="0" * 64,
    )
