"""The host-seizure drill: a hub's host vanishes at work, its disks are searched, a standby goes on.

Held on a small hub of its own, whose process is killed in the middle of its work.
What is left is what a real hub has elsewhere: a replica of the store, a backup of
the records sealed to the standby, the custodians' copies of the log, the parties.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from havre.adapters.seizure.folders import SeizedFolders
from havre.application.drill.search import INBOX, Search, search_seizure
from havre.application.recover import Recovered
from havre.bootstrap.drills.remnants import SCRATCH, allow_core_files, scratch_environment
from havre.bootstrap.drills.stage import PERMIT, Stage, rehearsal_hub
from havre.bootstrap.drills.subpoena import open_subpoena
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.leaving import prepare_host
from havre.bootstrap.recovering import Remains, back_up, recover
from havre.bootstrap.strangers import verifier_path
from havre.domain.departure import AssetClass
from havre.domain.drill_receipt import DrillRun
from havre.domain.events import VersionPublished, events_of
from havre.domain.rehearsals import DrillName
from havre.domain.seizure import Grave
from havre.errors import HavreError
from havre.formats.canonical import Json

WORKING, LOST, RECOVERED = "working", "lost", "recovered"
_DELIVERIES = ("beneficiaires-2023", "dcir-2023-04", "dcir-2023-05", "dcir-2023-06")
_LATE = "cepidc-2023"
_CANARIES = 8
_KILL_AFTER_S = (0.2, 0.6)
_TIMEOUT_S = 120
_NOT_BACK = "the hub was not recovered"
_NOT_SEPARATED = (
    "the store's host, the hub and the standby stood on one machine, under one user",
    "the memory of the hub's process was not imaged: it is lost with the power, and holds what it works on",
)


@dataclass(slots=True)
class _Course:
    """What was observed on the way.

    killed: processes of the hub that were killed while they worked.
    images: by place, what was found in its image. blind: places whose finder missed a plant.
    believed: acts of the lost host that anybody took after the recovery.
    """

    killed: int = 0
    images: dict[str, Search] = field(default_factory=dict)
    blind: list[str] = field(default_factory=list)
    recovered: Recovered | None = None
    refusal: str = ""
    rto_s: int = 0
    audit_lost_s: int = 0
    waited_s: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    breaks: int = 0
    believed: list[str] = field(default_factory=list)


def seizure(
    seed: str, *, spoil: Callable[[Stage, str], None] = lambda _stage, _moment: None
) -> DrillRun:
    """Hold the drill.

    seed: 32 hexadecimal characters.
    spoil: what a test breaks, and at which moment: `WORKING`, `LOST` or `RECOVERED`.
    """
    began, course = time.monotonic(), _Course()
    with rehearsal_hub("seizure", seed=seed) as stage:
        host = _Host(stage)
        host.work()
        spoil(stage, WORKING)
        seen = host.vanish()
        course.killed = host.killed
        lost_at = time.monotonic()
        spoil(stage, LOST)
        _search_images(stage, course)
        _recover(stage, course, seen=seen)
        if course.recovered:
            _use(stage, course)
            course.rto_s = round(time.monotonic() - lost_at)
            spoil(stage, RECOVERED)
            _verify(stage, course)
            _let_lost_host_return(stage, course)
    observed, not_run = _observed(course)
    return DrillRun(
        drill=DrillName.SEIZURE,
        observed=observed,
        not_run=not_run,
        counters={
            "files": sum(each.files for each in course.images.values()),
            "size_bytes": sum(each.size_bytes for each in course.images.values()),
            "objects": course.recovered.objects if course.recovered else 0,
        },
        seed=seed,
        timings_ms={"all": round((time.monotonic() - began) * 1000)},
        not_separated=_NOT_SEPARATED,
        details=_details(course),
    )


class _Host:
    """The host that will vanish: a hub with two stores, at work."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._scratch = {name: stage.root / name for name in SCRATCH}
        self.killed = 0

    def work(self) -> None:
        """Take data in, grant a permit, cut an extract, make a backup; one delivery waits."""
        stage = self._stage
        stage.add_replica()
        for folder in self._scratch.values():
            folder.mkdir(mode=0o700)
        stage.deliver(_DELIVERIES[0])
        stage.take_in()
        stage.ask()
        stage.sign()
        stage.open().extraction.extract(PERMIT)
        stage.deliver(*_DELIVERIES[1:])
        stage.open().receiving.receive()
        card = prepare_host(stage.root / "standby")
        back_up(stage.open(), name="drill", card=card, package=stage.root / "backup")

    def vanish(self) -> bytes:
        """Kill the hub twice in the middle of an ingest, once so that it would leave a core file.

        Returns the last head that witnesses cosigned for it.
        """
        for number, how in enumerate((signal.SIGABRT, signal.SIGKILL)):
            self._kill_at_work(how, after_s=_KILL_AFTER_S[number])
        self._stage.deliver(_LATE)
        head = (self._stage.hub / "site" / "log" / "checkpoint").read_bytes()
        self._stage.hub.rename(self._stage.root / "seized")
        return head

    def _kill_at_work(self, how: signal.Signals, *, after_s: float) -> None:
        words = [sys.executable, "-m", "havre", "ingest", "dcir", "--hub", str(self._stage.hub)]
        head = self._stage.hub / "site" / "log" / "checkpoint"
        before = head.read_bytes()
        with subprocess.Popen(
            words,
            cwd=self._scratch["core"],
            env=scratch_environment(self._stage.root),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A kernel that may write a core file writes it here.
            preexec_fn=allow_core_files,  # noqa: PLW1509 - one thread, before exec
        ) as child:
            ends = time.monotonic() + _TIMEOUT_S
            # Keys were asked for: from now on it has clear data in its memory.
            while head.read_bytes() == before and child.poll() is None and time.monotonic() < ends:
                time.sleep(0.01)
            time.sleep(after_s)
            self.killed += child.poll() is None
            child.send_signal(how)


