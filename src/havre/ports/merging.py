"""Putting table files of one partition together: the same rows, in an order by which files are chosen.

Promised: every row of the parts comes out once and no other does; files of at most
`ports.tables.MAX_FILE_ROWS` rows, each sorted, and none overlapping the next in the
order, but where more rows than that are alike in it. No row rests on a disk.
What may be repeated: all of it; a part is opened anew for each reading.
What may block: as long as the parts take. Each part is read once to be counted, and once
more for every file of the result that it may have rows for. In memory are the rows of one
file of the result, twice while they are sorted, and one block of the part that is read.
Final errors: `NotGenuine`, from a part.
Who may call it: `application.compact`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from havre.values import TableStream

_MODULUS = 2**128


@dataclass(frozen=True, slots=True)
class RowSum:
    """A table's rows as one number that their order does not change.

    total: of the first 128 bits of each row's HMAC-SHA-256, modulo 2¹²⁸. The key is
        drawn for one comparison, so nobody can choose rows whose hashes add up alike.

    >>> RowSum(2, 5) + RowSum(1, 2**128 - 1)
    RowSum(rows=3, total=4)
    """

    rows: int
    total: int

    def __add__(self, other: RowSum) -> RowSum:
        """Both tables' rows together."""
        return RowSum(self.rows + other.rows, (self.total + other.total) % _MODULUS)


NO_ROWS = RowSum(0, 0)


@dataclass(frozen=True, slots=True)
class RowPart:
    """One file to be put together with others.

    rows: as its manifest says. opening: lends its rows; may be called again.
    """

    rows: int
    opening: Callable[[], AbstractContextManager[TableStream]]


class MergedRows(Protocol):
    """Parts of one shape (the same columns of the same types), counted and ready to be put together."""

    @property
    def parts(self) -> Sequence[int]:
        """Which of the parts these are, by their place."""

    @property
    def read(self) -> RowSum:
        """What they hold, read once from the first row to the last."""

    def __iter__(self) -> Iterator[TableStream]:
        """Yield the rows of one file after the other; each is read before the next is made."""


class RowMerger(Protocol):
    """Merges, and counts."""

    def survey(
        self, parts: Sequence[RowPart], *, order: Sequence[str], key: bytes
    ) -> Sequence[MergedRows]:
        """Read all parts once, and find out how to cut them.

        order: columns to sort by, the first one first; those that a part lacks, or
            that have no order here, are passed over. None: the rows stay as they come.
        key: 32 bytes, for the sums.
        """

    def row_sum(self, stream: TableStream, *, key: bytes) -> RowSum:
        """Count and hash the rows of a table, whatever their order."""
