"""What works out a plan over sealed files: one machine, a cluster, or plain loops.

Promised: the rows that `domain.plan` means, whatever the engine; cells are
readable in this process' memory only, nothing clear touches a disk, and no key
stands in a log, a profile or an error.
What may be repeated: `run`; it changes nothing.
What may block: `run`, and reading a stream, as long as the files are large.
Final errors: `InvalidInput` (the plan does not fit the files), `NotGenuine`.
`Unavailable` is not: give more memory and ask again.
Who may call it: use cases that hold file keys lent for one run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from havre.domain.plan import Plan
from havre.values import TableStream


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One sealed file.

    path: of a file of this machine with the object's ciphertext.
    key: its file key, 32 bytes; never shown.
    """

    path: str
    key: bytes = field(repr=False)


class Engine(Protocol):
    """Works out plans."""

    def run(
        self, plan: Plan, *, sources: Mapping[str, Sequence[SourceFile]]
    ) -> Mapping[str, TableStream]:
        """Work out a plan that `check_plan` has passed.

        sources: the files of every table that the plan reads, by table; a column that
            some files lack is empty there. The files must stay until the
            streams are read.

        Returns a stream for each table of the plan that has columns and has
        files, in the plan's order; each is read once, one after the other. A
        table without files has no rows and no stream, and what follows it
        keeps nothing.

        Raises:
            InvalidInput: a column stands in no file, or has another type than its
                condition.
            NotGenuine: a file does not open; it may come late, from the stream,
                as the error of the tool that reads it.
            Unavailable: memory is not enough.
        """
