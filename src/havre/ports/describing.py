"""Counting what a version's rows hold, while they pass on their way into the vault.

Promised: the rows come out as they went in, in their order. What is counted stays in the
process's memory, whose size does not grow with the rows: distinct codes of a column up to a
limit, a bounded number of people and of links. A count of people is a lower bound.
What may be repeated: nothing; a stream is read once.
What may block: as long as the stream that is read from.
Final errors: those of the stream.
Who may call it: a run of the ingestion; a new counter for each run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from havre.domain.content import LinkCount, TableCount
from havre.domain.schema import TableSchema
from havre.ports.counting import BatchWatcher
from havre.values import TableStream


class WatchedRows(Protocol):
    """Rows on their way, looked at; read once."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows."""

    @property
    def links(self) -> LinkCount | None:
        """How many of these rows found the row which they follow, once they were read to the end.

        Null where none was looked for, as in `TableCount`.
        """


class ContentCounter(Protocol):
    """Counts the tables of one version."""

    def watch(
        self, rows: TableStream, *, schema: TableSchema, beside: Sequence[BatchWatcher] = ()
    ) -> WatchedRows:
        """Offer the same rows, and count them as they are read.

        A table that others follow is to be watched before them: only then is it known
        how many people their values are of.

        schema: the table's; the rows may lack some of its columns. A table may be
            watched in several streams, one after the other.
        beside: who else looks at these batches, each after the counting, on its thread; all
            of it is done when the rows were read to the end.
        """

    def close(self) -> tuple[TableCount, ...]:
        """Tell what was counted, by table, in order of name; every stream was read to its end."""
