"""Counting codes against their lists while rows pass.

Promised: a count is exact. Each different code is looked up once, however many rows have it;
memory is bounded by the lists and by a number of different codes, not by the rows.
What may be repeated: nothing; one tally is of one stream.
What may block: nothing.
Final errors: none.
Who may call it: a run of the ingestion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from havre.domain.code_system import CodeCounts, CodeSystem
from havre.ports.counting import BatchWatcher


class CodeTally(BatchWatcher, Protocol):
    """Counts the codes of one table's rows."""

    @property
    def counts(self) -> Mapping[str, CodeCounts]:
        """By column, of the batches that were looked at."""


class CodeCounter(Protocol):
    """Makes tallies."""

    def tally(self, systems: Mapping[str, CodeSystem], *, day: str | None) -> CodeTally:
        """Count the codes of some columns, each on the day of its row.

        systems: by column. A column that the rows lack has no codes.
        day: the column of the day, or null; where it is null, or no date, codes are of no
            day in particular, and valid once they are known.
        """
