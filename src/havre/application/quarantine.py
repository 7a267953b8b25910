"""Rows that were set aside: what there is, by the records, and a look at them under a permit.

What there is needs no key. A look opens the dataset's rows set aside, and nothing else; that
it was had stands on the log, with the permit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.corrections import KIND_REPORT, DeliveryBook
from havre.application.permits import Permits
from havre.application.upkeep_permit import granted_for_upkeep, wanted_for_upkeep
from havre.application.vault.keys import KeyRelease
from havre.application.vault.reading import LentKeys, ReadPlace, VaultReader
from havre.domain.correcting import ACCEPTED
from havre.domain.events import DeliveryChecked, VersionPublished
from havre.domain.quarantine import (
    AsideFile,
    AsideObject,
    Quarantine,
    Replayed,
    fold_quarantine,
    parse_replay,
    read_report,
)
from havre.domain.upkeep import UpkeepKind, aside_dataset
from havre.errors import NotFound
from havre.formats.manifest import ObjectKind
from havre.ports.aside import AsideRead, AsideRows
from havre.ports.records import Records
from havre.ports.sources import SetAsideRow
from havre.values import ObjectId

KIND_REPLAY = "quarantine-replay"


@dataclass(frozen=True, slots=True)
class AsideListed:
    """One file's rows that are set aside, for a list.

    version: index of the entry of the version that the delivery came in with, or null.
    partitions: opaque ids of where rows of its table are.
    """

    dataset: str
    version: int | None
    file: AsideFile
    partitions: frozenset[str]


@dataclass(frozen=True, slots=True)
class QuarantineBook:
    """What is set aside at a hub, by its log and its records."""

    records: Records
    log: PublicLog

    def datasets(self) -> list[str]:
        """Name the datasets of which rows are set aside."""
        return sorted({each.dataset for each in self.listed()})

    def listed(self) -> list[AsideListed]:
        """List the files of which rows are set aside, by dataset, delivery and path."""
        versions = self._versions()
        found = []
        for dataset in sorted(set(self._datasets().values())):
            now = self.now(dataset)
            for file in now.files:
                places = frozenset(o.partition_id for o in now.objects if o.table == file.table)
                found.append(AsideListed(dataset, versions.get(file.delivery), file, places))
        return found

    def now(self, dataset: str) -> Quarantine:
        """Say what of a dataset is set aside now."""
        datasets = self._datasets()
        objects: list[AsideObject] = []
        files: list[AsideFile] = []
        for document in self.records.list_documents(KIND_REPORT):
            delivery, of_report, of_files = read_report(document.body)
            if datasets.get(delivery) == dataset:
                objects += of_report
                files += of_files
        return fold_quarantine(objects, files, self._replays(dataset))

    def superseded(self, dataset: str) -> frozenset[str]:
        """The deliveries that another one has corrected: their rows come in no more."""
        return frozenset(
            each.corrects
            for each in DeliveryBook(self.records, self.log).known()
            if each.dataset == dataset and each.corrects and each.outcome == ACCEPTED
        )

    def _datasets(self) -> Mapping[str, str]:
        """Which dataset each delivery is of that came into a version."""
        known = DeliveryBook(self.records, self.log).known()
        return {each.delivery: each.dataset for each in known if each.outcome == ACCEPTED}

    def _versions(self) -> dict[str, int]:
        """The entry of the version that each delivery came in with."""
        datasets, waiting = self._datasets(), dict[str, set[str]]()
        versions: dict[str, int] = {}
        for logged in self.log.entries():
            event = logged.event
            if isinstance(event, DeliveryChecked) and event.delivery in datasets:
                waiting.setdefault(datasets[event.delivery], set()).add(event.delivery)
            elif isinstance(event, VersionPublished):
                for delivery in waiting.pop(event.dataset, set()):
                    versions[delivery] = logged.index
        return versions

    def _replays(self, dataset: str) -> list[Replayed]:
        documents = {each.name: each.body for each in self.records.list_documents(KIND_REPLAY)}
        return [
            parse_replay(documents[event.event_id])
            for event in self.log.versions(dataset).values()
            if event.event_id in documents
        ]


class AsideOpener:
    """Opens what is set aside, while keys are lent; holds the object that was read last."""

    def __init__(
        self, reader: VaultReader, places: Mapping[str, ReadPlace], rows: AsideRows
    ) -> None:
        self._reader = reader
        self.places = places
        self._rows = rows
        self._last: tuple[ObjectId, AsideRead] | None = None

    def read(self, each: AsideObject) -> AsideRead:
        """Open one object whole; about 32 MiB.

        Raises:
            NotGenuine: it is another one than the records say.
            NotFound: it is gone, or its keys are.
        """
        if self._last is None or self._last[0] != each.object_id:
            self._last = None
            self._last = each.object_id, self._opened(each)
        return self._last[1]

    def _opened(self, each: AsideObject) -> AsideRead:
        if each.partition_id not in self.places:
            raise NotFound("The keys of rows that were set aside are erased: their time is over.")
        pieces = self._reader.open_bytes(
            each.object_id,
            kind=ObjectKind.QUARANTINE,
            place=self.places[each.partition_id],
            sha256=each.sha256,
        )
        return self._rows.read(b"".join(pieces))


def living_aside(
    dataset: str, objects: Sequence[AsideObject], *, catalogue: PartitionCatalogue
) -> list[KnownPartition]:
    """Find the partitions in which these objects lie, as far as they can be opened."""
    wanted = {each.partition_id for each in objects}
    return [
        each
        for each in catalogue.list_living()
        if each.partition_id in wanted and each.partition.name == aside_dataset(dataset)
    ]


class QuarantineDesk:
    """Shows rows that were set aside to whoever has a permit for that."""

    def __init__(
        self,
        *,
        permits: Permits,
        release: KeyRelease,
        book: QuarantineBook,
        reader: Callable[[LentKeys], VaultReader],
        rows: AsideRows,
    ) -> None:
        self._permits = permits
        self._release = release
        self._book = book
        self._reader = reader
        self._rows = rows

    @contextmanager
    def look(self, dataset: str, *, permit: str) -> Iterator[Iterator[tuple[str, SetAsideRow]]]:
        """Lend the rows of a dataset that are set aside, each with its table, object by object.

        Raises:
            NotFound: no such permit; nothing is set aside, or its keys are erased.
            Refused: the permit is for something else, used, or not granted; or the
                custodians do not agree.
        """
        standing = granted_for_upkeep(
            permit, UpkeepKind.QUARANTINE, permits=self._permits, log=self._book.log
        )
        objects = self._book.now(dataset).objects
        catalogue = PartitionCatalogue(self._book.records, log=self._book.log)
        partitions = living_aside(dataset, objects, catalogue=catalogue)
        check_something(dataset, partitions)
        wanted = wanted_for_upkeep(standing, UpkeepKind.QUARANTINE, partitions)
        with self._release.open(wanted) as keys:
            opener = AsideOpener(self._reader(keys), read_places(partitions), self._rows)
            yield (
                (each.table, row)
                for each in objects
                if each.partition_id in opener.places
                for row in opener.read(each).rows()
            )


def check_something(dataset: str, partitions: Sequence[KnownPartition]) -> None:
    """Refuse to open nothing.

    Raises:
        NotFound: nothing is set aside that can be opened.
    """
    if not partitions:
        raise NotFound(
            f"Nothing of {dataset} is set aside that could be opened.",
            hint="See `havre quarantine list`.",
        )


def read_places(partitions: Sequence[KnownPartition]) -> dict[str, ReadPlace]:
    """Say where objects in these partitions are opened, by opaque id."""
    return {each.partition_id: ReadPlace(each.partition, each.partition_id) for each in partitions}
