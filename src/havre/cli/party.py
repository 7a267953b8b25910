"""`havre party …`: making a party's keys, and what others need to know of them."""

from __future__ import annotations

from typing import Annotated

import typer

from havre.cli.options import JsonOption, PartyOption
from havre.cli.screen import Screen

party = typer.Typer(help="A party's keys.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(party, name="party")


@party.command()
def create(
    *,
    party: PartyOption,
    name: Annotated[str, typer.Option(help="Its short name, such as custodian-1.")],
    role: Annotated[str, typer.Option(help="What it may sign: custodian, witness, authority, …")],
    operator: Annotated[str, typer.Option(help="Whose it is.")],
    token: Annotated[
        str,
        typer.Option(
            help="The hardware token that keeps its keys, initialised:"
            " pkcs11:token=LABEL?module-path=/FILE. Without it they lie in the directory."
        ),
    ] = "",
    epoch_key: Annotated[
        str, typer.Option(help="A custodian's epoch keys: held by the token, or on paper.")
    ] = "token",
    as_json: JsonOption = False,
) -> None:
    """Make a party's keys. A token's PIN is asked for, or read from HAVRE_PIN or HAVRE_PIN_FD."""
    from havre.bootstrap.tokens import create_token, describe, parse_role

    made = create_token(
        party,
        name=name,
        role=parse_role(role),
        operator=operator,
        token=token,
        epoch_key=epoch_key,
    )
    Screen(as_json=as_json).show(describe(made))


@party.command()
def show(*, party: PartyOption, as_json: JsonOption = False) -> None:
    """Show a party's public keys, as others write them into their trust roots."""
    from havre.bootstrap.tokens import describe, open_token

    Screen(as_json=as_json).show(describe(open_token(party)))
