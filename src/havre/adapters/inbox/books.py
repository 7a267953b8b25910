"""A holder's books of the lists that it sent, one file a version: `ports.books.OppositionBooks`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from havre.adapters.inbox.whole import failures_named, write_whole
from havre.errors import NotFound


class BookFolder:
    """Keeps books in a directory of the holder's own."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when it is not there."""
        self._folder = folder

    def keep(self, version: int, lines: Iterable[bytes]) -> None:
        """Write beside, flushed, then give it its name."""
        with failures_named():
            write_whole(self._path(version), lines)

    @contextmanager
    def open(self, version: int) -> Iterator[Iterator[bytes]]:
        """Lend the lines."""
        try:
            file = self._path(version).open("rb")
        except OSError:
            raise NotFound(
                f"This holder has kept no book of version {version} of its register.",
                hint="A receipt is made where the list was sent from.",
            ) from None
        with file:
            yield iter(file)

    def _path(self, version: int) -> Path:
        return self._folder / f"{version:08d}.jsonl"
