"""The key-loss drill's stage: custodians as processes, a hub that works as one, people who order and attend."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from havre.bootstrap.drills.key_seeker import Sightings, Sought
from havre.bootstrap.drills.stage import Stage
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.parties import directories
from havre.bootstrap.place import CONFIGURATION, draft_place, read_place, settle_place
from havre.bootstrap.resharing import adopt, draft_trust, write_ceremony_order
from havre.bootstrap.services import Services, write_service
from havre.bootstrap.tokens import create_token
from havre.domain.trust import Role
from havre.errors import Unavailable

_TIMEOUT_S = 300
_CUSTODIANS = re.compile(r"^(?:custodians|former) = .*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the working hub said: what came of an act, or why it refused."""

    ok: Any = None
    refused: str = ""


class WorkingHub:
    """The hub's process, spoken to line by line."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        self.pid = child.pid

    def do(self, act: str, **words: str) -> Reply:
        """Have it do one act.

        Raises:
            Unavailable: its process ended.
        """
        if self._child.stdin is None or self._child.stdout is None:
            raise Unavailable("The rehearsal's hub has no pipes.")
        try:
            self._child.stdin.write(json.dumps({"act": act, **words}).encode() + b"\n")
            self._child.stdin.flush()
            said = json.loads(self._child.stdout.readline())
        except (OSError, ValueError):
            raise Unavailable("The process of the rehearsal's hub ended.") from None
        return Reply(said.get("ok"), said.get("refused", ""))


@contextmanager
def hub_at_work(stage: Stage) -> Iterator[WorkingHub]:
    """Start the hub's process, with a place of its own for temporary files."""
    scratch = stage.root / "scratch"
    scratch.mkdir(mode=0o700)
    words = [sys.executable, "-I", "-m", "havre.bootstrap.drills.hub_at_work", str(stage.hub)]
    with subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=scratch,
        env={"TMPDIR": str(scratch), "HOME": str(scratch)},
    ) as child:
        try:
            yield WorkingHub(child)
        finally:
            if child.stdin:
                child.stdin.close()
            try:
                child.wait(timeout=_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()


def serve_custodians(stage: Stage) -> None:
    """From now on custodians and the escrow are asked at sockets in their own directories."""
    place = read_place(stage.hub)
    (escrow,) = directories([place.escrow])
    draft_place(
        stage.hub,
        custodians=[write_service(each, log=place.log) for each in directories(place.custodians)],
        escrow=write_service(escrow, log=place.log),
        witnesses=place.witnesses,
        settings=place.settings,
    )
    settle_place(stage.hub)


def name_custodians(stage: Stage, names: Sequence[str], *, former: Sequence[str]) -> None:
    """Write into `havre.toml` who is asked from now on, and who was before."""

    def spelled(listed: Sequence[str]) -> str:
        return "[" + ", ".join(f'"unix:../parties/{each}/{each}.sock"' for each in listed) + "]"

    path = stage.hub / CONFIGURATION
    text = _CUSTODIANS.sub("", path.read_text("utf-8"))
    named = f"[parties]\ncustodians = {spelled(names)}\nformer = {spelled(former)}\n"
    path.write_text(text.replace("[parties]\n", named), "utf-8")


@dataclass(frozen=True, slots=True)
class Ordered:
    """A ceremony's order and the trust roots that it names, as files."""

    order: Path
    trust: Path


def make_successors(stage: Stage, services: Services, *, names: Sequence[str]) -> None:
    """Make new custodians, each in a directory of its own, not started yet."""
    for name in names:
        folder = stage.parties / name
        create_token(folder, name=name, role=Role.CUSTODIAN, operator=f"house of {name}")
        write_service(folder, log=read_place(stage.hub).log)
        if services.uids:
            services.uids[name] = max(services.uids.values()) + 1


def order_ceremony(
    stage: Stage, *, name: str, lost: Sequence[str], fresh: Sequence[str], by: Sequence[str]
) -> Ordered:
    """Have people sign that others take over; the new ones take the trust roots from the order."""
    ordered = Ordered(stage.root / f"{name}.json", stage.root / f"{name}-trust.json")
    hub = OpenHub(stage.hub)
    if not ordered.trust.exists():
        folders = [stage.parties / each for each in fresh]
        draft_trust(hub, add=folders, former=lost, threshold=None, out=ordered.trust)
    signers = [stage.parties / each for each in by]
    write_ceremony_order(hub, ordered.trust, parties=signers, out=ordered.order)
    return ordered


def take_over(stage: Stage, ordered: Ordered, *, names: Sequence[str]) -> None:
    """Have parties take over the trust roots that an order names."""
    for name in names:
        adopt(ordered.order, ordered.trust, stage.parties / name)


def lose(stage: Stage, services: Services, *, name: str) -> None:
    """A custodian's process ends and its directory is gone; somebody may find it one day."""
    services.stop(name)
    lost = stage.root / "lost"
    lost.mkdir(exist_ok=True)
    shutil.move(stage.parties / name, lost / name)


def seek(sought: Sought) -> Sightings:
    """Have a process of its own look for whole keys."""
    words = [sys.executable, "-I", "-m", "havre.bootstrap.drills.key_seeker"]
    done = subprocess.run(
        [*words, json.dumps(asdict(sought))],
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
        cwd="/",
        env={},
    )
    try:
        return Sightings(**json.loads(done.stdout))
    except (TypeError, ValueError):
        raise Unavailable("The process that looks for keys ended without an answer.") from None


def try_keys(stage: Stage, partitions: Sequence[str], *, also: Sequence[Path]) -> list[str]:
    """Have `havre keys try` open what it can with copies that somebody has; names what opened."""
    words = [sys.executable, "-I", "-m", "havre", "keys", "try", *partitions]
    for each in also:
        words += ["--also", str(each)]
    done = subprocess.run(
        [*words, "--hub", str(stage.hub), "--json"],
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
        cwd="/",
    )
    try:
        opened = json.loads(done.stdout)["opened"]
    except (KeyError, TypeError, ValueError):
        raise Unavailable("The program that tries keys ended without an answer.") from None
    return sorted(str(each) for each in opened)
