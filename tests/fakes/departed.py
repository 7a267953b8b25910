"""Hubs that have left, with something of every asset class: what arriving is tried on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from fakes.correcting import late
from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, granted, quiet, tiny_code
from havre.application.arrive import Parity
from havre.bootstrap.leaving import arrive, depart, prepare_host

REQUEST = "people-1"
LATE = "cepidc-late"


@dataclass(frozen=True)
class Moving:
    """A hub that left, its package, and the directory of the host that it left for."""

    hub: SmallHub

    @property
    def root(self) -> Path:
        return self.hub.root

    @property
    def package(self) -> Path:
        return self.root / "package"

    @property
    def new(self) -> Path:
        return self.root / "new"


def moving(hub: SmallHub) -> Moving:
    """The same hub, departed for a host beside it."""
    left = Moving(hub)
    card = prepare_host(left.new)
    depart(
        hub.open(),
        name="move-1",
        card=card,
        controller=hub.parties / "controller",
        package=left.package,
    )
    return left


@cache
def released() -> SmallHub:
    """A hub with a released table and a delivery that waits, made once per process."""
    hub = copy_of(granted(), Path(mkdtemp(prefix="havre-released-")))
    opened = hub.open()
    researcher = hub.token("researcher")
    job = opened.runs.run(PERMIT_NAME, tiny_code(), researcher=researcher).record.job
    opened.reviews.submit(REQUEST, job, researcher=researcher)
    for checker in ("checker-1", "checker-2"):
        opened.reviews.vote(REQUEST, "approve", checker=hub.token(checker))
    opened.releases.release(REQUEST)
    deliver_late(hub)
    return hub


def deliver_late(hub: SmallHub) -> None:
    """Let one more delivery wait in the inbox."""
    one_more = late(hub.deliveries / "cepidc-2024", hub.root / LATE)
    hub.holder().deliver([one_more], progress=quiet)


@cache
def departed() -> Moving:
    """The same after it left; nobody has arrived yet."""
    return moving(copy_of(released(), Path(mkdtemp(prefix="havre-left-"))))


def copy_of_move(root: Path) -> Moving:
    """The departed hub somewhere else, to arrive from."""
    return Moving(copy_of(departed().hub, root))


def spoiled_package(root: Path) -> Moving:
    """A package of its own to spoil; hub and parties are those of `departed`, and never written."""
    root.mkdir(exist_ok=True)
    shutil.copytree(departed().package, root / "package")
    shutil.copytree(departed().new, root / "new")
    (root / "parties").symlink_to(departed().hub.parties)
    return Moving(SmallHub(root))


def opened_at(move: Moving) -> Parity:
    """Arrive where the hub left for."""
    return arrive(move.new, package=move.package, parties=move.hub.parties, progress=quiet)
