"""The whole work of a hub without any network, as a process of its own.

Started by the disconnect drill inside a network that has nothing but a loopback.
It plays every function on the rehearsal's hub at the first day, after 7 and after
90 days; the days pass on the clock of the hub and of all its parties. It prints
one line: what failed, how often anything tried to call out, and who was behind.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from havre.adapters.machine.network import (
    call_out_on_purpose,
    count_calls,
    is_cut_off,
    raise_loopback,
)
from havre.application.run import StudyCode
from havre.bootstrap.drills.stage import PERMIT, Stage, found_stage
from havre.bootstrap.drills.subpoena import subpoena
from havre.bootstrap.founding import give_mandate
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.place import CONFIGURATION
from havre.bootstrap.reports import hub_status
from havre.bootstrap.strangers import verifier_path
from havre.bootstrap.studies import check_environment
from havre.errors import HavreError, NotGenuine, Refused

LATER = (7, 90)
_STUDY = b"""
import polars as pl
from havre.study import Outputs, Tables

people = Tables().people().collect()
rows = people.group_by("sex").agg(people=pl.len()).sort("sex")
Outputs().table("people.csv", rows, title="By sex", counts=["people"], measures=["sex"])
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What the story is told: the stage's folder, and the study environment, or empty."""

    root: str
    environment: str


@dataclass(slots=True)
class Story:
    """What came of it.

    failures: by day, the functions that failed and why; nothing from any data.
    tried: by day, how many functions were tried.
    """

    failures: dict[int, dict[str, str]] = field(default_factory=dict)
    tried: dict[int, int] = field(default_factory=dict)
    cut_off: bool = False
    planted: int = 0
    noticed: int = 0
    calls: int = 0
    behind: list[str] = field(default_factory=list)


