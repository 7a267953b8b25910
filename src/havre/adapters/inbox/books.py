"""A holder's books of the lists that it sent, one file a version: `ports.books.OppositionBooks`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from havre.errors import NotFound, Unavailable


class BookFolder:
    """Keeps books in a directory of the holder's own."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when it is not there."""
        self._folder = folder

    def keep(self, version: int, lines: Iterable[bytes]) -> None:
        """Write beside, flushed, then give it its name."""
        path = self._path(version)
        draft = path.with_name(path.name + ".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _flush_folder(self._folder)
        except OSError as error:
            raise Unavailable(
                f"The holder's directory takes nothing: {os.strerror(error.errno or 0)}.",
                hint="Make room or mend the disk, then run the same command again.",
            ) from None

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


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
