"""A small hub whose dataset came in several deliveries, and permits for its upkeep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from fakes.small_hub import SmallHub, copy_of, founded, quiet

DELIVERIES = ("dcir-2023-03", "dcir-2023-04", "dcir-2023-05")
UPKEEP = """
[permit]
name = "{name}"
title = "Upkeep of dcir"
purpose = "To try it."
applicant = "controller"
people = ["hub"]
starts_on = {first}
ends_on = {last}

[upkeep]
kind = "{kind}"
datasets = ["dcir"]
{years}
"""


def upkeep_text(name: str, *, kind: str = "compact", years: Sequence[int] = (2023,)) -> str:
    """An application for upkeep that begins today."""
    today = datetime.now(UTC).date()
    return UPKEEP.format(
        name=name,
        kind=kind,
        first=today,
        last=today + timedelta(days=6),
        years=f"years = {list(years)}" if kind == "compact" else "",
    )


def grant_upkeep(
    hub: SmallHub, name: str, *, kind: str = "compact", years: Sequence[int] = (2023,)
) -> None:
    """Have a permit for upkeep asked for and signed."""
    permits = hub.open().permits
    permits.ask(
        upkeep_text(name, kind=kind, years=years).encode(), applicant=hub.token("controller")
    )
    for authority in ("authority-1", "authority-2"):
        permits.sign(name, authority=hub.token(authority))


@cache
def in_small_files() -> SmallHub:
    """A hub that took in one delivery after the other; made once per process."""
    hub = copy_of(founded(), Path(mkdtemp(prefix="havre-small-files-")))
    hub.holder().deliver([hub.deliveries / "beneficiaires-2024"], progress=quiet)
    for name in DELIVERIES:
        hub.holder().deliver([hub.deliveries / name], progress=quiet)
        opened = hub.open()
        assert not opened.receiving.receive().held
        for dataset in opened.ingestion.waiting_datasets():
            opened.ingestion.ingest(dataset, progress=quiet)
    grant_upkeep(hub, "compact-dcir")
    return hub
