"""A small hub whose dataset came in several deliveries, permits for its upkeep, and a look inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.adapters.tables.merging import ArrowMerger
from havre.application.ceremony import PartitionCatalogue
from havre.application.ingest import newest_version
from havre.application.upkeep_permit import wanted_for_upkeep
from havre.application.vault.reading import ReadPlace, manifest_locations, version_chain
from havre.application.vault.sealing import MANIFEST_DOCUMENT
from havre.domain.upkeep import UpkeepKind
from havre.ports.merging import NO_ROWS, RowSum
from havre.values import TableStream

DELIVERIES = ("dcir-2023-03", "dcir-2023-04", "dcir-2023-05")
UPKEEP = """
[permit]
name = "{name}"
title = "Upkeep of dcir"
purpose = "To try it."
applicant = "controller"
people = ["hub"]
starts_on = {first}
ends_on = {last}

[upkeep]
kind = "{kind}"
datasets = ["dcir"]
{years}
"""


def upkeep_text(name: str, *, kind: str = "compact", years: Sequence[int] = (2023,)) -> str:
    """An application for upkeep that begins today."""
    today = datetime.now(UTC).date()
    return UPKEEP.format(
        name=name,
        kind=kind,
        first=today,
        last=today + timedelta(days=6),
        years=f"years = {list(years)}" if kind == "compact" else "",
    )


def grant_upkeep(
    hub: SmallHub, name: str, *, kind: str = "compact", years: Sequence[int] = (2023,)
) -> None:
    """Have a permit for upkeep asked for and signed."""
    permits = hub.open().permits
    permits.ask(
        upkeep_text(name, kind=kind, years=years).encode(), applicant=hub.token("controller")
    )
    for authority in ("authority-1", "authority-2"):
        permits.sign(name, authority=hub.token(authority))


@cache
def in_small_files() -> SmallHub:
    """A hub that took in one delivery after the other; made once per process."""
    hub = copy_of(founded(), Path(mkdtemp(prefix="havre-small-files-")))
    hub.holder().deliver([hub.deliveries / "beneficiaires-2024"], progress=quiet)
    for name in DELIVERIES:
        hub.holder().deliver([hub.deliveries / name], progress=quiet)
        opened = hub.open()
        assert not opened.receiving.receive().held
        for dataset in opened.ingestion.waiting_datasets():
            opened.ingestion.ingest(dataset, progress=quiet)
    grant_upkeep(hub, "compact-dcir")
    return hub


def rows_of_2023(hub: SmallHub, permit: str) -> dict[str, tuple[int, RowSum]]:
    """Files and rows of every table of 2023, opened under a permit of its own."""
    merger = ArrowMerger()
    found: dict[str, tuple[int, RowSum]] = {}
    for table, rows in tables_of_2023(hub, permit):
        count, sums = found.get(table, (0, NO_ROWS))
        found[table] = (count + 1, sums + merger.row_sum(rows, key=bytes(32)))
    return found


def tables_of_2023(hub: SmallHub, permit: str) -> Iterator[tuple[str, TableStream]]:
    """Every file of 2023 in the newest version, with its table."""
    grant_upkeep(hub, permit)
    opened = hub.open()
    standing = opened.permits.standing(permit)
    newest = newest_version(opened.log, "dcir")
    assert newest is not None
    partitions = [
        each
        for each in PartitionCatalogue(opened.records, log=opened.log).list_living()
        if (each.partition.name, each.partition.year) == ("dcir", 2023)
    ]
    with opened.release.open(wanted_for_upkeep(standing, UpkeepKind.COMPACT, partitions)) as keys:
        reader = opened.reader(keys)
        files = reader.list_files(
            version_chain(opened.log.versions(), version=newest),
            places=[ReadPlace(each.partition, each.partition_id) for each in partitions],
            locations=manifest_locations(opened.records.list_documents(MANIFEST_DOCUMENT)),
        )
        for file in files:
            with reader.read_table(file) as stream:
                yield file.entry.table, stream
