"""A rehearsal hub one of whose stores is at a host that is bought, and how the hub leaves it.

The hub does what its operator would do: a third store is named in `havre.toml`,
made ready, filled by repairing, checked; the bought host's is dropped from the file
and emptied. No key is used on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from havre.bootstrap.drills.stage import PERMIT, Stage
from havre.bootstrap.exposing import read_set_up
from havre.bootstrap.place import CONFIGURATION
from havre.bootstrap.sheets import SHEETS, read_sheets
from havre.bootstrap.store_places import StorePlace
from havre.bootstrap.stores import open_store
from havre.bootstrap.upkeep import check_stores, prepare_stores, repair_stores
from havre.domain.exposure.clauses import Mode
from havre.domain.exposure.hub import HubSetUp, PlacedParty, PlacedStore, derive_deployment
from havre.domain.exposure.verdicts import Analysis
from havre.domain.trust import Role
from havre.errors import Refused

BUYERS_LAW = "US"
_MODES = (Mode.PASSIVE, Mode.ACTIVE)
# Three hosts: one is bought, one stays, one is moved to. Each is a store, a sheet, a directory.
BOUGHT, _STAYS, _NEXT = "host-a", "host-b", "host-c"
_TITLES = {BOUGHT: "Host A", _STAYS: "Host B", _NEXT: "Host C"}
_SHEET = """\
format = "havre/v1/host-sheet"
operator = "{title}"
title = "{title} of the rehearsal"
[evidence]
grade = "E0"
date = {today}
source = "Made up for a drill"
[seat]
country = "FR"
[[parents]]
name = "owner-of-{name}"
country = "{owner}"
share = 100
ultimate = true
[does]
parts = ["store"]
"""
_STORE = '\n[[stores]]\nname = "{name}"\nhost = "{name}"\npath = "{path}"\n'
_FIRST = ("beneficiaires-2023", "dcir-2023-04", "dcir-2023-05")
_LATER = "dcir-2023-06"


class BoughtStore:
    """The rehearsal's hub with its hosts.

    houses: whose each party is; without more, each stands for itself.
    """

    def __init__(self, stage: Stage, *, houses: Mapping[str, str]) -> None:
        self._stage = stage
        self._houses = houses
        self._written = (stage.hub / CONFIGURATION).read_text("utf-8")

    @property
    def place(self) -> Path:
        """The bought host's directory."""
        return self._path(BOUGHT)

    def work(self) -> None:
        """Take data in at two hosts, grant a permit, cut an extract."""
        stage = self._stage
        (stage.hub / SHEETS).mkdir(exist_ok=True)
        for name in _TITLES:
            self._state(name, owner="FR")
        self._name_stores(BOUGHT, _STAYS)
        prepare_stores(stage.open(), name=None)
        stage.deliver(*_FIRST)
        stage.take_in()
        stage.ask()
        stage.sign()
        stage.open().extraction.extract(PERMIT)

    def buy(self) -> None:
        """Give the bought host a parent from under another law, as its fact sheet says."""
        self._state(BOUGHT, owner=BUYERS_LAW)

    def move(self) -> int:
        """Copy everything to the third host, and name the bought one no more.

        Returns how many objects the third host has.
        """
        self._name_stores(BOUGHT, _STAYS, _NEXT)
        prepare_stores(self._stage.open(), name=_NEXT)
        repair_stores(self._stage.open(), progress=_quietly)
        self._name_stores(_STAYS, _NEXT)
        return self.count(_NEXT)

    def empty(self) -> None:
        """Delete every object at the bought host, once all are whole elsewhere.

        Raises:
            Refused: some are not.
        """
        if self.not_whole():
            raise Refused("The bought host's copies are needed still.")
        store = open_store(self._stage.open().place, self._store(BOUGHT))
        for object_id in list(store.list_objects()):
            store.delete(object_id)

    def count(self, name: str) -> int:
        """Count the objects at one host."""
        store = open_store(self._stage.open().place, self._store(name))
        return sum(1 for _ in store.list_objects())

    def left_behind(self) -> int:
        """Count the files with something in them that the bought host still has, whatever they are."""
        files = (path for path in self.place.rglob("*") if path.is_file())
        return sum(1 for path in files if path.stat().st_size)

    def not_whole(self) -> int:
        """Hash every copy at the hosts that the hub names; count the bad ones and the missing."""
        found = check_stores(self._stage.open(), name=None, progress=_quietly)
        return sum(row["bad"] for row in found["stores"])

    def extract(self) -> None:
        """Cut the permit's extract anew, from the hosts that are left."""
        self._stage.open().extraction.extract(PERMIT)

    def take_in_more(self) -> None:
        """Take in what is delivered after the move."""
        self._stage.deliver(_LATER)
        self._stage.take_in()

    # ------------------------------------------------------------ exposure

    def exposed(self, *, kept: bool = False) -> frozenset[str]:
        """Name the messages that the buyer's law has, by the facts as they are now.

        kept: whether the bought host counts as having kept what it was given.
        """
        analysis = self.analyse(kept=kept)
        return frozenset(
            message.name
            for message in analysis.deployment.messages
            for mode in _MODES
            if analysis.cell(message.name, law=BUYERS_LAW, mode=mode).derivable
        )

    def analyse(self, *, kept: bool = False) -> Analysis:
        """Derive the hub's exposure from its files, its sheets and its log."""
        hub = self._stage.open()
        sheets = read_sheets(self._stage.hub)
        set_up = self._apart(read_set_up(hub, sheets=sheets))
        had = PlacedStore(BOUGHT, _TITLES[BOUGHT], apart=True)
        if kept and BOUGHT not in {each.name for each in set_up.stores}:
            set_up = replace(set_up, stores=(*set_up.stores, had))
        derived = derive_deployment(set_up, list(sheets.values()), on=hub.clock.now().date())
        return Analysis(derived.deployment)

    def _apart(self, set_up: HubSetUp) -> HubSetUp:
        parties = tuple(
            each
            if each.role is Role.HUB
            else PlacedParty(
                each.name, each.role, self._houses.get(each.name, each.name), apart=True
            )
            for each in set_up.parties
        )
        return replace(set_up, parties=parties)

    # ------------------------------------------------------------ files

    def _state(self, name: str, *, owner: str) -> None:
        today = self._stage.clock.now().date()
        text = _SHEET.format(name=name, title=_TITLES[name], owner=owner, today=today)
        (self._stage.hub / SHEETS / f"{name}.toml").write_text(text, "utf-8")

    def _name_stores(self, *names: str) -> None:
        stores = [_STORE.format(name=name, path=f"../{name}") for name in names]
        (self._stage.hub / CONFIGURATION).write_text(self._written + "".join(stores), "utf-8")

    def _path(self, name: str) -> Path:
        return self._stage.root / name

    def _store(self, name: str) -> StorePlace:
        return StorePlace(name, name, path=self._path(name))


def _quietly(_done: int, _of: int, _what: str) -> None:
    """Nobody watches a rehearsal's progress."""
