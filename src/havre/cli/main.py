"""The `havre` command: reads arguments, calls one use case, shows what came of it.

Nothing heavy is imported before a command needs it, so that `havre --help`
answers at once. A refusal is one sentence, one hint and the exit code of its
class (`havre.errors`); so is whatever else ends a command (`havre.cli.endings`).
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from havre import __version__
from havre.bootstrap import keep_memory_private
from havre.cli import (
    catalogue,
    certificates,
    clock,
    contracts,
    custodian,
    data,
    demo,
    drills,
    exposure,
    hub,
    keys,
    leaving,
    oppositions,
    party,
    permits,
    public,
    receipts,
    services,
    sharing,
    store,
    study,
    upkeep,
    witness,
)
from havre.cli.endings import EXIT_INTERRUPTED, end_with
from havre.cli.options import JsonOption, tell_complaints
from havre.cli.screen import Screen, wrap

# Plain help: the formatted one costs half of the start-up time.
app = typer.Typer(
    name="havre",
    help="A sovereign health data hub.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

# In the order in which `havre --help` lists them.
_GROUPS = (
    hub,
    catalogue,
    services,
    catalogue,
    data,
    contracts,
    receipts,
    oppositions,
    permits,
    upkeep,
    keys,
    sharing,
    clock,
    study,
    public,
    drills,
    exposure,
    party,
    store,
    certificates,
    leaving,
    custodian,
    witness,
    demo,
)
for commands in _GROUPS:
    commands.register(app)


@app.callback(invoke_without_command=True)
def version(
    *, show: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False
) -> None:
    """Keep health data where nobody but their keepers can read them."""
    if show:
        print(__version__)
        raise typer.Exit


@app.command()
def doctor(
    *,
    hub: Annotated[
        Path, typer.Option("--hub", envvar="HAVRE_HUB", help="Where the hub is, or will be.")
    ] = Path(),
    environment: Annotated[
        Path,
        typer.Option(
            "--environment", envvar="HAVRE_ENVIRONMENT", help="The study environment, built."
        ),
    ] = Path(".study-environment"),
    as_json: JsonOption = False,
) -> None:
    """Say what this machine can and cannot guarantee, and how to mend it."""
    from havre.bootstrap.doctor import examine

    facts = examine(hub, environment=environment)
    screen = Screen(as_json=as_json)
    if as_json:
        screen.table("", [asdict(fact) for fact in facts])
    else:
        for fact in facts:
            screen.say(wrap(f"  {'yes' if fact.held else 'NO ':<3}  {fact.name}", indent=" " * 7))
            screen.say(wrap(f"       {fact.seen}", indent=" " * 7))
            if fact.mend:
                screen.say(wrap(f"       -> {fact.mend}", indent=" " * 10))
    if not all(fact.held for fact in facts):
        raise typer.Exit(code=8)


def run() -> None:
    """Run the command line and turn whatever ends it into a sentence and an exit code.

    Before anything else the process closes its memory to core files and to other
    processes: which command will hold a key is not known yet.
    """
    words = sys.argv[1:]
    try:
        keep_memory_private()
        code = app(standalone_mode=False) or 0
        tell_complaints()
        if code == EXIT_INTERRUPTED:
            # What reads the command line turns the signal into this code by itself.
            raise KeyboardInterrupt
    except SystemExit:
        raise
    # An engine's panic is no `Exception`.
    except BaseException as fault:  # noqa: BLE001 - nothing ends a command with a bare trace
        code = end_with(fault, words=words)
    sys.exit(code)
