"""`havre init`, `status`, `ceremony`: the hub itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, open_hub, read_hub
from havre.cli.screen import Screen

_EMBEDDED = "nothing yet: every party is a directory on this machine"
_SERVED = (
    "custodians and witnesses are processes of their own, on this machine: start them with"
    " `havre services`, or each by itself with `havre custodian serve`, `havre witness serve`"
)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(init)
    app.command()(status)
    app.command()(ceremony)


def init(
    *,
    hub: HubOption,
    parties: Annotated[Path, typer.Option(help="Where each party's directory is made.")],
    origin: Annotated[str, typer.Option(help="The log's name, for its whole life.")] = (
        "havre.example/log"
    ),
    made_up: Annotated[
        bool, typer.Option("--made-up", help="The data are made up: the public site says so.")
    ] = False,
    language: Annotated[
        str, typer.Option(help="In which permits and studies are written, such as fr.")
    ] = "",
    token: Annotated[
        list[str] | None,
        typer.Option(help="A party's hardware token: NAME=pkcs11:token=LABEL?module-path=/FILE."),
    ] = None,
    services: Annotated[
        bool,
        typer.Option("--services", help="Custodians and witnesses are processes of their own."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Found a hub on this machine, with everybody it needs, each in a directory of its own."""
    from havre.bootstrap.founding import found_hub
    from havre.bootstrap.place import read_settings
    from havre.bootstrap.tokens import split_tokens

    screen = Screen(as_json=as_json)
    with screen.progress("founding") as bar:
        steps = iter(range(1, 10))
        founded = found_hub(
            hub,
            parties=parties,
            origin=origin,
            settings=read_settings({"made_up": made_up, "language": language}),
            progress=lambda what: bar.step(next(steps), 4, what),
            tokens=split_tokens(token or []),
            services=services,
        )
    screen.show(
        {
            "hub": str(founded.hub),
            "parties": str(founded.parties),
            "tables": founded.tables,
            "key_pairs": founded.partitions,
            "separated": _SERVED if services else _EMBEDDED,
        }
    )


def status(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Say where the hub stands: its log, its datasets, what waits."""
    from havre.bootstrap.reports import hub_status

    Screen(as_json=as_json).show(hub_status(read_hub(hub)))


def ceremony(
    *,
    hub: HubOption,
    dataset: Annotated[list[str] | None, typer.Option(help="Datasets that need key pairs.")] = None,
    landing: Annotated[int, typer.Option(min=0, help="How many landing places to add.")] = 0,
    since: Annotated[
        int | None,
        typer.Option(min=1990, max=2099, help="The first year of the datasets' data, if long ago."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make key pairs with the custodians: for datasets, and landing places for deliveries."""
    from havre.bootstrap.growing import make_partitions

    opened = open_hub(hub)
    made = make_partitions(opened, datasets=dataset or [], landing=landing, since=since)
    Screen(as_json=as_json).show({"key_pairs": made})
