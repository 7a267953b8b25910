"""Keys that stand in more than one row, in one delivered file or in several of one run.

Hashes first, 8 bytes a row: they say almost always that nothing repeats. Only where
two are equal are the keys themselves read again and compared, so that a row is never
set aside for a hash. Files that came with an earlier run are not looked at.

Memory is bounded by a constant, whatever the number of rows: the keys are read in as many
passes as keep `HELD_HASHES` of them in memory, and compared in as many as keep
`COMPARED_HASHES`. What is kept for longer is 8 bytes for each key that repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from havre.adapters.sources.rules import Cells, Flags

Hashes: TypeAlias = npt.NDArray[np.uint64]
Pieces: TypeAlias = Callable[[], Iterator[Mapping[str, Cells]]]

# 512 MiB of hashes, and of keys that are compared some hundred MiB.
HELD_HASHES = 2**26
COMPARED_HASHES = 2**20

# An odd number, 2⁶⁴ parted by the golden ratio: what is multiplied by it spreads over all bits.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_HASH, _ROWS = "_hash", "_rows"


class KeysThatRepeat:
    """Finds the rows that share their key with another row."""

    def __init__(self, key: Sequence[str], pieces: Pieces, *, rows: int) -> None:
        """Compare all keys now.

        key: the columns; with none, no two rows are the same.
        pieces: gives the typed cells of all files, batch by batch, the key's columns at
            least; called once for each pass.
        rows: about how many there are; it bounds what is held, not what is found.
        """
        self._key = list(key)
        self._pieces = pieces
        self._repeated = np.empty(0, np.uint64)
        # Keys that repeat, under a hash that another key has as well.
        self._mixed = pl.DataFrame()
        if self._key:
            self._compare(self._suspects(rows))

    def rows_of(self, cells: Mapping[str, Cells]) -> Flags | None:
        """Say of each row whether another has its key; null where none has."""
        if not len(self._repeated) and self._mixed.is_empty():
            return None
        hashes = hashes_of([cells[name] for name in self._key])
        twice = _is_among(hashes, self._repeated)
        if not self._mixed.is_empty():
            twice |= _marked(self._rows(cells, hashes, np.ones(len(hashes), np.bool_)), self._mixed)
        return twice

    def _suspects(self, rows: int) -> Hashes:
        """The hashes that stand there more than once, each once, in order."""
        passes = max(1, -(-rows // HELD_HASHES))
        found = [self._suspects_of(part, passes=passes, rows=rows) for part in range(passes)]
        suspects = np.concatenate(found)
        suspects.sort()
        return suspects

    def _suspects_of(self, part: int, *, passes: int, rows: int) -> Hashes:
        seen = _Seen(rows // passes + rows // 100 + 1000)
        for cells in self._pieces():
            hashes = hashes_of([cells[name] for name in self._key])
            if passes > 1:
                hashes = hashes[(hashes >> _HALF) % np.uint64(passes) == part]
            seen.add(hashes)
        return seen.repeated()

    def _compare(self, suspects: Hashes) -> None:
        """Part the suspects into keys that repeat and keys that only share a hash."""
        repeated, mixed = [self._repeated], []
        for at in range(0, len(suspects), COMPARED_HASHES):
            keys = self._counted(suspects[at : at + COMPARED_HASHES])
            alone = pl.len().over(_HASH) == 1
            twice = keys.filter(pl.col(_ROWS) > 1)
            pure = keys.filter(alone & (pl.col(_ROWS) > 1))
            repeated.append(pure[_HASH].to_numpy())
            mixed.append(twice.join(pure, on=_HASH, how="anti"))
        self._repeated = np.sort(np.concatenate(repeated))
        if any(len(keys) for keys in mixed):
            self._mixed = pl.concat(mixed).select(*self._key)

    def _counted(self, suspects: Hashes) -> pl.DataFrame:
        """Count the rows of each key that has one of these hashes."""
        counted = pl.DataFrame()
        waiting: list[pl.DataFrame] = []
        for cells in self._pieces():
            hashes = hashes_of([cells[name] for name in self._key])
            rows = self._rows(cells, hashes, _is_among(hashes, suspects))
            waiting.append(rows.with_columns(pl.lit(1, pl.Int64).alias(_ROWS)))
            if sum(map(len, waiting)) > COMPARED_HASHES:
                counted, waiting = self._summed([counted, *waiting]), []
        return self._summed([counted, *waiting])

    def _summed(self, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
        keys = pl.concat([part for part in parts if part.width])
        return keys.group_by(*self._key, _HASH).agg(pl.col(_ROWS).sum())

    def _rows(self, cells: Mapping[str, Cells], hashes: Hashes, wanted: Flags) -> pl.DataFrame:
        columns = [cells[name].taken(wanted).alias(name) for name in self._key]
        return pl.DataFrame([*columns, pl.Series(_HASH, hashes[wanted])])


class _Seen:
    """Hashes in a buffer that is sorted in place when it is full."""

    def __init__(self, capacity: int) -> None:
        self._buffer = np.empty(capacity, np.uint64)
        self._count = 0
        self._twice = np.empty(0, np.uint64)

    def add(self, hashes: Hashes) -> None:
        if self._count + len(hashes) > len(self._buffer):
            self._compact()
        if self._count + len(hashes) > len(self._buffer):
            grown = np.empty(max(2 * len(self._buffer), self._count + len(hashes)), np.uint64)
            grown[: self._count] = self._buffer[: self._count]
            self._buffer = grown
        self._buffer[self._count : self._count + len(hashes)] = hashes
        self._count += len(hashes)

    def repeated(self) -> Hashes:
        self._compact()
        return self._twice

    def _compact(self) -> None:
        """Keep each hash once, and note those that were there before."""
        seen = self._buffer[: self._count]
        seen[:] = pl.Series(seen).sort().to_numpy()
        again = seen[1:] == seen[:-1]
        if again.any():
            self._twice = np.union1d(self._twice, seen[1:][again])
            first = seen[np.concatenate([np.ones(1, np.bool_), ~again])]
            self._count = len(first)
            self._buffer[: self._count] = first


def hashes_of(columns: Sequence[Cells]) -> Hashes:
    """Hash the rows of some columns, 64 bits each; equal cells give equal hashes.

    >>> one, other, same = hashes_of([Cells(pl.Series([7, 8]), np.array([0, 1, 0], np.int32))])
    >>> bool(one == same), bool(one == other)
    (True, False)
    """
    total = np.zeros(1, np.uint64)
    for number, column in enumerate(columns):
        hashed = column.values.hash(seed=number).to_numpy()
        per_row = hashed if column.places is None else hashed[column.places]
        total = (total ^ (total >> _HALF)) * _SPREAD + per_row
    return total


def _is_among(hashes: Hashes, ordered: Hashes) -> Flags:
    if not len(ordered):
        return np.zeros(len(hashes), np.bool_)
    places = np.searchsorted(ordered, hashes)
    found: Flags = ordered[np.minimum(places, len(ordered) - 1)] == hashes
    return found


def _marked(rows: pl.DataFrame, keys: pl.DataFrame) -> Flags:
    mark = pl.lit(True).alias(_ROWS)  # noqa: FBT003 - the cell's value
    marked = rows.join(
        keys.with_columns(mark),
        on=keys.columns,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    found: Flags = marked[_ROWS].fill_null(value=False).to_numpy()
    return found
