"""`havre witness …`: what the operator of a witness does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.endings import stop_when_input_ends
from havre.cli.options import InputOption, JsonOption, PartyOption
from havre.cli.screen import Screen

witness = typer.Typer(help="Acts of a witness's operator.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(witness, name="witness")


@witness.callback()
def witnesses() -> None:
    """Acts of a witness's operator."""


@witness.command()
def restore(
    *,
    party: PartyOption,
    log: Annotated[Path, typer.Option(help="The published log's folder, newest head.")],
    as_json: JsonOption = False,
) -> None:
    """After a restore from a backup: go on from a head that a quorum of others cosigned.

    Compare entries and root with what the other witnesses' operators see.
    """
    from havre.bootstrap.reports import open_party
    from havre.bootstrap.restoring import restore_witness

    open_party(party, role="witness")
    head = restore_witness(party, log=log)
    Screen(as_json=as_json).show({"entries": head.size, "root": head.root.hex()})


@witness.command()
def serve(
    *, party: PartyOption, until_input_ends: InputOption = False, as_json: JsonOption = False
) -> None:
    """Answer as a process of its own, as `service.toml` says, until told to stop.

    A line is written when callers are let in; what is asked stands on standard error.
    """
    from havre.bootstrap.serving import serve_witness

    if until_input_ends:
        stop_when_input_ends()
    serve_witness(party, ready=Screen(as_json=as_json).ready)
