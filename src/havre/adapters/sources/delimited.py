"""Delimited text, read without ever believing a quote: `ports.sources.DeliveryFolder`.

A first pass over the bytes, in blocks, finds the lines and those that cannot be
split; only the others are given to the CSV reader, with quoting off. One stray
quote once swallowed 56,842 lines of a file: here it sets aside its own.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from havre.adapters.sources.aside import AsideFolder
from havre.adapters.sources.encodings import TextEncoding, encoding_of
from havre.adapters.sources.lines import MAX_LINE_BYTES, Lines, Places, pieces_of
from havre.adapters.sources.unpacked import unpacked
from havre.domain.announcement import ANNOUNCEMENT, FileKind, FoundFile
from havre.domain.delivery import LINE_COLUMN, FileUnreadable, LinesLost
from havre.domain.headers import HeaderDiffers
from havre.domain.layout import Layout
from havre.domain.shown import show_file
from havre.errors import InvalidInput
from havre.ports.sources import SetAsideLine
from havre.streams import kept
from havre.values import Digest

# What is read at a time.
_BLOCK_BYTES = 16 * 1024 * 1024

# What the CSV reader parses at once, one piece on each core; no line is longer.
_PARSED_BYTES = 2 * MAX_LINE_BYTES
_MAX_ANNOUNCEMENT_BYTES = 4 * 1024 * 1024
_MAX_HEADER_BYTES = 64 * 1024

# Whoever reads a file page by page asks the operating system for several at once.
_BUFFER_BYTES = 256 * 1024

_NEWLINE = 10
_BOM = b"\xef\xbb\xbf"


class DelimitedFolder:
    """One delivery in a directory."""

    def __init__(self, folder: Path, *, aside: Path) -> None:
        """Read from `folder`; keep what cannot be split under `aside`, at the holder."""
        self._folder = folder
        self._aside = AsideFolder(aside)
        self._read: BinaryIO | None = None
        self._hashed: dict[str, tuple[int, ...]] = {}

    def announcement(self) -> str:
        """Read `delivery.toml`."""
        return self.beside(ANNOUNCEMENT)

    def beside(self, path: str) -> str:
        """Read a small file of the folder."""
        try:
            with self._open(path) as file:
                return file.read(_MAX_ANNOUNCEMENT_BYTES).decode("utf-8")
        except (OSError, UnicodeDecodeError):
            raise InvalidInput(
                f"The folder {show_file(self._folder.name)} has no readable {path}.",
                hint="A delivery is a folder with its files and their announcement.",
            ) from None

    def list_files(self) -> Iterator[FoundFile]:
        """List what is there; links are not followed."""
        for entry in sorted(os.scandir(self._folder), key=lambda each: each.name):
            kind = _kind(entry)
            sha256, size_bytes = "", 0
            if kind is FileKind.FILE:
                with Path(entry.path).open("rb") as file:
                    self._hashed[entry.name] = _state(file)
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                    size_bytes = file.tell()
            yield FoundFile(entry.name, kind, sha256, size_bytes)

    def header(self, path: str, *, layout: Layout) -> tuple[str, ...]:
        """Read the first line's names."""
        encoding = encoding_of(layout.encoding)
        with self.open_text(path, layout) as file:
            line = file.readline(_MAX_HEADER_BYTES + 1)
        if encoding.is_utf8:
            line = line.removeprefix(_BOM)
        if not line:
            return ()
        return tuple(_header_text(line, encoding).split(layout.delimiter))

    def split(
        self,
        path: str,
        *,
        layout: Layout,
        header: Sequence[str],
        kept: Sequence[str],
        constants: Mapping[str, str],
    ) -> DelimitedRows:
        """Read a file's lines; a date is text already."""
        shape = Shape(
            layout.delimiter,
            tuple(header),
            tuple(kept),
            dict(constants),
            encoding_of(layout.encoding),
        )
        return DelimitedRows(partial(self.open_text, path, layout), shape, aside=self.aside(path))

    def aside(self, path: str) -> Callable[[Iterable[SetAsideLine]], None]:
        """Begin to read a file: what comes back notes the lines of it that are no rows."""
        self._aside.begin(path)
        return partial(self._aside.note, path)

    def keep_aside(self, path: str, *, layout: Layout) -> Digest | None:
        """Copy lines as they are, where they were and why beside them."""
        with self.open_text(path, layout) as file:
            return self._aside.keep(path, file) if self._aside.has(path) else None

    def recall_aside(self, kept: Mapping[str, Digest]) -> frozenset[str]:
        """Take up what was kept before, by its hash."""
        return self._aside.recall(kept)

    def place_aside(self) -> None:
        """Give what was kept its name."""
        self._aside.place()

    def open_text(self, path: str, layout: Layout) -> BinaryIO:
        """Open a file's text, unpacked if it is packed."""
        file = self._open(path)
        size_bytes = os.fstat(file.fileno()).st_size
        self._read = file
        return unpacked(file, path=path, layout=layout, size_bytes=size_bytes)

    def read_bytes(self) -> int:
        """How far the file is read that was opened last, as it lies there; 0 once it is closed."""
        if self._read is None or self._read.closed:
            return 0
        return os.lseek(self._read.fileno(), 0, os.SEEK_CUR)

    def _open(self, path: str) -> BinaryIO:
        """Open a file, no link; a pipe is opened without waiting for whoever writes to it.

        Raises:
            FileUnreadable: it is not the file any more whose hash was taken.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        file = os.fdopen(os.open(self._folder / path, flags), "rb", buffering=_BUFFER_BYTES)
        if self._hashed.get(path, _state(file)) != _state(file):
            file.close()
            raise FileUnreadable(
                path,
                "somebody wrote to it while it was delivered",
                hint="Deliver files that are finished.",
            )
        return file


def _state(file: BinaryIO) -> tuple[int, ...]:
    """What changes when a file is written to, or another one takes its place."""
    found = os.fstat(file.fileno())
    return found.st_ino, found.st_size, found.st_mtime_ns


def _header_text(line: bytes, encoding: TextEncoding) -> str:
    """The first line as text, if it can be one that names columns; nothing of it is repeated."""
    text = line.removesuffix(b"\n").removesuffix(b"\r")
    faults = {
        "its first line is too long to be a header": len(line) > _MAX_HEADER_BYTES,
        "its first line is blank, and has to name the columns": not text.strip(),
        "its first line holds a carriage return: lines end with LF or CRLF": b"\r" in text,
        "its first line holds a quote: names and cells are never quoted": b'"' in text,
        "its first line begins as UTF-8, which was not announced": text.startswith(_BOM),
        f"its first line is not {encoding.name}": not encoding.is_text(text),
    }
    for fault, holds in faults.items():
        if holds:
            raise HeaderDiffers([fault])
    return encoding.utf8(text).decode("utf-8")


def _kind(entry: os.DirEntry[str]) -> FileKind:
    if entry.is_symlink():
        return FileKind.LINK
    if entry.is_dir():
        return FileKind.FOLDER
    return FileKind.FILE if entry.is_file(follow_symlinks=False) else FileKind.OTHER


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file's lines are, and what of them comes out."""

    delimiter: str
    header: tuple[str, ...]
    kept: tuple[str, ...]
    constants: dict[str, str]
    encoding: TextEncoding

    @property
    def schema(self) -> pa.Schema:
        """What comes out: the line's number, then text."""
        names = (*self.kept, *self.constants)
        return pa.schema([(LINE_COLUMN, pa.int64()), *((name, pa.string()) for name in names)])


