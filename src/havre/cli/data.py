"""`havre synth`, `deliver`, `ingest`: data on their way in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, PartyOption, open_hub
from havre.cli.screen import Screen


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(synth)
    app.command()(deliver)
    app.command()(ingest)


def synth(
    *,
    out: Annotated[Path, typer.Option(help="An empty folder for the deliveries and the truth.")],
    people: Annotated[int, typer.Option(min=100, max=1_000_000)] = 20_000,
    first_year: Annotated[int, typer.Option(min=2010, max=2040)] = 2022,
    years: Annotated[int, typer.Option(min=1, max=10)] = 3,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    as_json: JsonOption = False,
) -> None:
    """Make up people, their illnesses and the SNDS files of their care; same seed, same bytes."""
    from havre.bootstrap.synthetic import write_synthetic

    screen = Screen(as_json=as_json)
    with screen.progress("drawing people") as bar:
        written = write_synthetic(
            out,
            people=people,
            first_year=first_year,
            years=years,
            seed=seed,
            progress=lambda done, total: bar.step(done, total, "writing deliveries"),
        )
    screen.show(written)


def deliver(
    folders: Annotated[list[Path], typer.Argument(help="Folders with a delivery.toml each.")],
    *,
    party: PartyOption,
    hub: HubOption,
    leave_column: Annotated[
        list[str] | None, typer.Option(help="A column too many that may stay behind.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """At the holder: check deliveries, make the first pseudonyms, seal them to the hub, sign."""
    from havre.bootstrap.holders import HolderSide
    from havre.bootstrap.reports import sum_notes

    screen = Screen(as_json=as_json)
    with screen.progress("sealing") as bar:
        notes = HolderSide(party, hub=hub).deliver(
            folders, leave=leave_column or (), progress=bar.step
        )
    screen.show(sum_notes(notes))


def ingest(
    dataset: Annotated[
        list[str] | None, typer.Argument(help="Datasets; without any, all that wait.")
    ] = None,
    *,
    hub: HubOption,
    report: Annotated[
        Path | None, typer.Option(help="Write what became of each file there, as JSON.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take deliveries in, check every row, pseudonymise, seal, publish a new version."""
    from havre.bootstrap.reports import ingest_row, write_ingest_report

    screen = Screen(as_json=as_json)
    opened = open_hub(hub)
    received = opened.receiving.receive()
    for name, fault in received.held.items():
        screen.say(f"Delivery {name} was not taken in. {fault}")
    done = []
    with screen.progress("checking") as bar:
        names = dataset or opened.ingestion.waiting_datasets()
        for number, name in enumerate(names):
            bar.step(number, len(names), name)
            done.append(opened.ingestion.ingest(name, progress=lambda _: None))
    if report is not None:
        write_ingest_report(report, done)
    screen.table("New versions", [ingest_row(each) for each in done])
    if received.held:
        raise typer.Exit(code=7)
