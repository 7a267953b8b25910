"""One column's values, counted batch by batch: rows of each exactly, people up to eleven.

Each batch is first parted into its different cells and their places, so that whatever is
done with a value is done once. A value that eleven people were seen to share is no longer
looked at for people: after the first batches that is nearly all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from havre.adapters.describing.bins import (
    NOWHERE,
    Places,
    Reading,
    Spelling,
    places_of_months,
    places_of_numbers,
    places_of_yearmonths,
    places_of_years,
    spell_month,
    spell_number,
)
from havre.adapters.describing.people import Persons
from havre.domain.content import MOST_PEOPLE, ColumnCount, Shape, ValueCount, shape_of
from havre.domain.schema import Column, ColumnType

# More different values than any code system in use has are no codes: counting ends.
MOST_VALUES = 50_000
# Of one batch, how many rows are looked at for people: enough for all that is frequent.
_MOST_LOOKED_AT = 50_000

_SPANS: dict[ColumnType, tuple[Reading, Spelling]] = {
    ColumnType.INTEGER: (places_of_numbers, spell_number),
    ColumnType.DECIMAL: (places_of_numbers, spell_number),
    ColumnType.DATE: (places_of_months, spell_month),
    ColumnType.DATETIME: (places_of_months, spell_month),
    ColumnType.YEAR: (places_of_years, str),
    ColumnType.YEARMONTH: (places_of_yearmonths, spell_month),
}


class ColumnCounter:
    """Counts one column."""

    def __init__(self, column: Column) -> None:
        self.name = column.name
        self._shape = shape_of(column)
        self._column = column
        self._missing = 0
        self._values: dict[Any, int] = {}
        self._rows: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._shared = _SharedValues()
        self._holes = _Holes()
        self._too_many = False

    def add(self, cells: Any, persons: Persons | None) -> None:
        """Count a batch.

        cells: one Arrow column. persons: whose the rows are; null where nobody can tell.
        """
        self._missing += cells.null_count
        has_values = self._shape in {Shape.CODES, Shape.SPAN} and not self._too_many
        if not has_values or cells.null_count == len(cells):
            self._holes.add(cells, persons)
            return
        places, own = self._numbered(cells)
        # A cell that is null, or a date that means "unknown", has the last number.
        counted = np.bincount(own, minlength=len(places) + 1)[:-1]
        self._missing += int(counted[places < 0].sum())
        good = places >= 0
        self._holes.add(cells, persons, cell=None if good.all() else np.append(good, [False])[own])
        self._rows = _grown(self._rows, len(self._values))
        np.add.at(self._rows, places[good], counted[good])
        self._too_many = len(self._values) > MOST_VALUES
        if self._too_many:
            self._values, self._rows, self._shared = {}, self._rows[:0], _SharedValues()
        elif persons is not None:
            self._shared.add(places, own, persons, values=len(self._values))

    def _numbered(self, cells: Any) -> tuple[Places, Places]:
        """Number the values of a batch, and say which one each row has."""
        encoded = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
        if not pa.types.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode()
        own = encoded.indices
        if own.null_count:
            own = pc.fill_null(own, len(encoded.dictionary))
        return self._numbers_of(encoded.dictionary), np.asarray(own)

    def _numbers_of(self, distinct: Any) -> Places:
        if self._shape is Shape.SPAN:
            read = _SPANS[self._column.type][0](distinct)
            found, back = np.unique(read, return_inverse=True)
            keys: list[Any] = found.tolist()
        else:
            back, keys = np.arange(len(distinct)), distinct.cast(pa.string()).to_pylist()
        known = self._values
        numbers = [
            -1 if key in {NOWHERE, None} else known.setdefault(key, len(known)) for key in keys
        ]
        return np.array(numbers, np.int64)[back] if numbers else np.zeros(0, np.int64)

    def close(self, rows: int, *, each_row_is_one: Callable[[int], int] | None) -> ColumnCount:
        """Tell what was counted.

        rows: of the whole table. each_row_is_one: how many people so many rows are of, where rows name nobody.
        """
        people = self._shared.people(len(self._values))
        spelled = [
            (
                key,
                ValueCount(self._spell(key), int(rows), self._people(rows, seen, each_row_is_one)),
            )
            for (key, rows, seen) in zip(self._values, self._rows, people, strict=True)
        ]
        if self._shape is Shape.SPAN:
            spelled.sort(key=lambda pair: pair[0])
        values = tuple(value for _, value in spelled)
        missing, present = self._holes.people
        return ColumnCount(
            self.name, self._missing, values, self._too_many,
            each_row_is_one(self._missing) if each_row_is_one else missing,
            each_row_is_one(rows - self._missing) if each_row_is_one else present,
        )  # fmt: skip

    def _spell(self, key: Any) -> str:
        return _SPANS[self._column.type][1](key) if self._shape is Shape.SPAN else str(key)

    @staticmethod
    def _people(rows: Any, seen: Any, each_row_is_one: Callable[[int], int] | None) -> int:
        return int(seen) if each_row_is_one is None else each_row_is_one(int(rows))


class _Holes:
    """Whether eleven people have rows without a cell, and eleven rows with one."""

    def __init__(self) -> None:
        self._shared = _SharedValues()

    def add(self, cells: Any, persons: Persons | None, *, cell: Any = None) -> None:
        """Look at a batch.

        cell: which rows have one; null when that is known by the empty cells.
        """
        if persons is None or self._shared.all_enough:
            return
        if cell is None and not cells.null_count and self._shared.is_enough(1):
            return
        has = np.asarray(cells.is_valid()) if cell is None else cell
        self._shared.add(np.array([0, 1]), has.astype(np.int64), persons, values=2)

    @property
    def people(self) -> tuple[int, int]:
        """How many people have holes, and cells, as far as was counted."""
        missing, present = self._shared.people(2)
        return int(missing), int(present)


class _SharedValues:
    """Which values eleven people share, and for the others which people were seen."""

    def __init__(self) -> None:
        self._enough: npt.NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._values: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._people: npt.NDArray[np.uint64] = np.zeros(0, np.uint64)

    def add(self, places: Places, own: Places, persons: Persons, *, values: int) -> None:
        """Look at a batch.

        places: the number of each of the batch's values, below 0 for none. own: which of
            them each row has; one past the last for none.
        """
        self._enough = np.append(self._enough, np.zeros(values - len(self._enough), np.bool_))
        if self._enough.all():
            return
        wanted = np.append((places >= 0) & ~self._enough[places], [False])
        if not wanted.any():
            return
        rows = np.flatnonzero(np.take(wanted, own, mode="clip"))
        rows = rows[persons.known[rows]][:_MOST_LOOKED_AT]
        if not len(rows):
            return
        pairs = np.concatenate([self._values, places[own[rows]]])
        people = np.concatenate([self._people, persons.numbers[rows]])
        order = np.lexsort((people, pairs))
        pairs, people = pairs[order], people[order]
        fresh = np.ones(len(pairs), np.bool_)
        fresh[1:] = (pairs[1:] != pairs[:-1]) | (people[1:] != people[:-1])
        pairs, people = pairs[fresh], people[fresh]
        self._enough |= np.bincount(pairs, minlength=values) >= MOST_PEOPLE
        kept = ~self._enough[pairs]
        self._values, self._people = pairs[kept], people[kept]

    @property
    def all_enough(self) -> bool:
        """Whether every value seen so far is shared by enough people."""
        return bool(len(self._enough) and self._enough.all())

    def is_enough(self, value: int) -> bool:
        """Whether enough people share one value."""
        return value < len(self._enough) and bool(self._enough[value])

    def people(self, values: int) -> npt.NDArray[np.int64]:
        """How many people share each value, as far as was counted."""
        seen = np.bincount(self._values, minlength=values)
        seen[: len(self._enough)][self._enough] = MOST_PEOPLE
        return seen


def _grown(rows: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    return np.append(rows, np.zeros(size - len(rows), np.int64))
