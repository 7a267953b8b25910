"""`havre extract`, `run`, `review`, `vote`, `release`: from a permit to released files."""

from __future__ import annotations

from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, open_hub
from havre.cli.screen import Screen


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(extract)


def extract(
    permit: Annotated[str, typer.Argument(help="The permit's name.")],
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Cut the lake to a permit, under pseudonyms of the project's own, sealed to its key."""
    screen = Screen(as_json=as_json)
    with screen.progress("asking the custodians") as bar:
        tables = iter(range(1, 1000))
        report = open_hub(hub).extraction.extract(
            permit, progress=lambda table: bar.step(next(tables), 20, table)
        )
    screen.show({"permit": report.permit, "entry": report.index, "rows": report.rows})
