"""P5: two commands at once leave one true log: nothing twice, nothing on a predecessor that moved.

Real processes on one hub. Each stops for a while just before it records a
certain kind of entry, and goes on when another has come to the same place, or
when it has waited long enough. Without the journal's lock around reading and
recording both would then record what they had read before.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.hub_outputs import HubOutputs
from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, founded, quiet
from fakes.verifier import GENUINE, verify
from havre.application.vault.keys import KeysWanted
from havre.cli.demo_texts import PERMIT
from havre.domain.events import (
    DeliveryChecked,
    DeliveryReceived,
    Event,
    KeysAbandoned,
    KeysReleased,
    KeysRequested,
    PermitMoved,
    VersionPublished,
    VoteCast,
    events_of,
)
from havre.domain.permit_states import PermitState
from havre.errors import Refused

TESTS = Path(__file__).parents[1]
# Says, at its end, `done` or the class of its refusal.
CHILD = """
import os, sys, time
from pathlib import Path
from fakes.small_hub import PERMIT_NAME, SmallHub, quiet
from havre.application.ingest_run import DatasetRun
from havre.application.journal import Journal
from havre.domain.permit_states import PermitState
from havre.errors import HavreError
root, meeting, kind, patience_s, act, *words = sys.argv[1:]
small, meeting = SmallHub(Path(root)), Path(meeting)
record, close = Journal.record, DatasetRun.close

def meet():
    (meeting / f"here-{os.getpid()}").touch()
    end = time.monotonic() + float(patience_s)
    while len(list(meeting.iterdir())) < 2 and time.monotonic() < end:
        time.sleep(0.02)

def stopping(self, *events, **named):
    if events and events[0].kind == kind:
        meet()
    return record(self, *events, **named)

def sealing(self):
    if kind == "sealing":
        meet()
    return close(self)

def sign(authority):
    hub.permits.sign(PERMIT_NAME, authority=small.token(authority))

def decide(authority, state):
    hub.permits.decide(
        PERMIT_NAME, PermitState(state), authority=small.token(authority), reason="a test"
    )

def receive():
    hub.receiving.receive()

def ingest(dataset):
    hub.ingestion.ingest(dataset, progress=quiet)

hub = small.open()
Journal.record, DatasetRun.close = stopping, sealing
try:
    globals()[act](*words)
    print("done")
except HavreError as refusal:
    print(type(refusal).__name__); print(refusal, file=sys.stderr)
"""


class Stage:
    """One hub, and the processes that were started on it."""

    def __init__(self, hub: SmallHub, meeting: Path) -> None:
        self.hub, self.meeting = hub, meeting
        self.started: list[subprocess.Popen[str]] = []

    def start(self, kind: str, *act: str, patience_s: float = 4) -> subprocess.Popen[str]:
        """Start an act that stops before it records an entry of a kind, or at its sealing."""
        words = [str(self.hub.root), str(self.meeting), kind, str(patience_s), *act]
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, *words],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )
        self.started.append(child)
        return child

    def wait_for_somebody(self) -> None:
        """Wait until one has come to the place where it stops."""
        end = time.monotonic() + 60
        while not any(self.meeting.iterdir()):
            assert time.monotonic() < end
            time.sleep(0.02)

    def let_go(self) -> None:
        """Let whoever stopped go on."""
        for number in range(2):
            (self.meeting / f"go-{number}").touch()

    def ends(self) -> list[str]:
        """What each process said at its end."""
        return [child.communicate(timeout=120)[0].strip() for child in self.started]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line on this hub, for half a minute at most."""
        return subprocess.run(
            [sys.executable, "-m", "havre", *words, "--hub", str(self.hub.hub)],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )

    def events(self) -> list[Event]:
        """The log as it is now."""
        return [logged.event for logged in self.hub.open().log.entries()]

    def verdict(self) -> int:
        """What a stranger's verifier says of the log."""
        trust = self.hub.parties / "holder" / "trust.json"
        return verify(self.hub.hub / "site", "--trust", trust).returncode


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "meeting").mkdir()
    staged = Stage(copy_of(founded(), tmp_path / "hub"), tmp_path / "meeting")
    yield staged
    for child in staged.started:
        child.kill()
        child.communicate()


