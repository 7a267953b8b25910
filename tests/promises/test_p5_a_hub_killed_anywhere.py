"""P5 and P7 for the log: a hub killed at any step of a commit finishes it byte for byte.

Real processes, really killed (SIGKILL): a child records an act and dies at its
n-th flush to the disk, for every n there is. What
the world had seen by then must stand after the restart: nothing is cut off,
replaced, or given another index.

The last tests plant the breach: a hub that cuts its log off at the restart.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from fakes.hub_log import WITNESSES, HubLog, catalogue_event, hub_in, known_cast
from havre.adapters.log.files import LogFiles
from havre.application.outside import TooFewWitnesses
from havre.errors import NotGenuine
from havre.formats.notes import parse_checkpoint, parse_note

VERIFIER = Path(__file__).parents[2] / "tools/verify_log.py"
NEXT_ACT = catalogue_event(78)

# Imports once, then forks a fresh process for each step, before it has any other thread.
CHILD = """
import os, signal, sys, threading
from pathlib import Path
from havre.domain.events import CatalogueImported
from fakes.hub_log import hub_in
from fakes.parties import START
kind, stride, *folders = sys.argv[1:]
act = CatalogueImported(event_id="7" * 32, at=START, catalogue_sha256="0" * 64, tables=77)
flush = os.fsync

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def dying_at(step):
    # Witnesses are asked at once: each flush of theirs has a number of its own.
    left, counting = step, threading.Lock()
    def fsync(descriptor):
        nonlocal left
        with counting:
            left -= 1
            mine = left
        if mine == 0 and kind == "before":
            die()
        flush(descriptor)
        if mine == 0:
            die()
    return fsync

class InTurn:
    # Witnesses are asked at once; here each waits for the one before, and the last one kills.
    def __init__(self, witness, before, last):
        self.name, self.size_seen, self._witness = witness.name, witness.size_seen, witness
        self._before, self._last, self.done = before, last, threading.Event()
    def cosign(self, note, **given):
        if self._before:
            self._before.done.wait()
        line = self._witness.cosign(note, **given)
        if self.name == self._last:
            die()
        self.done.set()
        return line

def run(step, folder):
    hub = hub_in(Path(folder))
    witnesses = hub.witnesses()
    if kind.startswith("witness-"):
        for place, witness in enumerate(witnesses):
            witnesses[place] = InTurn(witness, witnesses[place - 1] if place else None, kind)
    else:
        os.fsync = dying_at(step * int(stride))
    hub.journal(witnesses=witnesses).record(act)

for step, folder in enumerate(folders, start=1):
    child = os.fork()
    if child == 0:
        run(step, folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)
"""

ACT_ID = "7" * 32


def killed(kind: str, folders: Sequence[Path], *, stride: int = 1) -> list[int]:
    """Record the act in each folder and die there; returns the signals (0: it lived).

    stride: how many flushes later each folder's process dies than the one before.
    """
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, kind, str(stride), *map(str, folders)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(tests)},
    )
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with two entries, from which every step starts."""
    folder = tmp_path_factory.mktemp("before") / "hub"
    folder.mkdir()
    hub_in(folder).filled(2)
    return folder


def copies(before: Path, target: Path, number: int) -> list[Path]:
    """Copy the hub and everybody around it; a witness knows its folder, so it is told anew."""
    folders = [target / f"{step:02d}" for step in range(number)]
    for folder in folders:
        shutil.copytree(before, folder)
        hub = hub_in(folder)
        for witness in hub.witnesses():
            witness.enter_head(hub.store())
    return folders


def files_of(hub: HubLog) -> dict[str, bytes]:
    """The log's files, as the world could fetch them."""
    return {
        path.relative_to(hub.site).as_posix(): path.read_bytes()
        for path in (hub.site / "log/tile").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def check_it_goes_on(folder: Path) -> bool:
    """Restart a killed hub and hold the promise against it; returns whether the act was there."""
    hub = hub_in(folder)
    waiting, files = hub.store().pending(), files_of(hub)
    outbox = [row.event_id for row in hub.records().pending()]
    seen = {witness.name: witness.size_seen(hub.roots.origin) for witness in hub.witnesses()}
    mirrored = hub.mirror().reader.entries(0, hub.mirror().held())

    journal = hub.journal()
    journal.resume()

    published = hub.store().checkpoint()
    entries = [each.event.event_id for each in hub.public().entries()]
    if waiting is not None:
        assert published.startswith(waiting)
    # A flush that never happened leaves a file half written beside the real
    # one; what has its name is never changed.
    assert files.items() <= files_of(hub).items()
    assert journal.complaints == {}
    assert all(
        witness.size_seen(hub.roots.origin) >= seen[witness.name] for witness in hub.witnesses()
    )
    assert hub.store().entries(0, len(mirrored)) == mirrored
    assert all(event_id in entries for event_id in outbox)
    assert entries.count(ACT_ID) <= 1
    there = ACT_ID in entries
    assert journal.record(NEXT_ACT) == (2 + there,)
    return there


def check_a_stranger_agrees(folder: Path) -> None:
    hub = hub_in(folder)
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(hub.site), "--trust", str(hub.trust)],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


