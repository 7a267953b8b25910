"""Random streams, and the few ways in which columns are drawn from them.

Every theme of every block of people has a stream of its own, so that what is
drawn for one does not move what is drawn for another, and a block is the same
whichever process draws it, in whatever order.

Source: Philox counters seeded by NumPy's SeedSequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Random: TypeAlias = np.random.Generator

# Days are counted from this one; what never comes is far away.
EPOCH = date(1970, 1, 1)
NEVER = 10**6
YEAR = 365.25
# The SNDS writes a missing date so.
NO_DATE = (date(1600, 1, 1) - EPOCH).days
_ALPHABET = np.frombuffer(b"ABCDEFGHJKLMNPQRSTUVWYZ23456789", dtype=np.uint8)


class Theme(IntEnum):
    """What a stream is for; the numbers are part of what a seed means."""

    PEOPLE = 1
    NUMBERS = 2
    ILLNESSES = 3
    STAYS = 4
    LINES = 5
    REGISTERS = 6
    DEATHS = 7
    TABLES = 8
    AFTER = 9
    OUTPATIENTS = 10
    ACCOUNTS = 11


def stream(seed: int, block: int, theme: Theme, part: int = 0) -> Random:
    """Begin the stream of one theme in one block.

    >>> first = stream(7, 0, Theme.PEOPLE).integers(100)
    >>> bool(first == stream(7, 0, Theme.PEOPLE).integers(100))
    True
    """
    sequence = np.random.SeedSequence([seed, block, int(theme), part])
    return np.random.Generator(np.random.Philox(sequence))


def pick(weights: Floats | Sequence[float], count: int, random: Random) -> Ints:
    """Draw places in proportion to weights that need not add up to one; none when all are zero."""
    edges: Floats = np.cumsum(np.asarray(weights, dtype=np.float64))
    if not len(edges) or edges[-1] <= 0:
        return np.empty(0, dtype=np.int64)
    found = np.searchsorted(edges, random.random(count) * edges[-1], side="right")
    places: Ints = np.minimum(found, len(edges) - 1).astype(np.int64)
    return places


def most(score: Floats, share: float) -> Flags:
    """Mark the share of rows that score highest: exactly that share, to the row.

    >>> most(np.array([0.1, 0.9, 0.5, 0.3]), 0.5).tolist()
    [False, True, True, False]
    """
    marked = np.zeros(len(score), dtype=np.bool_)
    count = round(len(score) * min(max(share, 0.0), 1.0))
    if count:
        marked[np.argpartition(-score, count - 1)[:count]] = True
    return marked


def dealt(shares: Sequence[float], count: int, random: Random) -> Ints:
    """Deal places in these shares as exactly as whole numbers allow, in random order.

    >>> sorted(dealt([0.5, 0.25, 0.25], 4, np.random.default_rng(1)).tolist())
    [0, 0, 1, 2]
    """
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    places = np.searchsorted(edges / edges[-1], (np.arange(count) + 0.5) / max(count, 1))
    places = np.minimum(places, len(edges) - 1).astype(np.int64)
    random.shuffle(places)
    return places


def about(expected: float, random: Random) -> int:
    """A whole number whose mean is the expected one, and which is next to it."""
    return int(expected + random.random())


def letters(count: int, length: int, random: Random) -> pl.Series:
    """Draw texts of letters and digits, as the numbers of people are spelled."""
    drawn = _ALPHABET[random.integers(0, len(_ALPHABET), (count, length))]
    return pl.Series(drawn.view(f"S{length}").ravel().astype(f"U{length}"), dtype=pl.String)


def day_of(day: date) -> int:
    """Count the days since 1970."""
    return (day - EPOCH).days


def as_days(days: Ints, *, name: str = "day") -> pl.Series:
    """Days since 1970 as dates; what is never stays far away."""
    return pl.Series(name, days.astype(np.int32)).cast(pl.Date)


def chosen(texts: Sequence[str] | pl.Series, places: Ints) -> pl.Series:
    """The texts at these places, as a column."""
    series = texts if isinstance(texts, pl.Series) else pl.Series(list(texts), dtype=pl.String)
    return series.gather(places.astype(np.uint32))
