"""`havre catalogue`: the tables that a hub knows, their years and codes, and what everybody may know."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from havre.cli.options import HubOption, JsonOption, open_hub, read_hub
from havre.cli.screen import Screen
from havre.errors import InvalidInput

catalogue = typer.Typer(help="The tables that a hub knows.", no_args_is_help=True)

_Dataset = Annotated[str, typer.Argument(help="A dataset, such as dcir.")]

_Lists = Annotated[
    Path, typer.Option("--from", envvar="HAVRE_CODES", help="A folder of public code lists.")
]


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
    """Take any folder of Table Schemas in as tables that the hub knows, or those of FHIR or OMOP.

    Lists of codes that lie in the folder are kept, if a table names them: what comes in is counted by them.
    """
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


@catalogue.command("year")
def show_year(
    table: Annotated[str, typer.Argument(help="A table, such as T_MCOaaB or ER_PRS_F.")],
    year: Annotated[int, typer.Argument(min=1990, max=2099, help="A year, such as 2012.")],
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """List the columns that a table has in one year."""
    from havre.bootstrap.table_years import columns_of_year

    shown = columns_of_year(read_hub(hub), table, year)
    screen = Screen(as_json=as_json)
    if shown.beyond is not None and not as_json:
        screen.say(f"The history of this table is known until {shown.beyond}: later columns lack.")
    screen.table(f"Columns of {shown.file} in {year}", shown.columns)


@catalogue.command("diff")
def show_differences(
    tables: Annotated[str, typer.Argument(help="A table, or a pattern such as 'T_MCO*' or '*'.")],
    first: Annotated[int, typer.Argument(min=1990, max=2099, help="A year.")],
    second: Annotated[int, typer.Argument(min=1990, max=2099, help="Another year.")],
    *,
    hub: HubOption,
    as_json: JsonOption = False,
) -> None:
    """Say which columns tables have in one year and not in another, or in another type."""
    from havre.bootstrap.table_years import differences_of_years

    rows = differences_of_years(read_hub(hub), tables, first, second)
    screen = Screen(as_json=as_json)
    if not rows and not as_json:
        screen.say(f"Nothing is known to differ between {first} and {second}.")
        return
    screen.table(f"From {first} to {second}", rows)


@catalogue.command("codes")
def show_codes(
    system: Annotated[
        str | None, typer.Argument(help="A code system, such as MS_CIM_V; without it, all of them.")
    ] = None,
    code: Annotated[
        str | None, typer.Argument(help="One code, or the beginning of codes with a star: 'E11*'.")
    ] = None,
    *,
    folder: _Lists,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that is asked about.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List code systems, the codes of one, or what one code is on a day."""
    from havre.bootstrap.codes import code_in_full, codes_of_system, systems_of_folder

    screen, day = Screen(as_json=as_json), on.date() if on else None
    if system is None:
        screen.table("Code systems", systems_of_folder(folder))
    elif code is None or code.endswith("*"):
        prefix = (code or "").removesuffix("*")
        screen.table(f"Codes of {system}", codes_of_system(folder, system, prefix=prefix, on=day))
    else:
        screen.show(code_in_full(folder, system, code, on=day))


@catalogue.command("label")
def label(
    file: Annotated[Path, typer.Argument(help="A table: Parquet, or CSV in UTF-8.")],
    *,
    column: Annotated[str, typer.Option(help="The column of codes.")],
    system: Annotated[str, typer.Option(help="Their code system, such as MS_CIM_V.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist.")],
    folder: _Lists,
    into: Annotated[
        str | None, typer.Option(help="The new column's name; else COLUMN_label.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a table of codes anew, such as a released output, with the label of each code beside it."""
    from havre.bootstrap.codes import label_codes

    Screen(as_json=as_json).show(
        label_codes(file, out, column=column, system=system, folder=folder, into=into)
    )


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
