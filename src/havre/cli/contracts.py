"""`havre contract …`, `havre changes`: what was agreed of deliveries, and what corrections changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from havre.cli.options import HubOption, JsonOption, open_hub, read_hub
from havre.cli.screen import Screen

contract = typer.Typer(
    help="What a holder and the hub have agreed of deliveries.", no_args_is_help=True
)
ContractFile = Annotated[Path, typer.Argument(help="A contract: TOML as in docs/deliveries.md.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(contract, name="contract")
    app.command()(changes)


@contract.command()
def check(file: ContractFile, *, hub: HubOption, as_json: JsonOption = False) -> None:
    """Read a contract and compare it with the catalogue and the holders; nothing is kept."""
    from havre.bootstrap.contracts import contract_row
    from havre.bootstrap.reports import read_file

    found = read_hub(hub).contracts.check(read_file(file))
    Screen(as_json=as_json).show(contract_row(found))


@contract.command("set")
def put_in_force(file: ContractFile, *, hub: HubOption, as_json: JsonOption = False) -> None:
    """Judge this source's deliveries by a contract from now on, in place of the one before."""
    from havre.bootstrap.contracts import contract_row
    from havre.bootstrap.reports import read_file

    found = open_hub(hub).contracts.put_in_force(read_file(file))
    Screen(as_json=as_json).show(contract_row(found))


@contract.command()
def show(
    dataset: Annotated[str | None, typer.Argument(help="A dataset; without it, all.")] = None,
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Show the contracts in force, as they were written."""
    from havre.bootstrap.contracts import contract_texts

    screen = Screen(as_json=as_json)
    rows = contract_texts(read_hub(hub), dataset)
    if as_json:
        screen.table("", rows)
        return
    for row in rows:
        screen.say(f"# SHA-256 {row['sha256']}\n{row['text']}")


def changes(
    dataset: Annotated[str, typer.Argument(help="The dataset.")],
    *,
    hub: HubOption,
    version: Annotated[
        int | None, typer.Option(min=0, help="The entry of one version; without it, all.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what corrections changed, in exact numbers, and which extracts and releases they touch."""
    from havre.bootstrap.contracts import change_rows

    screen = Screen(as_json=as_json)
    rows = change_rows(read_hub(hub), dataset, version)
    if as_json:
        screen.table("", rows)
    elif rows:
        say_changes(screen, rows)
    else:
        screen.say("No delivery was corrected there.")


def say_changes(screen: Screen, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell what each correction changed, and what rests on rows that are gone."""
    for row in rows:
        title = f"Version {row['version']}: {row['delivery']} corrects {row['corrects']}"
        screen.table(title, [_shown(each) for each in row["tables"]])
        if row["not_compared"]:
            screen.say(f"Rows were not compared: {row['not_compared']}.")
        for each in row["touched"]:
            released = ", ".join(each["releases"]) or "nothing"
            screen.say(
                f"Extract {each['extract']} of permit {each['permit']} was made from a version"
                f" with the rows that are gone; released from it: {released}."
            )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: "?" if value is None else value for name, value in row.items()}
