"""P2: custodians are lost and robbed, and nothing is lost or opened by that.

The drill is held as it is, and then with something broken on purpose: it must say so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import pytest

from fakes.small_hub import SmallHub, copy_of, founded
from havre.bootstrap.attempts import seeds_left
from havre.bootstrap.drills.key_loss import (
    AWAY,
    ENDING,
    ROBBED,
    TWO_LOST,
    WORKING,
    Stopped,
    key_loss,
)
from havre.bootstrap.drills.stage import Stage
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.key_life import find_partitions
from havre.bootstrap.resharing import attend
from havre.bootstrap.services import Services
from havre.crypto.random import new_object_id
from havre.domain.drill_receipt import KIND_RECEIPT, DrillRun
from havre.domain.drills import Verdict
from havre.domain.events import DrillRan, events_of
from havre.domain.rehearsals import DrillName
from havre.formats.statements import parse_envelope, parse_statement

SEED = "0123456789abcdef" * 2


@dataclass(frozen=True)
class Held:
    """The drill as its command holds it, unspoiled, once for whoever looks at it."""

    hub: SmallHub
    ended: int
    told: dict[str, Any]

    @cached_property
    def receipt(self) -> dict[str, Any]:
        """What the receipt says that the hub signed."""
        kept = self.hub.open().records.document(KIND_RECEIPT, self.told["receipt_sha256"])
        return dict(parse_statement(parse_envelope(kept).payload).predicate)

    @property
    def run(self) -> DrillRun:
        """The run again, from its receipt."""
        found = self.receipt["criteria"]
        return DrillRun(
            drill=DrillName.KEY_LOSS,
            observed={e["name"]: e["observed"] for e in found if e["observed"] is not None},
            not_run={e["name"]: e["not_run"] for e in found if e["not_run"]},
            counters=self.receipt["counters"],
            details=self.receipt["details"],
        )


@cache
def held() -> Held:
    hub = copy_of(founded(), Path(mkdtemp(prefix="hv-")))
    words = [sys.executable, "-m", "havre", "drill", "key-loss", "--seed", SEED, "--json"]
    done = subprocess.run(
        [*words, "--hub", str(hub.hub)], capture_output=True, check=False, timeout=900
    )
    assert done.stdout, done.stderr
    return Held(hub, done.returncode, json.loads(done.stdout))


def failed(run: DrillRun) -> set[str]:
    return {each.criterion.name for each in run.judged if each.held is False}


def said(run: DrillRun) -> dict[str, str]:
    told = run.details["said"]
    assert isinstance(told, dict)
    return {name: str(text) for name, text in told.items()}


def test_others_take_over_and_nobody_else_opens_anything() -> None:
    run = held().run

    assert failed(run) == set()
    # Only where nobody may look into a process's memory is something not tried.
    assert set(run.not_run) <= {"seeds-in-room", "seeds-in-hub", "found-on-purpose"}
    assert run.counters["keys"] > 100
    assert run.counters["objects"] > 20
    assert run.counters["keys_looked_for"] >= 3
    assert run.counters["objects_beside"] > 5


def test_a_refusal_names_those_who_are_lost_and_what_is_missing() -> None:
    told = said(held().run)

    assert "custodian-1: custodian-1 does not answer" in told["two lost"]
    assert "custodian-2: custodian-2 does not answer" in told["two lost"]
    assert told["half an order"] == "Signatures are missing: 1 of role authority."
    assert "escrow: Nobody here has looked at the ceremony's order." in told["nobody at the escrow"]
    assert set(told) == {"two lost", "half an order", "nobody at the escrow"}


def test_the_receipt_says_who_was_not_separated() -> None:
    shared = held().receipt["not_separated"]

    assert "all parties stood on one machine" in shared
    assert any(each.startswith("custodians: each is a process") for each in shared)


# ------------------------------------------------------------ something broken on purpose


def lose_a_second(stage: Stage, services: Services) -> None:
    """Another custodian is away as well when the first one is lost."""
    services.stop("custodian-2")


def write_to_the_store(stage: Stage, _services: Services) -> None:
    """Whoever holds the ceremony puts an object where the store is."""
    (stage.root / "away" / "store" / new_object_id()).write_bytes(b"an object")


def copied_directory(stage: Stage, name: str, to: Path) -> None:
    shutil.copytree(stage.parties / name, to, ignore=shutil.ignore_patterns("*.sock"))


def keep_the_shares_of_another(stage: Stage, _services: Services) -> None:
    """A custodian that keeps a copy of another's directory is two for its thief."""
    copied_directory(stage, "custodian-2", stage.parties / "custodian-1" / "copy")


