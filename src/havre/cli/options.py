"""The options that several commands share, and how one opens a hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from havre.bootstrap.hub import OpenHub

HubOption = Annotated[Path, typer.Option("--hub", envvar="HAVRE_HUB", help="The hub's directory.")]
PartyOption = Annotated[
    Path,
    typer.Option("--party", envvar="HAVRE_PARTY", help="The directory of the party who acts."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def open_hub(folder: Path) -> OpenHub:
    """Open a hub, and finish what a process before left open."""
    from havre.bootstrap.hub import OpenHub

    hub = OpenHub(folder)
    hub.wake()
    return hub