def _places(stage: Stage) -> dict[str, Path]:
    seized = stage.root / "seized"
    return {
        "store": seized / "store",
        INBOX: seized / "inbox",
        "hub": seized,
        **{name: stage.root / name for name in SCRATCH},
    }


def _search_images(stage: Stage, course: _Course) -> None:
    """Image every disk of the lost host, search each, and try each finder with a plant."""
    canaries = stage.people()[:_CANARIES]
    keys = open_subpoena(OpenHub(stage.root / "seized", clock=stage.clock)).public_keys()
    for name, place in _places(stage).items():
        image = stage.root / "image" / name
        shutil.copytree(place, image, symlinks=True)
        course.images[name] = _searched(image, name, canaries=canaries, keys=keys)
        plant = image / "planted"
        plant.write_bytes(b"\0" * 77 + canaries[0].encode() + b"\0" * 77)
        found = _searched(image, name, canaries=canaries, keys=keys)
        if not any(each.file == f"{name}/planted" for each in found.sightings):
            course.blind.append(name)
        shutil.rmtree(image)


def _searched(image: Path, name: str, *, canaries: list[str], keys: frozenset[str]) -> Search:
    return search_seizure(SeizedFolders({name: image}), canaries=canaries, public_keys=keys)


def _recover(stage: Stage, course: _Course, *, seen: bytes) -> None:
    """Go on at the standby, with nothing of the lost host."""
    (stage.root / "seen").write_bytes(seen)
    remains = Remains(stage.root / "backup", stage.parties, stage.replica_text())
    try:
        course.recovered = recover(
            stage.root / "standby",
            remains=remains,
            controller=stage.parties / "controller",
            progress=lambda _what: None,
        )
    except HavreError as fault:
        course.refusal = fault.message
        return
    course.audit_lost_s = _audit_lost_s(stage, course.recovered)
    waiting = sorted((stage.root / "seized" / "inbox").glob("*/note.json"))
    course.waited_s = max(
        (round(time.time() - each.stat().st_mtime) for each in waiting), default=0
    )


def _audit_lost_s(stage: Stage, recovered: Recovered) -> int:
    """Seconds between the last entry that the lost host published and the last that is here."""
    had = [each.event for each in OpenHub(stage.root / "seized").log.entries()]
    kept = had[: recovered.log_size]
    return round((had[-1].at - kept[-1].at).total_seconds()) if had and kept else 0


