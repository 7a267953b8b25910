"""Tables as files: sealed for the lake, or clear for the sandbox's memory.

Promised: a sealed file is Parquet with Modular Encryption in the one layout
that PyArrow, Polars, Spark and DuckDB all read (`docs/adr`, lake format): whoever has
the 32-byte key needs no code of ours. A file that was altered is refused, apart
from its padding, which only the SHA-256 in the manifest covers.
What may be repeated: reading. A stream is read once.
What may block: as long as the stream that is read from.
Final errors: `NotGenuine`, `InvalidInput`.
Who may call it: the vault; `write_clear` also the run, into memory only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from havre.formats.manifest import ColumnBounds
from havre.values import Digest, TableStream

FILE_KEY_BYTES = 32

# Above this many rows the table is cut into several files: what one file needs
# in memory while it is written stays bounded.
MAX_FILE_ROWS = 8 * 245_760


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What was counted while a file was written.

    bounds: by column, every column; none when nobody is to choose by them.
    content_sha256: of the cells in their order, whatever the file, the engine
        or the key; the method is `havre/v2/content` (`docs/protocols.md`, section 3);
        null when it was not asked for.
    """

    rows: int
    bounds: Mapping[str, ColumnBounds]
    content_sha256: Digest | None


class TableWrite(Protocol):
    """A file on its way out: read the chunks to the end, then ask for the facts."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield the file's bytes, once, in order."""

    @property
    def facts(self) -> TableFacts:
        """What was counted.

        Raises:
            ValueError: the chunks were not read to the end.
        """


class TableFiles(Protocol):
    """Writes and reads table files."""

    def write(self, stream: TableStream, *, key: bytes, described: bool = True) -> TableWrite:
        """Write a sealed file, of at most `MAX_FILE_ROWS` rows if the caller can choose.

        key: 32 bytes, never used for another file.
        described: count bounds and hash the content; without, the rows alone.

        Raises:
            InvalidInput: a column has a type that the lake does not hold.
            ValueError: the key has another length.
        """

    def write_clear(self, stream: TableStream) -> TableWrite:
        """Write a plain Parquet file: for a memory file system, never for a disk."""

    def read(
        self,
        file: BinaryIO,
        *,
        key: bytes,
        encoded: bool = False,
        columns: Collection[str] | None = None,
    ) -> TableStream:
        """Read a sealed file, in its order; `file` must stay open meanwhile.

        encoded: give text that repeats as dictionaries, for whoever judges each
            value once; the cells are the same.
        columns: those alone, in the file's order, of which it may lack some; null for all.

        Raises:
            NotGenuine: another key, or bytes were changed; or the file is in clear; it
                may come late, from the stream, as the error of the tool that reads it.
        """

    def texts(self, columns: Mapping[str, Sequence[str]]) -> TableStream:
        """Make a table of texts that are in memory already, to be read once.

        columns: by name, as many cells in each.
        """

    def split_by_year(
        self, stream: TableStream, *, year_column: str | None
    ) -> Iterator[tuple[int, TableStream]]:
        """Part a table by the calendar year of a column, in files of bounded size.

        year_column: a date, a moment, a number or a text that begins with the
            year; null puts every row into year 0, in one file at least.

        Yields year and rows; a year may come several times. Year 0 has the rows
        without a year and those before 1900 or after 2199, which the SNDS uses
        to say "unknown".
        """

    def content_hash(self, stream: TableStream) -> Digest:
        """Hash the cells of a table in their order, as `TableFacts.content_sha256`."""
