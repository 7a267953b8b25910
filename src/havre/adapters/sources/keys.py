"""Keys that stand in more than one row, in one delivered file or in several of one run.

Hashes first, 8 bytes a row: they say almost always that nothing repeats. Only where
two are equal are the keys themselves read again and compared, so that a row is never
set aside for a hash. Files that came with an earlier run are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl

_TWICE = "_twice"


class KeysThatRepeat:
    """Finds the rows that share their key with another row."""

    def __init__(self, key: Sequence[str], pieces: Callable[[], Iterator[pl.DataFrame]]) -> None:
        """Compare all keys now.

        key: the columns; with none, no two rows are the same.
        pieces: gives the rows of all files, typed, with the key's columns at least;
            called a second time when some key may repeat.
        """
        self._key = list(key)
        self._repeated = self._found(pieces) if self._key else pl.DataFrame()

    def rows_of(self, cells: pl.DataFrame) -> pl.Series:
        """Say of each row whether another has its key."""
        if self._repeated.is_empty():
            return pl.repeat(value=False, n=len(cells), eager=True)
        marked = cells.select(self._key).join(
            self._repeated, on=self._key, how="left", nulls_equal=True, maintain_order="left"
        )
        return marked[_TWICE].fill_null(value=False)

    def _found(self, pieces: Callable[[], Iterator[pl.DataFrame]]) -> pl.DataFrame:
        """The keys that stand there more than once, each once."""
        hashes = [piece.select(self._key).hash_rows().to_numpy() for piece in pieces()]
        ordered = np.concatenate([np.empty(0, np.uint64), *hashes])
        ordered.sort()
        equal = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if not len(equal):
            return pl.DataFrame()
        suspect = pl.Series(equal).implode()
        keys = pl.concat(
            rows.filter(rows.hash_rows().is_in(suspect))
            for rows in (piece.select(self._key) for piece in pieces())
        )
        mark = pl.lit(True).alias(_TWICE)  # noqa: FBT003 - the cell's value
        return keys.filter(keys.is_duplicated()).unique().with_columns(mark)
