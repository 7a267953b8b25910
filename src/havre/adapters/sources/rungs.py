"""Numbers of a file that stand on a ladder: days, counts, amounts of few cents; each spelled once.

A column of a file is often made of few numbers, one step of 1, 0.1 or 0.01 from each other. Which
rung a number is, arithmetic says, in less than half the time that a hash of it takes; and
what a rung is spelled like is kept from chunk to chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

# Steps from one whole number to the next.
_STEPS_OF_ONE = (1, 10, 100)

# What is kept of a column: a text of some ten bytes each. Of fewer cells a look is not worth it.
_MOST_RUNGS = 100_000
_FEWEST_CELLS = 1000

# Whole numbers up to here are exact; a hundred times a number is not beyond it.
_HIGHEST = 2.0**52


class SpelledRungs:
    """Spells a column's chunks, one after the other."""

    def __init__(self, spell: Callable[[Any], Any]) -> None:
        """Begin with nothing.

        spell: makes text of an array of float64 without nulls, the same of the same number.
        """
        self._spell = spell
        self._steps = 1
        self._first = 0
        self._texts: Any = pa.array([], pa.string())

    def __len__(self) -> int:
        """How many rungs are kept."""
        return len(self._texts)

    def find_text(self, numbers: Any) -> Any | None:
        """Spell a chunk whose numbers stand on one ladder; nothing where they do not.

        numbers: NumPy array of float64; NaN is a missing one.

        Returns text, null where a number is missing.

        >>> SpelledRungs(lambda rungs: rungs.cast(pa.string())).find_text(np.repeat(0.5, 1000))[9]
        <pyarrow.StringScalar: '0.5'>
        """
        if len(numbers) < _FEWEST_CELLS:
            return None
        missing = None
        if np.isnan(numbers.min()):
            missing = np.isnan(numbers)
            there = numbers[~missing]
            numbers = np.where(missing, there[0] if len(there) else 0.0, numbers)
        low, high = numbers.min(), numbers.max()
        if not max(-low, high) * _STEPS_OF_ONE[-1] < _HIGHEST:
            return None
        for steps in _STEPS_OF_ONE[_STEPS_OF_ONE.index(self._steps) :]:
            if (high - low) * steps >= min(_MOST_RUNGS, len(numbers)):
                return None
            scaled = np.rint(numbers * steps)
            if bool((scaled / steps == numbers).all()):
                self._reach(steps, round(low * steps), round(high * steps))
                at = (scaled - self._first).astype(np.int32)
                return self._texts.take(pa.array(at, mask=missing))
        return None

    def _reach(self, steps: int, low: int, high: int) -> None:
        """Make the ladder long enough; one that would be too long begins anew."""
        end = self._first + len(self._texts)
        if steps == self._steps and self._first <= low and high < end:
            return
        if steps == self._steps and end > self._first:
            longer = min(low, self._first), max(high, end - 1)
            low, high = longer if longer[1] - longer[0] < _MOST_RUNGS else (low, high)
        self._texts = self._spell(pa.array(np.arange(low, high + 1) / steps))
        self._steps, self._first = steps, low
