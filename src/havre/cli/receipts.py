"""`havre receipt …`: at the holder, what the hub has signed about its deliveries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, PartyOption
from havre.cli.screen import Screen

receipt = typer.Typer(
    help="What the hub has signed about a holder's deliveries.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(receipt, name="receipt")


@receipt.command()
def fetch(*, party: PartyOption, hub: HubOption, as_json: JsonOption = False) -> None:
    """At the holder: fetch the receipts of its own deliveries, check each, and keep them."""
    from havre.bootstrap.receipts import fetch_receipts
    from havre.bootstrap.reports import open_party

    open_party(party, role="holder")
    rows = fetch_receipts(party, hub=hub)
    screen = Screen(as_json=as_json)
    if rows or as_json:
        screen.table("Receipts", rows)
    else:
        screen.say("There is no receipt yet.")


@receipt.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A receipt, as `havre receipt fetch` keeps it.")],
    *,
    party: PartyOption,
    as_json: JsonOption = False,
) -> None:
    """Check a receipt with the party's own trust roots: no hub and no network is needed."""
    from havre.bootstrap.receipts import verify_receipt
    from havre.bootstrap.reports import read_file

    row, broken = verify_receipt(read_file(file), party=party)
    screen = Screen(as_json=as_json)
    screen.show({**row, "broken": broken} if as_json else row)
    for each in () if as_json else broken:
        screen.say(f"A {each['level']} rule was broken: {each['says']}.")
