"""`ports.describing.ContentCounter` with PyArrow and NumPy: counted beside the writing, on one thread.

Nothing is drawn and nothing is kept: every row counts, and what is left of a table once it
was read are numbers. Rows that follow another table find their people through a bounded
choice of its links (`describing.people`), and only the first of them are looked at: what
is shown needs eleven people, not all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from havre.adapters.describing.columns import ColumnCounter
from havre.adapters.describing.people import (
    Links,
    PeopleCounter,
    Persons,
    hash_links,
    persons_of,
    value_type,
)
from havre.domain.content import Grain, LinkCount, TableCount, grain_of, person_column
from havre.domain.schema import Catalogue, Link, TableSchema
from havre.ports.counting import BatchWatcher
from havre.streams import kept, refusals_heard
from havre.values import TableStream

# Of a table that follows another, the links of so many rows are looked for.
_MOST_FOLLOWED = 4_000_000


class VersionCounter:
    """Counts the tables of one version."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Count for a hub.

        catalogue: every table it knows, for which of them are followed by others.
        """
        self._links = _followed(catalogue)
        self._found: dict[tuple[str, tuple[str, ...]], Links] = {}
        self._tables: dict[str, _TableCounter] = {}

    def watch(
        self, rows: TableStream, *, schema: TableSchema, beside: Sequence[BatchWatcher] = ()
    ) -> CountedRows:
        """Offer the same rows, and count them as they are read."""
        counter = self._tables.setdefault(
            schema.name, _TableCounter(schema, self._links.get(schema.name, ()), self._found)
        )
        return CountedRows(rows, counter, beside)

    def close(self) -> tuple[TableCount, ...]:
        """Tell what was counted."""
        return tuple(self._tables[name].close() for name in sorted(self._tables))


def _followed(catalogue: Catalogue) -> dict[str, tuple[tuple[str, ...], ...]]:
    """By table, the columns by which others follow it."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for table in catalogue.tables:
        if table.link:
            found.setdefault(table.link.table, set()).add(table.link.columns)
    return {table: tuple(sorted(columns)) for table, columns in found.items()}


class _TableCounter:
    """Counts one table."""

    def __init__(
        self,
        schema: TableSchema,
        followed_by: Sequence[tuple[str, ...]],
        found: dict[tuple[str, tuple[str, ...]], Links],
    ) -> None:
        self._schema = schema
        self._grain = grain_of(schema)
        self._person = person_column(schema)
        self._followed_by = followed_by
        self._found = found
        self._rows = self._looked_at = self._arrived = 0
        self._people = PeopleCounter()
        self._columns = {column.name: ColumnCounter(column) for column in schema.columns}

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch."""
        persons = self._persons(batch)
        self._rows += batch.num_rows
        for name in batch.schema.names:
            if name in self._columns:
                self._columns[name].add(batch[name], persons)

    def _persons(self, batch: pa.RecordBatch) -> Persons | None:
        if self._grain is Grain.FOLLOWING and self._schema.link:
            return self._through(self._schema.link, batch)
        if self._person is None or self._person not in batch.schema.names:
            return None
        persons = persons_of(batch[self._person])
        self._people.add(persons)
        for columns in self._followed_by:
            if set(columns) <= set(batch.schema.names):
                types = _types(batch, columns)
                links = self._found.setdefault((self._schema.name, columns), Links(types))
                links.add(hash_links(batch, columns), persons)
        return persons

    def _through(self, link: Link, batch: pa.RecordBatch) -> Persons | None:
        links = self._found.get((link.table, link.columns))
        there = set(link.columns) <= set(batch.schema.names)
        if links is None or not there or self._rows > _MOST_FOLLOWED:
            return None
        if links.types != _types(batch, link.columns):
            return None
        persons, looked_at, arrived = links.follow(hash_links(batch, link.columns))
        self._looked_at += looked_at
        self._arrived += arrived
        return persons

    @property
    def links(self) -> LinkCount:
        """How many rows looked for the one which they follow, and found it, so far."""
        return LinkCount(self._looked_at, self._arrived)

    def close(self) -> TableCount:
        """Tell what was counted."""
        alone = (lambda rows: rows) if self._grain is Grain.NOBODY else None
        return TableCount(
            self._schema.name,
            self._rows,
            self._people.people if self._grain is Grain.PEOPLE else None,
            tuple(each.close(self._rows, each_row_is_one=alone) for each in self._columns.values()),
            self.links if self._looked_at else None,
        )


def _types(batch: pa.RecordBatch, columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(value_type(batch.schema.field(name).type) for name in columns)


class CountedRows:
    """`ports.describing.WatchedRows`: counted on a thread of their own while whoever asked works."""

    def __init__(
        self, rows: TableStream, counter: _TableCounter, beside: Sequence[BatchWatcher]
    ) -> None:
        self._rows = rows
        self._counter = counter
        self._watchers: tuple[BatchWatcher, ...] = (counter, *beside)
        self._links = LinkCount(0, 0)

    @property
    def links(self) -> LinkCount | None:
        """How many of these rows found theirs."""
        return self._links if self._links.looked_at else None

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows."""
        reader = pa.RecordBatchReader.from_stream(self._rows)
        rows = pa.RecordBatchReader.from_batches(reader.schema, kept(self._batches(reader)))
        return rows.__arrow_c_stream__(requested_schema)

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        before = self._counter.links
        with ThreadPoolExecutor(max_workers=1) as thread:
            counting: Future[None] | None = None
            with refusals_heard():
                for batch in reader:
                    if counting:
                        counting.result()
                    counting = thread.submit(self._add, batch)
                    yield batch
            if counting:
                counting.result()
        now = self._counter.links
        self._links = LinkCount(now.looked_at - before.looked_at, now.found - before.found)

    def _add(self, batch: pa.RecordBatch) -> None:
        for each in self._watchers:
            each.add(batch)
