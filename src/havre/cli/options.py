"""The options that several commands share, and the three ways in which one opens a hub."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from havre.errors import Unprotected

if TYPE_CHECKING:
    from havre.bootstrap.hub import OpenHub

HubOption = Annotated[Path, typer.Option("--hub", envvar="HAVRE_HUB", help="The hub's directory.")]
PartyOption = Annotated[
    Path,
    typer.Option("--party", envvar="HAVRE_PARTY", help="The directory of the party who acts."),
]
InputOption = Annotated[
    bool,
    typer.Option("--until-input-ends", help="Stop when standard input ends: its starter is gone."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


# The hubs of this command, whose parties' complaints are told when it ends.
_OPENED: list[OpenHub] = []


def read_hub(folder: Path) -> OpenHub:
    """Open a hub to look at it: nothing is appended, renewed or finished."""
    from havre.bootstrap.hub import OpenHub

    _OPENED.append(OpenHub(folder))
    return _OPENED[-1]


def tell_complaints() -> None:
    """Say on standard error which parties did not do what they were asked, though enough others did."""
    for hub in _OPENED:
        for name, said in sorted(hub.complaints.items()):
            print(f"havre: {name} was passed over. {said}", file=sys.stderr)
    _OPENED.clear()


def open_hub(folder: Path) -> OpenHub:
    """Open a hub to act, and finish what a process before left open."""
    hub = read_hub(folder)
    hub.wake()
    return hub


def open_hub_for_data(folder: Path) -> OpenHub:
    """Open a hub for an act that has clear data in memory; swap is looked at first.

    Most laptops swap to a clear disk. There a hub can be tried with made-up data,
    under a warning each time; one that does not say that its data are made up
    opens nothing there.

    Raises:
        Unprotected: memory may be written to a disk in clear.
    """
    hub = read_hub(folder)
    if hub.place.settings.made_up:
        warn_of_swap()
    else:
        from havre.bootstrap import check_swap

        check_swap()
    hub.wake()
    return hub


def warn_of_swap() -> None:
    """Say on standard error, at every such command, that clear data may reach a disk.

    All that is done at a holder, whose files lie in clear on its own disk anyway.
    """
    from havre.bootstrap import check_swap

    try:
        check_swap()
    except Unprotected as fault:
        print(f"havre: WARNING. {fault}", file=sys.stderr)
