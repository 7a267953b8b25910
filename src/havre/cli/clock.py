"""`havre clock …`: what is due, and the run that does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from havre.cli.options import HubOption, JsonOption, open_hub, read_hub
from havre.cli.screen import Screen
from havre.errors import gravest

_NOTHING = "Nothing is due, and no term is near its end."

clock = typer.Typer(help="Terms: what is due, when, and who must act.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(clock, name="clock")


@clock.command("list")
def list_due(
    *,
    hub: HubOption,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the terms whose end is not near.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is due, when, by which rule and who must act; nothing is done."""
    from havre.bootstrap.timekeeping import clockwork, duty_rows

    opened = read_hub(hub)
    rows = duty_rows(opened, clockwork(opened).list_running(), everything=everything)
    screen = Screen(as_json=as_json)
    if as_json:
        screen.table("Terms", rows)
    elif rows:
        _say_terms(screen, rows)
    else:
        screen.say(_NOTHING)


@clock.command()
def run(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Do what the hub owes and can do by itself, and tell everybody else; made to run daily.

    What needs a signature, or a custodian that does not answer, is named and waits.
    """
    from havre.bootstrap.timekeeping import clockwork, gravest_waits, run_row

    opened = open_hub(hub)
    done = clockwork(opened).run()
    row = run_row(opened, done)
    screen = Screen(as_json=as_json)
    if as_json:
        screen.show(row)
    else:
        if row["did"]:
            screen.table("Done", row["did"])
        for each in row["waits"]:
            screen.say(f"{each['term']} of {each['about']} waits. {each['why']} {each['what_now']}")
        _say_terms(screen, row["owed"])
        if not any(row.values()):
            screen.say(_NOTHING)
    if faults := gravest_waits(done):
        raise typer.Exit(code=gravest(faults).exit_code)


def _say_terms(screen: Screen, rows: Iterable[Mapping[str, Any]]) -> None:
    """Say each term in a line of its own: a table of all of it is wider than a screen."""
    for row in rows:
        screen.say(
            f"{row['due_at'][:10]}  {row['state']}  {row['term']} of {row['about']}:"
            f" {row['means']} ({row['source']}). Who must act: {row['who']}, with `{row['how']}`."
        )
