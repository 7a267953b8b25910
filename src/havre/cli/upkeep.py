"""`havre compact`, `havre quarantine …`: the hub's own work on its data, each under a permit of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, open_hub_for_data
from havre.cli.screen import Screen

PermitOption = Annotated[str, typer.Option(help="A granted permit for upkeep: docs/permits.md.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(compact)


def compact(
    dataset: Annotated[str, typer.Argument(help="The dataset, such as dcir.")],
    *,
    permit: PermitOption,
    year: Annotated[
        int | None, typer.Option(help="Only this year of the permit's; 0 is rows without one.")
    ] = None,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Put a dataset's small files together as few large ones, sorted by period and person."""
    from havre.bootstrap.compacting import compact_dataset

    screen = Screen(as_json=as_json)
    with screen.progress("putting files together") as bar:
        report = compact_dataset(
            open_hub_for_data(hub), dataset, permit=permit, year=year, progress=bar.wait
        )
    tables = report["tables"]
    if as_json or not tables:
        screen.show(report if as_json else {"dataset": dataset, "done": "nothing to put together"})
        return
    screen.table("Put together", tables)
    screen.show({"dataset": dataset, "version": report["entry"]})
