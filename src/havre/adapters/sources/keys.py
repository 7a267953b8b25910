"""Keys that stand in more than one row, in one delivered file or in several of one run.

Hashes first, 8 bytes a row: they say almost always that nothing repeats. Only where
two are equal are the keys themselves read again and compared, so that a row is never
set aside for a hash. Files that came with an earlier run are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa

from havre.ports.sources import DeliveredFile
from havre.values import TableStream

_TWICE = "_twice"

# Types the cells of some columns of a piece of a file.
ReadCells: TypeAlias = Callable[[pa.Table, Sequence[str]], pl.DataFrame]


class KeysThatRepeat:
    """Finds the rows of files that share their key with another row."""

    def __init__(
        self, key: Sequence[str], *, files: Sequence[DeliveredFile], read: ReadCells
    ) -> None:
        """Compare the keys of several files; of one, only when its rows come.

        key: the columns; with none, no two rows are the same.
        """
        self._key = list(key)
        self._read = read
        # One file is read once: its keys are compared while it is in memory.
        self._repeated = self._found(files) if self._key and len(files) > 1 else None

    def rows_of(self, cells: pl.DataFrame) -> pl.Series:
        """Say of each row of a file whether another has its key."""
        nobody = pl.repeat(value=False, n=len(cells), eager=True)
        if not self._key:
            return nobody
        keys = cells.select(self._key)
        if self._repeated is not None:
            if self._repeated.is_empty():
                return nobody
            marked = keys.join(
                self._repeated, on=self._key, how="left", nulls_equal=True, maintain_order="left"
            )
            return marked[_TWICE].fill_null(value=False)
        # A hash of each key first: comparing the keys themselves takes three times as long.
        return keys.is_duplicated() if keys.hash_rows().is_duplicated().any() else nobody

    def _found(self, files: Sequence[DeliveredFile]) -> pl.DataFrame:
        """The keys of all files that stand there more than once, each once."""
        hashes = [keys.hash_rows().to_numpy() for file in files for keys in self._keys(file)]
        ordered = np.concatenate(hashes)
        ordered.sort()
        equal = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if not len(equal):
            return pl.DataFrame()
        suspect = pl.Series(equal).implode()
        keys = pl.concat(
            part.filter(part.hash_rows().is_in(suspect))
            for file in files
            for part in self._keys(file)
        )
        mark = pl.lit(True).alias(_TWICE)  # noqa: FBT003 - the cell's value
        return keys.filter(keys.is_duplicated()).unique().with_columns(mark)

    def _keys(self, file: DeliveredFile) -> Iterator[pl.DataFrame]:
        for part in read_parts(file, columns=self._key):
            yield self._read(part, self._key).select(self._key)


def read_parts(file: DeliveredFile, *, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read a file piece by piece, in order; the first piece of each part has no row."""
    for part in file.parts:
        with part(columns=columns) as rows:
            yield from _pieces(rows)


def _pieces(rows: TableStream) -> Iterator[pa.Table]:
    reader = pa.RecordBatchReader.from_stream(rows)
    yield reader.schema.empty_table()
    for batch in reader:
        yield pa.Table.from_batches([batch])
