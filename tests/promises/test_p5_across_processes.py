"""P5 across processes: a log whose witnesses and mirrors are programs of their own.

Every witness and custodian is a real `havre … serve`. The hub is a real `havre` too
where it is killed (SIGKILL): before and after each thing that it says to anybody.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.hub_log import catalogue_event
from fakes.processes import WITNESSES, ServedHub, changed_program, served_hub, skewed_clock
from fakes.verifier import verify
from havre.application.asking import Patience
from havre.application.journal import Journal
from havre.application.outside import TooFewWitnesses
from havre.bootstrap.growing import make_partitions
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.restoring import restore_witness
from havre.domain.events import KeysAbandoned, KeysReleased, KeysRequested, PartitionsCreated
from havre.errors import NotGenuine
from havre.formats.notes import parse_checkpoint, parse_note

ORIGIN = "havre.example/test"
# The hub that dies: at its n-th word to anybody, before it is said or after it was heard.
DYING = """
import os, signal, threading
from havre.adapters.channel.client import HttpChannel
left, counting, call = {step}, threading.Lock(), HttpChannel.call
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def dying(self, act, body, **limits):
    global left
    with counting:
        left -= 1
        mine = left
    if mine == 0 and {before}:
        die()
    said = call(self, act, body, **limits)
    if mine == 0:
        die()
    return said
HttpChannel.call = dying
"""
# The hub that dies when a witness has cosigned, after those before it and before the others.
DYING_AT_WITNESS = """
import os, signal, threading
from havre.adapters.channel.client import HttpChannel
call, last = HttpChannel.call, {last}
done = {{number: threading.Event() for number in range(1, 5)}}
def in_turn(self, act, body, **limits):
    if act != "cosign":
        return call(self, act, body, **limits)
    number = int(self.name[-1])
    if number > 1:
        done[number - 1].wait()
    said = call(self, act, body, **limits)
    if number == last:
        os.kill(os.getpid(), signal.SIGKILL)
    done[number].set()
    return said
