"""Hubs whose host is gone without a word: a backup, a replica, the parties, and nothing else."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from fakes.small_hub import SmallHub, copy_of, granted, quiet
from havre.application.recover import Recovered
from havre.bootstrap.leaving import prepare_host
from havre.bootstrap.recovering import Remains, back_up, recover

REPLICA = """
[[stores]]
name = "left"
path = "../replica"
"""


@dataclass(frozen=True)
class Lost:
    """A hub that was lost, and what is left of it."""

    hub: SmallHub

    @property
    def root(self) -> Path:
        return self.hub.root

    @property
    def backup(self) -> Path:
        return self.root / "backup"

    @property
    def replica(self) -> Path:
        return self.root / "replica"

    @property
    def standby(self) -> Path:
        return self.root / "standby"


def backed_up(hub: SmallHub) -> Lost:
    """The hub with a standby host and a backup for it; it still stands."""
    lost = Lost(hub)
    card = prepare_host(lost.standby)
    back_up(hub.open(), name="backup-1", card=card, package=lost.backup)
    return lost


@cache
def standing() -> Lost:
    """A hub with a granted permit, an extract and a backup, made once per process."""
    return backed_up(copy_of(granted(), Path(mkdtemp(prefix="havre-standing-"))))


def copy_of_standing(root: Path) -> Lost:
    """The same somewhere else, to be lost."""
    return Lost(copy_of(standing().hub, root))


def lose(lost: Lost) -> None:
    """Take the host away; the replica is what the other store had at that moment."""
    shutil.copytree(lost.hub.hub / "store", lost.replica)
    lost.hub.hub.rename(lost.root / "seized")


def recovered(lost: Lost, *, site: Path | None = None) -> Recovered:
    """Go on at the standby host; `site` is somebody's copy of the public site."""
    return recover(
        lost.standby,
        remains=Remains(lost.backup, lost.hub.parties, REPLICA, site),
        controller=lost.hub.parties / "controller",
        progress=quiet,
    )