class _Player:
    """Plays functions, each once a day, and notes what failed."""

    def __init__(self, stage: Stage, environment: Path | None) -> None:
        self._stage = stage
        self._environment = environment
        self._away = stage.root / "away"
        self._code = self._read_study()
        self.story = Story()

    def play(self) -> None:
        """Play all three days."""
        first = ("dcir-2023-04", "dcir-2023-05", "dcir-2023-06")
        self._settle_keys()
        for number, day in enumerate((0, *LATER)):
            self._stage.clock.forward(day - (0, 0, *LATER)[number])
            if day == LATER[-1]:
                self._renew(day)
            self._take_in(day, "beneficiaires-2023" if not number else first[number])
            if not number:
                self._begin(day)
            self._use(day, request=f"day-{day}")
            if not number:
                self._send_away()
        self._bring_back()

    def _settle_keys(self) -> None:
        """Let generations of keys be written to for longer than the links are cut.

        New ones need every custodian, and one of them is away meanwhile.
        """
        configuration = self._stage.hub / CONFIGURATION
        told = configuration.read_text(encoding="utf-8")
        rule = f"\n[keys]\nrotate_after_days = {LATER[-1] + 30}\n"
        configuration.write_text(told + rule, encoding="utf-8")

    def _begin(self, day: int) -> None:
        environment = self._code.environment_sha256 if self._code else "0" * 64
        self._do(day, "found another hub", self._found_another)
        self._do(day, "ask for a permit", lambda: self._stage.ask(environment=environment))
        self._do(day, "grant a permit", self._stage.sign)

    def _renew(self, day: int) -> None:
        """What ends after 90 days is signed anew on the spot, by people who are there."""
        self._do(day, "renew the mandate", self._give_mandate)
        self._do(day, "renew the permit", self._stage.sign)

    def _give_mandate(self) -> None:
        controller = self._stage.token("controller")
        give_mandate(self._stage.open(), controller, ("beneficiaires", "dcir"))

    def _take_in(self, day: int, delivery: str) -> None:
        self._do(day, "deliver", lambda: self._stage.deliver(delivery))
        self._do(day, "take in", self._stage.take_in)

    def _use(self, day: int, *, request: str) -> None:
        self._do(day, "extract", lambda: self._stage.open().extraction.extract(PERMIT))
        if self._code:
            self._do(day, "run, review and release", lambda: self._release(request))
        self._do(day, "publish", self._stage.publish)
        self._do(day, "verify", self._verify)
        self._do(day, "say where the hub stands", lambda: hub_status(self._stage.open()))
        self._do(day, "hold a drill", self._hold_drill)

    def _do(self, day: int, name: str, act: Callable[[], object]) -> None:
        """Play one function; whatever it raises is a failure of it, and the next one is played."""
        self.story.tried[day] = self.story.tried.get(day, 0) + 1
        try:
            act()
        except HavreError as fault:
            self.story.failures.setdefault(day, {})[name] = fault.message
        except Exception as fault:  # noqa: BLE001 - its text may quote anything
            self.story.failures.setdefault(day, {})[name] = type(fault).__name__

    def _found_another(self) -> None:
        folder = self._stage.root / "another"
        found_stage(folder, name="offline", seed="0" * 32)
        shutil.rmtree(folder)

    def _read_study(self) -> StudyCode | None:
        if self._environment is None:
            return None
        return StudyCode(
            files={"study.py": _STUDY},
            arguments=(),
            environment=str(self._environment.resolve()),
            environment_sha256=check_environment(self._environment),
        )

    def _release(self, request: str) -> None:
        researcher = self._stage.token("researcher")
        if self._code is None:
            raise Refused("There is no study environment.")
        job = self._stage.open().runs.run(PERMIT, self._code, researcher=researcher).record
        if job.outcome != "finished":
            raise Refused(f"The study ended with {job.outcome}.")
        opened = self._stage.open()
        opened.reviews.submit(request, job.job, researcher=researcher)
        for checker in ("checker-1", "checker-2"):
            opened.reviews.vote(request, "approve", checker=self._stage.token(checker))
        opened.releases.release(request)

    def _verify(self) -> None:
        trust = self._stage.parties / "authority-1" / "trust.json"
        site = str(self._stage.hub / "site")
        words = [sys.executable, "-I", str(verifier_path()), site, "--trust", str(trust)]
        done = subprocess.run(words, capture_output=True, check=False, timeout=120)
        if done.returncode:
            raise NotGenuine("The verifier refuses the rehearsal's site.")

    def _hold_drill(self) -> None:
        ran = subpoena(self._stage.open())
        if ran.search.sightings:
            raise NotGenuine("The subpoena drill found something.")

    def _send_away(self) -> None:
        """Cut a custodian and a witness off, who come back on the last day."""
        self._away.mkdir()
        for name in _CUT_OFF:
            (self._stage.parties / name).rename(self._away / name)

    def _bring_back(self) -> None:
        """Bring them back; after the next act they must have everything."""
        for name in _CUT_OFF:
            (self._away / name).rename(self._stage.parties / name)
        self._do(LATER[-1], "reconnect", self._renew_head)
        self.story.behind = sorted(self._find_behind())

    def _renew_head(self) -> None:
        self._stage.open().journal.renew()

    def _find_behind(self) -> Iterator[str]:
        """Name those who do not have the whole log now, or do not say."""
        opened = OpenHub(self._stage.hub, clock=self._stage.clock)
        head = opened.log.head()
        size = head.size if head else 0
        seen: dict[str, Callable[[], int]] = {
            witness.name: partial(witness.size_seen, opened.roots.origin)
            for witness in opened.witnesses
        }
        seen |= {mirror.name: mirror.held for mirror in opened.mirrors}
        for name, ask in seen.items():
            try:
                there = ask() == size
            except HavreError:
                there = False
            if not there:
                yield name


_CUT_OFF = ("custodian-3", "witness-4")


def main() -> None:
    """Play the story, and say what came of it."""
    told = Told(**json.loads(sys.argv[1]))
    environment = Path(told.environment) if told.environment else None
    # Where the network is not cut nothing would be shown, and calls would leave this machine.
    story = _play_cut_off(Path(told.root), environment) if is_cut_off() else Story()
    answer = {name: getattr(story, name) for name in Story.__dataclass_fields__}
    sys.stdout.write(json.dumps(answer))


def _play_cut_off(root: Path, environment: Path | None) -> Story:
    raise_loopback()
    before = count_calls()
    planted = call_out_on_purpose()
    noticed = count_calls() - before
    player = _Player(Stage(root), environment)
    quiet = count_calls()
    player.play()
    story = player.story
    story.cut_off, story.planted, story.noticed = True, planted, noticed
    story.calls = count_calls() - quiet
    return story


if __name__ == "__main__":
    main()
