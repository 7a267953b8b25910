"""`havre compact`, `havre quarantine …`: the hub's own work on its data, each under a permit of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, open_hub_for_data, read_hub
from havre.cli.screen import Screen

quarantine = typer.Typer(help="Rows that were set aside at the hub.", no_args_is_help=True)
PermitOption = Annotated[str, typer.Option(help="A granted permit for upkeep: docs/permits.md.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(compact)
    app.add_typer(quarantine, name="quarantine")


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


@quarantine.command("list")
def list_rows(
    dataset: Annotated[str | None, typer.Argument(help="Only of this dataset.")] = None,
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """List the files of which rows are set aside at the hub, and why; no key is needed."""
    from havre.bootstrap.quarantining import quarantine_rows

    rows = quarantine_rows(read_hub(hub), dataset)
    screen = Screen(as_json=as_json)
    if rows or as_json:
        screen.table("Rows set aside", rows)
    else:
        screen.say("No row is set aside.")


@quarantine.command("show")
def show_rows(
    dataset: Annotated[str, typer.Argument(help="The dataset, such as dcir.")],
    *,
    permit: PermitOption,
    reveal: Annotated[
        str | None,
        typer.Option(help="A new file for the lines as they came, or - for this terminal."),
    ] = None,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Open a dataset's rows that are set aside: where they are and why, under a permit."""
    from havre.bootstrap.quarantining import look_at_rows

    report = look_at_rows(open_hub_for_data(hub), dataset, permit=permit, reveal=reveal)
    screen = Screen(as_json=as_json)
    if not as_json:
        screen.table("The first of them", report.pop("first"))
    screen.show(report)


@quarantine.command("replay")
def replay(
    dataset: Annotated[str, typer.Argument(help="The dataset, such as dcir.")],
    *,
    permit: PermitOption,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Check rows that are set aside again, by today's schema; what passes becomes a new version."""
    from havre.bootstrap.quarantining import replay_rows

    screen = Screen(as_json=as_json)
    with screen.progress("checking rows again") as bar:
        report = replay_rows(open_hub_for_data(hub), dataset, permit=permit, progress=bar.wait)
    screen.show(report)
