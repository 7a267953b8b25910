"""`havre init`, `status`, `ceremony`, `catalogue`: the hub itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, open_hub, read_hub
from havre.cli.screen import Screen
from havre.errors import InvalidInput

catalogue = typer.Typer(help="The tables that a hub knows.", no_args_is_help=True)


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
    app.add_typer(catalogue, name="catalogue")


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
    as_json: JsonOption = False,
) -> None:
    """Make key pairs with the custodians: for datasets, and landing places for deliveries."""
    from havre.bootstrap.growing import make_partitions

    opened = open_hub(hub)
    made = make_partitions(opened, datasets=dataset or [], landing=landing)
    Screen(as_json=as_json).show({"key_pairs": made})


@catalogue.command("import")
def import_catalogue(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of Frictionless Table Schemas.")
    ] = None,
    *,
    hub: HubOption,
    model: Annotated[
        str | None,
        typer.Option(help="Instead of a folder: `fhir` or `omop`, which come with Havre."),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Put every table into this dataset.")] = None,
    plain: Annotated[
        bool, typer.Option("--no-snds", help="Without our corrections of the public SNDS schema.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take any folder of Table Schemas in as tables that the hub knows, or those of FHIR or OMOP."""
    from havre.bootstrap.growing import import_model, import_schemas

    if (folder is None) == (model is None):
        raise InvalidInput(
            "One source of tables is taken in at a time.",
            hint="Name a folder of Table Schemas, or a model with --model.",
        )
    opened = open_hub(hub)
    if folder is not None:
        imported = import_schemas(opened, folder, dataset=dataset, with_snds=not plain)
    else:
        imported = import_model(opened, str(model))
    Screen(as_json=as_json).show(imported)


@catalogue.command("show")
def show_catalogue(
    table: Annotated[str | None, typer.Argument(help="One table; without it, all of them.")] = None,
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """List the tables, or one table's columns."""
    from havre.bootstrap.reports import list_columns, list_tables

    opened = read_hub(hub)
    screen = Screen(as_json=as_json)
    if table is None:
        screen.table("Tables", list_tables(opened))
    else:
        screen.table(f"Columns of {table}", list_columns(opened, table))


@catalogue.command("publish")
def publish_catalogue(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Write the catalogue and the landing places anew, where holders read them."""
    from havre.bootstrap.holders import publish_for_holders

    opened = read_hub(hub)
    publish_for_holders(opened)
    screen = Screen(as_json=as_json)
    if as_json:
        screen.show({"folder": str(opened.place.for_holders)})
    else:
        screen.say("Holders can read the catalogue and the landing places.")
