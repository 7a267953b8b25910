"""Rows that were set aside, as they were sealed, and back to cells of a delivered file.

Promised: every row of an object comes out once: as cells, or as a row that is no row of that
layout. What the rows hold is in no error and no log.
What may be repeated: all of it.
What may block: as long as the object takes; one object is in memory at a time, of about 32 MiB.
Final errors: `InvalidInput`, where an object holds something else.
Who may call it: `application.ingest_run`, `application.quarantine` and `application.replay`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from havre.domain.quarantine import FileLayout, FileName
from havre.ports.sources import DeliveredFile, SetAsideRow
from havre.values import TableStream


class AsideRead(Protocol):
    """The rows of one object."""

    @property
    def counts(self) -> Mapping[FileName, Mapping[str, int]]:
        """By delivery and path, reason to rows."""

    def rows(self, name: FileName | None = None) -> Sequence[SetAsideRow]:
        """Those of one file, in their order; null for all."""

    def cells(
        self, name: FileName, layout: FileLayout, *, columns: Collection[str] | None = None
    ) -> TableStream:
        """The rows of one file that have as many cells as its layout has columns, as delivered text.

        columns: those alone, of which it may lack some; null for all.
        """

    def others(self, name: FileName, layout: FileLayout) -> Sequence[SetAsideRow]:
        """The rows of that file which have not."""


class AsideRows(Protocol):
    """Reads rows that were set aside."""

    def layout(self, file: DeliveredFile) -> FileLayout:
        """Find out how the lines of a delivered file become cells, by its first rows."""

    def read(self, lines: bytes) -> AsideRead:
        """Read what one object holds.

        Raises:
            InvalidInput: that is no rows set aside.
        """
