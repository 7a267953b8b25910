"""What a holder keeps of the lists of oppositions that it sent, on its own machine.

Promised: a book is there whole or not at all, and only its owner can read it: whoever
has one can test whether a person's number is in it.
What may be repeated: everything; the last book of a version counts.
What may block: as long as the disk takes.
Final errors: `InvalidInput`. `Unavailable` is not.
Who may call it: `application.oppose`, at the holder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol


class OppositionBooks(Protocol):
    """Books by version."""

    def keep(self, version: int, lines: Iterable[bytes]) -> None:
        """Keep a book, before its list is posted.

        Raises:
            Unavailable: there is no room; an earlier book of the version is still there.
        """

    def open(self, version: int) -> AbstractContextManager[Iterator[bytes]]:
        """Lend the lines of a book.

        Raises:
            NotFound: none of this version was kept.
        """
