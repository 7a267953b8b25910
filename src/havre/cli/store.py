"""`havre store`: where ciphertext is kept, whether it is whole, and making it whole again."""

from __future__ import annotations

from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, read_hub
from havre.cli.screen import Screen

store = typer.Typer(help="Where ciphertext is kept, and whether it is whole.", no_args_is_help=True)

NameOption = Annotated[str | None, typer.Argument(help="One store; without it, all of them.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(store, name="store")


@store.callback()
def stores() -> None:
    """Where ciphertext is kept, and whether it is whole."""


@store.command("list")
def list_stores(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """List the stores: whose host each is at, whether it answers, how many objects it has."""
    from havre.bootstrap.upkeep import look_at_stores

    Screen(as_json=as_json).table("Stores", look_at_stores(read_hub(hub)))


@store.command()
def prepare(name: NameOption = None, *, hub: HubOption, as_json: JsonOption = False) -> None:
    """Make a new store ready to be written; one that is ready stays as it is."""
    from havre.bootstrap.upkeep import prepare_stores

    Screen(as_json=as_json).show({"prepared": prepare_stores(read_hub(hub), name=name)})