def ask(hub: SmallHub) -> None:
    text = PERMIT.format(environment="a" * 64).encode()
    hub.open().permits.ask(text, applicant=hub.token("researcher"))


def deliver(hub: SmallHub, *names: str) -> None:
    hub.holder().deliver([hub.deliveries / name for name in names], progress=quiet)


def test_a_signature_that_races_a_refusal_rests_on_it_or_before_it(stage: Stage) -> None:
    ask(stage.hub)
    stage.hub.open().permits.sign(PERMIT_NAME, authority=stage.hub.token("authority-1"))

    stage.start(PermitMoved.kind, "sign", "authority-2")
    stage.start(PermitMoved.kind, "decide", "authority-1", "refused")

    assert sorted(stage.ends()) == ["Refused", "done"]
    assert stage.verdict() == GENUINE


def test_two_first_signatures_at_once_become_a_first_and_a_second(stage: Stage) -> None:
    ask(stage.hub)

    stage.start(PermitMoved.kind, "sign", "authority-1")
    stage.start(PermitMoved.kind, "sign", "authority-2")

    assert stage.ends() == ["done", "done"]
    assert stage.hub.open().permits.standing(PERMIT_NAME).state is PermitState.GRANTED
    assert stage.verdict() == GENUINE


def test_two_ingestions_at_once_publish_every_row_once(stage: Stage) -> None:
    deliver(stage.hub, "cepidc-2024")
    assert not stage.hub.open().receiving.receive().held

    stage.start(DeliveryChecked.kind, "ingest", "cepidc")
    stage.start(DeliveryChecked.kind, "ingest", "cepidc")

    assert sorted(stage.ends()) in (["NotFound", "done"], ["Refused", "done"])
    assert len(events_of(stage.events(), VersionPublished)) == 1
    assert len(events_of(stage.events(), DeliveryChecked)) == 1
    assert stage.verdict() == GENUINE


def test_a_second_reception_waits_and_takes_nothing_in_twice(stage: Stage) -> None:
    deliver(stage.hub, "cepidc-2024", "pmsi-mco-2023")

    stage.start(DeliveryReceived.kind, "receive", patience_s=2)
    stage.start(DeliveryReceived.kind, "receive", patience_s=2)

    assert stage.ends() == ["done", "done"]
    received = [each.delivery for each in events_of(stage.events(), DeliveryReceived)]
    assert sorted(received) == ["cepidc-2024", "pmsi-mco-2023"]
    assert stage.hub.open().inbox.list_deliveries() == []
    assert list(stage.hub.hub.joinpath("inbox").glob("[!.]*")) == []


def test_the_request_of_a_living_process_is_left_to_it(stage: Stage) -> None:
    """It stops between its request and the release; who looks sees it, who acts waits."""
    deliver(stage.hub, "cepidc-2024")
    assert not stage.hub.open().receiving.receive().held
    stage.start(KeysReleased.kind, "ingest", "cepidc", patience_s=60)
    stage.wait_for_somebody()

    stage.command("status")
    acting = threading.Thread(target=stage.command, args=("ceremony", "--landing", "1"))
    acting.start()
    acting.join(3)
    waited = acting.is_alive()
    stage.let_go()
    acting.join(60)

    assert waited
    assert stage.ends() == ["done"]
    assert events_of(stage.events(), KeysAbandoned) == []
    assert stage.verdict() == GENUINE


def test_a_long_run_keeps_nobody_from_closing_a_door(stage: Stage) -> None:
    ask(stage.hub)
    deliver(stage.hub, "cepidc-2024")
    assert not stage.hub.open().receiving.receive().held
    stage.start("sealing", "ingest", "cepidc", patience_s=120)
    stage.wait_for_somebody()

    decision = ("permit", "decide", PERMIT_NAME, "refused", "--reason", "a test")
    stage.command(*decision, "--party", str(stage.hub.parties / "authority-1"))
    decided = stage.hub.open().permits.standing(PERMIT_NAME).state
    stage.let_go()

    assert decided is PermitState.REFUSED
    assert stage.ends() == ["done"]
    assert stage.verdict() == GENUINE


