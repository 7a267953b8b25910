"""Reading what holders deliver: text into rows, and rows into checked values; not a line lost.

Promised: every data line of a file comes out once, as a row or as set aside with
its place and a reason; the count closes or reading fails. What a holder's file
holds is never in an error or a log: places, reasons and column names only.
What may be repeated: reading a file from its beginning; a delivered part is opened anew for it.
What may block: as long as the disk takes. Memory is bounded by a constant: splitting
holds some blocks of lines, checking some batches of rows and, while keys are compared, as many
hashes as `adapters.sources.keys` says; beyond it only 8 bytes for each key that repeats.
Final errors: `InvalidInput`, `LinesLost`.
Who may call it: splitting `application.deliver`, at the holder; checking `application.ingest`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from havre.domain.announcement import FoundFile
from havre.domain.delivery import RowCount
from havre.domain.layout import Layout
from havre.domain.schema import TableSchema
from havre.values import Digest, TableStream

_NO_FORMS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SetAsideLine:
    """A line that cannot be split into columns: where it is and why.

    line: from 1, with the header's where a file has one; of a file without lines, the row.
    offset, size_bytes: in the unpacked file, without the line's end.
    """

    line: int
    offset: int
    size_bytes: int
    reason: str


class SplitRows(Protocol):
    """A file's rows, every column as text, besides the line's number; read once.

    The columns that were asked for, in the file's order, then the constants.
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows."""

    @property
    def lines(self) -> int:
        """Data lines, once the rows were read to the end."""

    @property
    def set_aside(self) -> Mapping[str, int]:
        """How many lines are no rows, by reason, once the rows were read to the end."""

    @property
    def notes(self) -> Sequence[str]:
        """What is unusual and was accepted, such as CRLF among LF; once read to the end."""


class DeliveryFolder(Protocol):
    """One delivery as a holder prepared it."""

    def announcement(self) -> str:
        """The text of `delivery.toml`.

        Raises:
            InvalidInput: there is none, or it is no text.
        """

    def beside(self, path: str) -> str:
        """The text of a small file that the announcement names, as one of places of columns.

        Raises:
            InvalidInput: there is none, or it is no text.
        """

    def list_files(self) -> Iterator[FoundFile]:
        """Everything in the folder, with the hash of every regular file."""

    def header(self, path: str, *, layout: Layout) -> tuple[str, ...]:
        """The names of a file's columns; none when the file has not a byte.

        Raises:
            HeaderDiffers: its first line is blank, no text, or no line that names columns.
            FileUnreadable: the file is not what the layout says, or is cut short.
        """

    def split(
        self,
        path: str,
        *,
        layout: Layout,
        header: Sequence[str],
        kept: Sequence[str],
        constants: Mapping[str, str],
        date_forms: Mapping[str, str] = _NO_FORMS,
        progress: Callable[[int, int], None] | None = None,
    ) -> SplitRows:
        """Read a file's lines as rows; what is no text in the file becomes text, exactly.

        Where the lines are that are no rows is written down at the holder as they are met.

        header: what `header` said, under the names to be used.
        kept: the columns that come out.
        date_forms: by column, how its dates are spelled (`strptime`); ISO 8601 in others.
        progress: told, again and again, how many rows came out so far, and how many bytes of
            the file were read, as it lies there.

        Reading the rows raises:
            FileUnreadable: the file turns out to be damaged; nothing of it counts.
        """

    def keep_aside(self, path: str, *, layout: Layout) -> Digest | None:
        """Keep the lines of a file that cannot be split where they belong: as original bytes.

        The file was read to its end. Returns the hash of what is kept, or null where there
        is no such line; on return it survives a crash.
        """

    def recall_aside(self, kept: Mapping[str, Digest]) -> frozenset[str]:
        """Take up what an attempt before has kept of some files; all else of it is thrown away.

        kept: by path, what `keep_aside` has said.

        Returns the paths of which every line is there as it was.
        """

    def place_aside(self) -> None:
        """Give the lines that were kept their place, when every file is sealed.

        What lies there from another attempt is moved, and never overwritten.
        """


class DeliveredPart(Protocol):
    """One part of a delivered file, which can be opened as often as it is needed."""

    def __call__(
        self, *, columns: Collection[str] | None = None
    ) -> AbstractContextManager[TableStream]:
        """Open it, for all its columns or for some, of which it may lack a few."""


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One file of a delivery, opened at the hub.

    parts: in order; opened one after the other. rows: of all parts.
    delimiter, constants: what writes a row as its line again: the constants were in none.
    """

    delivery: str
    path: str
    parts: Sequence[DeliveredPart]
    rows: int
    delimiter: str
    constants: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SetAsideRow:
    """A row that breaks a rule: where it was, why, and its bytes as they were delivered."""

    delivery: str
    path: str
    line: int
    reason: str
    content: bytes


class CheckedRows(Protocol):
    """Rows that keep every rule of their table, in typed columns; read once."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows of every delivery."""

    def by_delivery(self) -> Iterator[tuple[str, TableStream]]:
        """Offer them delivery by delivery, in the order of the files; each is read to its end.

        Keys are compared across all of them either way.
        """

    @property
    def counts(self) -> Mapping[tuple[str, str], RowCount]:
        """By delivery and path, once the rows were read to the end."""


class RowChecker(Protocol):
    """Checks rows against their table."""

    def check(
        self,
        files: Iterable[DeliveredFile],
        *,
        schema: TableSchema,
        progress: Callable[[int], None],
        aside: Callable[[Sequence[SetAsideRow]], None],
        keys: Callable[[int], None] | None = None,
    ) -> CheckedRows:
        """Read files of one table: every cell in its type, every key once within these files.

        Where two rows have one key, in a file or in two, all of them are set aside. With
        rows of versions before, nothing is compared.

        progress: told how many rows of them were read so far.
        aside: given the rows that break a rule, some at a time, while the others are read.
        keys: told how many keys were read so far, in each pass over them before the first row.
        """
