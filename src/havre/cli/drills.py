"""`havre drill …`: promises tried on the real thing, each with a signed receipt on the log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, open_hub, read_hub
from havre.cli.screen import Screen

# A drill that did not hold is found on standard output, and by this exit code.
EXIT_NOT_HELD = 4

SeedOption = Annotated[
    str | None, typer.Option("--seed", help="32 hexadecimal characters; the receipt has them.")
]

EnvironmentOption = Annotated[
    Path | None,
    typer.Option("--environment", envvar="HAVRE_ENVIRONMENT", help="The study environment, built."),
]

drill = typer.Typer(help="Promises tried on the running hub.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(drill, name="drill")


@drill.callback()
def drills() -> None:
    """Promises tried on the real thing, each with a signed receipt on the log."""


@drill.command("list")
def list_all(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Say of every drill when it was last held; one that is overdue counts as failed."""
    from havre.bootstrap.drills.desk import list_drills

    rows = list_drills(read_hub(hub))
    screen = Screen(as_json=as_json)
    screen.table("Drills", rows)
    failed = [str(row["drill"]) for row in rows if row["counts_as_failed"]]
    if failed and not as_json:
        screen.say(f"Counts as failed: {', '.join(failed)}.")


@drill.command()
def subpoena(
    *,
    hub: HubOption,
    canaries: Annotated[
        Path | None, typer.Option(help="A CSV whose second column holds values in the data.")
    ] = None,
    also: Annotated[list[Path] | None, typer.Option(help="More folders to seize.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take everything the store's host holds and search it as an opponent would."""
    from havre.bootstrap.drills.desk import show_run
    from havre.bootstrap.drills.subpoena import subpoena as seize

    ran = seize(open_hub(hub), canaries=canaries, also=also or ())
    found = ran.search
    _end(
        ran.run.verdict.value,
        {
            **show_run(ran.run, receipt_sha256=ran.receipt_sha256),
            "conclusion": found.conclusion,
            "files_seized": found.files,
            "seized": {
                f"{place}: {kind}": number for (place, kind), number in sorted(found.seized.items())
            },
            "bytes_seized": found.size_bytes,
            "canaries_looked_for": found.canaries,
            "keys_tried": found.keys_tried,
            "found": found.found,
            "clear_by_design": dict(found.clear_by_design),
            "sightings": [
                f"{each.what} ({each.spelling}) in {each.file}" for each in found.sightings
            ],
        },
        as_json=as_json,
    )


@drill.command()
def fork(*, hub: HubOption, seed: SeedOption = None, as_json: JsonOption = False) -> None:
    """Show old and forked logs to witnesses, custodians and strangers; each must refuse.

    Held on a small hub of its own; the real log and its parties are left alone.
    """
    from havre.bootstrap.drills.desk import hold
    from havre.bootstrap.drills.fork import fork as show_forks

    result = hold(open_hub(hub), show_forks, seed=seed)
    _end(result["verdict"], result, as_json=as_json)


@drill.command()
def disconnect(
    *,
    hub: HubOption,
    environment: EnvironmentOption = None,
    wheels: Annotated[
        Path | None, typer.Option(help="A folder with every wheel that the lock names.")
    ] = None,
    lock: Annotated[Path, typer.Option(help="The lock file to install from.")] = Path(
        "requirements.lock"
    ),
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play the hub's whole work without any network, for 90 days on a simulated clock.

    Held on a small hub of its own. What the machine does not allow is not run.
    """
    from functools import partial

    from havre.bootstrap.drills.desk import hold
    from havre.bootstrap.drills.disconnect import Supplies
    from havre.bootstrap.drills.disconnect import disconnect as cut_off

    supplies = Supplies(environment=environment, wheels=wheels, lock=lock)
    result = hold(open_hub(hub), partial(cut_off, supplies=supplies), seed=seed)
    _end(result["verdict"], result, as_json=as_json)


@drill.command()
def seizure(*, hub: HubOption, seed: SeedOption = None, as_json: JsonOption = False) -> None:
    """Kill a hub at work, search the images of its disks, and go on at a standby host.

    Held on a small hub of its own; the real one is left alone.
    """
    from havre.bootstrap.drills.desk import hold
    from havre.bootstrap.drills.seizure import seizure as take_host

    result = hold(open_hub(hub), take_host, seed=seed)
    _end(result["verdict"], result, as_json=as_json)


@drill.command()
def ownership(*, hub: HubOption, seed: SeedOption = None, as_json: JsonOption = False) -> None:
    """Have each operator bought in turn, on paper; leave the bought host of a store, for real.

    The first part is of the hub itself, by its fact sheets; the second is held on a
    small hub of its own.
    """
    from havre.bootstrap.drills.ownership import hold_ownership

    result = hold_ownership(open_hub(hub), seed=seed)
    _end(result["verdict"], result, as_json=as_json)


@drill.command()
def opposition(
    *,
    hub: HubOption,
    environment: EnvironmentOption = None,
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have people object while a hub works; nobody of them may be in what is made afterwards.

    Held on a small hub of its own, for 14 days on a simulated clock.
    """
    from functools import partial

    from havre.bootstrap.drills.desk import hold
    from havre.bootstrap.drills.opposition import opposition as object_to

    result = hold(open_hub(hub), partial(object_to, environment=environment), seed=seed)
    _end(result["verdict"], result, as_json=as_json)


@drill.command("key-loss")
def key_loss(*, hub: HubOption, seed: SeedOption = None, as_json: JsonOption = False) -> None:
    """Lose and rob custodians, let others take over, and destroy a generation of keys.

    Held on a small hub of its own; the real one and its custodians are left alone.
    """
    from havre.bootstrap.drills.desk import hold
    from havre.bootstrap.drills.key_loss import key_loss as lose_keys

    result = hold(open_hub(hub), lose_keys, seed=seed)
    _end(result["verdict"], result, as_json=as_json)


def _end(verdict: str, result: dict[str, object], *, as_json: bool) -> None:
    """Show what a drill came to, and end with its exit code."""
    Screen(as_json=as_json).show(result)
    if verdict == "failed":
        raise typer.Exit(code=EXIT_NOT_HELD)