def test_looking_appends_nothing_and_the_next_act_closes_what_a_dead_process_left(
    stage: Stage,
) -> None:
    deliver(stage.hub, "cepidc-2024")
    assert not stage.hub.open().receiving.receive().held
    dying = stage.start(KeysReleased.kind, "ingest", "cepidc", patience_s=60)
    stage.wait_for_somebody()
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    before = (stage.hub.hub / "site/log/checkpoint").read_bytes()

    for words in (
        ("status",),
        ("permit", "list"),
        ("catalogue", "show"),
        ("catalogue", "publish"),
    ):
        stage.command(*words)
    looked = (stage.hub.hub / "site/log/checkpoint").read_bytes()
    stage.command("ceremony", "--landing", "1")

    assert looked == before
    (request,) = [
        each.index
        for each in stage.hub.open().log.entries()
        if isinstance(each.event, KeysRequested)
    ]
    assert [each.request for each in events_of(stage.events(), KeysAbandoned)] == [request]
    assert stage.verdict() == GENUINE


def test_an_extract_that_a_revocation_overtakes_is_not_recorded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(stage.hub, *(path.name for path in stage.hub.deliveries.iterdir()))
    opened = stage.hub.open()
    opened.receiving.receive()
    for dataset in opened.ingestion.waiting_datasets():
        opened.ingestion.ingest(dataset, progress=quiet)
    ask(stage.hub)
    for authority in ("authority-1", "authority-2"):
        stage.hub.open().permits.sign(PERMIT_NAME, authority=stage.hub.token(authority))
    hub = stage.hub.open()

    def revoke(_table: str) -> None:
        if hub.permits.standing(PERMIT_NAME).state is PermitState.GRANTED:
            stage.hub.open().permits.decide(
                PERMIT_NAME,
                PermitState.REVOKED,
                authority=stage.hub.token("authority-1"),
                reason="a test",
            )

    with pytest.raises(Exception, match="is revoked"):
        hub.extraction.extract(PERMIT_NAME, progress=revoke)

    assert stage.verdict() == GENUINE


def test_keys_are_not_asked_for_on_a_permit_that_has_moved(stage: Stage) -> None:
    """The withdrawal falls between the reading of the permit and the request."""
    ask(stage.hub)
    hub = stage.hub.open()
    for authority in ("authority-1", "authority-2"):
        hub.permits.sign(PERMIT_NAME, authority=stage.hub.token(authority))
    granted = hub.permits.standing(PERMIT_NAME)
    hub.permits.decide(
        PERMIT_NAME,
        PermitState.SUSPENDED,
        authority=stage.hub.token("authority-1"),
        reason="a test",
    )
    stale = KeysWanted(purpose="run", partitions=[], permit=granted.index)

    with pytest.raises(Refused, match="has moved since"), hub.release.open(stale):
        pass

    assert events_of(stage.events(), KeysRequested) == []


def test_two_checkers_who_vote_at_once_are_a_first_and_a_second(tmp_path: Path) -> None:
    """Two journals and two readers of one log, each as a process of its own would have it."""
    hub = HubOutputs(tmp_path / "hub")
    hub.submitted()
    ready = threading.Barrier(2)
    voters = {name: hub.restarted().reviews() for name in ("checker-1", "checker-2")}

    def vote(checker: str) -> None:
        ready.wait()
        voters[checker].vote("r1", "approve", checker=hub.log.cast[checker])

    both = [threading.Thread(target=vote, args=(name,)) for name in voters]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)

    assert len(events_of(hub.events(), VoteCast)) == 2
    assert hub.reviews().standing("r1").state.value == "approved"
    assert hub.stranger().returncode == GENUINE


def test_a_copy_of_the_stage_is_a_hub_like_any_other(stage: Stage) -> None:
    """The tests above would say little if the verifier liked everything."""
    entries = stage.hub.hub / "site/log/tile/entries"
    shutil.rmtree(entries)

    assert stage.verdict() != GENUINE
