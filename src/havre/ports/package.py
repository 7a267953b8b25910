"""The folder in which a hub travels: written whole or not at all, read back file by file.

Promised: after `settle` the package survives a crash, whole and without a name;
after `seal` it has its name; before, nothing stands there. Between the two the
log is handed over: a package that has its name is one that can arrive. Paths are relative, with `/`, and never leave
the package.
What may be repeated: reading. Writing a path twice, or sealing twice, may not.
What may block: as long as the disk takes.
Final errors: `InvalidInput`, `Refused`, `NotFound`.
Who may call it: `application.depart` writes, `application.arrive` reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from havre.values import Digest


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """What was written: counted and hashed on the way out."""

    path: str
    sha256: Digest
    size_bytes: int


class PackageWriter(Protocol):
    """A package being filled."""

    def write(self, path: str, chunks: Iterable[bytes]) -> WrittenFile:
        """Put one file in.

        Raises:
            InvalidInput: the path leaves the package.
            Refused: the path is in it already.
        """

    def settle(self) -> None:
        """Make all that was written durable."""

    def seal(self) -> None:
        """Make the settled package appear under its name, all at once.

        Raises:
            Refused: something of that name appeared meanwhile.
        """


class PackageReader(Protocol):
    """A package that arrived."""

    def read(self, path: str) -> Iterator[bytes]:
        """Read one file in pieces of at most 1 MiB.

        Raises:
            NotFound: no such regular file.
            InvalidInput: the path leaves the package, or passes through a link.
        """

    def measure(self) -> Iterator[WrittenFile]:
        """Hash every file, in order of path.

        Raises:
            InvalidInput: the package holds a link or anything but files and folders.
        """
