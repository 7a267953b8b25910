"""What a hub takes on in its life: more tables, more key pairs, more landing places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from havre.adapters.codes.folder import find_code_lists, read_list
from havre.adapters.sources.rules import check_rules
from havre.application.ceremony import PartitionCatalogue
from havre.application.code_lists import CodeLists, named_lists
from havre.application.oppositions import OPPOSITIONS_PARTITION
from havre.bootstrap.founding import dataset_partitions, landing_places
from havre.bootstrap.holders import publish_for_holders
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.schemas import SNDS_LAYER, model_tables, read_schemas
from havre.domain.catalogue import BuiltTable, Layer
from havre.domain.code_system import name_of_list
from havre.domain.oppositions import OPPOSITIONS_DATASET
from havre.domain.schema import Catalogue
from havre.domain.shown import show_file
from havre.errors import InvalidInput, NotFound
from havre.values import PartitionKind


def import_schemas(
    hub: OpenHub, folder: Path, *, dataset: str | None, with_snds: bool
) -> dict[str, object]:
    """Import a folder of Table Schemas, and the lists of codes that lie in it.

    A table that the hub knows stays in its dataset, unless `dataset` says otherwise. Of the
    lists those are kept that a table of the hub names; each takes the place of an
    earlier one of its name.

    Returns counts, and which corrections were used.

    Raises:
        NotFound: there is no description; or there are lists alone, and no table names one.
        InvalidInput: a description or a list cannot be read, or no cell can be checked by
            it; it is named.
    """
    layer = SNDS_LAYER if with_snds else Layer()
    tables = read_schemas(folder, layer=layer, dataset=dataset)
    if dataset is None:
        tables = hub.catalogue.known().left_where_they_are(tables)
    check_rules(built.schema for built in tables)
    named = named_lists(hub.catalogue.known().catalogue)
    named |= named_lists(Catalogue(tuple(built.schema for built in tables)))
    # Read before anything is imported: one that is damaged stops all.
    lists = [
        read_list(each.path) for each in find_code_lists(folder) if name_of_list(each.name) in named
    ]
    if not (tables or lists):
        raise NotFound(
            "There are only lists of codes in this folder, and no table of the hub names one.",
            hint="Import the tables first.",
        )
    CodeLists(hub.records).keep(lists)
    counts = _imported(hub, tables) if tables else {"imported": 0}
    return {**counts, "code_lists": len(lists)}


def import_model(hub: OpenHub, model: str) -> dict[str, object]:
    """Import the tables of FHIR or OMOP that come with the package; returns counts.

    Raises:
        NotFound: the package describes no such model.
    """
    return _imported(hub, model_tables(model))


def _imported(hub: OpenHub, tables: Sequence[BuiltTable]) -> dict[str, object]:
    before = {each.schema.name: each.schema.dataset for each in hub.catalogue.known().tables}
    moved = {
        built.schema.name: built.schema.dataset
        for built in tables
        if before.get(built.schema.name, built.schema.dataset) != built.schema.dataset
    }
    known = hub.catalogue.import_tables(tables)
    publish_for_holders(hub)
    used = sorted({name for built in tables for name in built.used})
    return {
        "imported": len(tables),
        "known": len(known.tables),
        "datasets": sorted({built.schema.dataset for built in tables}),
        "moved": [f"{name} to {moved[name]}" for name in sorted(moved)],
        "corrections": used,
    }


def make_partitions(
    hub: OpenHub, *, datasets: Iterable[str], landing: int, since: int | None = None
) -> int:
    """Hold a ceremony for what is missing; returns how many key pairs were made.

    datasets: known ones, or `oppositions` for the registers of people who object.
    since: the first year of their data, where it lies further back than a founding looks.

    Raises:
        InvalidInput: nothing is asked for, or fewer places than none.
        NotFound: the catalogue knows no such dataset: key pairs are for ever.
    """
    asked = list(datasets)
    if landing < 0 or not (asked or landing):
        raise InvalidInput(
            "A ceremony makes key pairs for something.",
            hint="Name a dataset with --dataset, or a number of new places with --landing.",
        )
    have_tables = {built.schema.dataset for built in hub.catalogue.known().tables}
    registers = [OPPOSITIONS_PARTITION] if OPPOSITIONS_DATASET in asked else []
    asked = [each for each in asked if each != OPPOSITIONS_DATASET]
    if unknown := [show_file(each) for each in asked if each not in have_tables]:
        raise NotFound(
            f"The catalogue knows no dataset of this name: {', '.join(unknown)}.",
            hint=f"It knows {', '.join(sorted(have_tables))}. Take tables of a new one in with"
            " `havre catalogue import`.",
        )
    known = [
        each.partition for each in PartitionCatalogue(hub.records, log=hub.log).list_partitions()
    ]
    wanted = [
        each
        for each in (
            *dataset_partitions(asked, this_year=hub.clock.now().year, since=since),
            *registers,
        )
        if each not in known
    ]
    have = sum(each.kind is PartitionKind.LANDING for each in known)
    wanted += landing_places(have, landing)
    if wanted:
        hub.ceremonies.make(wanted)
        publish_for_holders(hub)
    return len(wanted)
