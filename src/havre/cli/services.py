"""`havre services`: a hub's custodians and witnesses on this machine, as processes of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from havre.cli.endings import stop_when_input_ends, until_stopped
from havre.cli.options import HubOption, InputOption, JsonOption
from havre.cli.screen import Screen, wrap


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(services)


def services(
    *, hub: HubOption, until_input_ends: InputOption = False, as_json: JsonOption = False
) -> None:
    """Run the custodians and witnesses of a hub on this machine, until told to stop.

    Each is a process of its own, and as root each has an account of its own. A line is
    written when all of them answer.
    """
    screen = Screen(as_json=as_json)
    with until_stopped():
        if until_input_ends:
            stop_when_input_ends()
        _serve(hub, screen)


def _serve(hub: Path, screen: Screen) -> None:
    from havre.bootstrap.services import served

    with served(hub) as running:
        rows = running.rows()
        if screen.as_json:
            screen.ready(
                {
                    "services": rows,
                    "elsewhere": running.elsewhere,
                    "separation": running.separation,
                }
            )
        else:
            show_services(screen, rows)
            if running.elsewhere:
                screen.say(f"    Not served from here: {', '.join(running.elsewhere)}.")
            screen.say(f"Ready: {running.separation}. Ctrl-C stops them.")
        for ended in running.watch():
            print(f"havre: {ended}", file=sys.stderr, flush=True)


def show_services(screen: Screen, rows: Sequence[Mapping[str, Any]]) -> None:
    """Show who runs: process numbers, sockets, and what each holds.

    rows: as `havre services --json` says them.
    """
    shown = [
        {
            "party": row["party"],
            "process": str(row["process"]),
            "socket": Path(row["address"]).name,
            "holds": _held(row["holds"]),
        }
        for row in rows
    ]
    screen.table("", shown, indent=3)
    parties = os.path.relpath(Path(rows[0]["address"].removeprefix("unix:")).parents[1])
    screen.say(wrap(f"    Sockets are in the parties' directories: {parties}/.", indent=" " * 6))


def _held(held: Mapping[str, int | None]) -> str:
    if "key_shares" in held:
        return f"{held['key_shares']} key shares, {held['log_entries']} log entries"
    head = held["log_head"]
    return "no memory of the log" if head is None else f"the log's head, at {head} entries"
