"""`havre opposition …`: who objects, from the holder's file to a receipt for one person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import (
    HubOption,
    JsonOption,
    PartyOption,
    open_hub_for_data,
    read_hub,
    warn_of_swap,
)
from havre.cli.screen import Screen
from havre.errors import gravest

opposition = typer.Typer(
    help="People who object: their register, and receipts for them.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(opposition, name="opposition")


@opposition.command()
def deliver(
    file: Annotated[Path, typer.Argument(help="Who objects now: CSV as in docs/oppositions.md.")],
    *,
    party: PartyOption,
    hub: HubOption,
    every_hours: Annotated[
        int, typer.Option(min=0, help="How often this register gets a version.")
    ] = 168,
    as_json: JsonOption = False,
) -> None:
    """At the holder: send the whole list, sealed and signed; who is not in it objects no longer."""
    from havre.bootstrap.opposing import OppositionSide, read_objectors, sent_row
    from havre.bootstrap.reports import open_party

    open_party(party, role="holder")
    warn_of_swap()
    desk = OppositionSide(party, hub=hub).desk()
    Screen(as_json=as_json).show(sent_row(desk.send(read_objectors(file), every_hours=every_hours)))


@opposition.command()
def receive(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """At the hub: take in every list that waits and is due; from then on extracts leave them out."""
    from havre.bootstrap.opposing import gravest_faults, intake_rows, take_in_lists

    intake = take_in_lists(open_hub_for_data(hub))
    rows = intake_rows(intake)
    screen = Screen(as_json=as_json)
    if as_json:
        screen.show(rows)
    else:
        if rows["taken_in"]:
            screen.table("New versions of registers", rows["taken_in"])
        for row in (*rows["held"], *rows["refused"]):
            screen.say(f"{row['delivery']} does not count. {row['why']} {row['what_now']}")
        if not any(rows.values()):
            screen.say("No list waits.")
    if faults := gravest_faults(intake):
        raise typer.Exit(code=gravest(faults).exit_code)


@opposition.command("list")
def list_registers(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Show each register's newest version, as the log has it."""
    from havre.bootstrap.opposing import register_rows

    rows = register_rows(read_hub(hub))
    screen = Screen(as_json=as_json)
    if rows or as_json:
        screen.table("Registers of people who object", rows)
    else:
        screen.say("No holder has sent a register yet.")


@opposition.command()
def receipt(
    *,
    out: Annotated[Path, typer.Option(help="A file that does not exist yet.")],
    party: PartyOption,
    hub: HubOption,
    person_file: Annotated[
        Path | None,
        typer.Option(help="A file with the person's number alone; without it you are asked."),
    ] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="Of the register; without it, the newest.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """At the holder: make a receipt for one person, who checks it with tools/verify_log.py."""
    from havre.bootstrap.opposing import OppositionSide, write_receipt
    from havre.bootstrap.reports import open_party, read_file

    open_party(party, role="holder")
    # Never an argument: the history of a shell and the list of processes keep those.
    number = (
        read_file(person_file).decode("utf-8", "replace")
        if person_file
        else typer.prompt("The person's number", hide_input=True)
    )
    write_receipt(out, OppositionSide(party, hub=hub).desk().receipt(number, version=version))
    Screen(as_json=as_json).show({"receipt": str(out)})
