"""One replay while its keys are open: table after table, what passes and what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from havre.application.ingest_run import IngestTools
from havre.application.quarantine import AsideOpener
from havre.application.set_aside import AsideWriter
from havre.application.vault.inventory import Written
from havre.application.vault.sealing import SealedVersion, VersionWriter, WritePlace
from havre.domain.delivery import FileCount, LinesLost, RowCount, check_rows
from havre.domain.quarantine import AsideFile, AsideObject, FileLayout, FileName, Replayed
from havre.domain.schema import TableSchema
from havre.ports.sources import DeliveredFile, SetAsideRow
from havre.values import ObjectId, TableStream

# A row that has another number of cells than the file that it is of.
UNCUT = "another number of cells"


@dataclass(frozen=True, slots=True)
class ReplayTarget:
    """Where rows go: into a version, or aside again; and the secret of the second stage."""

    version: VersionWriter
    aside: WritePlace
    secret: bytes


class ReplayRun:
    """Works through the objects of a dataset's rows that are set aside."""

    def __init__(
        self,
        files: Sequence[AsideFile],
        objects: Sequence[AsideObject],
        *,
        opener: AsideOpener,
        tools: IngestTools,
        schema: Callable[[str], TableSchema | None],
        target: ReplayTarget,
    ) -> None:
        """Look at these objects again.

        files: whose rows may come in; those of others, and of files whose layout nobody wrote
            down, stay set aside as they are.
        schema: of a table, as it is today; null for one that the catalogue has no more.
        """
        self._layouts = {each.name: each.layout for each in files if each.layout}
        self._objects = objects
        self._opener = opener
        self._tools = tools
        self._schema = schema
        self._target = target
        self._names: dict[ObjectId, frozenset[FileName]] = {}
        self._aside: list[AsideObject] = []
        self.files: list[AsideFile] = []
        self.schemas: list[TableSchema] = []
        self.stored: list[Written] = []
        self.read = 0
        self.accepted = 0

    @property
    def reasons(self) -> Counter[str]:
        """Why rows are still set aside, to their number."""
        found = Counter[str]()
        for each in self.files:
            found.update(each.reasons)
        return found

    def check_tables(self, progress: Callable[[str], None]) -> None:
        """Check table after table; what does not pass is sealed aside again.

        Raises:
            LinesLost: a sum does not close.
        """
        for table in sorted({each.table for each in self._objects}):
            progress(table)
            self._check_table(table, [each for each in self._objects if each.table == table])

    def close(self) -> SealedVersion:
        """Seal the manifests."""
        return self._target.version.close()

    def replayed(self, dataset: str) -> Replayed:
        """What the records are to keep."""
        done = tuple(each.object_id for each in self._objects)
        return Replayed(dataset, done, tuple(self.files), tuple(self._aside))

    def _check_table(self, table: str, objects: Sequence[AsideObject]) -> None:
        before = self._count(objects)
        schema = self._schema(table)
        chosen = {name: self._layouts[name] for name in before if schema and name in self._layouts}
        files = [
            DeliveredFile(
                *name,
                [
                    partial(self._cells, each, name, layout)
                    for each in objects
                    if name in self._names[each.object_id]
                ],
                before[name].total(),
                layout.delimiter,
                frozenset(layout.constants),
            )
            for name, layout in chosen.items()
        ]
        aside = AsideWriter(self._tools.vault, place=self._target.aside)
        counts: Mapping[FileName, RowCount] = {}
        if schema is not None and files:
            checked = self._tools.checker.check(
                files, schema=schema, progress=_nobody, aside=aside.add
            )
            for delivery, rows in checked.by_delivery():
                lake = self._tools.pseudonyms.for_lake(
                    rows, schema=schema, secret=self._target.secret
                )
                self._target.version.add(lake, delivery=delivery)
            counts = checked.counts
            self.schemas.append(schema)
        split = {name: counts[name].received for name in chosen}
        for name, reasons in before.items():
            self._note(table, name, reasons, counts.get(name))
        for rows_left in self._others(objects, chosen, before, split):
            aside.add(rows_left)
        self._keep_aside(table, aside)

    def _count(self, objects: Sequence[AsideObject]) -> dict[FileName, Counter[str]]:
        """Count what is there, by file and reason; it must be what the records say."""
        found: dict[FileName, Counter[str]] = {}
        for each in objects:
            counts = self._opener.read(each).counts
            if sum(sum(reasons.values()) for reasons in counts.values()) != each.rows:
                raise LinesLost("An object of rows set aside has not as many as the records say.")
            self._names[each.object_id] = frozenset(counts)
            for name, reasons in counts.items():
                found.setdefault(name, Counter()).update(reasons)
            self.read += each.rows
        return found

    def _note(
        self, table: str, name: FileName, before: Counter[str], checked: RowCount | None
    ) -> None:
        """Say what became of a file's rows; those that were no rows of its layout have their old reason."""
        rows = before.total()
        if checked is None:
            self.files.append(AsideFile(*name, table, before))
            return
        reasons = Counter(checked.set_aside)
        if uncut := rows - checked.received:
            reasons[UNCUT] += uncut
        counted = RowCount(rows, checked.accepted, reasons)
        check_rows(FileCount(name[1], table, rows, rows, {}), counted)
        self.accepted += checked.accepted
        self.files.append(AsideFile(*name, table, reasons))

    @contextmanager
    def _cells(
        self,
        each: AsideObject,
        name: FileName,
        layout: FileLayout,
        *,
        columns: Collection[str] | None = None,
    ) -> Iterator[TableStream]:
        yield self._opener.read(each).cells(name, layout, columns=columns)

    def _others(
        self,
        objects: Sequence[AsideObject],
        chosen: Mapping[FileName, FileLayout],
        before: Mapping[FileName, Counter[str]],
        split: Mapping[FileName, int],
    ) -> Iterator[Sequence[SetAsideRow]]:
        """The rows that were not checked: of files left alone, and those that are no rows of their layout."""
        whole = [name for name in before if name not in chosen]
        uncut = [name for name in chosen if split[name] != before[name].total()]
        for each in objects if whole or uncut else ():
            read = self._opener.read(each)
            for name in whole:
                yield read.rows(name)
            for name in uncut:
                others = read.others(name, chosen[name])
                yield [replace(row, reason=UNCUT) for row in others]

    def _keep_aside(self, table: str, aside: AsideWriter) -> None:
        """Remember where the rows are that are still set aside."""
        aside.close()
        for stored, rows in aside.sealed:
            place = self._target.aside.partition_id
            self.stored.append(stored)
            self._aside.append(AsideObject(stored.object_id, place, stored.sha256, table, rows))


def _nobody(_rows: int) -> None:
    """Tell nobody how far a table is: what is set aside is little."""
