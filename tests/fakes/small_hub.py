"""A whole hub on real files with a small made-up population: what the promises are tried on.

Founded, delivered to and ingested by the same code as the commands use; made
once for a test process, and copied for tests that change it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from havre.adapters.sandbox.environment import build_environment
from havre.adapters.tokens.file import FileToken
from havre.application.run import StudyCode
from havre.bootstrap.founding import found_hub
from havre.bootstrap.holders import HolderSide
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.restoring import restore_witness
from havre.bootstrap.synthetic import write_synthetic
from havre.cli.demo_texts import PERMIT
from havre.ports.pages import SiteSettings

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".study-environment"
LOCK = ROOT / "study" / "requirements.lock"
STUDY = ROOT / "study" / "diabetes-heart-failure"
PERMIT_NAME = "diabetes-regions"


def quiet(*_said: object) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class SmallHub:
    """One hub and its surroundings under a folder."""

    root: Path

    @property
    def hub(self) -> Path:
        return self.root / "hub"

    @property
    def parties(self) -> Path:
        return self.root / "parties"

    @property
    def deliveries(self) -> Path:
        return self.root / "files" / "deliveries"

    @property
    def truth(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.root / "files/truth/truth.json").read_text())
        return read

    def open(self) -> OpenHub:
        """The hub, as a new process would open it."""
        hub = OpenHub(self.hub)
        hub.wake()
        return hub

    def token(self, name: str) -> FileToken:
        return FileToken(self.parties / name)

    def holder(self) -> HolderSide:
        return HolderSide(self.parties / "holder", hub=self.hub)

    def ask(self, text: str, name: str = PERMIT_NAME) -> None:
        """Have a permit asked for and signed by two authorities."""
        permits = self.open().permits
        permits.ask(text.encode(), applicant=self.token("researcher"))
        for authority in ("authority-1", "authority-2"):
            permits.sign(name, authority=self.token(authority))


def copy_of(hub: SmallHub, root: Path) -> SmallHub:
    """The same hub somewhere else, to be changed; its witnesses take its head over."""
    shutil.copytree(hub.root, root, dirs_exist_ok=True, symlinks=True)
    copied = SmallHub(root)
    # A witness notices that its directory was copied: its operator must say.
    for party in OpenHub(copied.hub).place.witnesses:
        folder = party if isinstance(party, Path) else Path(party.socket).parent
        restore_witness(folder, log=OpenHub(copied.hub).place.log)
    return copied


@cache
def founded() -> SmallHub:
    """A hub without data, made once per process."""
    hub = SmallHub(Path(mkdtemp(prefix="havre-hub-")))
    found_hub(
        hub.hub,
        parties=hub.parties,
        origin="havre.example/test",
        progress=quiet,
        settings=SiteSettings(made_up=True, language="en"),
    )
    write_synthetic(
        hub.root / "files", people=400, first_year=2023, years=2, seed=11, progress=quiet
    )
    return hub


@cache
def ingested() -> SmallHub:
    """The same with every delivery taken in, made once per process."""
    hub = copy_of(founded(), Path(mkdtemp(prefix="havre-lake-")))
    hub.holder().deliver(sorted(hub.deliveries.iterdir()), progress=quiet)
    opened = hub.open()
    assert not opened.receiving.receive().held
    for dataset in opened.ingestion.waiting_datasets():
        opened.ingestion.ingest(dataset, progress=quiet)
    return hub


@cache
def environment() -> str:
    """The study environment's hash; built on first use, which takes half a minute."""
    return str(build_environment(LOCK, ENVIRONMENT))


def permit_text(**changes: str) -> str:
    """The demo's permit, with some of its text replaced."""
    text = PERMIT.format(environment=environment())
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@cache
def granted() -> SmallHub:
    """The same with a granted permit and its extract, made once per process."""
    hub = copy_of(ingested(), Path(mkdtemp(prefix="havre-extract-")))
    hub.ask(permit_text())
    hub.open().extraction.extract(PERMIT_NAME)
    return hub


# A study that needs few people: how many of each sex, and on demand a cell too small.
TINY_STUDY = b"""
import sys
import polars as pl
from havre.study import Outputs, Tables

people = Tables().people().collect()
rows = people.group_by("sex").agg(people=pl.len()).sort("sex")
if "small" in sys.argv:
    rows = rows.with_columns(people=pl.when(pl.col("sex") == "1").then(3).otherwise("people"))
Outputs().table("people.csv", rows, title="By sex", counts=["people"], measures=["sex"])
"""


def tiny_code(*arguments: str) -> StudyCode:
    """The tiny study, ready to run in the study environment."""
    return StudyCode(
        files={"study.py": TINY_STUDY},
        arguments=arguments,
        environment=str(ENVIRONMENT),
        environment_sha256=environment(),
    )
