"""Everything a host would have to hand over, as it would find it.

Promised: every byte of every file in the places that are named, also of files
that are hidden, unfinished or unknown. Nothing is changed.
What may be repeated: everything.
What may block: as long as the disk takes.
Final errors: `NotFound`.
Who may call it: `application.drill`, `application.vault.attempts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SeizedFile:
    """One file: in which place, and under which name there."""

    place: str
    name: str
    size_bytes: int


class Seizure(Protocol):
    """The places of one host."""

    def list_files(self) -> Iterator[SeizedFile]:
        """List every file."""

    def read(self, file: SeizedFile) -> Iterator[bytes]:
        """Read a file in pieces of at most 1 MiB.

        Raises:
            NotFound: it has vanished.
        """