class DelimitedRows:
    """`ports.sources.SplitRows`: works while it is read."""

    # Lines before the first row, and how long a line may be.
    _headers = 1
    _most_bytes = MAX_LINE_BYTES

    def __init__(
        self,
        opened: Callable[[], BinaryIO],
        shape: Shape,
        *,
        aside: Callable[[Iterable[SetAsideLine]], None],
    ) -> None:
        """Read a file.

        aside: given the places of lines that are no rows, in order, some at a time.
        """
        self._opened = opened
        self._shape = shape
        self._aside = aside
        self._seen: Counter[str] = Counter()
        self.lines = 0
        self.set_aside: Counter[str] = Counter()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual."""
        seen = self._seen
        said = {
            "CRLF and LF are mixed": 0 < seen["crlf"] < seen["lf"],
            "lines end with CRLF": 0 < seen["crlf"] == seen["lf"],
            "no newline at the end": bool(seen["open end"]),
            "a byte order mark stands first": bool(seen["bom"]),
            "nothing but a header": self.lines == 0,
        }
        return tuple(note for note, holds in said.items() if holds)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows."""
        rows = pa.RecordBatchReader.from_batches(self._shape.schema, kept(self._batches()))
        return rows.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for block, offset in self._blocks():
            table = self._rows(block, offset)
            yield from table.to_batches()

    def _blocks(self) -> Iterator[tuple[bytes, int]]:
        """Yield whole lines, many at a time, each block with its offset in the file."""
        with self._opened() as file:
            offset, rest = self._head(file)
            while block := file.read(_BLOCK_BYTES):
                if cut := block.rfind(b"\n") + 1:
                    whole = b"".join((rest, memoryview(block)[:cut]))
                    yield whole, offset
                    rest, offset = block[cut:], offset + len(whole)
                    continue
                rest += block
                # A line that was too long may have left whole lines behind it.
                if cut := rest.rfind(b"\n") + 1:
                    yield rest[:cut], offset
                    rest, offset = rest[cut:], offset + cut
                elif len(rest) > self._most_bytes:
                    size, ended, rest = _skip_line(file, len(rest))
                    self._note_aside(offset, size, "line too long")
                    self._seen["open end"] = not ended
                    offset += size + ended
            if rest and not rest.endswith(b"\n"):
                self._seen["open end"] = 1
                self._seen["lf"] -= 1
                rest += b"\n"
            if rest:
                yield rest, offset

    def _head(self, file: BinaryIO) -> tuple[int, bytes]:
        """Read what stands before the rows; its size, and what was read of the rows."""
        header = file.readline()
        self._seen["bom"] = self._shape.encoding.is_utf8 and header.startswith(_BOM)
        self._seen["lf"] = header.endswith(b"\n")
        self._seen["crlf"] = header.endswith(b"\r\n")
        self._seen["open end"] = not header.endswith(b"\n")
        return len(header), b""

    def _note_aside(self, offset: int, size: int, reason: str) -> None:
        self.lines += 1
        self._aside([SetAsideLine(self.lines + self._headers, offset, size, reason)])
        self.set_aside[reason] += 1

    def _rows(self, block: bytes, offset: int) -> pa.Table:
        table = self._whole_block(block)
        if table is None:
            delimiter, encoding = ord(self._shape.delimiter), self._shape.encoding
            return pa.concat_tables(
                self._sorted_out(Lines(piece, delimiter=delimiter, encoding=encoding), offset + at)
                for at, piece in pieces_of(block)
            )
        count = int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == _NEWLINE))
        self._seen["lf"] += count
        return self._numbered(table, np.arange(count))

    def _sorted_out(self, lines: Lines, offset: int) -> pa.Table:
        """Parse a block of which some lines may have to be set aside."""
        table, reasons = self._split(lines)
        rows = np.ones(len(lines.starts), dtype=np.intp)
        rows[list(reasons)] = 0
        return self._placed(table, lines, reasons, rows=rows, offset=offset)

    def _placed(
        self, table: pa.Table, lines: Lines, reasons: Mapping[int, str], *, rows: Any, offset: int
    ) -> pa.Table:
        """Number the rows of a block, and note what of it is set aside.

        rows: how many of them each line became; a line that is set aside counts as one.
        """
        counted = rows.copy()
        counted[list(reasons)] = 1
        before = np.cumsum(counted) - counted
        first = self.lines + 1 + self._headers
        if reasons:
            self._aside(
                SetAsideLine(
                    first + int(before[at]),
                    offset + int(lines.starts[at]),
                    int(lines.lengths[at]),
                    reasons[at],
                )
                for at in sorted(reasons)
            )
            self.set_aside.update(reasons.values())
        self._seen["lf"] += len(lines.starts)
        self._seen["crlf"] += int(lines.returned.sum())
        good = np.ones(int(counted.sum()), dtype=bool)
        good[before[list(reasons)]] = False
        table = self._numbered(table, np.flatnonzero(good))
        self.lines += len(reasons)
        return table

    def _numbered(self, table: pa.Table, places: Places) -> pa.Table:
        """Put the lines' numbers before the columns, and the constants behind.

        places: of the table's lines in the block that it is of, from 0.

        Raises:
            LinesLost: there are not as many rows.
        """
        if table.num_rows != len(places):
            raise LinesLost("A block of lines did not become as many rows.")
        numbers = pa.array(places + (self.lines + 1 + self._headers))
        columns = [numbers, *(table[name] for name in self._shape.kept)]
        columns += [
            pa.repeat(pa.scalar(value, pa.string()), table.num_rows)
            for value in self._shape.constants.values()
        ]
        self.lines += table.num_rows
        return pa.table(columns, schema=self._shape.schema)

    def _split(self, lines: Lines) -> tuple[pa.Table, dict[int, str]]:
        """Make rows of lines; of the others, say why they are none."""
        reasons = lines.faults(len(self._shape.header) - 1)
        return self._parsed(lines.without(reasons)), reasons

    def _whole_block(self, block: bytes) -> pa.Table | None:
        """Parse a block in which no line is set aside; nothing when there may be one."""
        if _may_be_faulty(block, self._shape.encoding):
            return None
        try:
            table = self._parsed(block)
        except pa.ArrowInvalid:
            # Some line has too few or too many columns.
            return None
        return None if _may_have_empty_line(table, block) else table

    def _parsed(self, text: bytes) -> pa.Table:
        names = list(self._shape.header)
        text = self._shape.encoding.utf8(text)
        if not text:
            return pa.table({name: pa.array([], pa.string()) for name in names})
        if text.startswith(_BOM):
            # The CSV reader takes one byte order mark off whatever it is given; inside a
            # file it is part of a cell. So it gets one more to take.
            text = _BOM + text
        return pa_csv.read_csv(
            pa.BufferReader(text),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=_PARSED_BYTES),
            parse_options=pa_csv.ParseOptions(
                delimiter=self._shape.delimiter,
                quote_char=False,
                double_quote=False,
                escape_char=False,
                newlines_in_values=False,
                ignore_empty_lines=False,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=list(self._shape.kept),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )


