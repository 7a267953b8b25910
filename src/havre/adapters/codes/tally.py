"""`ports.counting_codes` with PyArrow and NumPy: columns of codes against their lists, batch by batch.

A code is looked up once, when it is first met. Then it has a place in the list, and what is
asked of a row is whether its day lies between two numbers of that place; where the list has
no days, or the rows have none, the rows of each code are added up and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from havre.domain.code_system import Code, CodeCounts, CodeSystem

Days = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]

# Of more different codes than any list has, those met are looked up again.
_MOST_REMEMBERED = 200_000
_EPOCH = 719_163
_FIRST, _LAST = np.iinfo(np.int32).min, np.iinfo(np.int32).max


class ListCounter:
    """`ports.counting_codes.CodeCounter`."""

    def tally(self, systems: Mapping[str, CodeSystem], *, day: str | None) -> TableTally:
        """Count the codes of these columns."""
        return TableTally(systems, day=day)


class TableTally:
    """Counts one table."""

    def __init__(self, systems: Mapping[str, CodeSystem], *, day: str | None) -> None:
        self._columns = {name: ColumnTally(system) for name, system in systems.items()}
        self._day = day

    def add(self, batch: Any) -> None:
        """Count a batch, a record batch or a table."""
        there = set(batch.schema.names)
        if not self._columns.keys() & there:
            return
        day = batch[self._day] if self._day in there else None
        days = None if day is None or not pa.types.is_date(_value_type(day)) else Dates(day)
        for name, tally in self._columns.items():
            if name in there:
                tally.add(batch[name], days)

    @property
    def counts(self) -> dict[str, CodeCounts]:
        """What was counted, by column."""
        return {name: tally.counts for name, tally in self._columns.items()}


class Dates:
    """The days of some rows, as numbers; some are not known."""

    def __init__(self, cells: Any) -> None:
        """Read a column of dates."""
        plain = _whole(cells)
        if pa.types.is_dictionary(plain.type):
            plain = plain.dictionary_decode()
        self.known = np.asarray(plain.is_valid())
        numbers = plain.cast(pa.date32()).view(pa.int32()).fill_null(0)
        self.numbers: Days = np.asarray(numbers)


class ColumnTally:
    """Counts one column. Two places behind the list's last are for unknown codes and for none."""

    def __init__(self, system: CodeSystem) -> None:
        self._system = system
        self._place_of = {plain: place for place, plain in enumerate(system.codes)}
        self._unknown, self._none = len(system.codes), len(system.codes) + 1
        self._begins, self._ends = _bounds(list(system.codes.values()))
        self._has_days = bool((self._begins > _FIRST).any() or (self._ends < _LAST).any())
        self._met: dict[str | None, int] = {}
        self._ended = self._not_yet = 0
        self._rows: Places = np.zeros(len(system.codes) + 2, np.int64)

    def add(self, cells: Any, days: Dates | None) -> None:
        """Count some cells, each with its day."""
        encoded = _whole(cells)
        if not pa.types.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode()
        if not len(encoded):
            return
        # The place of a null cell stands last.
        places = np.append(self._places(encoded.dictionary), self._none)
        own = np.asarray(encoded.indices.fill_null(len(places) - 1))
        np.add.at(self._rows, places, np.bincount(own, minlength=len(places)))
        if days is not None and self._has_days:
            of_rows = places[own]
            ended = days.known & (days.numbers > self._ends[of_rows])
            early = days.known & (days.numbers < self._begins[of_rows]) & ~ended
            self._ended += int(ended.sum())
            self._not_yet += int(early.sum())

    def _places(self, distinct: Any) -> Places:
        if len(self._met) > _MOST_REMEMBERED:
            self._met = {}
        met, places = self._met, []
        for text in distinct.cast(pa.string()).to_pylist():
            place = met.get(text)
            if place is None:
                place = met[text] = self._look_up(text)
            places.append(place)
        return np.array(places, np.int64)

    def _look_up(self, text: str | None) -> int:
        if text is None or not text.strip():
            return self._none
        return self._place_of.get(self._system.plain(text), self._unknown)

    @property
    def counts(self) -> CodeCounts:
        """What was counted."""
        known = int(self._rows[: self._unknown].sum())
        return CodeCounts(
            valid=known - self._ended - self._not_yet,
            not_yet=self._not_yet,
            ended=self._ended,
            unknown=int(self._rows[self._unknown]),
            empty=int(self._rows[self._none]),
        )


def _bounds(codes: list[Code]) -> tuple[Days, Days]:
    """First and last day of each place, as days since 1970; those behind the list have no bound."""
    begins = [_FIRST if each.begins is None else each.begins.toordinal() - _EPOCH for each in codes]
    ends = [_LAST if each.ends is None else each.ends.toordinal() - _EPOCH for each in codes]
    return np.array([*begins, _FIRST, _FIRST], np.int32), np.array([*ends, _LAST, _LAST], np.int32)


def _value_type(cells: Any) -> Any:
    kind = cells.type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _whole(cells: Any) -> Any:
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
