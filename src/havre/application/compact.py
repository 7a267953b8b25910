"""Compaction: the small files of a partition become few large ones, with the same rows.

Deliveries come month by month and leave a file for each table and year; an extract then
opens many, and their bounds say little. Put together they are sorted by period and person,
so that bounds choose. The old files are withdrawn by the new version and stay in the store:
versions before this one, and extracts that were cut from them, still name them.

Under a permit for upkeep (`domain.upkeep`). It ends with one entry of the log: before it the
new version does not exist, and a run that died can be begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TypeVar

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.corrections import DeliveryBook, objects_document
from havre.application.ingest import newest_version
from havre.application.journal import Journal
from havre.application.permits import Permits, PermitStanding
from havre.application.rotation import Generations
from havre.application.upkeep_permit import granted_for_upkeep, still_granted, wanted_for_upkeep
from havre.application.vault.inventory import list_written
from havre.application.vault.keys import KeyRelease
from havre.application.vault.reading import (
    LentKeys,
    ListedFile,
    ReadPlace,
    VaultReader,
    manifest_locations,
    version_chain,
)
from havre.application.vault.sealing import (
    MANIFEST_DOCUMENT,
    NoPlace,
    SealedManifest,
    SealedVersion,
    VaultWriter,
    WritePlace,
)
from havre.crypto.commitments import new_salt
from havre.crypto.random import new_object_id
from havre.domain.events import VersionPublished
from havre.domain.filing_order import filing_order
from havre.domain.schema import Catalogue
from havre.domain.upkeep import UpkeepKind
from havre.domain.version_objects import PlacedObject, VersionObjects
from havre.errors import InvalidInput, NotFound, NotGenuine, Refused
from havre.formats.manifest import ManifestEntry, ObjectKind
from havre.ports.clock import Clock
from havre.ports.merging import NO_ROWS, MergedRows, RowMerger, RowPart, RowSum
from havre.ports.records import Records
from havre.ports.tables import MAX_FILE_ROWS
from havre.values import ObjectId, PartitionKind

Group = TypeVar("Group", int, str)


class RowsDiffer(NotGenuine):
    """What was put together does not have the rows that it was made from."""


@dataclass(frozen=True, slots=True)
class TableCompacted:
    """What became of one table in one year; year 0 is for rows without one."""

    table: str
    year: int
    files_before: int
    files_after: int
    rows: int


@dataclass(frozen=True, slots=True)
class CompactReport:
    """What one run did.

    version: index of the new version's entry, or null when there was nothing to put together.
    """

    dataset: str
    version: int | None
    tables: tuple[TableCompacted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactTools:
    """What a run works with; `reader` opens the vault with the keys that are lent."""

    vault: VaultWriter
    reader: Callable[[LentKeys], VaultReader]
    merger: RowMerger


class Compaction:
    """Puts files together."""

    def __init__(
        self,
        *,
        permits: Permits,
        release: KeyRelease,
        journal: Journal,
        log: PublicLog,
        records: Records,
        catalogue: Catalogue,
        generations: Generations,
        tools: CompactTools,
        clock: Clock,
    ) -> None:
        self._permits = permits
        self._release = release
        self._journal = journal
        self._log = log
        self._records = records
        self._catalogue = catalogue
        self._generations = generations
        self._tools = tools
        self._clock = clock

    def compact(
        self, dataset: str, *, permit: str, year: int | None, progress: Callable[[str], None]
    ) -> CompactReport:
        """Put the small files of a dataset together, in the years that a permit names.

        year: only this one. progress: told what is worked on.

        Raises:
            NotFound: no such permit, no version, or no open key pair for a year.
            Refused: the permit is for something else, used, or no longer granted; the
                custodians do not agree; a correction waits; or another version was
                published meanwhile.
            RowsDiffer: what was written is not what was read; no version was made.
            NotGenuine: an object is not what its manifest says.
        """
        standing = granted_for_upkeep(
            permit, UpkeepKind.COMPACT, permits=self._permits, log=self._log
        )
        years = _years_asked(standing, dataset, year)
        version = newest_version(self._log, dataset)
        if version is None:
            raise NotFound(f"There is no version of dataset {dataset}.", hint="Nothing to do.")
        book = DeliveryBook(self._records, self._log)
        book.check_no_correction_waits(dataset)
        places = self._write_places(dataset, years)
        filled = self._filled(dataset, years, version)
        opened = {each.partition_id: each for each in (*filled, *places.values())}
        wanted = wanted_for_upkeep(standing, UpkeepKind.COMPACT, list(opened.values()))
        with self._release.open(wanted) as keys:
            reader = self._tools.reader(keys)
            run = _Run(self._tools, reader, catalogue=self._catalogue, progress=progress)
            files = reader.list_files(
                self._chain(version),
                places=[ReadPlace(each.partition, each.partition_id) for each in filled],
                locations=manifest_locations(self._records.list_documents(MANIFEST_DOCUMENT)),
            )
            with self._tools.vault.batch():
                manifests = run.seal(files, {at: _place(known) for at, known in places.items()})
            run.check()
        if not manifests:
            return CompactReport(dataset, None, ())
        with self._journal.alone():
            still_granted(permit, permits=self._permits)
            book.check_no_correction_waits(dataset)
            objects = run.objects(book.owners(dataset))
            sealed = SealedVersion(tuple(manifests), objects)
            index = self._record(dataset, version, permit, sealed)
        return CompactReport(dataset, index, tuple(run.done))

    def _write_places(self, dataset: str, years: Sequence[int]) -> dict[int, KnownPartition]:
        """The open generation of each year; those without one hold nothing either."""
        return {
            each.partition.year or 0: each
            for each in self._generations.writable()
            if (each.partition.kind, each.partition.name) == (PartitionKind.DATASET, dataset)
            and (each.partition.year or 0) in years
        }

    def _filled(self, dataset: str, years: Sequence[int], version: int) -> list[KnownPartition]:
        """The partitions that hold something and can be read, of all generations."""
        named = {each for event in self._chain(version) for each in event.manifests}
        return [
            each
            for each in PartitionCatalogue(self._records, log=self._log).list_living()
            if each.partition_id in named
            and each.partition.name == dataset
            and (each.partition.year or 0) in years
        ]

    def _chain(self, version: int) -> tuple[VersionPublished, ...]:
        return version_chain(self._log.versions(), version=version)

    def _record(self, dataset: str, parent: int, permit: str, sealed: SealedVersion) -> int:
        if newest_version(self._log, dataset) != parent:
            raise Refused(
                f"Another version of {dataset} was published while files were put together.",
                hint="Run it again: `havre compact`. This version does not exist.",
            )
        event_id, now = new_object_id(), self._clock.now()
        objects = sealed.objects or VersionObjects({})
        listing = list_written(
            sealed.written, debts=self._tools.vault.take_debts(), act=event_id, at=now
        )
        *_, index = self._journal.record(
            *listing.events,
            VersionPublished(
                event_id=event_id,
                at=now,
                dataset=dataset,
                parent=parent,
                manifests=sealed.digests,
                # Its rows were counted with the versions that brought them.
                rows=0,
                permit=permit,
            ),
            documents=[
                *sealed.documents,
                *listing.documents,
                objects_document(event_id, objects, deliveries=objects.added),
            ],
        )
        return index


class _Run:
    """The files of one dataset, table after table, while their keys are open."""

    def __init__(
        self,
        tools: CompactTools,
        reader: VaultReader,
        *,
        catalogue: Catalogue,
        progress: Callable[[str], None],
    ) -> None:
        self._tools = tools
        self._reader = reader
        self._catalogue = catalogue
        self._progress = progress
        self._key = new_salt()
        self._made: list[_Made] = []
        self.done: list[TableCompacted] = []

    def seal(
        self, files: Sequence[ListedFile], places: dict[int, WritePlace]
    ) -> list[SealedManifest]:
        """Seal what can be put together, and a manifest for each year in which something was."""
        manifests = []
        for year, of_year in _grouped(files, lambda file: file.place.partition.year or 0):
            made = [
                each
                for table, of_table in _grouped(of_year, lambda file: file.entry.table)
                if fewer_would_do(of_table)
                for each in self._merged(table, year, of_table, places)
            ]
            if made:
                entries = [entry for each in made for entry in each.entries]
                withdrawn = [name for each in made for name in each.withdrawn]
                manifests.append(
                    self._tools.vault.seal_manifest(
                        entries, place=places[year], withdrawn=withdrawn
                    )
                )
                self._made += made
        return manifests

    def check(self) -> None:
        """Read back what was sealed, and compare it with what was read.

        Raises:
            RowsDiffer: naming the table and nothing of its rows.
        """
        for each in self._made:
            self._progress(f"{each.table} {each.year or 'undated'}: reading back")
            counted = NO_ROWS
            for entry in each.entries:
                file = ListedFile(ReadPlace(each.place.partition, each.place.partition_id), entry)
                with self._reader.read_table(file) as rows:
                    counted += self._tools.merger.row_sum(rows, key=self._key)
            check_same_rows(each.table, read=each.source.read, written=counted)

    def objects(self, owners: Mapping[ObjectId, frozenset[str]]) -> VersionObjects:
        """Say whose rows the new files have, so that a later correction knows what it meets.

        owners: of the old ones, as far as that was written down.
        """
        added: dict[str, list[PlacedObject]] = {}
        together: dict[ObjectId, tuple[str, ...]] = {}
        for made in self._made:
            names = sorted({name for old in made.withdrawn for name in owners.get(old, ())})
            is_one = len(names) == 1 and all(old in owners for old in made.withdrawn)
            for entry in made.entries:
                if is_one:
                    placed = (entry.object_id, made.place.partition_id, made.table, entry.rows)
                    added.setdefault(names[0], []).append(PlacedObject(*placed))
                else:
                    together[entry.object_id] = tuple(names)
        gone = tuple(old for made in self._made for old in made.withdrawn)
        return VersionObjects(added, gone, together)

    def _merged(
        self, table: str, year: int, files: Sequence[ListedFile], places: dict[int, WritePlace]
    ) -> Iterator[_Made]:
        if year not in places:
            raise NoPlace(
                f"There is no open key pair for {year or 'rows without a year'}.",
                hint="Make one first: `havre keys rotate --due`.",
            )
        place = places[year]
        self._progress(f"{table} {year or 'undated'}: {len(files)} files")
        parts = [RowPart(f.entry.rows, partial(self._reader.read_table, f)) for f in files]
        order = self._order(table)
        for source in self._tools.merger.survey(parts, order=order, key=self._key):
            old = [files[at] for at in source.parts]
            if not fewer_would_do(old):
                continue
            entries = [
                self._tools.vault.seal_table(rows, table=table, kind=ObjectKind.TABLE, place=place)
                for rows in source
            ]
            withdrawn = [file.entry.object_id for file in old]
            self.done.append(TableCompacted(table, year, len(old), len(entries), source.read.rows))
            yield _Made(table, year, place, source, entries, withdrawn)

    def _order(self, table: str) -> tuple[str, ...]:
        try:
            return filing_order(self._catalogue.table(table))
        except InvalidInput:
            # A table that the catalogue has dropped is put together as it comes.
            return ()


@dataclass(frozen=True, slots=True)
class _Made:
    """Files that were put together, and what is to be withdrawn for them."""

    table: str
    year: int
    place: WritePlace
    source: MergedRows
    entries: Sequence[ManifestEntry]
    withdrawn: Sequence[ObjectId]


def fewer_would_do(files: Sequence[ListedFile]) -> bool:
    """Tell whether the rows of these files would fit in fewer."""
    rows = sum(file.entry.rows for file in files)
    return len(files) > max(1, ceil(rows / (MAX_FILE_ROWS // 2)))


def check_same_rows(table: str, *, read: RowSum, written: RowSum) -> None:
    """Make sure that two tables have the same rows, by their sums.

    Raises:
        RowsDiffer: they have not.
    """
    if read != written:
        raise RowsDiffer(
            f"The files put together of {table} have other rows than those they were made from.",
            hint="Nothing was published. Check the machine's memory; then tell the maintainers.",
        )


def _years_asked(standing: PermitStanding, dataset: str, year: int | None) -> tuple[int, ...]:
    reached = standing.permit.years.get(dataset, ())
    years = tuple(each for each in reached if year in (None, each))
    if not years:
        what = dataset if year is None else f"{dataset} {year or 'undated'}"
        raise Refused(
            f"Permit {standing.permit.name} does not cover {what}.",
            hint=f"See what it names: `havre permit show {standing.permit.name}`.",
        )
    return years


def _place(known: KnownPartition) -> WritePlace:
    return WritePlace(known.partition, known.partition_id, known.public_key)


def _grouped(
    files: Sequence[ListedFile], key: Callable[[ListedFile], Group]
) -> list[tuple[Group, list[ListedFile]]]:
    groups: dict[Group, list[ListedFile]] = {}
    for file in files:
        groups.setdefault(key(file), []).append(file)
    return sorted(groups.items())