def _use(stage: Stage, course: _Course) -> None:
    """Work at the standby: the interrupted ingest, the permit, the delivery that is sent again."""
    standby = Stage(stage.root, stage.clock, at="standby")
    acts: Mapping[str, Callable[[], object]] = {
        "take in what was interrupted": standby.take_in,
        "extract": lambda: standby.open().extraction.extract(PERMIT),
        "deliver again": lambda: standby.deliver(_LATE),
        "take in": standby.take_in,
        "publish": standby.publish,
    }
    for name, act in acts.items():
        try:
            act()
        except HavreError as fault:
            course.failures[name] = fault.message
        except Exception as fault:  # noqa: BLE001 - its text may quote anything
            course.failures[name] = type(fault).__name__
    versions = events_of([each.event for each in standby.open().log.entries()], VersionPublished)
    if {each.dataset for each in versions} != {"beneficiaires", "cepidc", "dcir"}:
        course.failures.setdefault("take in", "a dataset has no version")


def _verify(stage: Stage, course: _Course) -> None:
    """Have a stranger follow the log from the last head before the loss."""
    words = [
        *(sys.executable, "-I", str(verifier_path()), str(stage.root / "standby" / "site")),
        *("--trust", str(stage.parties / "authority-1" / "trust.json")),
        *("--seen", str(stage.root / "seen")),
    ]
    done = subprocess.run(words, capture_output=True, check=False, timeout=_TIMEOUT_S)
    course.breaks = int(done.returncode != 0)


def _let_lost_host_return(stage: Stage, course: _Course) -> None:
    """Whoever has the lost host's disks goes on there, with the old key; count who believes it."""
    for name, act in _acts_of_the_lost(stage):
        try:
            act()
        except HavreError:
            continue
        course.believed.append(name)


def _acts_of_the_lost(stage: Stage) -> Iterator[tuple[str, Callable[[], object]]]:
    place = stage.root / "seized"
    yield "renew its head", OpenHub(place).journal.renew
    yield "ask for keys", lambda: OpenHub(place).extraction.extract(PERMIT)
    authority = stage.token("authority-1")
    yield "take a signature", lambda: OpenHub(place).permits.sign(PERMIT, authority=authority)


def _observed(course: _Course) -> tuple[dict[str, int], dict[str, str]]:
    found = {name: each.found for name, each in course.images.items()}
    observed = {
        "storage-sightings": sum(sum(found[name].values()) for name in ("store", INBOX)),
        # Records and keys are clear on the hub's own ground; people's data are nowhere.
        "hub-canaries": found["hub"][Grave.CANARY.value],
        "left-behind": sum(sum(found[name].values()) for name in SCRATCH),
        "killed": course.killed,
        "blind-finders": len(course.blind),
        "recovered": int(course.recovered is not None),
    }
    after = {
        "rto": course.rto_s,
        "permits-lost": _gone(course, AssetClass.PERMITS),
        "audit-lost": course.audit_lost_s,
        "objects-lost": _gone(course, AssetClass.OBJECTS),
        "data-lost": course.waited_s,
        "functions-failed": len(course.failures),
        "log-breaks": course.breaks,
        "lost-host-believed": len(course.believed),
    }
    if course.recovered is None:
        return observed, dict.fromkeys(after, _NOT_BACK)
    return {**observed, **after}, {}


def _gone(course: _Course, asset: AssetClass) -> int:
    return course.recovered.gone.get(asset.value, 0) if course.recovered else 0


def _details(course: _Course) -> dict[str, Json]:
    sightings: list[Json] = [
        {"file": each.file, "grave": each.grave.value, "spelling": each.spelling, "what": each.what}
        for name, search in course.images.items()
        for each in search.sightings
        if name != "hub" or each.grave is Grave.CANARY
    ]
    return {
        "believed": [*course.believed],
        "failures": {**course.failures},
        "gone": [*course.recovered.gone_names] if course.recovered else [],
        "refusal": course.refusal,
        "sightings": sightings,
    }
