"""Rows of a file that tell how far they are while they are read: `ports.sources.SplitRows`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa

from havre.ports.sources import SplitRows
from havre.streams import kept, refusals_heard


class WatchedRows:
    """The rows of another reader, unchanged."""

    def __init__(
        self,
        rows: SplitRows,
        progress: Callable[[int, int], None],
        *,
        read_bytes: Callable[[], int],
    ) -> None:
        """Watch rows.

        progress: told the rows so far, and what `read_bytes` says of the file they are of.
        """
        self._rows = rows
        self._progress = progress
        self._read_bytes = read_bytes

    @property
    def lines(self) -> int:
        """As of the rows."""
        return self._rows.lines

    @property
    def set_aside(self) -> Mapping[str, int]:
        """As of the rows."""
        return self._rows.set_aside

    @property
    def notes(self) -> Sequence[str]:
        """As of the rows."""
        return self._rows.notes

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows."""
        reader = pa.RecordBatchReader.from_stream(self._rows)
        watched = pa.RecordBatchReader.from_batches(reader.schema, kept(self._batches(reader)))
        return watched.__arrow_c_stream__(requested_schema)

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        count = 0
        with refusals_heard():
            for batch in reader:
                count += batch.num_rows
                self._progress(count, self._read_bytes())
                yield batch