def _skip_line(file: BinaryIO, read: int) -> tuple[int, int, bytes]:
    """Read past a line that is too long; its size, whether a newline ends it, what was read of more."""
    size = read
    while block := file.read(_BLOCK_BYTES):
        cut = block.find(b"\n")
        if cut >= 0:
            return size + cut, 1, block[cut + 1 :]
        size += len(block)
    return size, 0, b""


def _may_be_faulty(block: bytes, encoding: TextEncoding) -> bool:
    """Whether some line may have to be set aside, its number of columns left out.

    One glance over the block; a carriage return is as often an end of line.
    """
    rare = any(byte in block for byte in (b'"', b"\r", b"\x00"))
    return rare or _has_long_line(block) or not encoding.is_text(block)


def _may_have_empty_line(table: pa.Table, block: bytes) -> bool:
    """Whether a line is empty, which passes for a row of empty cells.

    Some column is full nearly always, which costs a fraction of a look at all bytes.
    """
    if any(pc.min(pc.binary_length(column)).as_py() for column in table.columns):
        return False
    newlines = np.frombuffer(block, dtype=np.uint8) == _NEWLINE
    return bool(newlines[0] or (newlines[1:] & newlines[:-1]).any())


def _has_long_line(block: bytes) -> bool:
    """Whether a line has more than `MAX_LINE_BYTES`: jumps from line to line, as far as it may."""
    at = 0
    while len(block) - at > MAX_LINE_BYTES + 1:
        end = block.rfind(b"\n", at, at + MAX_LINE_BYTES + 1)
        if end < 0:
            return True
        at = end + 1
    return False
