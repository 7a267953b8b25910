"""A person is in one bed: which nights are taken, and which stays fit between them.

A stay takes the nights from its entry to its exit; one that ends and one that begins may
share a day. Whoever is seen without a night takes none, but not in the midst of another stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from havre.adapters.synthetic.draws import NEVER, Flags, Ints

# Places for the days of one person in a key; far more than there are days.
_PERSON = 4 * NEVER
_SHIFT = NEVER


@dataclass(frozen=True, slots=True)
class Beds:
    """Nights that are taken: sorted keys of the entries and exits of stays that do not overlap."""

    entries: Ints
    exits: Ints

    @classmethod
    def of(cls, person: Ints, entry: Ints, exit_day: Ints) -> Beds:
        """The nights of some stays; none of two of them is the same."""
        order = np.lexsort((exit_day, entry, person))
        return cls(_key(person, entry)[order], _key(person, exit_day)[order])

    def and_of(self, person: Ints, entry: Ints, exit_day: Ints) -> Beds:
        """These nights, and those of more stays that fit."""
        entries = np.concatenate([self.entries, _key(person, entry)])
        exits = np.concatenate([self.exits, _key(person, exit_day)])
        order = np.lexsort((exits, entries))
        return Beds(entries[order], exits[order])

    def fit(self, person: Ints, entry: Ints, exit_day: Ints) -> Flags:
        """Which stays share no night with those, nor lie in the midst of one.

        >>> row = np.array([1, 1, 1, 2])
        >>> taken = Beds.of(row[:1], np.array([10]), np.array([14]))
        >>> taken.fit(row, np.array([14, 13, 12, 12]), np.array([20, 15, 12, 12])).tolist()
        [True, False, False, True]
        """
        begun = np.searchsorted(self.entries, _key(person, exit_day), side="left")
        ended = np.searchsorted(self.exits, _key(person, entry), side="right")
        free: Flags = begun <= ended
        return free

    def next_entry(self, person: Ints, entry: Ints) -> Ints:
        """The day on which the next of those stays begins, from a day on; far away where none does."""
        at = np.searchsorted(self.entries, _key(person, entry), side="left")
        found = np.append(self.entries, np.iinfo(np.int64).max)[at]
        same = found < _key(person + 1, np.full(len(person), -_SHIFT))
        days: Ints = np.where(same, found - _key(person, np.zeros_like(entry)), NEVER)
        return days


def apart(person: Ints, entry: Ints, exit_day: Ints) -> Flags:
    """Which of some stays share no night with an earlier one of them that is kept, too.

    >>> apart(np.array([1, 1, 1]), np.array([10, 12, 14]), np.array([14, 16, 15])).tolist()
    [True, False, True]
    """
    order = np.lexsort((exit_day, entry, person))
    kept = np.ones(len(order), dtype=np.bool_)
    while True:
        rows = order[kept[order]]
        begins, ends = _key(person, entry)[rows], _key(person, exit_day)[rows]
        # The latest end so far; keys of a later person are above those of all before.
        before = np.concatenate([[np.iinfo(np.int64).min], np.maximum.accumulate(ends)[:-1]])
        before = before[: len(rows)]
        clash = begins < before
        # Of a run of clashes only the first is surely one: what it clashes with is kept.
        first = clash & ~np.concatenate([[False], clash[:-1]])[: len(rows)]
        if not first.any():
            return kept
        kept[rows[first]] = False


def _key(person: Ints, day: Ints) -> Ints:
    key: Ints = person.astype(np.int64) * _PERSON + day + _SHIFT
    return key
