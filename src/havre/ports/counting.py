"""Counting what a contract asks of rows while they pass, and comparing two deliveries' rows.

Promised: a count is exact, and rows are looked at, never changed. What a comparison
says is exact but for an odd of at most one in fifty thousand at forty million rows,
because rows are compared by hashes of 64 bits.
What may be repeated: everything, each time with streams that were not read yet.
What may block: as long as it takes to read the rows. Counting holds one batch; a
comparison 16 bytes a row, and refuses more rows than `MOST_COMPARED`.
Final errors: `Refused`.
Who may call it: `application.ingest`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from havre.domain.change_report import RowChanges
from havre.domain.contract import Rule
from havre.domain.contract_judgement import Counted
from havre.domain.delivery import Span
from havre.domain.schema import TableSchema
from havre.values import TableStream

# Of both deliveries together: 16 bytes each make 640 MB.
MOST_COMPARED = 40_000_000


class BatchWatcher(Protocol):
    """Looks at rows on their way: every batch once, in their order."""

    def add(self, batch: Any) -> None:
        """Look at a batch, an Arrow one; nothing of it is changed."""


class RuleTally(BatchWatcher, Protocol):
    """Counts what rules ask of one table's rows."""

    @property
    def counted(self) -> Mapping[str, Counted]:
        """By the rule's name, of the batches that were looked at."""


class RowCounter(Protocol):
    """Counts rows, and compares them."""

    def tally(
        self, rules: Sequence[Rule], *, schema: TableSchema, covers: Span | None
    ) -> RuleTally:
        """Count for rules about the cells of one table.

        rules: of kinds of `domain.contract.OF_CELLS`.
        covers: the days that count for a rule of kind `covered`; null counts none.
        """

    def compare(self, before: TableStream, after: TableStream, *, key: Sequence[str]) -> RowChanges:
        """Say how one table's rows differ between two deliveries.

        key: columns that no two rows of one delivery share; empty compares whole rows.

        Raises:
            Refused: there are too many rows.
        """