HttpChannel.call = in_turn
"""


@pytest.fixture
def served() -> Iterator[ServedHub]:
    with served_hub() as running:
        yield running


@pytest.fixture(scope="module")
def shared() -> Iterator[ServedHub]:
    """One hub for the tests that leave its parties as they were."""
    with served_hub() as running:
        yield running


def ceremony(served: ServedHub, *program: str) -> subprocess.CompletedProcess[str]:
    """An act of the hub: one more landing place, made by a process of its own."""
    words = ("ceremony", "--landing", "1", "--hub", str(served.hub.hub), "--json")
    command = [*(program or (sys.executable, "-m", "havre")), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def made_by(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr
    made: int = json.loads(done.stdout)["key_pairs"]
    return made


def published(served: ServedHub) -> int:
    """How many entries the published head has."""
    note = (served.hub.hub / "site/log/checkpoint").read_bytes()
    return parse_checkpoint(parse_note(note).text).size


def sizes_seen(served: ServedHub) -> list[int]:
    """How many entries each witness has seen."""
    return [each.size_seen(ORIGIN) for each in OpenHub(served.hub.hub).witnesses]


def with_every_witness(served: ServedHub) -> int:
    """How many entries the published head has, once every witness has seen it.

    One that was held up still answers what it was asked meanwhile, in its own time; the
    next act brings it to the newest head.
    """
    assert made_by(ceremony(served)) == 1
    size, deadline = published(served), time.monotonic() + 60
    while (seen := sizes_seen(served)) != [size] * len(WITNESSES):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return size


def pending(served: ServedHub) -> bytes | None:
    path = served.hub.hub / "private/pending"
    return path.read_bytes() if path.exists() else None


def check_a_stranger_agrees(served: ServedHub) -> None:
    trust = served.party("researcher") / "trust.json"
    served.open().publication.publish()
    done = verify(served.hub.hub / "site", "--trust", trust, "--max-age", 900)
    assert done.returncode == 0, done.stderr


def test_one_witness_away_is_named_and_two_stop_new_acts(served: ServedHub) -> None:
    served.kill("witness-2")
    assert made_by(ceremony(served)) == 1
    before = published(served)
    served.kill("witness-4")

    refused = ceremony(served)

    assert refused.returncode == 6
    assert "2 witnesses cosigned, 3 are needed" in refused.stderr
    for name in ("witness-2", "witness-4"):
        assert f"{name}: {name} does not answer at its address" in refused.stderr
    assert published(served) == before
    waiting = pending(served)
    assert waiting is not None
    served.start("witness-2", "witness-4")
    assert made_by(ceremony(served)) == 1
    # What waited went out first, byte for byte, and then the new act.
    assert published(served) == before + 2
    check_a_stranger_agrees(served)


def test_a_witness_that_hangs_is_named_and_costs_its_time_once(shared: ServedHub) -> None:
    shared.hang("witness-3")
    hub = OpenHub(shared.hub.hub)
    hub.__dict__["journal"] = Journal(
        store=hub.journal._store,
        records=hub.records,
        token=hub.token,
        roots=hub.roots,
        witnesses=hub.witnesses,
        mirrors=hub.mirrors,
        patience=Patience(within_s=20, rest_s=1),
    )

    took = []
    try:
        for _ in range(2):
            begun = time.monotonic()
            assert make_partitions(hub, datasets=[], landing=1) == 1
            took.append(time.monotonic() - begun)
        assert "witness-3 did not answer" in hub.journal.complaints["witness-3"]
        assert max(took) < 20
    finally:
        shared.wake("witness-3")


@pytest.mark.parametrize("last", [1, 2, 3, 4])
def test_a_hub_killed_after_a_cosignature_finishes_the_same_head(
    shared: ServedHub, last: int
) -> None:
    """PROTOCOLS section 8: truncating the log at the restart is what goes wrong most easily."""
    before = with_every_witness(shared)
    done = ceremony(shared, *changed_program(DYING_AT_WITNESS.format(last=last)))
    assert done.returncode == -signal.SIGKILL
    waiting, after = pending(shared), published(shared)
    assert waiting is not None
    seen = sizes_seen(shared)
    assert seen == [before + 1] * last + [before] * (4 - last)

    shared.open()

    assert after == before
    assert published(shared) == before + 1
    assert (shared.hub.hub / "site/log/checkpoint").read_bytes().startswith(waiting)
    check_a_stranger_agrees(shared)


def test_a_hub_killed_between_any_two_words_goes_on(shared: ServedHub) -> None:
    """Every fourth word of a ceremony, from its first question to its last cosignature."""
    kills = 0
    for number, step in enumerate(range(1, 80, 4)):
        lines = DYING.format(step=step, before=bool(number % 2))
        done = ceremony(shared, *changed_program(lines))
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        if done.returncode == 0:
            break
        kills += 1

    assert kills >= 8
    assert made_by(ceremony(shared)) == 1
    events = [logged.event for logged in shared.open().log.entries()]
    made = [key for each in events if isinstance(each, PartitionsCreated) for key in each.shares]
    assert len(made) == len(set(made))
    check_a_stranger_agrees(shared)


OPENING = """
from pathlib import Path
from fakes.processes import ServedHub
from fakes.small_hub import SmallHub
served = ServedHub(SmallHub(Path({root!r})))
hub = served.open()
wanted = served.wanted(hub)
{dying}
with hub.release.open(wanted):
    pass
