"""P6 and P7: leaving, arriving and the drill, killed at any moment, are finished by the same command.

Real processes, really killed (SIGKILL): a child runs the command's own code and
dies at its n-th flush to the disk. The same command, run again by a process of
its own, must end as if nothing had happened: one departure on the log, one
arrival, and everything equal.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from fakes.departed import Moving, departed, released
from fakes.small_hub import SmallHub, copy_of, ingested
from havre.adapters.package.folder import FolderPackageReader
from havre.application.arrive import read_package
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.leaving import prepare_host
from havre.domain.events import Arrived, Departed, DrillRan, Handover, events_of

# Imports once, then forks a process for each folder; prints how it ended, or how
# many flushes there were. A step of 0 counts and lives.
CHILD = """
import os, signal, sys, traceback
from pathlib import Path
from fakes.small_hub import SmallHub, quiet
from havre.bootstrap import leaving
from havre.bootstrap.drills.subpoena import subpoena
act, *pairs = sys.argv[1:]
flush = os.fsync

def run(root):
    hub = SmallHub(root)
    if act == "prepare":
        leaving.prepare_host(root / "new")
    elif act == "depart":
        leaving.depart(hub.open(), name="move-1", card=root / "new" / "host.json",
                       controller=hub.parties / "controller", package=root / "package")
    elif act == "arrive":
        leaving.arrive(root / "new", package=root / "package", parties=hub.parties, progress=quiet)
    else:
        subpoena(hub.open())

def child(step, root):
    done = 0
    def fsync(descriptor):
        nonlocal done
        flush(descriptor)
        done += 1
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)
    os.fsync = fsync
    run(root)
    return done

for pair in pairs:
    step, _, root = pair.partition(":")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, str(child(int(step), Path(root))).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(9)
    _, status = os.waitpid(pid, 0)
    os.close(writer)
    said = os.read(reader, 20).decode()
    print("killed" if os.WIFSIGNALED(status) else said or "failed", flush=True)
"""


def children(act: str, steps: dict[Path, int]) -> list[str]:
    """Run an act in each folder, to be killed at its step; says how each ended."""
    pairs = [f"{step}:{root}" for root, step in steps.items()]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, act, *pairs],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr
    ends = done.stdout.split()
    assert "failed" not in ends, done.stderr
    return ends


def killed_everywhere(
    act: str,
    root: Path,
    *,
    start: Callable[[Path], object],
    last: int,
    every: int,
    unsure: int = 0,
) -> list[Path]:
    """Folders in which the act was killed: early, in the middle, and all over its last steps.

    last, every: how many of the last flushes, and each how many of them.
    unsure: how many flushes there may be fewer, for an object whose folder is there already.
    """
    start(root / "whole")
    (total,) = children(act, {root / "whole": 0})
    flushes = int(total) - unsure
    first = max(1, flushes - last)
    steps = sorted({1, flushes // 2, *range(first, flushes + 1, every), flushes})
    folders = {root / f"{step:03d}": step for step in steps}
    for folder in folders:
        start(folder)
    ends = children(act, folders)
    assert ends == ["killed"] * len(folders)
    return list(folders)


def objects_of(hub: OpenHub) -> dict[str, str]:
    """The store's objects by their hashes."""
    return {
        str(each): hashlib.sha256(b"".join(hub.objects.get(each))).hexdigest()
        for each in hub.objects.list_objects()
    }


def ready_to_leave(root: Path) -> None:
    copy_of(released(), root)
    prepare_host(root / "new")


def check_left(move: Moving) -> None:
    """The log says once that the hub left, with the package that lies there whole."""
    events = [each.event for each in OpenHub(move.hub.hub).log.entries()]
    (left,) = events_of(events, Departed)
    assert isinstance(events[-1], Handover)
    assert events[-2] == left
    assert len(events_of(events, Handover)) == 1
    body = (move.package / "departure.json").read_bytes()
    assert hashlib.sha256(body).hexdigest() == left.manifest_sha256
    read_package(FolderPackageReader(move.package))
    assert not list(move.root.glob(".*packing"))


def test_a_departure_killed_anywhere_is_finished_by_the_same_command(tmp_path: Path) -> None:
    folders = killed_everywhere("depart", tmp_path, start=ready_to_leave, last=28, every=6)

    for folder in folders:
        # What has the package's name is whole; before the handover nothing has it.
        assert (folder / "package").exists() <= has_left(folder)
    assert "failed" not in children("depart", dict.fromkeys(folders, 0))
    for folder in folders:
        check_left(Moving(SmallHub(folder)))
    assert len({has_left(folder) for folder in folders}) == 1


def has_left(root: Path) -> bool:
    return isinstance(OpenHub(root / "hub").log.entries()[-1].event, Handover)


def ready_to_arrive(root: Path) -> None:
    copy_of(departed().hub, root)


def test_an_arrival_killed_anywhere_is_finished_by_the_same_command(tmp_path: Path) -> None:
    folders = killed_everywhere("arrive", tmp_path, start=ready_to_arrive, last=66, every=12)

    assert "failed" not in children("arrive", dict.fromkeys(folders, 0))
    before = OpenHub(departed().hub.hub)
    waiting = before.inbox.list_deliveries()
    for folder in folders:
        after = OpenHub(folder / "new")
        events = [each.event for each in after.log.entries()]
        assert len(events_of(events, Arrived)) == 1
        assert isinstance(events[-1], Arrived)
        assert objects_of(after) == objects_of(before)
        for kind in before.records.list_kinds():
            assert after.records.list_documents(kind) == before.records.list_documents(kind)
        assert after.inbox.list_deliveries() == waiting
        assert not (folder / "new" / "arriving.json").exists()
        assert (folder / "new" / "holders" / "catalogue.json").exists()


def test_an_unfinished_arrival_is_no_hub(tmp_path: Path) -> None:
    ready_to_arrive(tmp_path / "a")
    assert children("arrive", {tmp_path / "a": 20}) == ["killed"]

    done = subprocess.run(
        [sys.executable, "-m", "havre", "status", "--hub", str(tmp_path / "a" / "new")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 5
    assert "There is no hub" in done.stderr


def test_a_host_killed_while_its_keys_are_made_is_prepared_by_the_same_command(
    tmp_path: Path,
) -> None:
    def start(root: Path) -> None:
        root.mkdir()

    folders = killed_everywhere("prepare", tmp_path, start=start, last=3, every=1)

    assert "failed" not in children("prepare", dict.fromkeys(folders, 0))
    assert all((folder / "new" / "host.json").exists() for folder in folders)


def test_a_drill_killed_anywhere_can_be_run_again(tmp_path: Path) -> None:
    def start(root: Path) -> None:
        copy_of(ingested(), root)

    folders = killed_everywhere("drill", tmp_path, start=start, last=24, every=8, unsure=2)

    assert "failed" not in children("drill", dict.fromkeys(folders, 0))
    for folder in folders:
        events = [each.event for each in OpenHub(folder / "hub").log.entries()]
        drills = events_of(events, DrillRan)
        # One that was killed after its receipt was kept goes on the log as well.
        assert len(drills) in (1, 2)
        assert {each.verdict for each in drills} == {"held"}
