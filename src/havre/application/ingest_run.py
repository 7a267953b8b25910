"""Check, pseudonymise and seal what waits, table after table, while its keys are open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from havre.application.ceremony import KnownPartition
from havre.application.code_lists import CodeLists
from havre.application.contracts import Terms
from havre.application.landed import LandedFiles
from havre.application.pseudonymise import Pseudonyms
from havre.application.set_aside import AsideWriter
from havre.application.vault.inventory import Written
from havre.application.vault.keys import OpenPartitions
from havre.application.vault.reading import LentKeys, VaultReader
from havre.application.vault.sealing import SealedVersion, VaultWriter, VersionWriter, WritePlace
from havre.domain.catalogue_text import KnownTables
from havre.domain.code_system import ColumnCodes
from havre.domain.content import Grain, TableCount, grain_of
from havre.domain.contract import OF_CELLS
from havre.domain.contract_judgement import Counted, counted_beside
from havre.domain.delivery import FileCount, RowCount, RowsUnfit, check_rows
from havre.domain.delivery_note import DeliveryNote
from havre.domain.quarantine import FileLayout
from havre.domain.schema import Catalogue, TableSchema
from havre.domain.upkeep import STAGE_2_SECRET, aside_dataset
from havre.domain.version_objects import PlacedObject
from havre.errors import InvalidInput, NotFound
from havre.formats.canonical import Json
from havre.ports.aside import AsideRows
from havre.ports.counting import RowCounter
from havre.ports.counting_codes import CodeCounter
from havre.ports.describing import ContentCounter
from havre.ports.sources import CheckedRows, DeliveredFile, RowChecker
from havre.values import Partition, PartitionKind


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file's lines, from the holder's file to the lake.

    layout: how rows that were set aside become cells again; null where there are none.
    """

    delivery: str
    sent: FileCount
    checked: RowCount
    layout: FileLayout | None = None


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is: rows read so far, of all that wait, and the table that they are of.

    keys, table_rows: while the keys of the table are compared, before its first row: how
        many were read in this pass, and of how many rows; null at any other time.
    """

    dataset: str
    table: str
    rows: int
    total_rows: int
    keys: int | None = None
    table_rows: int = 0

    @property
    def done(self) -> int:
        """Rows or keys that were read."""
        return self.rows if self.keys is None else self.keys

    @property
    def total(self) -> int:
        """Of how many."""
        return self.total_rows if self.keys is None else self.table_rows

    @property
    def sentence(self) -> str:
        """The same, to be read while it runs."""
        if self.keys is not None:
            return f"{self.dataset} {self.table}: keys of {self.keys:,} of {self.table_rows:,} rows"
        return f"{self.dataset} {self.table}: {self.rows:,} of {self.total_rows:,} rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestTools:
    """What a run works with.

    reader: opens the vault with the keys that are lent for the run.
    content: makes what counts the rows of one run.
    lists: of codes, which `codes` counts by.
    """

    vault: VaultWriter
    reader: Callable[[LentKeys], VaultReader]
    checker: RowChecker
    counter: RowCounter
    pseudonyms: Pseudonyms
    aside: AsideRows
    content: Callable[[Catalogue], ContentCounter]
    codes: CodeCounter
    lists: CodeLists


class DatasetRun:
    """One run over every delivery of a dataset that waits."""

    def __init__(
        self,
        notes: Sequence[DeliveryNote],
        *,
        keys: OpenPartitions,
        tools: IngestTools,
        known: KnownTables,
        partitions: Sequence[KnownPartition],
        terms: Terms,
    ) -> None:
        """Work on these deliveries, all of one dataset.

        terms: what was agreed of them.

        Raises:
            NotFound: the dataset has no key pair for rows without a year.
        """
        self._notes = notes
        self._dataset = notes[0].dataset
        self._tools = tools
        self._known = known
        self.landed = LandedFiles(
            tools.reader(keys),
            partitions={each.partition_id: each.partition for each in partitions},
        )
        self.terms = terms
        self._covers = {note.delivery: note.covers for note in notes}
        self._places = write_places(partitions, notes[0].dataset)
        self._aside = aside_place(partitions, notes[0].dataset)
        self._version = VersionWriter(tools.vault, places=self._places)
        self._content = tools.content(known.catalogue)
        self._secret = keys.secret(stage_2(partitions).partition_id)
        self.reports: list[FileReport] = []
        self.schemas: list[TableSchema] = []
        self.quarantine: dict[str, Json] = {}
        self.aside: list[Written] = []
        self.counted: dict[str, dict[str, Counted]] = {}
        self.codes: dict[str, tuple[ColumnCodes, ...]] = {}

    def check_tables(self, progress: Callable[[RunProgress], None]) -> None:
        """Check, pseudonymise and seal table after table; told before each, and as rows are read."""
        sent = {
            (note.delivery, count.path): (note, count)
            for note in self._notes
            for count in note.files
        }
        delivered = {note.delivery: self.landed.list_files(note) for note in self._notes}
        read, total = 0, sum(count.sent for _, count in sent.values())
        for table in self._in_order({count.table for _, count in sent.values()}):
            built = self._known.table(table)
            files = [
                delivered[delivery][path]
                for (delivery, path), (_, count) in sent.items()
                if count.table == table and path in delivered[delivery]
            ]
            schema = self.terms.schema(built.schema)
            now = RunProgress(
                self._dataset, table, read, total, table_rows=sum(file.rows for file in files)
            )
            tell = partial(_tell, progress, now)
            tell(0)
            aside = AsideWriter(self._tools.vault, place=self._aside)
            checked = self._tools.checker.check(
                files,
                schema=schema,
                progress=tell,
                aside=aside.add,
                keys=partial(_tell_keys, progress, now),
            )
            self._add(checked, schema)
            self._count(table, checked, sent, files)
            self._keep_aside(table, aside)
            self.schemas.append(schema)
            read += sum(count.sent for _, count in sent.values() if count.table == table)

    def accepted(self, delivery: str) -> dict[str, int]:
        """Rows of one delivery that were accepted, by table."""
        rows: dict[str, int] = {}
        for each in self.reports:
            if each.delivery == delivery:
                rows[each.sent.table] = rows.get(each.sent.table, 0) + each.checked.accepted
        return rows

    def withdraw(self, objects: Iterable[PlacedObject], *, years: Mapping[str, int | None]) -> None:
        """Say which objects of versions before are no longer in this one.

        years: of every partition, by its opaque id.
        """
        for each in objects:
            self._version.withdraw([each.object_id], year=years[each.partition_id] or 0)

    def close(self) -> SealedVersion:
        """Seal the manifests."""
        return self._version.close()

    def content(self) -> tuple[TableCount, ...]:
        """What was counted of the rows, for the description of the version."""
        return self._content.close()

    def _in_order(self, tables: Iterable[str]) -> list[str]:
        """Order tables: those that others follow come first, for whose rows these are."""
        following = {
            table: grain_of(self._known.table(table).schema) is Grain.FOLLOWING for table in tables
        }
        return sorted(following, key=lambda table: (following[table], table))

    def _add(self, checked: CheckedRows, schema: TableSchema) -> None:
        """Pseudonymise and seal rows, while everybody who counts looks at the same batches."""
        tools, lists = self._tools, self._tools.lists.of_table(schema)
        for delivery, rows in checked.by_delivery():
            rules = self.terms.rules(delivery, schema.name)
            cells = tools.counter.tally(
                [rule for rule in rules if rule.kind in OF_CELLS],
                schema=schema,
                covers=self._covers[delivery],
            )
            codes = tools.codes.tally(
                {column: each.system for column, each in lists.items()}, day=schema.period_column
            )
            watched = self._content.watch(rows, schema=schema, beside=[cells, codes])
            table = tools.pseudonyms.for_lake(watched, schema=schema, secret=self._secret)
            try:
                self._version.add(table, delivery=delivery)
            except InvalidInput as fault:
                raise RowsUnfit(delivery, fault.message.rstrip(".")) from None
            found = tuple(
                ColumnCodes(schema.name, column, each.system.name, each.sha256, counts)
                for column, each in lists.items()
                if (counts := codes.counts[column]).cells
            )
            self.codes[delivery] = (*self.codes.get(delivery, ()), *found)
            counted = {**cells.counted, **counted_beside(rules, links=watched.links, codes=found)}
            self.counted.setdefault(delivery, {}).update(counted)

    def _count(
        self,
        table: str,
        checked: CheckedRows,
        sent: dict[tuple[str, str], tuple[DeliveryNote, FileCount]],
        files: Sequence[DeliveredFile],
    ) -> None:
        opened = {(file.delivery, file.path): file for file in files}
        for key, (_, count) in sent.items():
            if count.table == table:
                rows = checked.counts.get(key, RowCount(0, 0, {}))
                if rows.received != count.sent:
                    fault = f"{count.path} has not the rows that were signed for"
                    raise RowsUnfit(key[0], fault)
                check_rows(count, rows)
                layout = self._tools.aside.layout(opened[key]) if rows.set_aside else None
                self.reports.append(FileReport(key[0], count, rows, layout))

    def _keep_aside(self, table: str, aside: AsideWriter) -> None:
        """Remember where the rows of a table were sealed that broke a rule."""
        aside.close()
        if aside.sealed:
            self.quarantine[table] = list(aside.described())
            self.aside += [stored for stored, _ in aside.sealed]


def _tell(progress: Callable[[RunProgress], None], start: RunProgress, rows: int) -> None:
    progress(replace(start, rows=start.rows + rows))


def _tell_keys(progress: Callable[[RunProgress], None], start: RunProgress, keys: int) -> None:
    progress(replace(start, keys=keys))


def aside_partition(dataset: str) -> Partition:
    """Where a dataset's set-aside rows go: no project's permit reaches it, and it can be erased alone.

    >>> aside_partition("dcir").text
    'dataset/dcir-aside/0/1'
    """
    return Partition(PartitionKind.DATASET, aside_dataset(dataset), 0)


def stage_2(partitions: Iterable[KnownPartition]) -> KnownPartition:
    """Find the partition of the hub's own pseudonym secret.

    Raises:
        NotFound: no ceremony was held for it.
    """
    for each in partitions:
        if each.partition == Partition(PartitionKind.SECRET, STAGE_2_SECRET):
            return each
    raise NotFound(
        "There is no secret for the second stage.", hint="Hold a ceremony: `havre ceremony`."
    )


def write_places(known: Iterable[KnownPartition], dataset: str) -> dict[int, WritePlace]:
    """Find the newest generation of each of a dataset's partitions, by year.

    known: those that may be written to.

    Raises:
        NotFound: there is none for rows without a year.
    """
    places: dict[int, WritePlace] = {}
    for each in sorted(known, key=lambda one: one.partition.generation):
        partition = each.partition
        if partition.kind is PartitionKind.DATASET and partition.name == dataset:
            places[partition.year or 0] = WritePlace(partition, each.partition_id, each.public_key)
    if 0 not in places:
        raise NotFound(
            f"There is no open key pair for the rows of {dataset} that have no year.",
            hint="Hold a ceremony for the dataset: `havre ceremony`; or `havre keys rotate --due`.",
        )
    return places


def aside_place(known: Iterable[KnownPartition], dataset: str) -> WritePlace:
    """Find the newest generation of where a dataset's rows go that are set aside.

    known: those that may be written to.

    Raises:
        NotFound: there is none.
    """
    name = aside_partition(dataset).name
    for each in sorted(known, key=lambda one: one.partition.generation, reverse=True):
        if (each.partition.kind, each.partition.name) == (PartitionKind.DATASET, name):
            return WritePlace(each.partition, each.partition_id, each.public_key)
    raise NotFound(
        f"There is no open key pair for rows of {dataset} that are set aside.",
        hint=f"Hold a ceremony: `havre ceremony --dataset {dataset}`, or `havre keys rotate --due`.",
    )
