"""`havre store`: where ciphertext is kept, whether it is whole, and making it whole again."""

from __future__ import annotations

from typing import Annotated, Any

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


@store.command()
def check(name: NameOption = None, *, hub: HubOption, as_json: JsonOption = False) -> None:
    """Compare every stored byte with the log, without any key; nothing is written."""
    from havre.bootstrap.upkeep import check_stores

    screen = Screen(as_json=as_json)
    with screen.progress("checking") as bar:
        found = check_stores(read_hub(hub), name=name, progress=bar.step)
    _show(screen, found)


@store.command()
def scrub(
    name: NameOption = None,
    *,
    hub: HubOption,
    anew: Annotated[
        bool, typer.Option("--anew", help="From the first object, not where it was cut short.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read every copy in every store; it can be cut short, and goes on from there."""
    from havre.bootstrap.upkeep import begin_scrub_anew, scrub_stores

    screen, opened = Screen(as_json=as_json), read_hub(hub)
    if anew:
        begin_scrub_anew(opened, name=name)
    with screen.progress("scrubbing") as bar:
        found = scrub_stores(opened, name=name, progress=bar.step)
    _show(screen, found)


@store.command()
def repair(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Copy good bytes over missing and bad ones; the last good copy is never touched."""
    from havre.bootstrap.upkeep import repair_stores

    screen = Screen(as_json=as_json)
    with screen.progress("repairing") as bar:
        done = repair_stores(read_hub(hub), progress=bar.step)
    screen.show(done)
    if done["left"] or done["lost"]:
        raise typer.Exit(code=4)
    if done["away"]:
        raise typer.Exit(code=6)


@store.command()
def sweep(name: NameOption = None, *, hub: HubOption, as_json: JsonOption = False) -> None:
    """Remove objects that no act lists and that are older than seven days: of writes cut short."""
    from havre.bootstrap.upkeep import sweep_stores

    Screen(as_json=as_json).show(sweep_stores(read_hub(hub), name=name))


def _show(screen: Screen, found: dict[str, Any]) -> None:
    """Show what was found, and end with the code of the gravest."""
    rows = found["stores"]
    if screen.as_json:
        screen.show(found)
    else:
        screen.table("Stores", rows)
        screen.show({name: value for name, value in found.items() if name != "stores"})
    if any(row["bad"] for row in rows):
        raise typer.Exit(code=4)
    if any(row["away"] for row in rows):
        raise typer.Exit(code=6)
