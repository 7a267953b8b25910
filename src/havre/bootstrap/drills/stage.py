"""A small hub of its own for a drill that must not be held on the real one.

It has its own keys, its own parties and made-up people, under a log name that no
hub has. It is made by the same code as a real hub and removed when the drill is
over, so whatever a drill forges or breaks there harms nobody.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

from havre.adapters.machine.clock import ForwardClock
from havre.adapters.tokens.file import FileToken
from havre.bootstrap.founding import found_hub
from havre.bootstrap.holders import HolderSide
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.place import CONFIGURATION
from havre.bootstrap.synthetic import write_synthetic
from havre.bootstrap.upkeep import prepare_stores
from havre.domain.permit_states import PermitState
from havre.domain.trust import TrustRoots
from havre.errors import Refused
from havre.ports.pages import SiteSettings

# What is forged in a drill is signed by keys of a log with this beginning, and no other.
REHEARSAL = "rehearsal/"
PERMIT = "rehearsal-people"
_PERMIT_TEXT = """\
[permit]
name = "{name}"
title = "People by sex"
purpose = "Rehearse a study."
applicant = "researcher"
people = ["researcher"]
period = [2023-01-01, 2023-12-31]
starts_on = {starts}
ends_on = {ends}
environment_sha256 = "{environment}"

[tables.beneficiaires.IR_BEN_R]
columns = ["BEN_NIR_PSA", "BEN_RNG_GEM", "BEN_IDT_ANO", "BEN_NAI_ANN", "BEN_SEX_COD", "BEN_RES_DPT", "BEN_DCD_DTE"]

[output]
min_count = 11
kinds = ["table"]
"""
_PEOPLE, _FIRST_YEAR, _YEARS = 300, 2023, 1


@dataclass(frozen=True, slots=True)
class Stage:
    """A rehearsal hub and its surroundings under one folder, which everybody may pass through.

    clock: of the hub and of every party in it; set forward where days pass.
    at: the hub's directory below the folder; another one when it moved.
    """

    root: Path
    clock: ForwardClock = field(default_factory=ForwardClock)
    at: str = "hub"

    @property
    def hub(self) -> Path:
        """The hub's directory."""
        return self.root / self.at

    @property
    def parties(self) -> Path:
        """Where the parties' directories are."""
        return self.root / "parties"

    @property
    def deliveries(self) -> Path:
        """The made-up files of a holder."""
        return self.root / "files" / "deliveries"

    def open(self) -> OpenHub:
        """Open the hub as a new process would."""
        hub = OpenHub(self.hub, clock=self.clock)
        hub.wake()
        return hub

    def token(self, name: str) -> FileToken:
        """One party's keys."""
        return FileToken(self.parties / name)

    def people(self) -> list[str]:
        """Numbers of made-up people that stand in the delivered files: canaries."""
        lines = (self.root / "files/truth/people.csv").read_text("utf-8").splitlines()
        return [line.split(",")[1] for line in lines[1:]]

    def deliver(self, *names: str) -> None:
        """Have the holder deliver some of the files; all when none is named."""
        folders = [self.deliveries / name for name in names] or sorted(self.deliveries.iterdir())
        HolderSide(self.parties / "holder", hub=self.hub).deliver(folders, progress=_quiet)

    def ask(self, *, environment: str = "0" * 64) -> None:
        """Have the researcher ask for the rehearsal's permit, for two years from today."""
        today = self.clock.now().date()
        text = _PERMIT_TEXT.format(
            name=PERMIT, starts=today, ends=today + timedelta(days=700), environment=environment
        )
        self.open().permits.ask(text.encode(), applicant=self.token("researcher"))

    def sign(self) -> None:
        """Have two authorities sign it, for the first time or anew.

        Raises:
            Refused: it is not granted after that.
        """
        for name in ("authority-1", "authority-2"):
            standing = self.open().permits.sign(PERMIT, authority=self.token(name))
        if standing.state is not PermitState.GRANTED:
            raise Refused("Two authorities signed, and the permit is not granted.")

    def publish(self) -> None:
        """Write the public site."""
        self.open().publication.publish()

    def add_replica(self) -> None:
        """Give the hub a second store, at what stands for another host."""
        own = '\n[[stores]]\nname = "own"\npath = "store"\n'
        place = self.hub / CONFIGURATION
        place.write_text(place.read_text("utf-8") + own + self.replica_text(), "utf-8")
        prepare_stores(self.open(), name=None)

    def replica_text(self) -> str:
        """How `havre.toml` names the second store."""
        return '\n[[stores]]\nname = "replica"\npath = "../replica"\n'

    def take_in(self) -> None:
        """Receive and ingest whatever waits."""
        opened = self.open()
        opened.receiving.receive()
        for dataset in opened.ingestion.waiting_datasets():
            opened.ingestion.ingest(dataset, progress=_quiet)


@contextmanager
def rehearsal_hub(name: str, *, seed: str) -> Iterator[Stage]:
    """Found a small hub for one drill, and remove it with everything around it afterwards.

    name, seed: of the drill; the log is named after them, and people drawn from the seed.
    """
    # A path of random letters: nothing that another account has put there is written over.
    root = Path(mkdtemp(prefix=f"havre-drill-{name}-"))
    root.chmod(0o711)
    try:
        yield found_stage(root, name=name, seed=seed)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def found_stage(root: Path, *, name: str, seed: str) -> Stage:
    """Found the small hub in a folder, and make people up for it.

    So few people are made up that in one of fifteen such groups nobody dies in the year, and
    then there is no file of deaths, which drills deliver. They are drawn anew until there is one.
    """
    stage = Stage(root)
    found_hub(
        stage.hub,
        parties=stage.parties,
        origin=f"{REHEARSAL}{name}/{seed}",
        progress=_quiet,
        settings=SiteSettings(made_up=True),
    )
    for drawn in count(int(seed[:8], 16)):
        write_synthetic(
            root / "files",
            people=_PEOPLE,
            first_year=_FIRST_YEAR,
            years=_YEARS,
            seed=drawn,
            progress=_quiet,
        )
        if (stage.deliveries / f"cepidc-{_FIRST_YEAR}").is_dir():
            break
        shutil.rmtree(root / "files")
    return stage


def check_rehearsal(roots: TrustRoots) -> None:
    """Make sure that keys are a rehearsal's before anything is forged with them.

    Raises:
        Refused: they are of a real log.
    """
    if not roots.origin.startswith(REHEARSAL):
        raise Refused(
            "Forging a log is for rehearsals only, and these keys are of a real one.",
            hint="Run the drill: it makes a small hub of its own.",
        )


def _quiet(*_said: object) -> None:
    """Nobody watches a rehearsal's progress."""