"""


def test_a_hub_killed_while_it_asks_for_keys_leaves_a_request_that_is_closed_and_counted() -> None:
    """At every word from the request to the release; what custodians gave is not forgotten."""
    with served_hub() as served:
        served.granted()
        tests = Path(__file__).parents[1]
        kills = 0
        for step in range(1, 80, 7):
            lines = OPENING.format(
                root=str(served.hub.root), dying=DYING.format(step=step, before=False)
            )
            done = subprocess.run(
                [sys.executable, "-c", lines],
                env={**os.environ, "PYTHONPATH": str(tests)},
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert done.returncode in (0, -signal.SIGKILL), done.stderr
            kills += done.returncode != 0
        served.open()

        events = [logged.event for logged in served.open().log.entries()]
        requests = {i for i, each in enumerate(events) if isinstance(each, KeysRequested)}
        closed = [e.request for e in events if isinstance(e, KeysReleased | KeysAbandoned)]
        assert kills >= 4
        assert any(isinstance(each, KeysAbandoned) for each in events)
        assert sorted(closed) == sorted(requests)
        words = (sys.executable, "-m", "havre", "audit", "--hub", str(served.hub.hub), "--json")
        audit = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        told: dict[str, Any] = json.loads(audit.stdout)
        assert (audit.returncode, told["alarms"]) == (0, [])
        check_a_stranger_agrees(served)


def set_back(served: ServedHub) -> None:
    """The hub's directory as it was before its last act: restored from a backup, or by malice."""
    backup = served.hub.root / "backup"
    shutil.copytree(served.hub.hub, backup, symlinks=True)
    assert made_by(ceremony(served)) == 1
    shutil.rmtree(served.hub.hub)
    backup.rename(served.hub.hub)


def test_a_hub_that_was_set_back_is_stopped_by_a_custodians_copy(served: ServedHub) -> None:
    set_back(served)

    refused = ceremony(served)

    assert refused.returncode == 4
    assert "A mirror keeps more of the log" in refused.stderr


def test_a_hub_that_was_set_back_is_stopped_by_witnesses_when_no_copy_answers(
    served: ServedHub,
) -> None:
    set_back(served)
    served.kill("custodian-1", "custodian-2", "custodian-3", "escrow")
    hub = OpenHub(served.hub.hub)

    with pytest.raises(NotGenuine, match="saw more of the log"):
        hub.journal.record(catalogue_event(1))


def test_a_second_history_is_a_fork_to_every_witness(
    served: ServedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub looks at nobody's copy, forgets its last act and signs another one in its place."""
    set_back(served)
    hub = OpenHub(served.hub.hub)
    monkeypatch.setattr(hub.journal._cosigners, "check_saw_no_more", lambda size: size)
    copies = hub.journal._copies
    monkeypatch.setattr(copies, "check_saw_no_more", lambda size, *, keys: (size, keys))
    monkeypatch.setattr(copies, "extend", lambda signed: signed)

    with pytest.raises(TooFewWitnesses) as refused:
        hub.journal.record(catalogue_event(1))

    said = str(refused.value)
    assert [name for name in WITNESSES if f"{name}: " in said] == list(WITNESSES)
    assert said.count("fork") == len(WITNESSES)


def test_a_witness_restored_from_a_backup_says_nothing_until_it_is_told_a_head(
    served: ServedHub,
) -> None:
    folder, backup = served.party("witness-1"), served.hub.root / "backup"
    served.stop("witness-1")
    shutil.copytree(folder, backup)
    served.start("witness-1")
    assert made_by(ceremony(served)) == 1
    served.stop("witness-1")
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    served.start("witness-1")

    done = ceremony(served)

    assert made_by(done) == 1
    assert "witness-1 was passed over. Witness witness-1 was restored" in done.stderr
    restore_witness(folder, log=served.hub.hub / "site/log")
    again = ceremony(served)
    assert made_by(again) == 1
    assert "passed over" not in again.stderr


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_one_witness_whose_clock_is_wrong_stops_nothing_and_deceives_nobody(
    served: ServedHub, seconds: int
) -> None:
    wanted = served.granted()
    served.stop("witness-1")
    served.start_changed("witness-1", skewed_clock(seconds))

    hub = served.open()
    with hub.release.open(wanted) as keys:
        assert keys.request > 0
    assert hub.release.complaints == {}
    if seconds < 0:
        assert "witness-1 went back" in hub.journal.complaints["witness-1"]
    check_a_stranger_agrees(served)
