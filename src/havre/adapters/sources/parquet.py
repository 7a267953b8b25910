"""Parquet as a holder writes it, in clear, row group by row group: `ports.sources.SplitRows`.

Every row is one: there is no line to be set aside. What is no UTF-8 in a column of
text, or has no exact text, holds the delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from havre.adapters.sources.typed import as_text, text_fault
from havre.adapters.sources.wanted import Wanted, damage_named
from havre.domain.delivery import FileUnreadable
from havre.domain.headers import HeaderDiffers
from havre.domain.shown import is_plain_column, show_places
from havre.streams import kept

_ROWS = 65_536
_READ_BYTES = 1024 * 1024
# Rows that are longer come fewer at a time: a batch is about so large.
_BATCH_BYTES = 64 * 1024 * 1024

# No names and no list in the footer of a table are longer; the reader would believe any size.
_MOST_FOOTER_BYTES = 16 * 1024 * 1024
_MOST_FOOTER_ENTRIES = 1_000_000


def read_names(file: BinaryIO, *, path: str) -> tuple[str, ...]:
    """Name a file's columns.

    Raises:
        HeaderDiffers: some have no exact text; all of them are told.
        FileUnreadable: it is no Parquet, or a damaged one.
    """
    # A column's name that is no UTF-8 is heard of by Python alone.
    with damage_named(path, "Parquet", UnicodeDecodeError):
        schema = _opened(file).schema_arrow
        names = tuple(schema.names)
    faults = [
        f"column {field.name} {fault}"
        for field in schema
        if (fault := text_fault(field.type)) and is_plain_column(field.name)
    ]
    hidden = [
        place
        for place, field in enumerate(schema, 1)
        if text_fault(field.type) and not is_plain_column(field.name)
    ]
    if hidden:
        faults.append(f"columns without a plain name, at {show_places(hidden)}, have no text form")
    if faults:
        raise HeaderDiffers(faults, hint="Cast such columns to text, dates or numbers.")
    return names


class ParquetRows:
    """`ports.sources.SplitRows`: works while it is read."""

    def __init__(self, opened: Callable[[], BinaryIO], wanted: Wanted, *, path: str) -> None:
        """Read a file, whose names were read."""
        self._opened = opened
        self._wanted = wanted
        self._path = path
        self.lines = 0
        # Every row is one.
        self.set_aside: Mapping[str, int] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual."""
        return () if self.lines else ("no row",)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows."""
        rows = pa.RecordBatchReader.from_batches(self._wanted.schema, kept(self._batches()))
        return rows.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with self._opened() as file, damage_named(self._path, "Parquet"):
            parquet = _opened(file)
            names = parquet.schema_arrow.names
            columns = [names[place] for place in self._wanted.places]
            for batch in parquet.iter_batches(
                _rows_at_once(parquet), columns=columns, use_threads=False
            ):
                yield self._spelled(batch.select(columns))
            if self.lines != parquet.metadata.num_rows:
                raise FileUnreadable(self._path, "it has other rows than it says")

    def _spelled(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        try:
            batch.validate(full=True)
        except pa.ArrowInvalid:
            raise FileUnreadable(
                self._path,
                "a column holds what its type cannot, such as bytes that are no UTF-8",
                hint="Convert such text where the file is written, or write the file anew.",
            ) from None
        forms = self._wanted.date_forms
        columns = [
            as_text(column, form=forms.get(name, ""))
            for name, column in zip(self._wanted.kept, batch.columns, strict=True)
        ]
        first = self.lines + 1
        self.lines += batch.num_rows
        return self._wanted.batch(columns, first=first, rows=batch.num_rows)


def _rows_at_once(parquet: pq.ParquetFile) -> int:
    """How many rows to read at a time, by what the footer says of the longest."""
    footer = parquet.metadata
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    longest = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return max(1, min(_ROWS, _BATCH_BYTES // max(1, longest)))


def _opened(file: BinaryIO) -> pq.ParquetFile:
    return pq.ParquetFile(
        pa.PythonFile(file, mode="r"),
        buffer_size=_READ_BYTES,
        thrift_string_size_limit=_MOST_FOOTER_BYTES,
        thrift_container_size_limit=_MOST_FOOTER_ENTRIES,
        page_checksum_verification=True,
    )
