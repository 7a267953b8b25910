"""Who a row is of, without keeping who it is: counts of people, and rows that follow another table.

All of it is memory of one run. A pseudonym of the lake is an HMAC: its first eight bytes are
drawn evenly, and serve as they are as the hash that a sketch needs; one of the first stage
is text, and is hashed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Numbers = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

# As many of the smallest numbers are kept: a count is exact up to here, and from there
# on known to one part in 64, with 32 KiB.
_KEPT = 4096
# As many links of one table are kept, 16 MiB; of more, those with the smallest hashes.
_LINKS = 1_000_000
_WHOLE = 2**64


@dataclass(frozen=True, slots=True)
class Persons:
    """Whose each row of a batch is: a number, and whether it is known."""

    numbers: Numbers
    known: Flags


def persons_of(column: Any) -> Persons:
    """Read whose rows they are off a column of pseudonyms: 16 fixed bytes or a text, or null for nobody."""
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(cells.type):
        # A place in a dictionary says nothing: each batch may have another one.
        each = persons_of(cells.dictionary)
        places = cells.indices.fill_null(len(cells.dictionary)).to_numpy(zero_copy_only=False)
        numbers = np.append(each.numbers, np.uint64(0))
        return Persons(numbers[places], np.append(each.known, [False])[places])
    known = np.asarray(cells.is_valid())
    if not pa.types.is_fixed_size_binary(cells.type):
        return Persons(pl.Series(cells).hash(seed=0).to_numpy(), known)
    stored = cells.buffers()[1]
    if stored is None:
        return Persons(np.zeros(len(cells), np.uint64), known)
    halves = np.frombuffer(stored, "<u8").reshape(-1, 2)
    return Persons(halves[cells.offset : cells.offset + len(cells), 0], known)


class PeopleCounter:
    """How many different people there are: the k smallest of their numbers are kept.

    Source: Bar-Yossef et al., "Counting distinct elements in a data stream", RANDOM 2002.
    """

    def __init__(self) -> None:
        self._smallest: Numbers = np.empty(0, np.uint64)

    def add(self, persons: Persons) -> None:
        """Count a batch."""
        fresh = persons.numbers[persons.known]
        if len(self._smallest) == _KEPT:
            fresh = fresh[fresh < self._smallest[-1]]
        if len(fresh):
            ranked = np.sort(np.concatenate([self._smallest, fresh]))
            first = np.append([True], ranked[1:] != ranked[:-1])
            self._smallest = ranked[first][:_KEPT]

    @property
    def people(self) -> int:
        """How many: exact below 4,096, and about right above."""
        if len(self._smallest) < _KEPT:
            return len(self._smallest)
        return round((_KEPT - 1) * _WHOLE / float(self._smallest[-1]))


class Links:
    """Which person a link leads to: of all links of a table, or of those whose hash is small.

    A choice by the hash takes the same links on both sides, whatever the rows' order.
    """

    def __init__(self, types: tuple[Any, ...]) -> None:
        self.types = types
        self._limit = _WHOLE - 1
        self._hashes: Numbers = np.empty(0, np.uint64)
        self._people: Numbers = np.empty(0, np.uint64)
        self._sorted = True

    def add(self, hashes: Numbers, persons: Persons) -> None:
        """Keep a batch's links; rows of nobody lead to number 0."""
        chosen = hashes <= np.uint64(self._limit)
        people = np.where(persons.known, persons.numbers, np.uint64(0))[chosen]
        self._hashes = np.concatenate([self._hashes, hashes[chosen]])
        self._people = np.concatenate([self._people, people])
        self._sorted = False
        while len(self._hashes) > _LINKS:
            self._limit //= 2
            kept = self._hashes <= np.uint64(self._limit)
            self._hashes, self._people = self._hashes[kept], self._people[kept]

    def follow(self, hashes: Numbers) -> tuple[Persons, int, int]:
        """Find the people of a batch of rows that follow.

        Returns them, of how many rows the link was looked for, and of how many it was found.
        """
        if not self._sorted:
            order = np.argsort(self._hashes, kind="stable")
            self._hashes, self._people = self._hashes[order], self._people[order]
            self._sorted = True
        looked_at = hashes <= np.uint64(self._limit)
        places = np.searchsorted(self._hashes, hashes)
        places[places == len(self._hashes)] = 0
        found = looked_at & (self._hashes[places] == hashes) if len(self._hashes) else ~looked_at
        people = self._people[places] if len(self._hashes) else np.zeros_like(hashes)
        known = found & (people != 0)
        return Persons(people, known), int(looked_at.sum()), int((found & looked_at).sum())


def hash_links(batch: Any, columns: tuple[str, ...]) -> Numbers:
    """Hash a batch's links, each a row of these columns; the same in every table of a run."""
    cells = pl.DataFrame(
        {str(n): pl.Series(_decoded(batch[name])) for n, name in enumerate(columns)}
    )
    return cells.hash_rows(seed=0).to_numpy()


def value_type(kind: Any) -> Any:
    """Say of which type a column's cells are, whether it is encoded or not."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _decoded(cells: Any) -> Any:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