# Dying after each flush; and before every third, for files half written.
@pytest.mark.parametrize(("kind", "stride"), [("after", 1), ("before", 3)])
def test_a_hub_killed_at_any_flush_finishes_what_it_began(
    before: Path, tmp_path: Path, kind: str, stride: int
) -> None:
    folders = copies(before, tmp_path, 36 // stride)

    ends = killed(kind, folders, stride=stride)

    steps = ends.count(signal.SIGKILL)
    # Entries, tiles, the pending head, a mirror, four witnesses, the published
    # head: fewer flushes than that would mean that one of them is not durable.
    assert 20 // stride <= steps < len(folders)
    assert ends == [signal.SIGKILL] * steps + [0] * (len(folders) - steps)
    there = [check_it_goes_on(folder) for folder in folders[: steps + 1]]
    assert all(there)
    for folder in folders[:steps:6]:
        check_a_stranger_agrees(folder)


@pytest.mark.parametrize("kind", WITNESSES)
def test_a_hub_killed_after_a_cosignature_that_it_never_heard_of_finishes_the_same_head(
    before: Path, tmp_path: Path, kind: str
) -> None:
    """PROTOCOLS section 8: truncating the log at the restart is what goes wrong most easily."""
    (folder,) = copies(before, tmp_path, 1)
    assert killed(kind, [folder]) == [signal.SIGKILL]
    hub = hub_in(folder)
    waiting = hub.store().pending()
    assert waiting is not None
    assert hub.witness(kind).size_seen(hub.roots.origin) == 3
    assert parse_checkpoint(parse_note(hub.store().checkpoint()).text).size == 2

    assert check_it_goes_on(folder)


class CuttingLog(LogFiles):
    """The breach: at its restart this log throws away what was signed and not published."""

    def pending(self) -> None:
        (self._private / "pending").unlink(missing_ok=True)


class CuttingHub(HubLog):
    """A hub with such a log, which forgets the act as well."""

    def store(self) -> LogFiles:
        return CuttingLog(self.site / "log", private=self.root / "private")

    def forget(self) -> None:
        for path in self.root.glob("records.sqlite*"):
            path.unlink()


def cutting(folder: Path) -> CuttingHub:
    hub = CuttingHub(folder, cast=known_cast())
    hub.forget()
    return hub


def test_a_hub_that_cuts_its_log_off_is_stopped_by_the_mirror(before: Path, tmp_path: Path) -> None:
    (folder,) = copies(before, tmp_path, 1)
    killed("witness-1", [folder])

    with pytest.raises(NotGenuine, match="mirror keeps more"):
        cutting(folder).journal().record(NEXT_ACT)


def test_a_hub_that_cuts_its_log_off_is_named_by_the_witness_that_saw_it(
    before: Path, tmp_path: Path
) -> None:
    """One witness alone cannot stop a hub, or one liar could: it refuses for good, by name."""
    (folder,) = copies(before, tmp_path, 1)
    killed("witness-1", [folder])
    hub = cutting(folder)
    journal = hub.journal(mirrors=[hub.mirror("custodian-2")])

    journal.record(NEXT_ACT)

    assert list(journal.complaints) == ["witness-1"]
    assert "fork" in journal.complaints["witness-1"]


@pytest.mark.parametrize("kind", ["witness-2", "witness-3", "witness-4"])
def test_a_hub_that_cuts_its_log_off_is_stopped_by_two_witnesses_that_saw_it(
    before: Path, tmp_path: Path, kind: str
) -> None:
    (folder,) = copies(before, tmp_path, 1)
    killed(kind, [folder])
    hub = cutting(folder)

    with pytest.raises((NotGenuine, TooFewWitnesses), match="witness-1"):
        hub.journal(mirrors=[hub.mirror("custodian-2")]).record(NEXT_ACT)
