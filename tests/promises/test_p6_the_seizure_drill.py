"""P6: a host that vanishes at work leaves nothing clear on its disks, and a standby goes on.

The drill is held as it is, and then with something broken on purpose at each of its
moments: it must say so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.small_hub import copy_of, founded
from havre.adapters.tokens.file import FileToken
from havre.application.drill.search import Search
from havre.bootstrap.drills import seizure as drill
from havre.bootstrap.drills.seizure import LOST, RECOVERED, WORKING, seizure
from havre.bootstrap.drills.stage import PERMIT, Stage
from havre.domain.drill_receipt import DrillRun
from havre.domain.drills import Verdict
from havre.domain.events import DrillRan, events_of

SEED = "0123456789abcdef" * 2


def failed(run: DrillRun) -> set[str]:
    return {each.criterion.name for each in run.judged if each.held is False}


# ------------------------------------------------------------ something broken on purpose


def leave_in_store(stage: Stage) -> None:
    (stage.hub / "store" / "objects" / "left").write_bytes(
        stage.people()[0].encode() + b" and more"
    )


def leave_in_private(stage: Stage) -> None:
    (stage.hub / "private" / "note.txt").write_bytes(stage.people()[1].encode())


def leave_in_temporary(stage: Stage) -> None:
    (stage.root / "temporary" / "spill-0").write_bytes(b"x" * 500 + stage.people()[2].encode())


def leave_a_core(stage: Stage) -> None:
    """What a hub leaves that does not keep its memory to itself."""
    code = "import os, sys; held = sys.argv[1] * 50; os.abort()"
    words = f'ulimit -c unlimited; exec "{sys.executable}" -c "{code}" {stage.people()[3]}'
    subprocess.run(["/bin/sh", "-c", words], cwd=stage.root / "core", check=False)
    if not list((stage.root / "core").iterdir()):
        # This kernel hands core files to a program: one is laid there instead.
        (stage.root / "core" / "core").write_bytes(b"\x7fELF" + stage.people()[3].encode())


def sign_after_the_backup(stage: Stage) -> None:
    stage.sign()


def corrupt_replica(stage: Stage) -> None:
    for path in (stage.root / "replica" / "objects").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1] + b"?")


def lose_backup(stage: Stage) -> None:
    shutil.rmtree(stage.root / "backup" / "records")


def alter_new_log(stage: Stage) -> None:
    entries = stage.root / "standby" / "site" / "log" / "tile" / "entries"
    for path in entries.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[::-1])


def lose_two_custodians(stage: Stage) -> None:
    for name in ("custodian-1", "custodian-2"):
        (stage.parties / name).rename(stage.root / f"lost-{name}")


def forget_what_came_after(stage: Stage) -> Callable[[], None]:
    """Remember what custodians and witnesses hold; whoever calls what comes back sets them to it.

    Written into the files that are there: a copied folder would be noticed.
    """
    held = [stage.parties / f"witness-{number}" / "seen" for number in range(1, 5)]
    held += [
        path / "mirror" for path in (*stage.parties.glob("custodian-*"), stage.parties / "escrow")
    ]
    kept = {
        path: path.read_bytes() for folder in held for path in folder.rglob("*") if path.is_file()
    }

    def forget() -> None:
        for path, content in kept.items():
            path.write_bytes(content)

    return forget


def test_whatever_lies_clear_on_a_disk_and_whatever_is_gone_is_told() -> None:
    leaks = (leave_in_store, leave_in_private, leave_in_temporary, leave_a_core)
    more = (sign_after_the_backup,)

    def spoil(stage: Stage, moment: str) -> None:
        for break_it in {WORKING: (*leaks, *more), LOST: (corrupt_replica,)}.get(moment, ()):
            break_it(stage)

    run = seizure(SEED, spoil=spoil)

    assert run.verdict is Verdict.FAILED
    told = {"storage-sightings", "hub-canaries", "left-behind", "permits-lost", "objects-lost"}
    assert failed(run) - {"functions-failed"} == told
    sightings = json.loads(json.dumps(run.details["sightings"]))
    places = {each["file"].partition("/")[0] for each in sightings}
    assert places == {"store", "hub", "temporary", "core"}
    assert "hub/private/note.txt" in {each["file"] for each in sightings}


def test_a_standby_that_cannot_work_is_found() -> None:
    run = seizure(
        SEED, spoil=lambda stage, now: lose_two_custodians(stage) if now == LOST else None
    )

    assert failed(run) == {"functions-failed"}


def test_a_broken_log_and_witnesses_that_forget_are_found() -> None:
    """Everybody is set back to the moment of the loss: then the old key is believed again."""
    forget: list[Callable[[], None]] = []

    def spoil(stage: Stage, moment: str) -> None:
        if moment == LOST:
            forget.append(forget_what_came_after(stage))
        elif moment == RECOVERED:
            forget[0]()
            alter_new_log(stage)

    run = seizure(SEED, spoil=spoil)

    assert failed(run) == {"log-breaks", "lost-host-believed"}


def test_a_finder_that_finds_nothing_and_a_hub_that_was_not_recovered_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a hub that was not recovered nothing is said of what came after."""
    monkeypatch.setattr(drill, "search_seizure", lambda *_, **__: Search())

    run = seizure(SEED, spoil=lambda stage, now: lose_backup(stage) if now == LOST else None)

    assert run.observed["blind-finders"] == 6
    assert failed(run) == {"blind-finders", "recovered"}
    assert run.not_run["rto"] == "the hub was not recovered"
    assert run.details["refusal"]
    assert PERMIT not in json.dumps(run.details["refusal"])


# ------------------------------------------------------------ on record


def test_a_standby_goes_on_with_everything_and_the_hub_itself_is_left_alone(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    before = FileToken(hub.hub / "party").public
    words = [sys.executable, "-m", "havre", "drill", "seizure", "--hub", str(hub.hub), "--json"]

    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["verdict"] == "held"
    assert all(text.endswith(": held") for text in told["criteria"].values())
    assert not told["criteria"]["killed"].startswith("0 ")
    (ran,) = events_of([each.event for each in hub.open().log.entries()], DrillRan)
    assert (ran.drill, ran.verdict) == ("seizure", "held")
    assert ran.counters["files"] > 50
    assert FileToken(hub.hub / "party").public == before
