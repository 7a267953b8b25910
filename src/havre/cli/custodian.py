"""`havre custodian …`: what the operator of a custodian, or of an escrow, does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.endings import stop_when_input_ends
from havre.cli.options import InputOption, JsonOption, PartyOption
from havre.cli.screen import Screen

custodian = typer.Typer(help="Acts of a custodian's operator.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(custodian, name="custodian")


@custodian.callback()
def custodians() -> None:
    """Acts of a custodian's operator."""


@custodian.command()
def serve(
    *, party: PartyOption, until_input_ends: InputOption = False, as_json: JsonOption = False
) -> None:
    """Answer as a process of its own, as `service.toml` says, until told to stop.

    A line is written when callers are let in; what is asked stands on standard error.
    """
    from havre.bootstrap.serving import serve_custodian

    if until_input_ends:
        stop_when_input_ends()
    serve_custodian(party, ready=Screen(as_json=as_json).ready)


@custodian.command()
def ceremonies(*, party: PartyOption, as_json: JsonOption = False) -> None:
    """List the ceremonies that this custodian took shares in."""
    from havre.bootstrap.custodian_desk import list_ceremonies

    Screen(as_json=as_json).table("Ceremonies", list_ceremonies(party))


@custodian.command()
def epoch(
    *,
    party: PartyOption,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Epoch keys on paper: a file in memory for a new sheet, to be printed."),
    ] = None,
    language: Annotated[str, typer.Option(help="Of the sheet: fr or en.")] = "fr",
    as_json: JsonOption = False,
) -> None:
    """Name the epoch of this custodian's store; begin the first, or finish one that is ending."""
    from havre.bootstrap.custodian_desk import begin_epoch

    Screen(as_json=as_json).show(begin_epoch(party, sheet=sheet, language=language))


@custodian.command()
def record(
    ceremony: Annotated[str, typer.Argument(help="The ceremony's id.")],
    *,
    party: PartyOption,
    out: Annotated[Path, typer.Option(help="The page: a file in .html or .txt.")],
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
    as_json: JsonOption = False,
) -> None:
    """Write the record of a ceremony, to be printed and signed; nothing on it is secret."""
    from havre.bootstrap.custodian_desk import write_record

    Screen(as_json=as_json).show(write_record(party, ceremony, out=out, language=language))
