"""`havre catalogue`: the tables that a hub knows, and what everybody may know of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, open_hub, read_hub
from havre.cli.screen import Screen
from havre.errors import InvalidInput

catalogue = typer.Typer(help="The tables that a hub knows.", no_args_is_help=True)

_Dataset = Annotated[str, typer.Argument(help="A dataset, such as dcir.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(catalogue, name="catalogue")


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


@catalogue.command("check")
def check(*, hub: HubOption, as_json: JsonOption = False) -> None:
    """Say what a European catalogue asks for and nobody has said yet; exit code 7 if there is something."""
    from havre.bootstrap.cataloguing import check_catalogue

    found = check_catalogue(read_hub(hub))
    screen = Screen(as_json=as_json)
    if as_json:
        screen.show(found)
    elif found["complete"]:
        screen.say("Everything that a European catalogue asks for is there.")
    else:
        screen.say("A European catalogue asks for these too. Say them in catalogue.toml:")
        for each in found["lacking"]:
            screen.say(f"  {each}")
    if not found["complete"]:
        raise typer.Exit(code=7)


@catalogue.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="The folder to write into.")],
    *,
    hub: HubOption,
    form: Annotated[
        str, typer.Option("--format", help="dcat (Turtle and JSON-LD), croissant or html.")
    ] = "dcat",
    as_json: JsonOption = False,
) -> None:
    """Write what everybody may know of the datasets, as HealthDCAT-AP, Croissant or pages."""
    from havre.bootstrap.cataloguing import export_catalogue

    Screen(as_json=as_json).show(export_catalogue(read_hub(hub), out, form=form))


@catalogue.command("quality")
def quality(
    dataset: _Dataset,
    *,
    hub: HubOption,
    against: Annotated[
        int | None, typer.Option(help="Compare with the version of this entry of the log.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the quality label of a dataset's newest version, in the six elements of the EHDS."""
    from havre.bootstrap.cataloguing import quality_rows

    rows = quality_rows(read_hub(hub), dataset, against=against)
    Screen(as_json=as_json).table(f"Quality of {dataset}", rows)


@catalogue.command("sample")
def sample(
    dataset: _Dataset,
    out: Annotated[
        Path | None, typer.Argument(help="A folder; without one, the public site.")
    ] = None,
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Write a dataset's sample: rows of made-up people, in the exact form of the real ones."""
    from havre.bootstrap.samples import write_sample

    screen = Screen(as_json=as_json)
    with screen.progress("making up people"):
        written = write_sample(read_hub(hub), dataset, out)
    screen.show(written)