def write_a_key_down(stage: Stage, _services: Services) -> None:
    """Somebody keeps a whole key in a file of the hub's."""
    hub = OpenHub(stage.hub)
    known = find_partitions(hub, ["dataset/cepidc/2023/1"])
    folders = [stage.parties / name for name in ("custodian-1", "custodian-2")]
    (seed,) = seeds_left(hub, known, folders=folders).values()
    (stage.hub / "private" / "kept").write_text(f"for bad days: {seed.hex()}\n")


def bring_one_back(stage: Stage, services: Services) -> None:
    """One of the two was not lost."""
    shutil.move(stage.root / "lost" / "custodian-1", stage.parties / "custodian-1")
    services.start([stage.parties / "custodian-1"])


def keep_directories(stage: Stage, _services: Services) -> None:
    """A backup of two custodians' directories holds the epoch keys beside the shares."""
    for name in ("custodian-4", "custodian-5"):
        copied_directory(stage, name, stage.root / "backup" / f"whole-{name}")


def lose_objects(stage: Stage, _services: Services) -> None:
    """Objects of other generations vanish while one is destroyed."""
    shutil.rmtree(stage.hub / "store")
    (stage.hub / "store").mkdir()


Act = Callable[[Stage, Services], None]


def broken(acts: dict[str, list[Act]], *, until: str = "") -> DrillRun:
    """Hold the drill with things broken at some moments, and stop it at a later one."""

    def spoil(stage: Stage, services: Services, moment: str) -> None:
        if moment == until:
            raise Stopped
        for act in acts.get(moment, ()):
            act(stage, services)

    return key_loss(SEED, spoil=spoil)


def test_each_custodian_store_and_file_that_is_broken_is_found() -> None:
    run = broken(
        {
            AWAY: [write_to_the_store],
            ROBBED: [keep_the_shares_of_another, write_a_key_down],
            ENDING: [keep_directories, lose_objects],
        }
    )

    assert run.verdict is Verdict.FAILED
    assert failed(run) == {
        *("objects-touched", "opened-by-a-thief", "seeds-in-files"),
        *("opened-after-erasure", "lost-beside"),
    }
    assert said(run)["whole keys in files"] == "hub/private/kept"


def test_two_that_are_lost_at_once_are_found_and_nothing_of_the_stage_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Short, because a Unix socket's path is.
    with TemporaryDirectory(prefix="hv-") as place:
        monkeypatch.setattr("tempfile.tempdir", place)
        run = broken({WORKING: [lose_a_second]})
        monkeypatch.undo()

        assert list(Path(place).iterdir()) == []
    assert failed(run) == {"failed-without-one", "not-reshared"}
    assert run.not_run["opened-after-erasure"] == "the drill did not get so far"
    assert run.verdict is Verdict.FAILED


def test_a_loss_that_is_none_and_an_escrow_that_takes_part_unasked_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def let_the_escrow_take_part(stage: Stage, _services: Services) -> None:
        """Whatever custodian-4 attends, somebody attends for the escrow."""

        def both(order: Path, party: Path) -> dict[str, object]:
            attend(order, stage.parties / "escrow")
            return attend(order, party)

        monkeypatch.setattr("havre.bootstrap.drills.key_loss.attend", both)

    run = broken({TWO_LOST: [bring_one_back, let_the_escrow_take_part]}, until=ENDING)

    assert failed(run) == {"opened-when-two-lost", "lost-unnamed", "recovered-unasked"}


# ------------------------------------------------------------ on record


def test_the_command_puts_the_drill_on_the_hubs_own_log() -> None:
    told = held().told
    ran = events_of([each.event for each in held().hub.open().log.entries()], DrillRan)

    assert held().ended == 0, told
    assert [(each.drill, each.verdict) for each in ran] == [("key-loss", told["verdict"])]
    assert told["verdict"] in ("held", "incomplete")
    assert ran[0].receipt_sha256 == told["receipt_sha256"]
