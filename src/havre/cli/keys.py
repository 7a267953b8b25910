"""`havre keys …`: how old keys are, and how they end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, open_hub, read_hub
from havre.cli.screen import Screen

keys = typer.Typer(help="The life of keys: their age, and their end.", no_args_is_help=True)
OrderFile = Annotated[Path, typer.Argument(help="The signed order.")]
# What a command that leaves an order open ends with: the same call may end it later.
_STILL_OPEN = 6
# And one that opened what should be erased.
_NOT_ERASED = 4


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(keys, name="keys")


@keys.command("list")
def list_keys(
    *,
    hub: HubOption,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that hold nothing and were never opened.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the key pairs: age, openings, generation, state."""
    from havre.bootstrap.rotating import list_key_rows

    Screen(as_json=as_json).table("Keys", list_key_rows(read_hub(hub), everything=everything))


@keys.command()
def rotate(
    partition: Annotated[
        list[str] | None, typer.Argument(help="Of what, such as dataset/dcir/2023/1.")
    ] = None,
    *,
    due: Annotated[
        bool, typer.Option("--due", help="Of everything that takes no more writes.")
    ] = False,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Make new generations of keys: what is written from now on lies under them."""
    from havre.bootstrap.rotating import rotate as make

    made = make(open_hub(hub), partition or [], due=due)
    Screen(as_json=as_json).show({"made": [each.partition.text for each in made]})


@keys.command()
def order(
    partition: Annotated[
        list[str], typer.Argument(help="What is to be erased, such as dataset/dcir/2019/1.")
    ],
    *,
    party: Annotated[
        list[Path], typer.Option("--party", help="Who orders it; twice if two must sign.")
    ],
    out: Annotated[Path, typer.Option(help="Where the signed order is written.")],
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """As the controller: sign an order to erase keys; nothing is done with it yet."""
    from havre.bootstrap.key_life import write_order

    written = write_order(read_hub(hub), partition, parties=party, out=out)
    Screen(as_json=as_json).show(written)


@keys.command()
def sign(
    order_file: OrderFile,
    *,
    party: Annotated[Path, typer.Option("--party", envvar="HAVRE_PARTY", help="Who signs too.")],
    as_json: JsonOption = False,
) -> None:
    """As an authority: put a second signature under an order."""
    from havre.bootstrap.key_life import sign_too

    Screen(as_json=as_json).show(sign_too(order_file, party))


@keys.command()
def erase(
    order_file: Annotated[
        Path | None, typer.Argument(help="A signed order; without one, see --permit and --open.")
    ] = None,
    *,
    permit: Annotated[
        str | None, typer.Option(help="Erase this project, because its permit is over.")
    ] = None,
    unfinished: Annotated[
        bool, typer.Option("--open", help="Ask again about every order that stands open.")
    ] = False,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Have custodians destroy their shares, and put on the log that enough have."""
    from havre.bootstrap import key_life

    opened = open_hub(hub)
    reports = []
    if order_file is not None:
        reports.append(key_life.erase_by_order(opened, order_file))
    if permit is not None:
        reports.append(key_life.erase_project(opened, permit))
    if unfinished:
        reports += key_life.carry_out_open(opened)
    screen = Screen(as_json=as_json)
    screen.table("Erasures", [key_life.erasure_row(each) for each in reports])
    if any(each.erased is None for each in reports):
        screen.say(
            "Too few custodians have attested. The order stands: ask again with"
            " `havre keys erase --open`."
        )
        raise typer.Exit(code=_STILL_OPEN)


@keys.command("try")
def try_erased(
    partition: Annotated[
        list[str], typer.Argument(help="What was erased, such as project/diabetes/1.")
    ],
    *,
    also: Annotated[
        list[Path] | None, typer.Option(help="A replica or a backup, of a store or of a party.")
    ] = None,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Try to read what was erased, in every copy, with everything that is left."""
    from havre.bootstrap.attempts import attempt_row, try_erased
    from havre.bootstrap.key_life import find_partitions

    opened = read_hub(hub)
    attempts = try_erased(opened, find_partitions(opened, partition), also=also or [])
    Screen(as_json=as_json).show(attempt_row(attempts))
    if attempts.opened or attempts.seeds:
        raise typer.Exit(code=_NOT_ERASED)
