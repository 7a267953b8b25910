"""`havre synth`, `deliver`, `ingest`, `inbox`: data on their way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from havre.cli.contracts import say_changes
from havre.cli.options import (
    HubOption,
    JsonOption,
    PartyOption,
    open_hub,
    open_hub_for_data,
    read_hub,
    warn_of_swap,
)
from havre.cli.screen import Screen
from havre.errors import HavreError, gravest


class MadeTables(StrEnum):
    """Which tables `havre synth` makes."""

    CORE = "core"
    ALL = "all"


class MadeForm(StrEnum):
    """In which form `havre synth` writes files."""

    CSV = "csv"
    PARQUET = "parquet"


inbox = typer.Typer(help="Deliveries that wait for the hub.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(synth)
    app.command()(deliver)
    app.command()(ingest)
    app.add_typer(inbox, name="inbox")


def synth(
    *,
    out: Annotated[Path, typer.Option(help="An empty folder for the deliveries and the truth.")],
    people: Annotated[int, typer.Option(min=100, max=70_000_000)] = 20_000,
    first_year: Annotated[int, typer.Option(min=2010, max=2040)] = 2022,
    years: Annotated[int, typer.Option(min=1, max=10)] = 3,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    lines_a_year: Annotated[
        float, typer.Option(min=5, max=300, help="Of the central table, per person; 164 are real.")
    ] = 24,
    tables: Annotated[
        MadeTables, typer.Option(help="Those that the demo needs, or all that can be made.")
    ] = MadeTables.CORE,
    form: Annotated[MadeForm, typer.Option(help="The form of the files.")] = MadeForm.CSV,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="A fault to plant; all when none is named, `none` for none."),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=0, help="How many draw at once; 0: one per core. Same bytes.")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Make up people, their illnesses and the SNDS files of their care; same seed, same bytes."""
    from havre.bootstrap.synthetic import write_synthetic

    screen = Screen(as_json=as_json)
    planted = {} if fault is None else {"faults": [each for each in fault if each != "none"]}
    with screen.progress("drawing people") as bar:
        written = write_synthetic(
            out,
            people=people,
            first_year=first_year,
            years=years,
            seed=seed,
            progress=lambda done, total: bar.step(done, total, "writing deliveries"),
            lines_a_year=lines_a_year,
            tables=tables.value,
            form=form.value,
            processes=processes,
            **planted,
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
    from havre.bootstrap.intake import dispatch_report
    from havre.bootstrap.reports import open_party

    open_party(party, role="holder")
    warn_of_swap()
    screen = Screen(as_json=as_json)
    with screen.progress("sealing", of="rows") as bar:
        holder = HolderSide(party, hub=hub)
        tried = list(
            holder.send(
                folders,
                leave=leave_column or (),
                progress=lambda now: bar.step(
                    now.read_bytes, max(now.total_bytes, 1), now.sentence, things=now.rows
                ),
            )
        )
    report = dispatch_report(tried)
    if as_json:
        screen.show(report)
    else:
        notes, held = report.pop("notes"), report.pop("held")
        screen.show(report)
        _say_notes(screen, notes)
        _say_held(screen, "delivered", held)
    _end([each.fault for each in tried if each.fault])


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
    from havre.bootstrap.intake import report_file, take_in

    screen = Screen(as_json=as_json)
    with report_file(report) as write, screen.progress("taking in", of="rows") as bar:
        intake = take_in(
            open_hub_for_data(hub),
            dataset or (),
            progress=lambda now: bar.step(now.done, now.total, now.sentence, things=now.done),
        )
        write(intake)
    found = intake.report()
    if as_json:
        screen.show(found)
    else:
        if intake.done:
            screen.table("New versions", intake.rows())
        _say_notes(screen, found["notes"])
        _say_broken(screen, found["contracts"])
        _say_codes(screen, found["codes"])
        say_changes(screen, found["changes"])
        _say_held(screen, "taken in", found["held"])
        for each in found["failed"]:
            screen.say(f"No new version of {each['dataset']}. {each['why']} {each['what_now']}")
        if not (intake.done or intake.faults):
            screen.say("Nothing waits.")
    _end(intake.faults)


@inbox.command("list")
def list_inbox(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Say what waits, and whether it would be taken in; nothing is changed."""
    from havre.bootstrap.intake import waiting_rows

    rows = waiting_rows(read_hub(hub))
    screen = Screen(as_json=as_json)
    if rows or as_json:
        screen.table("Deliveries in the inbox", rows)
    else:
        screen.say("Nothing waits.")


@inbox.command("drop")
def drop_from_inbox(
    name: Annotated[str, typer.Argument(help="The delivery's name.")],
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Throw a held delivery away, for good; its holder can mend it and deliver it again."""
    fault = open_hub(hub).receiving.drop(name)
    Screen(as_json=as_json).show({"dropped": name, "was_held_because": fault.message})


def _say_notes(screen: Screen, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        for note in row["notes"]:
            screen.say(f"Accepted with a note: {row['delivery']}/{row['path']}: {note}.")


def _say_broken(screen: Screen, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell the should rules that were broken: of a must rule, the refusal tells."""
    for row in rows:
        if (row["level"], row["state"]) == ("should", "broken"):
            screen.say(f"Delivery {row['delivery']} is not as agreed: {row['says']}.")


def _say_codes(screen: Screen, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell of which columns some codes are on no list, or not on their day."""
    faulty = [
        {
            "delivery": row["delivery"],
            "column": f"{row['table']}.{row['column']}",
            "list": row["list"],
            "valid": row["valid"],
            "unknown": row["unknown"],
            "not_on_their_day": row["ended"] + row["not_yet"],
        }
        for row in rows
        if row["unknown"] or row["ended"] or row["not_yet"]
    ]
    if faulty:
        screen.table("Codes that are not on their list, or not on their day", faulty)


def _say_held(screen: Screen, done: str, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        screen.say(f"Delivery {row['delivery']} was not {done}. {row['why']} {row['what_now']}")


def _end(faults: Sequence[HavreError]) -> None:
    """End with the exit code of the gravest refusal, if there is one: each was told before."""
    if faults:
        raise typer.Exit(code=gravest(faults).exit_code)
